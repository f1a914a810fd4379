//! What `nix flake init` hands out, with real Nix: it is a sound project as it is, and when it has a
//! name it builds with both backends, whatever members come and go.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{copy_template, files_below, git, program, run, text};
use tempfile::TempDir;

/// A project called acme, made of one of the flake's templates.
struct Project {
    _parent: TempDir,
    root: PathBuf,
}

impl Project {
    fn new(template: &str, left_out: &[&str]) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let flake = parent.path().join("template");
        copy_template(&flake);
        git(parent.path(), &["init", "--quiet", "template"]);
        git(&flake, &["add", "--all"]);
        let root = parent.path().join("a project");
        fs::create_dir(&root).unwrap();
        let handed_out = format!("git+file://{}#{template}", flake.display());
        let output = run(Command::new("nix")
            .args(["--extra-experimental-features", "nix-command flakes"])
            .args(["flake", "init", "--template", &handed_out])
            .current_dir(&root));
        assert!(text(&output.stderr).contains("cargo xtask init --name acme"));
        let project = Self {
            _parent: parent,
            root,
        };

        let parts = include_str!("../parts/template.txt").lines();
        for path in parts.chain(left_out.iter().copied()) {
            assert!(!project.root.join(path).exists(), "{path}");
            for file in files_below(&project.root) {
                // The program that leaves them out knows them, and the driver can make pages.
                if !file.starts_with("xtask/") {
                    let text = text(&fs::read(project.root.join(&file)).unwrap());
                    assert!(!names(&text, path), "{file} names {path}");
                }
            }
        }
        // It is sound before it has a name.
        project.cargo(&["metadata", "--locked", "--format-version", "1"]);
        project.cargo(&["fmt", "--all", "--check"]);
        project.cargo(&["xtask", "ci", "--dry-run"]);
        run(Command::new(program("xtask-init"))
            .args([
                "--name",
                "acme",
                "--repository",
                "acme/acme",
                "--author",
                "Jane",
            ])
            .current_dir(&project.root));
        project
    }

    /// Runs cargo, which passes.
    fn cargo(&self, arguments: &[&str]) -> String {
        let target = program("").ancestors().nth(1).unwrap().to_owned();
        let output = run(Command::new("cargo")
            .args(arguments)
            .current_dir(&self.root)
            .env_remove("XTASK_REPOSITORY")
            // What is no member of the project has been compiled there.
            .env("CARGO_TARGET_DIR", target));
        text(&output.stdout)
    }

    /// The steps of `cargo xtask ci` on Nix, with what became of each.
    fn steps(&self) -> Vec<(String, String)> {
        git(&self.root, &["add", "--all"]);
        let report = self.cargo(&["xtask", "ci", "--backend", "nix", "--strict", "--json"]);
        let report: Value = serde_json::from_str(&report).unwrap();
        let steps = report["steps"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let steps = steps
            .iter()
            .map(|step| (text(&step["member"]), text(&step["outcome"])));
        steps.collect()
    }

    /// The members for which something was built in a run.
    fn built(&self) -> Vec<String> {
        let steps = self.steps().into_iter();
        let mut members: Vec<String> = steps
            .filter(|(_, outcome)| outcome == "built")
            .map(|(member, _)| member)
            .collect();
        members.sort();
        members.dedup();
        members
    }

    fn append(&self, file: &str, text: &str) {
        let path = self.root.join(file);
        fs::write(&path, read(&path) + text).unwrap();
    }
}

/// Whether `text` has `path` as a word of its own.
fn names(text: &str, path: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || "-_".contains(character);
    text.match_indices(path).any(|(start, _)| {
        !text[..start].ends_with(is_part) && !text[start + path.len()..].starts_with(is_part)
    })
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
#[ignore = "needs Nix"]
fn the_template_becomes_a_project_whose_members_come_and_go() {
    let project = Project::new("default", &[]);
    assert!(
        project
            .steps()
            .iter()
            .any(|(member, _)| member == "acme-web")
    );
    project.cargo(&["xtask", "ci", "--backend", "cargo"]);
    assert_eq!(project.built(), [""; 0]);

    project.append("crates/cli/src/main.rs", "\n// An edit.\n");
    assert_eq!(project.built(), ["acme"]);

    project.cargo(&["new", "--quiet", "--lib", "crates/extra"]);
    fs::write(project.root.join("crates/extra/src/lib.rs"), "//! Extra.\n").unwrap();
    project.append("crates/extra/Cargo.toml", "\n[lints]\nworkspace = true\n");
    project.cargo(&["update", "--workspace"]);
    assert!(project.built().contains(&"extra".to_owned()));

    fs::remove_dir_all(project.root.join("crates/web")).unwrap();
    project.cargo(&["update", "--workspace"]);
    assert!(
        !project
            .steps()
            .iter()
            .any(|(member, _)| member == "acme-web")
    );
}

#[test]
#[ignore = "needs Nix"]
fn the_minimal_template_becomes_a_native_project() {
    let left_out = ["crates/web", "nix/web.nix", "xtask/bindgen"];
    let project = Project::new("minimal", &left_out);
    assert!(!read(&project.root.join("Cargo.lock")).contains("wasm-bindgen"));
    let steps = project.steps();
    assert!(steps.iter().any(|(member, _)| member == "acme"));
    project.cargo(&["xtask", "ci", "--backend", "cargo"]);
    project.append("crates/cli/src/main.rs", "\n// An edit.\n");
    assert_eq!(project.built(), ["acme"]);
}
