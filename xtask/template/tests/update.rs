//! Updates of projects that were changed in the meantime, from a template that was, too.

#[path = "../../init/tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::{commit, copy_template, find_crates, git, program, run, text};
use tempfile::TempDir;

/// A project, and the template that it was made of.
struct Project {
    parent: TempDir,
    template: PathBuf,
    root: PathBuf,
}

impl Project {
    /// Made by `cargo xtask init` of a clone of this repository.
    fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let template = parent.path().join("template");
        copy_template(&template);
        // The template is where this project can find it.
        let manifest = read(&template, "Cargo.toml").replace(
            "https://github.com/ORG/gantry",
            &format!("file://{}", template.display()),
        );
        fs::write(template.join("Cargo.toml"), manifest).unwrap();
        let revision = commit(&template, "The template");

        let root = parent.path().join("my project");
        git(
            parent.path(),
            &["clone", "--quiet", "template", "my project"],
        );
        fs::remove_dir_all(root.join(".git")).unwrap();
        run(find_crates(&mut Command::new(env!("CARGO")), parent.path())
            .args([
                "run",
                "--quiet",
                "--locked",
                "--offline",
                "--package",
                "xtask-init",
                "--",
            ])
            .args([
                "--name=acme",
                "--repository=acme/acme",
                "--author=Jane",
                "--without=web",
            ])
            .arg(format!("--revision={revision}"))
            .env("CARGO_TARGET_DIR", target())
            .current_dir(&root));
        commit(&root, "The project");
        Self {
            parent,
            template,
            root,
        }
    }

    /// Changes a file, which has `from`, and commits it.
    fn edit(folder: &Path, file: &str, from: &str, to: &str) {
        let text = read(folder, file);
        assert!(text.contains(from), "{file} lacks {from}");
        fs::write(folder.join(file), text.replacen(from, to, 1)).unwrap();
        commit(folder, file);
    }

    fn update(&self, arguments: &[&str]) -> Output {
        find_crates(
            &mut Command::new(program("xtask-template")),
            self.parent.path(),
        )
        .arg("update")
        .args(arguments)
        .current_dir(&self.root)
        .env("CARGO", env!("CARGO"))
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TARGET_DIR", target())
        .output()
        .unwrap()
    }
}

/// Where the template's programs are compiled, once for all runs of the tests.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("update")
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap()
}

#[test]
fn an_update_brings_the_templates_changes_and_keeps_the_projects() {
    let project = Project::new();
    let Project { template, root, .. } = &project;

    let output = project.update(&[]);
    assert!(text(&output.stdout).contains("already"), "{output:?}");

    // What changes in the template: a file that the project has as it was, one that the project has
    // edited elsewhere, a new file, and one that the project is without.
    Project::edit(template, "deny.toml", "\"ISC\",", "\"ISC\",\n  \"MIT-0\",");
    Project::edit(
        template,
        "crates/core/src/lib.rs",
        "//! ",
        "//! Of gantry. ",
    );
    Project::edit(
        template,
        "crates/web/www/style.css",
        "{",
        "{\n  color: red;",
    );
    fs::write(template.join("docs/new.md"), "# gantry's news\n").unwrap();
    let newest = commit(template, "News");
    let manifest = read(root, "Cargo.toml");
    Project::edit(root, "Cargo.toml", "anyhow = {", "# Ours.\nanyhow = {");
    fs::write(root.join("crates/core/src/ours.rs"), "//! Ours.\n").unwrap();
    let lib = read(root, "crates/core/src/lib.rs") + "\nmod ours;\n";
    fs::write(root.join("crates/core/src/lib.rs"), lib).unwrap();

    let output = project.update(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("git commit --all"),
        "{output:?}"
    );
    commit(root, "Ours");

    let output = project.update(&[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(
        git(root, &["status", "--porcelain"]),
        "M  Cargo.toml\nM  crates/core/src/lib.rs\nM  deny.toml\nA  docs/new.md"
    );
    assert_eq!(read(root, "docs/new.md"), "# acme's news\n");
    let lib = read(root, "crates/core/src/lib.rs");
    assert!(lib.starts_with("//! Of acme. ") && lib.ends_with("\nmod ours;\n"));
    let updated = read(root, "Cargo.toml");
    assert!(updated.contains("# Ours.") && updated.contains(&newest) && updated != manifest);

    // What is updated is so for good.
    commit(root, "Update");
    assert!(text(&project.update(&[]).stdout).contains("already"));

    // A conflict is one of git's own.
    Project::edit(template, "deny.toml", "\"MIT-0\",", "\"MPL-2.0\",");
    Project::edit(root, "deny.toml", "\"MIT-0\",", "\"EUPL-1.2\",");
    let output = project.update(&["--to", "main"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        text(&output.stdout).contains("\n  deny.toml\n"),
        "{output:?}"
    );
    let merged = read(root, "deny.toml");
    for part in [
        "<<<<<<< HEAD\n",
        "\"EUPL-1.2\",\n=======\n",
        "\"MPL-2.0\",\n>>>>>>> ",
    ] {
        assert!(merged.contains(part), "{merged}");
    }
    assert!(git(root, &["status", "--porcelain"]).contains("UU deny.toml"));
}

#[test]
fn what_an_update_cannot_work_with_is_said() {
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join("project");
    copy_template(&root);
    commit(&root, "The template");
    let update = |root: &Path| {
        let output = Command::new(program("xtask-template"))
            .args(["update"])
            .current_dir(root)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        text(&output.stderr)
    };
    let error = update(&root);
    assert!(error.contains("`cargo xtask init` writes it"), "{error}");

    let made =
        "\n[workspace.metadata.template]\nname = \"acme\"\nrepository = \"file:///no/template\"\n";
    fs::write(root.join("Cargo.toml"), read(&root, "Cargo.toml") + made).unwrap();
    commit(&root, "Made");
    let error = update(&root);
    assert!(error.contains("--from REVISION"), "{error}");

    fs::write(
        root.join("Cargo.toml"),
        read(&root, "Cargo.toml") + "revision = \"0f\"\n",
    )
    .unwrap();
    commit(&root, "Of a revision");
    let error = update(&root);
    assert!(
        error.contains("cannot clone the template file:///no/template"),
        "{error}"
    );
}
