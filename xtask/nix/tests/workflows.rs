//! The workflows of `.github`, as tests: what they may do, in which order, and their own commands.

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use support::repository;
use support::runner::{Runner, printed};
use support::workspace::program_file;
use yaml_rust2::{Yaml, YamlLoader};

/// A file below `.github`: a workflow, or an action of this repository.
struct File {
    name: String,
    text: String,
    yaml: Yaml,
}

impl File {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let documents = YamlLoader::load_from_str(&text);
        let mut documents = documents.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(documents.len(), 1, "{}", path.display());
        Self {
            name: path
                .strip_prefix(repository())
                .unwrap()
                .display()
                .to_string(),
            text,
            yaml: documents.remove(0),
        }
    }

    fn jobs(&self) -> impl Iterator<Item = Job<'_>> {
        let jobs = self.yaml["jobs"].as_hash().unwrap();
        jobs.iter().map(|(name, yaml)| Job {
            name: format!("{}, {}", self.name, name.as_str().unwrap()),
            yaml,
        })
    }

    fn is_for_pull_requests(&self) -> bool {
        !self.yaml["on"]["pull_request"].is_badvalue()
    }
}

struct Job<'a> {
    name: String,
    yaml: &'a Yaml,
}

impl Job<'_> {
    /// The steps, with those of this repository's own actions in place of their calls.
    fn steps(&self) -> Vec<Step> {
        let steps = self.yaml["steps"].as_vec().unwrap();
        steps
            .iter()
            .flat_map(|step| match own_action(step) {
                Some(action) => action.yaml["runs"]["steps"].as_vec().unwrap().clone(),
                None => vec![step.clone()],
            })
            .map(Step)
            .collect()
    }
}

/// The action of this repository that a step uses.
fn own_action(step: &Yaml) -> Option<File> {
    let folder = step["uses"].as_str()?.strip_prefix("$/")?;
    Some(File::read(&repository().join(folder).join("action.yml")))
}

struct Step(Yaml);

impl Step {
    fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_default()
    }

    fn uses(&self, action: &str) -> bool {
        self.text("uses").starts_with(&format!("{action}@"))
    }

    fn builds(&self) -> bool {
        ["nix build", "nix run", "nix develop"]
            .iter()
            .any(|command| self.text("run").contains(command))
    }
}

fn files(folder: &str) -> Vec<File> {
    let entries = fs::read_dir(repository().join(".github").join(folder)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| File::read(path)).collect()
}

fn workflows() -> Vec<File> {
    let files = files("workflows");
    assert!(!files.is_empty());
    files
}

fn workflow(name: &str) -> File {
    File::read(&repository().join(".github/workflows").join(name))
}

/// The actions of this repository.
fn actions() -> Vec<File> {
    let entries = fs::read_dir(repository().join(".github/actions")).unwrap();
    entries
        .map(|entry| File::read(&entry.unwrap().path().join("action.yml")))
        .collect()
}

#[test]
fn every_action_is_pinned_to_one_commit_whose_tag_is_beside_it() {
    let mut commits = BTreeMap::new();
    for file in workflows().iter().chain(&actions()) {
        for line in file.text.lines() {
            let line = line.trim().trim_start_matches("- ");
            let Some(used) = line.strip_prefix("uses: ") else {
                continue;
            };
            if let Some(folder) = used.strip_prefix("$/") {
                assert!(
                    repository().join(folder).join("action.yml").exists(),
                    "{}: {used}",
                    file.name
                );
                continue;
            }
            let (action, commit) = used.split_once('@').unwrap();
            let (hash, tag) = commit.split_once(" # v").unwrap_or_default();
            let is_hash = hash.len() == 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_hash && !tag.is_empty(), "{}: {used}", file.name);
            let first = commits
                .entry(action.to_owned())
                .or_insert(commit.to_owned());
            assert_eq!(first, commit, "{}: {action} is used twice", file.name);
        }
    }
    assert!(commits.contains_key("cachix/cachix-action"));
}

#[test]
fn jobs_may_do_nothing_that_they_do_not_say() {
    for file in workflows() {
        let permissions = file.yaml["permissions"].as_hash();
        assert!(
            permissions.is_some_and(yaml_rust2::yaml::Hash::is_empty),
            "{} does not start from `permissions: {{}}`",
            file.name
        );
        for job in file.jobs() {
            let permissions = job.yaml["permissions"].as_hash();
            let permissions = permissions.unwrap_or_else(|| panic!("{}: permissions", job.name));
            for (scope, access) in permissions {
                let may = [scope, access].map(|yaml| yaml.as_str().unwrap());
                assert!(
                    may == ["contents", "read"] || !file.is_for_pull_requests(),
                    "{}: {may:?} in runs for pull requests",
                    job.name
                );
            }
            for step in job.steps() {
                assert!(
                    !step.uses("actions/checkout")
                        || step.0["with"]["persist-credentials"].as_bool() == Some(false),
                    "{} leaves the token in .git/config",
                    job.name
                );
            }
        }
    }
}

#[test]
fn no_run_lasts_for_ever_and_superseded_ones_end() {
    for file in workflows() {
        assert!(
            !file.yaml["concurrency"]["group"].is_badvalue(),
            "{}: concurrency",
            file.name
        );
        for job in file.jobs() {
            let minutes = job.yaml["timeout-minutes"].as_i64();
            assert!(
                minutes.is_some_and(|minutes| minutes <= 120),
                "{}: timeout-minutes",
                job.name
            );
        }
    }
    let cancels = |name: &str| workflow(name).yaml["concurrency"]["cancel-in-progress"].as_bool();
    assert_eq!(cancels("ci.yml"), Some(true));
    assert_eq!(cancels("release.yml"), Some(false));
}

#[test]
fn the_cache_is_set_up_before_anything_is_built() {
    for file in workflows() {
        for job in file.jobs() {
            let steps = job.steps();
            let Some(first_build) = steps.iter().position(Step::builds) else {
                continue;
            };
            let position = |action: &str| steps.iter().position(|step| step.uses(action));
            let install = position("cachix/install-nix-action").unwrap();
            let cachix = position("cachix/cachix-action").unwrap();
            assert!(
                install < cachix && cachix < first_build,
                "{}: {install}, {cachix}, {first_build}",
                job.name
            );
            let config = steps[install].0["with"]["extra_nix_config"]
                .as_str()
                .unwrap();
            for setting in ["extra-substituters = ", "extra-trusted-public-keys = "] {
                assert!(config.contains(setting), "{}: {setting}", job.name);
            }
            let cachix = &steps[cachix];
            assert_eq!(cachix.0["continue-on-error"].as_bool(), Some(true));
            assert_eq!(cachix.text("if"), "steps.cache.outputs.cachix != ''");
        }
    }
}

/// A secret in a run for a pull request could be read by code that nobody has looked at.
#[test]
fn pull_requests_get_no_secret() {
    const GUARD: &str = "github.event_name == 'push' && ";
    for file in workflows() {
        if !file.is_for_pull_requests() {
            continue;
        }
        for job in file.jobs() {
            let environment = job.yaml["environment"]["name"].as_str().unwrap();
            assert!(environment.contains(GUARD), "{}: {environment}", job.name);
            for step in job.yaml["steps"].as_vec().unwrap() {
                let is_guarded = step["if"].as_str().is_some_and(|text| text.contains(GUARD));
                for key in ["with", "env"] {
                    for (name, value) in step[key].as_hash().into_iter().flatten() {
                        let value = value.as_str().unwrap_or_default();
                        assert!(
                            !value.contains("secrets.")
                                || is_guarded
                                || value.contains(&format!("{GUARD}secrets.")),
                            "{}: {name:?} is {value}",
                            job.name
                        );
                    }
                }
            }
        }
    }
}

/// What builds for every system names the same systems as the flake, and runs each on its own kind.
#[test]
fn workflows_run_on_the_systems_of_the_flake() {
    let flake = fs::read_to_string(repository().join("flake.nix")).unwrap();
    let (_, list) = flake.split_once("perSystem = lib.genAttrs [").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    let systems: BTreeSet<&str> = list
        .split_whitespace()
        .map(|name| name.trim_matches('"'))
        .collect();
    let mut matrices = BTreeSet::new();
    for file in workflows() {
        for job in file.jobs() {
            let matrix = &job.yaml["strategy"]["matrix"]["include"];
            let rows = matrix.as_vec().into_iter().flatten();
            let rows: BTreeMap<String, String> = rows
                .filter_map(|row| {
                    let runner = row["runner"].as_str()?.to_owned();
                    Some((row["system"].as_str()?.to_owned(), runner))
                })
                .collect();
            if !rows.is_empty() {
                let named: BTreeSet<&str> = rows.keys().map(String::as_str).collect();
                assert_eq!(named, systems, "{}", job.name);
                matrices.insert(rows);
            }
        }
    }
    assert_eq!(matrices.len(), 1, "{matrices:?}");
}

/// What a step gives to xtask, up to the end of the line.
#[test]
fn every_command_of_xtask_in_a_workflow_exists() {
    let mut count = 0;
    for file in workflows() {
        let commands = file.text.split("nix run .#xtask -- ").skip(1);
        for command in commands.filter_map(|rest| rest.lines().next()) {
            let words = command
                .split_whitespace()
                .map(|word| word.trim_matches('"'));
            let output = Command::new(program_file())
                .args(words)
                .arg("--help")
                .output()
                .unwrap();
            assert!(output.status.success(), "{command}: {}", printed(&output));
            count += 1;
        }
    }
    assert!(count > 2, "{count}");
}

/// Runs a step's own lines, with the environment that the workflow and the step give it.
fn run(runner: &Runner, file: &File, step: &Step) -> Output {
    let mut command = runner.bash(step.text("run"));
    command
        .env("CI", "true")
        .env("GITHUB_OUTPUT", runner.path("output"))
        .env("GITHUB_STEP_SUMMARY", runner.path("summary"))
        .env(
            "GITHUB_ACTION_PATH",
            runner.checkout().join(".github/actions/nix"),
        );
    for table in [&file.yaml["env"], &step.0["env"]] {
        for (name, value) in table.as_hash().into_iter().flatten() {
            let value = evaluate(runner, value.as_str().unwrap());
            command.env(name.as_str().unwrap(), value);
        }
    }
    command.output().unwrap()
}

/// The value of an expression of GitHub Actions on this runner.
fn evaluate(runner: &Runner, text: &str) -> String {
    let Some(expression) = text.strip_prefix("${{ ") else {
        return text.to_owned();
    };
    match expression.trim_end_matches(" }}") {
        "matrix.system" => runner.print("nix config show system"),
        "github.ref_name" => "v0.1.0".into(),
        "secrets.XTASK_CACHE_SECRET_KEY" => runner.key.clone(),
        "secrets.CACHIX_AUTH_TOKEN" => String::new(),
        other => panic!("{other} has no value here"),
    }
}

/// The step of this name in a file below `.github`.
fn step(file: &File, name: &str) -> Step {
    let jobs = file.yaml["jobs"].as_hash().into_iter().flatten();
    let lists = jobs.map(|(_, job)| &job["steps"]);
    let lists = lists.chain([&file.yaml["runs"]["steps"]]);
    let mut steps = lists.filter_map(Yaml::as_vec).flatten();
    let step = steps.find(|step| step["name"].as_str() == Some(name));
    Step(
        step.unwrap_or_else(|| panic!("{}: {name}", file.name))
            .clone(),
    )
}

#[test]
#[ignore = "needs Nix"]
fn the_action_reads_the_cache_that_the_manifest_names() {
    let runner = Runner::new();
    let action = File::read(&repository().join(".github/actions/nix/action.yml"));
    let read = step(&action, "Read the cache's name");
    for (table, outputs) in [
        ("", "cachix=\nurl=\npublic-key=\n"),
        (
            "[workspace.metadata.cache]\nname = \"acme\"\npublic-key = \"acme.cachix.org-1:AA=\"",
            "cachix=acme\nurl=https://acme.cachix.org\npublic-key=acme.cachix.org-1:AA=\n",
        ),
        (
            "[workspace.metadata.cache]\nurl = \"s3://acme?region=x\"\npublic-key = \"acme-1:AA=\"",
            "cachix=\nurl=s3://acme?region=x\npublic-key=acme-1:AA=\n",
        ),
    ] {
        let manifest = format!("[workspace]\nmembers = []\n{table}\n");
        fs::write(runner.checkout().join("Cargo.toml"), manifest).unwrap();
        let _ = fs::remove_file(runner.path("output"));
        let output = run(&runner, &action, &read);
        assert!(output.status.success(), "{}", printed(&output));
        assert_eq!(fs::read_to_string(runner.path("output")).unwrap(), outputs);
    }
}

/// The lines of the workflows themselves, on this repository. Those that need GitHub are left out, and
/// so is the pin, which only cachix.org has.
#[test]
#[ignore = "needs Nix"]
fn the_commands_of_the_workflows_do_what_they_say() {
    const ELSEWHERE: [&str; 3] = ["Publish", "Open a pull request", "Pin"];
    let mut runner = Runner::new();
    runner.remove_rust();
    runner.configure();
    runner.commit();
    for name in ["ci.yml", "cache.yml"] {
        let file = workflow(name);
        for job in file.jobs() {
            for yaml in job.yaml["steps"].as_vec().unwrap() {
                let step = Step(yaml.clone());
                if step.text("run").is_empty() || ELSEWHERE.contains(&step.text("name")) {
                    continue;
                }
                let output = run(&runner, &file, &step);
                let printed = printed(&output);
                assert!(output.status.success(), "{}: {printed}", job.name);
            }
        }
    }
    let exists = |name: &str| runner.path(name).exists();
    assert!(exists("temp/report/report.html") && exists("cache/nix-cache-info"));
    let summary = fs::read_to_string(runner.path("summary")).unwrap();
    assert!(summary.contains("gantry-core"), "{summary}");
    let verdict = runner.print("nix run .#xtask -- cache verify --deps");
    assert!(verdict.contains("0 missing, 0 not signed"), "{verdict}");
    let findings = runner.print("nix run .#xtask -- doctor --offline --json || true");
    for word in ["cache-", "cachix-", "token-", "workflow-"] {
        assert!(!findings.contains(word), "{findings}");
    }

    let release = workflow("release.yml");
    let run_step = |name: &str| {
        let output = run(&runner, &release, &step(&release, name));
        assert!(output.status.success(), "{name}: {}", printed(&output));
    };
    run_step("Release");
    // Two steps carry the files from the jobs of all systems to the last one.
    runner.print("mkdir release && cp -r \"$RUNNER_TEMP/release\" release/release-here");
    run_step("Join the systems");
    // begin web
    let name = runner.print("jq --raw-output '.[0].name' assets/manifest.json");
    let page = format!(
        "{name}-web-v0.1.0-{}.tar.gz",
        runner.print("nix config show system")
    );
    let files = runner.print(&format!("tar -tzf assets/{page}"));
    assert!(files.contains("index.html"), "{files}");
    // end web
    runner.print("rm -r assets release");

    // The other command of this step, `nix flake update`, asks GitHub.
    let update = workflow("update.yml");
    let command = "nix develop --command cargo update";
    assert!(update.text.contains(&format!("command: {command}\n")));
    let step = step(&update, "Update");
    let mut run = runner.bash(step.text("run"));
    let output = run.env("COMMAND", command).output().unwrap();
    assert!(output.status.success(), "{}", printed(&output));
    let changed = runner.print("git diff --name-only");
    assert!(["", "Cargo.lock"].contains(&&*changed), "{changed}");
}
