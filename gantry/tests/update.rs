//! Updates of projects that were changed in the meantime, from a repository that was, too.
//!
//! Those that need Nix run with `cargo test --test update -- --ignored`.

#[path = "support/init.rs"]
mod init;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use init::{commit, copy_repository, git, hand_out, init, read, run, text, write};
use tempfile::TempDir;

/// A project, and the repository that hands it out.
struct Project {
    _parents: [TempDir; 2],
    repository: PathBuf,
    root: PathBuf,
}

impl Project {
    /// Its input is the repository's folder, by a URL of this scheme.
    fn new(scheme: &str) -> Self {
        let (repository_parent, repository) = copy_repository("repository");
        commit(&repository, "The repository");
        let (parent, root) = hand_out("my project", false);
        let url = format!("--gantry={scheme}:{}", repository.display());
        run(&mut init(
            &root,
            &["--name=app", "--repository=org/app", "--without=web", &url],
        ));
        run(nix().args(["flake", "lock"]).current_dir(&root));
        commit(&root, "The project");
        Self {
            _parents: [repository_parent, parent],
            repository,
            root,
        }
    }

    /// Replaces what stands in a file, and commits that.
    fn edit(folder: &Path, file: &str, from: &str, to: &str) {
        let text = read(folder, file);
        assert!(text.contains(from), "{file} lacks {from}");
        write(folder, file, text.replacen(from, to, 1).as_bytes());
        commit(folder, file);
    }
}

fn nix() -> Command {
    let mut nix = Command::new("nix");
    nix.args(["--extra-experimental-features", "nix-command flakes"]);
    nix
}

/// `gantry update`, which exits with `code` and says `part`.
#[track_caller]
fn update(root: &Path, arguments: &[&str], code: i32, part: &str) -> Output {
    let mut gantry = Command::new(env!("CARGO_BIN_EXE_gantry"));
    gantry.arg("update").args(arguments).current_dir(root);
    let output = gantry.output().unwrap();
    let printed = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{printed}");
    assert!(printed.contains(part), "{printed}");
    output
}

#[test]
#[ignore = "needs Nix"]
fn an_update_brings_what_changed_and_keeps_the_projects_own() {
    let project = Project::new("path");
    let Project {
        repository, root, ..
    } = &project;
    update(root, &[], 0, "already");
    update(root, &["--to", "main"], 2, "which has no revisions");

    // What changes in the repository: a file that the project has as it was, one that the project has
    // edited elsewhere, a new file, one that the project is without, and one of the engine's.
    Project::edit(
        repository,
        "deny.toml",
        "\"ISC\",",
        "\"ISC\",\n  \"MIT-0\",",
    );
    Project::edit(
        repository,
        "crates/core/src/lib.rs",
        "//! ",
        "//! Of acme. ",
    );
    Project::edit(repository, "crates/web/src/lib.rs", "//! ", "//! Of acme. ");
    Project::edit(repository, "gantry/src/lib.rs", "//! ", "//! Of gantry. ");
    write(repository, "crates/core/NEW.md", b"# acme's news\n");
    commit(repository, "News");
    let manifest = read(root, "Cargo.toml");
    Project::edit(root, "Cargo.toml", "anyhow = {", "# Ours.\nanyhow = {");
    let lock = read(root, "flake.lock");
    let lib = read(root, "crates/core/src/lib.rs") + "\nmod ours;\n";
    write(root, "crates/core/src/lib.rs", lib.as_bytes());
    write(root, "crates/core/src/ours.rs", b"//! Ours.\n");
    update(root, &[], 2, "git commit --all");
    commit(root, "Ours");

    update(root, &[], 0, "git diff --cached");
    assert_eq!(
        git(root, &["status", "--porcelain"]),
        "A  crates/core/NEW.md\nM  crates/core/src/lib.rs\nM  deny.toml\nM  flake.lock"
    );
    assert_eq!(read(root, "crates/core/NEW.md"), "# app's news\n");
    let lib = read(root, "crates/core/src/lib.rs");
    assert!(lib.starts_with("//! Of app. ") && lib.ends_with("\nmod ours;\n"));
    assert!(read(root, "Cargo.toml").contains("# Ours.") && read(root, "Cargo.toml") != manifest);
    assert_ne!(read(root, "flake.lock"), lock);

    // What is updated is so for good.
    commit(root, "Update");
    update(root, &[], 0, "already");

    // A conflict is one of git's own.
    Project::edit(repository, "deny.toml", "\"MIT-0\",", "\"MPL-2.0\",");
    Project::edit(root, "deny.toml", "\"MIT-0\",", "\"EUPL-1.2\",");
    update(root, &[], 1, "\n  deny.toml\n");
    let merged = read(root, "deny.toml");
    for part in [
        "<<<<<<< HEAD\n",
        "\"EUPL-1.2\",\n=======\n",
        "\"MPL-2.0\",\n>>>>>>> ",
    ] {
        assert!(merged.contains(part), "{merged}");
    }
    assert!(git(root, &["status", "--porcelain"]).contains("UU deny.toml"));
    git(root, &["reset", "--quiet", "--hard"]);
    assert_eq!(git(root, &["status", "--porcelain"]), "");
}

#[test]
#[ignore = "needs Nix"]
fn an_update_can_go_to_any_revision() {
    let project = Project::new("git+file");
    let Project {
        repository, root, ..
    } = &project;
    let first = git(repository, &["rev-parse", "HEAD"]);
    Project::edit(
        repository,
        "deny.toml",
        "\"ISC\",",
        "\"ISC\",\n  \"MIT-0\",",
    );
    git(repository, &["tag", "v2"]);
    Project::edit(repository, "deny.toml", "\"MIT-0\",", "\"MPL-2.0\",");

    update(root, &["--to", "no-such-branch"], 2, "no-such-branch");
    assert_eq!(git(root, &["status", "--porcelain"]), "");
    update(root, &["--to", "v2"], 0, "2 files changed");
    assert!(read(root, "deny.toml").contains("\"MIT-0\""));
    commit(root, "To a tag");
    update(root, &["--to", &first], 0, &first);
    assert!(!read(root, "deny.toml").contains("\"MIT-0\""));
    commit(root, "Back");
    // flake.nix allows any, and the newest is taken.
    update(root, &[], 0, "2 files changed");
    assert!(read(root, "deny.toml").contains("\"MPL-2.0\""));
}

#[test]
fn what_an_update_cannot_work_with_is_said() {
    let (_parent, root) = hand_out("project", false);
    let told = |message: &str| update(&root, &[], 2, message);
    told("run `nix flake lock`: cannot read");
    write(&root, "flake.lock", b"{}");
    told("where `gantry init` writes it");
    fs::remove_file(root.join("flake.lock")).unwrap();

    run(&mut init(&root, &["--name", "app"]));
    write(&root, "flake.lock", b"{}");
    told("flake.lock has no input `gantry`");
    let lock = r#"{ "root": "root", "nodes": { "root": { "inputs": { "gantry": "gantry" } },
        "gantry": { "original": {}, "locked": { "rev": "0f" } } } }"#;
    write(&root, "flake.lock", lock.as_bytes());
    told("nothing is committed yet");
    commit(&root, "The project");
    write(&root, "README.md", b"changed");
    told("git commit --all");
}
