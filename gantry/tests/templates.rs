//! What `nix flake init` hands out: how much it is, and, with real Nix, that it becomes a project which
//! passes CI with both backends, whatever members come and go.
//!
//! Those that need Nix run with `cargo test --test templates -- --ignored`. `GANTRY_NIX_FLAGS` holds more
//! flags for Nix, separated by white space.

#[path = "support/init.rs"]
mod init;
#[path = "support/project.rs"]
mod project;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{env, fs};

use init::{
    assert_same, cargo, commit, content, copy_repository, git, hand_out, read, repository, run,
    text, write,
};
use project::{assert_is_project, assert_lock_is_as_cargo_writes_it};
use serde_json::Value;
use tempfile::TempDir;

const WASM: &str = "wasm32-unknown-unknown";

/// The most that may be handed out below these folders, in lines. Lock files and licences do not count.
const BUDGET: [(&str, usize); 6] = [
    ("", 2300),
    ("flake.nix", 50),
    ("nix/", 50),
    ("xtask/", 900),
    ("crates/", 600),
    // Workflows and actions.
    (".github/", 220),
];

#[test]
fn what_is_handed_out_is_read_in_a_sitting() {
    let (_parent, root) = hand_out("project", false);
    let mut lines: BTreeMap<String, usize> = content(&root)
        .into_iter()
        .map(|(file, content)| (file, text(&content).lines().count()))
        .collect();
    lines.retain(|file, _| {
        let is_lock = Path::new(file).extension().is_some_and(|it| it == "lock");
        !is_lock && !file.starts_with("LICENSE")
    });
    let count = |part: &str| {
        let of_part = lines.iter().filter(|(file, _)| file.starts_with(part));
        let is_apart =
            |file: &str| file.starts_with("xtask/bindgen/") || file == ".github/dependabot.yml";
        of_part
            .filter(|(file, _)| part.is_empty() || !is_apart(file))
            .map(|(_, lines)| lines)
            .sum::<usize>()
    };
    let over: Vec<String> = BUDGET
        .iter()
        .filter(|(part, most)| count(part) > *most)
        .map(|(part, most)| format!("`{part}` has {} lines of {most}", count(part)))
        .collect();
    assert!(over.is_empty(), "{}", over.join(", "));
    assert!(lines.len() <= 55, "{} files of 55", lines.len());
    assert!(
        lines["README.md"] <= 100,
        "README.md has {} lines of 100",
        lines["README.md"]
    );
}

/// What is other in the minimal template: without these members, Cargo.toml names none of them, and
/// Cargo.lock has what is left for cargo.
#[test]
fn the_minimal_template_has_the_lock_file_that_cargo_writes() {
    let (_parent, root) = hand_out("project", false);
    let list: toml_edit::DocumentMut = read(&repository(), "templates/templates.toml")
        .parse()
        .unwrap();
    let left_out = list["minimal"]["leave-out"].as_array().unwrap().iter();
    let left_out: Vec<&str> = left_out.map(|path| path.as_str().unwrap()).collect();
    let mut manifest: toml_edit::DocumentMut = read(&root, "Cargo.toml").parse().unwrap();
    let members = manifest["workspace"]["members"].as_array_mut().unwrap();
    members.retain(|member| !left_out.contains(&member.as_str().unwrap()));
    write(&root, "Cargo.toml", manifest.to_string().as_bytes());
    for folder in left_out {
        fs::remove_dir_all(root.join(folder)).unwrap();
    }
    // The index is not asked for newer versions of what is there.
    cargo(&root, &["fetch", "--quiet"]);
    cargo(&root, &["update", "--quiet", "--workspace", "--offline"]);

    let default = hand_out("project", false);
    let (minimal, default) = (content(&root), content(&default.1));
    let expected: BTreeMap<_, _> = minimal
        .iter()
        .filter(|(file, content)| default.get(*file) != Some(content))
        .collect();
    let committed = repository().join("templates/minimal");
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("minimal");
    let _ = fs::remove_dir_all(&made);
    for (file, content) in &expected {
        write(&made, file, content);
    }
    let found = if committed.exists() {
        content(&committed)
    } else {
        BTreeMap::new()
    };
    assert!(
        found.iter().eq(expected),
        "templates/minimal is out of date: run `rm -rf templates/minimal && cp -r {} templates/minimal`",
        made.display()
    );
}

/// A folder that `nix flake init` has filled, and the copy of this repository that it is from.
struct Project {
    parent: TempDir,
    repository: PathBuf,
    root: PathBuf,
}

impl Project {
    /// What `templates.NAME` hands out, which is sound before it has a name.
    fn new(template: &str) -> Self {
        let (parent, repository) = copy_repository("repository");
        let root = parent.path().join("a project");
        fs::create_dir(&root).unwrap();
        let project = Self {
            parent,
            repository,
            root,
        };
        let handed_out = format!("{}#{template}", project.gantry());
        let output = run(&mut project.nix(&["flake", "init", "--template", &handed_out]));
        assert!(text(&output.stderr).contains("nix run .#gantry -- init --name NAME"));

        let (_parent, expected) = hand_out("project", template == "minimal");
        assert_same(&project.root, &content(&expected));
        assert_lock_is_as_cargo_writes_it(&project.root);
        project
    }

    /// The flake that the project's engine comes from.
    fn gantry(&self) -> String {
        format!("path:{}", self.repository.display())
    }

    /// With a name, CI passes with both backends, and an edit of a leaf builds that leaf alone.
    fn becomes(&self, name: &str) -> Report {
        let gantry = self.gantry();
        run(self
            .nix(&["run", "--override-input", "gantry", &gantry])
            .args(flags())
            .args([
                "path:.#gantry",
                "--",
                "init",
                "--name",
                name,
                "--gantry",
                &gantry,
            ]));
        assert_is_project(&self.root, name);

        let first = self.ci();
        assert!(first.members("native").contains(name));
        self.cargo(&["xtask", "ci", "--backend", "cargo", "--strict"]);
        assert_eq!(self.ci().built(), [""; 0]);

        self.append("crates/cli/src/main.rs", &format!("\n// {}\n", now()));
        let edited = self.ci();
        assert!(!edited.built().is_empty());
        assert!(
            edited
                .built()
                .iter()
                .all(|step| step.ends_with(&format!(" {name}")))
        );
        assert_eq!(edited.compiled(), [&*format!("{name} 0.1.0")].into());
        first
    }

    /// The report of `cargo xtask ci` on Nix, in which every step passes.
    fn ci(&self) -> Report {
        git(&self.root, &["add", "--all"]);
        let report = self.cargo(&["xtask", "ci", "--backend", "nix", "--strict", "--json", "-"]);
        Report(serde_json::from_str(&report).unwrap())
    }

    /// A program in the project, without what cargo has set for this test.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .env_remove("GANTRY_REPOSITORY")
            .env("GANTRY_NIX_FLAGS", flags().join(" "));
        let is_cargos = |name: &String| name.starts_with("CARGO") && name != "CARGO_HOME";
        for name in env::vars().map(|(name, _)| name).filter(is_cargos) {
            command.env_remove(name);
        }
        // A test knows the folder that it was compiled in, and cargo does not tell two projects apart.
        command.env("CARGO_TARGET_DIR", self.parent.path().join("target"));
        command
    }

    /// Runs cargo, which passes, and gives what it prints.
    fn cargo(&self, arguments: &[&str]) -> String {
        text(&run(self.command("cargo").args(arguments)).stdout)
    }

    /// A command of Nix, to which more arguments can be added.
    fn nix(&self, words: &[&str]) -> Command {
        let mut command = self.command("nix");
        command
            .args(["--extra-experimental-features", "nix-command flakes"])
            .args(words);
        command
    }

    fn append(&self, file: &str, text: &str) {
        write(&self.root, file, (read(&self.root, file) + text).as_bytes());
    }
}

/// The report of a run.
struct Report(Value);

impl Report {
    fn steps(&self) -> impl Iterator<Item = &Value> {
        self.0["steps"].as_array().unwrap().iter()
    }

    /// The members that have steps on this target.
    fn members(&self, target: &str) -> BTreeSet<&str> {
        self.steps()
            .filter(|step| step["target"] == target)
            .filter_map(|step| step["member"].as_str())
            .collect()
    }

    /// What was built of members, each as `KIND MEMBER`. A check of the project's own may look at all files.
    fn built(&self) -> Vec<String> {
        let word = |step: &Value, key: &str| step[key].as_str().unwrap_or_default().to_owned();
        self.steps()
            .filter(|step| step["outcome"] == "built" && step["member"].is_string())
            .map(|step| word(step, "kind") + " " + &word(step, "member"))
            .collect()
    }

    /// Names and versions of the crates that were compiled.
    fn compiled(&self) -> BTreeSet<&str> {
        let activities = self.0["activities"].as_array().unwrap().iter();
        activities
            .flat_map(|activity| activity["compiled"].as_array().unwrap())
            .map(|name| name.as_str().unwrap())
            .collect()
    }
}

/// More flags for commands that look at the outputs of a project. In one the inputs of this repository
/// are those of its input gantry.
fn flags() -> Vec<String> {
    let flags = env::var("GANTRY_NIX_FLAGS").unwrap_or_default();
    let mut flags: Vec<String> = flags.split_whitespace().map(str::to_owned).collect();
    for index in 1..flags.len() {
        if flags[index - 1] == "--override-input" {
            flags[index] = format!("gantry/{}", flags[index]);
        }
    }
    flags
}

/// What no run of these tests before has had in an edit, and Nix thus has not built.
fn now() -> u128 {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    time.unwrap().as_nanos()
}

#[test]
#[ignore = "needs Nix"]
fn the_template_becomes_a_project_whose_members_come_and_go() {
    let project = Project::new("default");
    let report = project.becomes("my-app");
    assert!(report.members(WASM).contains("my-app-web"));
    commit(&project.root, "The project");

    let new = format!("new{}", now());
    let folder = project.root.join("crates").join(&new);
    run(project
        .command("cargo")
        .args(["new", "--quiet", "--lib", "--vcs", "none"])
        .arg(&folder));
    fs::write(folder.join("src/lib.rs"), "//! New.\n").unwrap();
    project.cargo(&["update", "--quiet", "--workspace"]);
    let report = project.ci();
    assert!(report.members("native").contains(&*new));
    assert!(
        report.built().iter().all(|step| step.ends_with(&new)),
        "{:?}",
        report.built()
    );
    assert_eq!(report.compiled(), [&*format!("{new} 0.1.0")].into());

    fs::remove_dir_all(project.root.join("crates/web")).unwrap();
    project.cargo(&["update", "--quiet", "--workspace"]);
    assert_eq!(project.ci().members(WASM), [].into());

    // A later engine changes nothing of the project.
    commit(&project.root, "Other members");
    let engine = "gantry/src/lib.rs";
    let later = read(&project.repository, engine) + &format!("\n// {}\n", now());
    write(&project.repository, engine, later.as_bytes());
    run(&mut project.nix(&["flake", "update", "gantry"]));
    assert_eq!(project.ci().built(), [""; 0]);
    let status = git(&project.root, &["status", "--porcelain"]);
    assert!(
        status.lines().all(|line| line.ends_with(" flake.lock")),
        "{status}"
    );
}

#[test]
#[ignore = "needs Nix"]
fn the_minimal_template_becomes_a_native_project() {
    let project = Project::new("minimal");
    assert!(!read(&project.root, "Cargo.lock").contains("wasm-bindgen"));
    let report = project.becomes("my-app");
    assert_eq!(report.members(WASM), [].into());
}

/// What is handed out by a revision that Nix knows pins that revision.
#[test]
#[ignore = "needs Nix"]
fn the_lock_file_pins_the_revision_that_hands_it_out() {
    let project = Project::new("default");
    commit(&project.repository, "The repository");
    let revision = git(&project.repository, &["rev-parse", "HEAD"]);
    let root = project.parent.path().join("pinned");
    fs::create_dir(&root).unwrap();
    let handed_out = format!("git+file://{}", project.repository.display());
    let init = ["flake", "init", "--template", &handed_out];
    run(project.nix(&init).current_dir(&root));

    let lock: Value = serde_json::from_str(&read(&root, "flake.lock")).unwrap();
    assert_eq!(lock["nodes"]["gantry"]["locked"]["rev"], revision);
    // Nix has nothing to add to it, and needs to fetch nothing to know so.
    let metadata = [
        "flake",
        "metadata",
        "--json",
        "--no-update-lock-file",
        "--offline",
        "path:.",
    ];
    run(project.nix(&metadata).current_dir(&root));
}
