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
            match text.and_then(|text| Self::parse(root, &file, &text)) {
                Ok(workflow) => workflows.push(workflow),
                Err(problem) => unreadable.push((file, problem)),
            }
        }
        (workflows, unreadable)
    }

    /// The workflow in `file`, with the steps of the repository's own actions in place of their calls.
    pub(crate) fn parse(root: &Path, file: &str, text: &str) -> Result<Self, String> {
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
            jobs: jobs
                .iter()
                .map(|(name, job)| Job::new(root, name, job))
                .collect(),
        })
    }

    pub(crate) fn is_for_pull_requests(&self) -> bool {
        let mut triggers = self.triggers.iter();
        triggers.any(|trigger| trigger == "pull_request" || trigger == "pull_request_target")
    }
}

impl Job {
    fn new(root: &Path, name: &Yaml, job: &Yaml) -> Self {
        Self {
            name: to_text(name),
            condition: to_text(&job["if"]),
            env: table(&job["env"]),
            steps: steps(job)
                .flat_map(|step| Step::new(step).expand(root))
                .collect(),
        }
    }
}

impl Step {
    /// The step, or the steps of the action that it uses if that is one of this repository.
    fn expand(self, root: &Path) -> Vec<Self> {
        let mut prefixes = ["./", "$/"].iter();
        let folder = prefixes.find_map(|prefix| self.uses.strip_prefix(prefix));
        let text = folder.and_then(|folder| {
            ["action.yml", "action.yaml"]
                .iter()
                .map(|name| root.join(folder).join(name))
                .find_map(|file| fs::read_to_string(file).ok())
        });
        let documents = YamlLoader::load_from_str(&text.unwrap_or_default()).unwrap_or_default();
        let Some(action) = documents.first() else {
            return vec![self];
        };
        steps(&action["runs"])
            .map(|step| Self::new(step).called_by(&self, &action["inputs"]))
            .collect()
    }

    /// A step of an action, with what its caller gives for the action's inputs.
    fn called_by(mut self, caller: &Self, inputs: &Yaml) -> Self {
        for value in self.with.values_mut().chain(self.env.values_mut()) {
            let input = value.strip_prefix("${{ inputs.");
            if let Some(name) = input.and_then(|name| name.strip_suffix(" }}")) {
                let default = || to_text(&inputs[name]["default"]);
                *value = caller.with.get(name).cloned().unwrap_or_else(default);
            }
        }
        let conditions = [&*caller.condition, &*self.condition];
        let conditions: Vec<&str> = conditions
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect();
        self.condition = conditions.join(" && ");
        self
    }

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

fn steps(yaml: &Yaml) -> impl Iterator<Item = &Yaml> {
    yaml["steps"].as_vec().into_iter().flatten()
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

    fn parse(text: &str) -> Result<Workflow, String> {
        Workflow::parse(Path::new(""), "ci.yml", text)
    }

    #[test]
    fn actions_of_the_same_repository_are_followed() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("actions/cache");
        fs::create_dir_all(&folder).unwrap();
        fs::write(
            folder.join("action.yml"),
            "inputs: { token: { }, other: { default: none } }
runs:
  using: composite
  steps:
    - uses: cachix/cachix-action@v17
      if: two
      with: { authToken: '${{ inputs.token }}', name: '${{ inputs.other }}' }
    - run: nix build
",
        )
        .unwrap();
        for uses in ["./actions/cache", "$/actions/cache"] {
            let text = format!(
                "on: push
jobs: {{ a: {{ steps: [ {{ uses: {uses}, if: one, with: {{ token: secret }} }} ] }} }}
"
            );
            let workflow = Workflow::parse(root.path(), "ci.yml", &text).unwrap();
            let [cachix, build] = &*workflow.jobs[0].steps else {
                panic!("{:?}", workflow.jobs);
            };
            assert_eq!(cachix.condition, "one && two");
            assert_eq!(cachix.with["authToken"], "secret");
            assert_eq!(cachix.with["name"], "none");
            assert_eq!(build.run, "nix build");
        }
        let text = "on: push
jobs: { a: { steps: [ { uses: ./absent } ] } }
";
        assert_eq!(parse(text).unwrap().jobs[0].steps[0].uses, "./absent");
    }

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
            let workflow = parse(&format!("on: {on}\njobs: {{}}\n")).unwrap();
            assert_eq!(workflow.triggers, triggers);
        }
        assert!(parse("on: push\n").is_err());
        assert!(parse("on: [push\n").is_err());
        assert!(parse("").is_err());
    }
}
