//! The workflows of `.github`, as tests: what they may do, in which order, and their own commands, run
//! with stand-ins for what only GitHub has.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::nix::environment_flags;
use support::runner::{Runner, printed};
use support::{PROGRAM, assert_exit, repository};
use yaml_rust2::{Yaml, YamlLoader};

/// What is false in a run for a pull request.
const GUARD: &str = "github.event_name != 'pull_request' && ";

/// The flags for Nix of the step CI.
const NIGHTLY: &str = "${{ github.event_name == 'schedule' && '--override-input advisory-db github:rustsec/advisory-db' || '' }}";

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
        let on = self.yaml["on"].as_hash().unwrap();
        on.contains_key(&Yaml::String("pull_request".into()))
    }

    /// The step of this name, or that uses this action, or that runs this.
    fn step(&self, name: &str) -> Step {
        let jobs = self.yaml["jobs"].as_hash().into_iter().flatten();
        let lists = jobs.map(|(_, job)| &job["steps"]);
        let lists = lists.chain([&self.yaml["runs"]["steps"]]);
        let mut steps = lists.filter_map(Yaml::as_vec).flatten().cloned().map(Step);
        let step = steps.find(|step| {
            step.text("name") == name || step.uses(name) || step.text("run").contains(name)
        });
        step.unwrap_or_else(|| panic!("{}: {name}", self.name))
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

fn workflows() -> Vec<File> {
    let entries = fs::read_dir(repository().join(".github/workflows")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.iter().map(|path| File::read(path)).collect()
}

fn workflow(name: &str) -> File {
    File::read(&repository().join(".github/workflows").join(name))
}

fn action() -> File {
    File::read(&repository().join(".github/actions/nix/action.yml"))
}

#[test]
fn every_action_is_pinned_to_one_commit_whose_tag_is_beside_it() {
    let mut commits = BTreeMap::new();
    for file in workflows().iter().chain([&action()]) {
        for line in file.text.lines() {
            let line = line.trim().trim_start_matches("- ");
            let Some(used) = line.strip_prefix("uses: ") else {
                continue;
            };
            // At the very commit that runs.
            if let Some(folder) = used.strip_prefix("$/") {
                let exists = repository().join(folder).join("action.yml").exists();
                assert!(exists, "{}: {used}", file.name);
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

/// A cancelled run for the main branch would never push what it built.
#[test]
fn no_run_lasts_for_ever_and_only_those_of_pull_requests_are_superseded() {
    for file in workflows() {
        let concurrency = &file.yaml["concurrency"];
        let group = concurrency["group"].as_str().unwrap();
        let cancels = &concurrency["cancel-in-progress"];
        if file.is_for_pull_requests() {
            // Of the runs in a group that wait, GitHub also cancels all but the newest.
            assert!(
                group.ends_with("${{ github.event.pull_request.number || github.sha }}"),
                "{}: {group}",
                file.name
            );
            assert_eq!(
                cancels.as_str(),
                Some("${{ github.event_name == 'pull_request' }}")
            );
        } else {
            assert!(!cancels.as_bool().unwrap_or(false), "{}", file.name);
        }
        for job in file.jobs() {
            let minutes = job.yaml["timeout-minutes"].as_i64();
            assert!(
                minutes.is_some_and(|minutes| minutes <= 120),
                "{}: timeout-minutes",
                job.name
            );
        }
    }
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
            assert!(
                cachix
                    .text("if")
                    .contains("steps.cache.outputs.cachix != ''")
            );
        }
    }
}

/// A secret in a run for a pull request could be read by code that nobody has looked at.
#[test]
fn pull_requests_get_no_secret() {
    let is_guarded = |text: &str| text.contains(GUARD);
    for file in workflows() {
        if !file.is_for_pull_requests() {
            continue;
        }
        for job in file.jobs() {
            let environment = job.yaml["environment"]["name"].as_str().unwrap();
            assert!(is_guarded(environment), "{}: {environment}", job.name);
            for step in job.yaml["steps"].as_vec().unwrap() {
                let step_is_guarded = step["if"].as_str().is_some_and(is_guarded);
                for key in ["with", "env"] {
                    for (name, value) in step[key].as_hash().into_iter().flatten() {
                        let value = value.as_str().unwrap_or_default();
                        let value_is_guarded = value.contains(&format!("{GUARD}secrets."));
                        assert!(
                            !value.contains("secrets.") || step_is_guarded || value_is_guarded,
                            "{}: {name:?} is {value}",
                            job.name
                        );
                    }
                }
            }
        }
    }
}

/// Nix takes further caches from the users that it trusts.
#[test]
fn the_code_of_a_pull_request_cannot_add_a_cache() {
    let install = action().step("cachix/install-nix-action");
    assert_eq!(
        install.0["with"]["set_as_trusted_user"].as_str(),
        Some("${{ github.event_name != 'pull_request' }}")
    );
}

/// The nightly run, and no other, takes the database's newest state.
#[test]
fn advisories_are_those_of_the_night() {
    let step = workflow("ci.yml").step("gantry -- ci ");
    assert_eq!(step.0["env"]["GANTRY_NIX_FLAGS"].as_str(), Some(NIGHTLY));
    // A project's input of that name is gantry's, which every check of advisories is made with.
    for (file, input) in [
        (
            "flake.nix",
            "advisory-db = {\n      url = \"github:rustsec/advisory-db\";",
        ),
        (
            "templates/project/flake.nix",
            "inputs.advisory-db = {\n    follows = \"gantry/advisory-db\";\n    flake = false;",
        ),
    ] {
        let text = fs::read_to_string(repository().join(file)).unwrap();
        assert!(text.contains(input), "{file}");
    }
}

/// What builds for every system runs on a machine of each system that flakes are for.
#[test]
fn workflows_run_on_the_systems_of_the_flake() {
    let runners: BTreeMap<&str, &str> = [
        ("ubuntu-24.04", "x86_64-linux"),
        ("ubuntu-24.04-arm", "aarch64-linux"),
        ("macos-15", "aarch64-darwin"),
    ]
    .into();
    // What a handed-out flake says, and what one that says nothing has.
    for (file, start) in [
        ("templates/project/flake.nix", "systems = ["),
        ("gantry/nix/mkFlake.nix", "systems ? ["),
    ] {
        let text = fs::read_to_string(repository().join(file)).unwrap();
        let (_, list) = text.split_once(start).unwrap();
        let (list, _) = list.split_once(']').unwrap();
        let systems: BTreeSet<_> = list
            .split_whitespace()
            .map(|name| name.trim_matches('"'))
            .collect();
        for workflow in workflows() {
            for job in workflow.jobs() {
                let list = job.yaml["strategy"]["matrix"]["runner"].as_vec();
                let used: BTreeSet<_> = list
                    .into_iter()
                    .flatten()
                    .map(|runner| runners[runner.as_str().unwrap()])
                    .collect();
                assert!(
                    used.is_empty() || used == systems,
                    "{}, {file}: {used:?}",
                    job.name
                );
            }
        }
    }
}

/// What a step gives to gantry, up to the end of the line.
#[test]
fn every_command_of_gantry_in_a_workflow_exists() {
    let mut count = 0;
    for file in workflows() {
        let commands = file.text.split("nix run .#gantry -- ").skip(1);
        for command in commands.filter_map(|rest| rest.lines().next()) {
            let mut shell = Command::new("bash");
            shell.args(["-c", &format!("\"$PROGRAM\" {command} --help")]);
            let output = shell
                .env("PROGRAM", PROGRAM)
                .env("GITHUB_REF_NAME", "v0.1.0")
                .output();
            let output = output.unwrap();
            assert!(output.status.success(), "{command}: {}", printed(&output));
            count += 1;
        }
    }
    assert!(count > 2, "{count}");
}

/// Every lock file of the repository, and every action that is used, is moved on.
#[test]
fn dependabot_knows_all_that_is_pinned() {
    let file = File::read(&repository().join(".github/dependabot.yml"));
    let covers = |ecosystem: &str, folder: &str| {
        let updates = file.yaml["updates"].as_vec().unwrap().iter();
        updates
            .filter(|update| update["package-ecosystem"].as_str() == Some(ecosystem))
            .flat_map(|update| {
                let several = update["directories"].as_vec().into_iter().flatten();
                several.chain(Some(&update["directory"]))
            })
            .filter_map(Yaml::as_str)
            // Here, what a pattern finds is called as it is.
            .any(|pattern| pattern.replace('*', "") == folder)
    };
    let tracked = support::git::git(&repository(), &["ls-files"]);
    let folder = |file: &str| PathBuf::from("/").join(Path::new(file).parent().unwrap());
    for file in tracked.lines() {
        // A variant of the template is made of the root's lock file, and tests have their own.
        if file.starts_with("templates/") || file.contains("/tests/") {
            continue;
        }
        let ecosystem = match file.rsplit('/').next().unwrap() {
            "Cargo.lock" => "cargo",
            "flake.lock" => "nix",
            "action.yml" => "github-actions",
            _ => continue,
        };
        let folder = folder(file);
        assert!(covers(ecosystem, folder.to_str().unwrap()), "{file}");
    }
    assert!(covers("github-actions", "/"));
}

/// A step's own lines, with the environment that GitHub, the workflow and the step give them.
fn command(runner: &Runner, file: &File, step: &Step) -> Command {
    let mut command = runner.bash(step.text("run"));
    command
        .env("CI", "true")
        .env("GITHUB_EVENT_NAME", "schedule")
        .env("GITHUB_OUTPUT", runner.path("output"))
        .env("GITHUB_REF_NAME", "v0.1.0")
        .env("GITHUB_REPOSITORY", "ORG/acme")
        .env("GITHUB_STEP_SUMMARY", runner.path("summary"));
    for table in [&file.yaml["env"], &step.0["env"]] {
        for (name, value) in table.as_hash().into_iter().flatten() {
            let value = evaluate(runner, value.as_str().unwrap());
            command.env(name.as_str().unwrap(), value);
        }
    }
    command
}

fn run(runner: &Runner, file: &File, step: &Step) -> Output {
    command(runner, file, step).output().unwrap()
}

/// The value of an expression of GitHub Actions on this runner.
fn evaluate(runner: &Runner, text: &str) -> String {
    if text == NIGHTLY {
        // These have a database of their own, and this machine may not reach GitHub.
        return environment_flags();
    }
    let Some(expression) = text.strip_prefix("${{ ") else {
        return text.to_owned();
    };
    match expression.trim_end_matches(" }}") {
        "github.event.repository.default_branch" => "main".into(),
        "github.repository" => "ORG/acme".into(),
        "github.token" => "a-token".into(),
        "secrets.GANTRY_CACHE_SECRET_KEY" => runner.key.clone(),
        "secrets.CACHIX_AUTH_TOKEN" => String::new(),
        "steps.nix.outputs.cache" => format!("file://{}", runner.path("cache").display()),
        other => panic!("{other} has no value here"),
    }
}

/// What the action says of the cache, with these tables in the commit that a pull request is merged
/// into and in the pull request's own, checked out as it checks out.
fn cache_outputs(event: &str, base: Option<&str>, own: &str) -> Output {
    let runner = Runner::new();
    for (name, table) in [("own.toml", Some(own)), ("base.toml", base)] {
        if let Some(table) = table {
            let manifest = format!("[workspace]\n[workspace.metadata.cache]\n{table}\n");
            fs::write(runner.path(name), manifest).unwrap();
        }
    }
    runner.print(
        "rm -rf .git *
         export GIT_{AUTHOR,COMMITTER}_{NAME,EMAIL}=test
         git init --quiet --initial-branch main ../origin
         cd ../origin
         git commit --quiet --allow-empty --message 'Begin'
         git switch --quiet --create own
         cp ../own.toml Cargo.toml
         git add Cargo.toml
         git commit --quiet --message 'Own'
         git switch --quiet main
         git commit --quiet --allow-empty --message 'Go on'
         if [ -e ../base.toml ]; then
           cp ../base.toml Cargo.toml
           git add Cargo.toml
           git commit --quiet --message 'Base'
         fi
         git merge --quiet --no-ff --no-commit --strategy ours own
         cp ../own.toml Cargo.toml
         git add Cargo.toml
         git commit --quiet --message 'Merge'",
    );
    let action = action();
    let depth = action.step("actions/checkout").0["with"]["fetch-depth"].as_i64();
    runner.print(&format!(
        "rm -rf ../checkout && cd .. && git clone --quiet --depth {} \"file://$PWD/origin\" checkout",
        depth.unwrap()
    ));
    let step = action.step("Read the cache's name");
    let output = command(&runner, &action, &step)
        .env("GITHUB_EVENT_NAME", event)
        .output()
        .unwrap();
    // What the step wrote is shown with what it printed.
    Output {
        stdout: fs::read(runner.path("output")).unwrap(),
        ..output
    }
}

#[test]
fn the_action_reads_the_cache_that_the_manifest_names() {
    for (table, outputs) in [
        ("", "cachix=\nurl=\nkey=\n"),
        (
            "name = \"acme\"\npublic-key = \"acme.cachix.org-1:AA=\"",
            "cachix=acme\nurl=https://acme.cachix.org\nkey=acme.cachix.org-1:AA=\n",
        ),
        (
            "url = \"s3://acme?region=x\"\npublic-key = \"acme-1:AA=\"",
            "cachix=\nurl=s3://acme?region=x\nkey=acme-1:AA=\n",
        ),
    ] {
        let output = cache_outputs("push", None, table);
        assert_exit(&output, 0, outputs);
    }
}

#[test]
fn a_pull_request_does_not_choose_the_cache_that_is_trusted() {
    let base = "url = \"https://cache.example.org\"";
    let own = "url = \"https://elsewhere.example.org\"";
    let output = cache_outputs("pull_request", Some(base), own);
    assert_exit(&output, 0, "url=https://cache.example.org\n");
    let output = cache_outputs("push", Some(base), own);
    assert_exit(&output, 0, "url=https://elsewhere.example.org\n");
    // Where the pull request brings the first Cargo.toml, no cache is trusted yet.
    let output = cache_outputs("pull_request", None, own);
    assert_exit(&output, 0, "url=\n");
}

/// Each line of Nix's configuration is a setting, and each word of a list an element.
#[test]
fn values_that_would_be_more_than_one_are_refused() {
    for table in [
        "url = \"https://a.example.org https://b.example.org\"",
        "url = 'file:///a'\npublic-key = \"a-1:AA=\\nsandbox = false\"",
        "name = \"acme\\nurl=https://b.example.org\"",
    ] {
        let output = cache_outputs("push", None, table);
        assert_exit(
            &output,
            1,
            "::error file=Cargo.toml::[workspace.metadata.cache]",
        );
        assert!(output.stdout.is_empty(), "{}", printed(&output));
    }
}

#[test]
fn a_release_is_a_commit_of_the_default_branch() {
    let runner = Runner::new();
    runner.commit();
    runner.print(
        "git tag v0.1.0
         git config user.name Test && git config user.email test@example.org
         git commit --quiet --allow-empty --message 'Go on'
         git switch --quiet --create other v0.1.0
         git commit --quiet --allow-empty --message 'Elsewhere'",
    );
    // How many commits GitHub finds behind the dots and not before them.
    runner.write_program(
        "bin/gh",
        "[ -n \"$GH_TOKEN\" ]
         range=${2#repos/ORG/acme/compare/}
         [ \"$*\" = \"api repos/ORG/acme/compare/$range --jq .ahead_by\" ]
         git rev-list --count \"${range%...*}..${range#*...}\"",
    );
    let release = workflow("release.yml");
    let step = release.step("Require a commit of the default branch");
    let require = |revision: &str| {
        command(&runner, &release, &step)
            .env(
                "GITHUB_SHA",
                runner.print(&format!("git rev-parse {revision}")),
            )
            .output()
            .unwrap()
    };
    assert_exit(&require("main"), 0, "");
    assert_exit(&require("v0.1.0"), 0, "");
    assert_exit(&require("other"), 1, "::error::v0.1.0 is not on main");
}

/// The release of a stand-in for GitHub: `release` says whether it is a draft.
fn stand_in_for_releases(runner: &Runner) {
    runner.write_program(
        "bin/gh",
        "[ -n \"$GH_TOKEN\" ] && [ \"$GH_REPO\" = ORG/acme ]
         cd \"$(dirname \"$0\")/..\"
         case $* in
           'release view v0.1.0') [ -e release ] ;;
           'release view v0.1.0 --json isDraft --jq .isDraft') cat release ;;
           'release create v0.1.0 --verify-tag --draft --generate-notes')
             echo true >release
             mkdir files ;;
           'release upload v0.1.0 '*' --clobber')
             [ \"$(cat release)\" = true ]
             shift 3
             while [ $# != 1 ]; do
               cp \"checkout/$1\" files/
               [ ! -e broken ] || exit 1
               shift
             done ;;
           'release edit v0.1.0 --draft=false') echo false >release ;;
           'release download v0.1.0 --dir published')
             mkdir checkout/published
             cp files/* checkout/published/ ;;
           *) echo \"gh $*: not this\" >&2; exit 64 ;;
         esac",
    );
}

#[test]
fn what_is_published_never_changes() {
    let runner = Runner::new();
    stand_in_for_releases(&runner);
    let release = workflow("release.yml");
    let publish = |files: &[(&str, &str)]| {
        runner.print("rm -rf assets published && mkdir assets");
        for (name, text) in files {
            fs::write(runner.checkout().join("assets").join(name), text).unwrap();
        }
        run(&runner, &release, &release.step("Publish"))
    };
    let published = || runner.print("cd ../files && tail -n +1 *");

    let files = [
        ("SHA256SUMS", "1"),
        ("acme.tar.gz", "one"),
        ("manifest.json", "[]"),
    ];
    // Broken off, and begun with a file that the run after it makes in another way.
    fs::write(runner.path("broken"), "").unwrap();
    assert_exit(&publish(&[("SHA256SUMS", "0")]), 1, "");
    fs::remove_file(runner.path("broken")).unwrap();
    assert_eq!(
        fs::read_to_string(runner.path("release")).unwrap(),
        "true\n"
    );
    assert_exit(&publish(&files), 0, "");
    let first = published();
    assert_eq!(runner.print("cat ../files/SHA256SUMS"), "1");

    assert_exit(&publish(&files), 0, "");
    assert_eq!(published(), first);

    for (files, difference) in [
        (
            [
                ("SHA256SUMS", "1"),
                ("acme.tar.gz", "two"),
                ("manifest.json", "[]"),
            ],
            "acme.tar.gz",
        ),
        (
            [
                ("SHA256SUMS", "1"),
                ("acme.tar.gz", "one"),
                ("more.tar.gz", ""),
            ],
            "more.tar.gz",
        ),
    ] {
        assert_exit(&publish(&files), 1, difference);
        assert_eq!(published(), first);
    }
}

#[test]
fn what_is_published_is_attested() {
    let release = workflow("release.yml");
    let attested = release.step("actions/attest").0["with"]["subject-path"].clone();
    let publish = release.step("Publish");
    let upload = publish
        .text("run")
        .lines()
        .find(|line| line.contains("upload"));
    let uploaded = upload.unwrap().split_whitespace().nth(4);
    assert_eq!(attested.as_str(), uploaded);
    // All that the release consists of is in this folder, beside nothing else.
    let gather = release.step("Gather the files of all systems");
    for file in ["assets/SHA256SUMS", "assets/manifest.json", "*.gz assets/"] {
        assert!(gather.text("run").contains(file), "{file}");
    }
}

/// The lines of the workflows themselves, on this repository. Those that need GitHub have tests of their
/// own.
#[test]
#[ignore = "needs Nix"]
fn the_commands_of_the_workflows_do_what_they_say() {
    let mut runner = Runner::new();
    runner.remove_rust();
    runner.configure();
    runner.commit();
    for name in ["ci.yml", "cache.yml"] {
        let workflow = workflow(name);
        for job in workflow.jobs() {
            for yaml in job.yaml["steps"].as_vec().unwrap() {
                let step = Step(yaml.clone());
                if !step.text("run").is_empty() {
                    assert_exit(&run(&runner, &workflow, &step), 0, "");
                }
            }
        }
    }
    let exists = |name: &str| runner.path(name).exists();
    assert!(exists("temp/report/report.html") && exists("cache/nix-cache-info"));
    let summary = fs::read_to_string(runner.path("summary")).unwrap();
    assert!(summary.contains("acme-core"), "{summary}");
    let verdict = runner.print("nix run .#gantry -- cache verify --deps");
    assert!(verdict.contains("0 missing, 0 not signed"), "{verdict}");
    let findings = runner.print("nix run .#gantry -- doctor --offline --json || true");
    for word in ["cache-", "cachix-", "token-", "workflow-"] {
        assert!(!findings.contains(word), "{findings}");
    }

    let release = workflow("release.yml");
    assert_exit(&run(&runner, &release, &release.step("Release")), 0, "");
    // Two steps carry the files from the jobs of all systems to the last one.
    runner.print("cp -r \"$RUNNER_TEMP/release\" release-here");
    let gather = release.step("Gather the files of all systems");
    assert_exit(&run(&runner, &release, &gather), 0, "OK");
    let page = format!(
        "acme-web-v0.1.0-{}.tar.gz",
        runner.print("nix config show system")
    );
    let files = runner.print(&format!("tar -tzf assets/*{page}"));
    assert!(files.contains("index.html"), "{files}");
    stand_in_for_releases(&runner);
    for _ in 0..2 {
        assert_exit(&run(&runner, &release, &release.step("Publish")), 0, "");
        runner.print("cmp assets/SHA256SUMS ../files/SHA256SUMS && rm -r published");
    }
}
