//! The workflows of GitHub Actions, reduced to what decides how they use a cache.
//!
//! Format: <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax>.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use yaml_rust2::{Yaml, YamlLoader};

const FOLDER: &str = ".github/workflows";

#[derive(Debug, Default)]
pub(crate) struct Workflow {
    /// From the workspace's root.
    pub(crate) file: String,
    /// The events that start it.
    pub(crate) triggers: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) jobs: Vec<Job>,
}

#[derive(Debug, Default)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) condition: String,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug, Default)]
pub(crate) struct Step {
    /// What it is called, or does.
    pub(crate) name: String,
    pub(crate) condition: String,
    pub(crate) uses: String,
    pub(crate) run: String,
    pub(crate) with: BTreeMap<String, String>,
    pub(crate) env: BTreeMap<String, String>,
}

impl Workflow {
    /// The workflows of a repository, and the files that are none, with what is wrong with them.
    pub(crate) fn read_all(root: &Path) -> (Vec<Self>, Vec<(String, String)>) {
        let mut files: Vec<String> = fs::read_dir(root.join(FOLDER))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| {
                let extension = Path::new(name).extension();
                extension.is_some_and(|extension| extension == "yml" || extension == "yaml")
            })
            .map(|name| format!("{FOLDER}/{name}"))
            .collect();
        files.sort();
        let (mut workflows, mut unreadable) = (Vec::new(), Vec::new());
        for file in files {
            let text = fs::read_to_string(root.join(&file)).map_err(|error| error.to_string());
            match text.and_then(|text| Self::parse(&file, &text)) {
                Ok(workflow) => workflows.push(workflow),
                Err(problem) => unreadable.push((file, problem)),
            }
        }
        (workflows, unreadable)
    }

    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, String> {
        let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
        let document = documents.first().unwrap_or(&Yaml::BadValue);
        let triggers = match &document["on"] {
            Yaml::Hash(events) => events.keys().map(to_text).collect(),
            Yaml::Array(events) => events.iter().map(to_text).collect(),
            event => vec![to_text(event)],
        };
        let Some(jobs) = document["jobs"].as_hash() else {
            return Err("it has no jobs".into());
        };
        Ok(Self {
            file: file.to_owned(),
            triggers,
            env: table(&document["env"]),
            jobs: jobs.iter().map(|(name, job)| Job::new(name, job)).collect(),
        })
    }

    pub(crate) fn is_for_pull_requests(&self) -> bool {
        let mut triggers = self.triggers.iter();
        triggers.any(|trigger| trigger == "pull_request" || trigger == "pull_request_target")
    }
}

impl Job {
    fn new(name: &Yaml, job: &Yaml) -> Self {
        let steps = job["steps"].as_vec().map(Vec::as_slice).unwrap_or_default();
        Self {
            name: to_text(name),
            condition: to_text(&job["if"]),
            env: table(&job["env"]),
            steps: steps.iter().map(Step::new).collect(),
        }
    }
}

impl Step {
    fn new(step: &Yaml) -> Self {
        let [name, uses, run] = ["name", "uses", "run"].map(|key| to_text(&step[key]));
        let first_line = run.lines().next().unwrap_or_default();
        let name = [&*name, &*uses, first_line]
            .into_iter()
            .find(|text| !text.is_empty());
        Self {
            name: name.unwrap_or_default().to_owned(),
            condition: to_text(&step["if"]),
            with: table(&step["with"]),
            env: table(&step["env"]),
            uses,
            run,
        }
    }
}

fn table(yaml: &Yaml) -> BTreeMap<String, String> {
    let entries = yaml.as_hash().into_iter().flatten();
    entries
        .map(|(key, value)| (to_text(key), to_text(value)))
        .collect()
}

fn to_text(yaml: &Yaml) -> String {
    match yaml {
        Yaml::String(text) | Yaml::Real(text) => text.clone(),
        Yaml::Integer(number) => number.to_string(),
        Yaml::Boolean(value) => value.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_are_read_in_all_their_forms() {
        for (on, triggers) in [
            ("push", vec!["push"]),
            ("[push, pull_request]", vec!["push", "pull_request"]),
            (
                "\n  push:\n    branches: [main]\n  schedule:\n    - cron: '1 2 * * *'",
                vec!["push", "schedule"],
            ),
        ] {
            let workflow = Workflow::parse("ci.yml", &format!("on: {on}\njobs: {{}}\n")).unwrap();
            assert_eq!(workflow.triggers, triggers);
        }
        assert!(Workflow::parse("ci.yml", "on: push\n").is_err());
        assert!(Workflow::parse("ci.yml", "on: [push\n").is_err());
        assert!(Workflow::parse("ci.yml", "").is_err());
    }
}
