//! What `nix flake init` hands out, with real Nix: it is a sound project as it is, and when it has a
//! name it passes CI with both backends, whatever members come and go.
//!
//! Run with `cargo test -p xtask-init --test nix -- --ignored` where Nix is installed.
//! `XTASK_NIX_FLAGS` holds more flags for Nix, separated by white space.

mod support;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::SystemTime;
use std::{env, fs};

use serde_json::Value;
use support::project::{assert_is_project, assert_lock_is_as_cargo_writes_it};
use support::{copy_template, files_below, git, run, text};
use tempfile::TempDir;

const WASM: &str = "wasm32-unknown-unknown";

/// A folder that `nix flake init` has filled.
struct Project {
    parent: TempDir,
    root: PathBuf,
}

impl Project {
    /// What `templates.NAME` hands out, which is sound before it has a name.
    fn new(template: &str) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let flake = parent.path().join("template");
        copy_template(&flake);
        git(parent.path(), &["init", "--quiet", "template"]);
        git(&flake, &["add", "--all"]);
        let root = parent.path().join("a project");
        fs::create_dir(&root).unwrap();
        let project = Self { parent, root };

        let handed_out = format!("git+file://{}#{template}", flake.display());
        let output = run(&mut project.nix(&["flake", "init", "--template", &handed_out]));
        assert!(text(&output.stderr).contains("cargo xtask init --name acme"));

        assert_lock_is_as_cargo_writes_it(&project.root);
        project.cargo(&["fmt", "--all", "--check"]);
        project.cargo(&["build", "--locked"]);
        project
    }

    /// No file of the project is one of these, or names one.
    fn assert_is_without(&self, left_out: &[&str]) {
        for path in left_out {
            assert!(!self.root.join(path).exists(), "{path}");
        }
        // The programs of the template know what they leave out, and the driver can make pages.
        let files = files_below(&self.root);
        for file in files.iter().filter(|file| !file.starts_with("xtask/")) {
            let text = self.read(file);
            for path in left_out {
                assert!(!names(&text, path), "{file} names {path}");
            }
        }
    }

    /// A program in the project, without what cargo has set for this test.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .env_remove("XTASK_REPOSITORY");
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
            .args(words)
            .args(["--extra-experimental-features", "nix-command flakes"]);
        command
    }

    /// The programs of this machine, with some in front that fail where its Rust is asked for.
    fn path_without_rust(&self) -> String {
        let folder = self.parent.path().join("without-rust");
        fs::create_dir(&folder).unwrap();
        for name in ["cargo", "rustc"] {
            let program = folder.join(name);
            fs::write(&program, "#!/bin/sh\nexit 127\n").unwrap();
            fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        format!("{}:{}", folder.display(), env::var("PATH").unwrap())
    }

    /// The report of `cargo xtask ci` on Nix, in which every step passes.
    fn ci(&self) -> Report {
        git(&self.root, &["add", "--all"]);
        let report = self.cargo(&["xtask", "ci", "--backend", "nix", "--strict", "--json"]);
        Report(serde_json::from_str(&report).unwrap())
    }

    /// With its name, CI passes with both backends, and an edit of a leaf builds that leaf alone.
    fn passes_ci(&self, name: &str) -> Report {
        assert_is_project(&self.root, name);
        let first = self.ci();
        assert!(first.members("native").contains(name));
        run(self.nix(&["flake", "check"]).args(flags()));
        self.cargo(&["xtask", "ci", "--backend", "cargo", "--strict"]);
        assert_eq!(self.ci().activities(), 0);

        self.append("crates/cli/src/main.rs", &format!("\n// {}\n", now()));
        let edited = self.ci();
        assert_eq!(edited.built_beside(name), [""; 0]);
        assert_eq!(edited.compiled(), [&*format!("{name} 0.1.0")].into());
        first
    }

    fn read(&self, file: &str) -> String {
        text(&fs::read(self.root.join(file)).unwrap())
    }

    fn append(&self, file: &str, text: &str) {
        fs::write(self.root.join(file), self.read(file) + text).unwrap();
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
            .map(|step| step["member"].as_str().unwrap())
            .collect()
    }

    /// What was built, each as `STEP MEMBER`, without the steps of one member.
    fn built_beside(&self, member: &str) -> Vec<String> {
        let word = |step: &Value, key: &str| step[key].as_str().unwrap().to_owned();
        self.steps()
            .filter(|step| step["outcome"] == "built" && step["member"] != member)
            .map(|step| word(step, "what") + " " + &word(step, "member"))
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

    fn activities(&self) -> usize {
        self.0["activities"].as_array().unwrap().len()
    }
}

/// What cargo is told to give the project its name.
fn init(name: &str) -> [String; 5] {
    let repository = format!("--repository=example/{name}");
    ["xtask", "init", "--name", name, &repository].map(str::to_owned)
}

/// More flags for commands that look at a flake's outputs.
fn flags() -> Vec<String> {
    let flags = env::var("XTASK_NIX_FLAGS").unwrap_or_default();
    flags.split_whitespace().map(str::to_owned).collect()
}

/// What no run of these tests before has had in an edit, and Nix thus has not built.
fn now() -> u128 {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    time.unwrap().as_nanos()
}

/// Whether `text` has `path` as a word of its own.
fn names(text: &str, path: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || "-_".contains(character);
    text.match_indices(path).any(|(start, _)| {
        !text[..start].ends_with(is_part) && !text[start + path.len()..].starts_with(is_part)
    })
}

/// The files and folders that a list of parts names.
fn paths(list: &'static str) -> Vec<&'static str> {
    list.lines().filter(|line| !line.contains(' ')).collect()
}

#[test]
#[ignore = "needs Nix"]
fn the_template_becomes_a_project_whose_members_come_and_go() {
    let project = Project::new("default");
    project.assert_is_without(&paths(include_str!("../parts/template.txt")));
    run(project.command("cargo").args(init("acme")));
    let report = project.passes_ci("acme");
    assert!(report.members(WASM).contains("acme-web"));

    let new = format!("new{}", now());
    let folder = project.root.join("crates").join(&new);
    run(project
        .command("cargo")
        .args(["new", "--quiet", "--lib", "--vcs", "none"])
        .arg(&folder));
    fs::write(folder.join("src/lib.rs"), "//! New.\n").unwrap();
    project.cargo(&["update", "--workspace"]);
    let report = project.ci();
    assert!(report.members("native").contains(&*new));
    // What looks at the whole repository looks again; one layer is both steps.
    assert_eq!(report.built_beside(&new), ["test xtask", "doctest xtask"]);
    assert!(report.compiled().contains(&*format!("{new} 0.1.0")));

    fs::remove_dir_all(project.root.join("crates/web")).unwrap();
    project.cargo(&["update", "--workspace"]);
    let report = project.ci();
    assert_eq!(report.members(WASM), [].into());
}

#[test]
#[ignore = "needs Nix"]
fn the_minimal_template_becomes_a_native_project_without_rust_on_the_machine() {
    let project = Project::new("minimal");
    project.assert_is_without(&paths(include_str!("../parts/template.txt")));
    project.assert_is_without(&paths(include_str!("../parts/web.txt")));
    assert!(!project.read("Cargo.lock").contains("wasm-bindgen"));
    run(project
        .nix(&["develop", "path:."])
        .args(flags())
        .args(["--command", "cargo"])
        .args(init("acme"))
        .env("PATH", project.path_without_rust()));
    let report = project.passes_ci("acme");
    assert_eq!(report.members(WASM), [].into());
}
