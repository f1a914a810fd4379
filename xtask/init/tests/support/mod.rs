//! Copies of the template, for tests that make projects of it.

#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod project;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The template: this repository. A build that holds a part of it only says where the whole is.
fn repository() -> PathBuf {
    std::env::var_os("XTASK_REPOSITORY").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."),
        PathBuf::from,
    )
}

/// A program of the package under test. Not by cargo's variable: where a shell script stands in for
/// rustc, it drops variables with a hyphen in their names.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().join(name)
}

/// Copies the template to `folder`, which is made.
pub(crate) fn copy_template(folder: &Path) {
    let repository = repository();
    let files = if repository.join(".git").exists() {
        let listed = run(Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(&repository));
        let files = text(&listed.stdout);
        files.split('\0').map(str::to_owned).collect()
    } else {
        files_below(&repository)
    };
    for file in files.iter().filter(|file| repository.join(file).is_file()) {
        let copy = folder.join(file);
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        // Without the permissions, which are read-only in the Nix store.
        fs::write(copy, fs::read(repository.join(file)).unwrap()).unwrap();
    }
}

/// The paths of all files below `folder`, without those of git and of cargo.
pub(crate) fn files_below(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, prefix: &str, files: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if !entry.file_type().unwrap().is_dir() {
                files.push(name);
            } else if entry.file_name() != ".git" && entry.file_name() != "target" {
                walk(&entry.path(), &format!("{name}/"), files);
            }
        }
    }
    let mut files = Vec::new();
    walk(folder, "", &mut files);
    files.sort();
    files
}

/// The content of all files below `folder`.
pub(crate) fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    files_below(folder)
        .into_iter()
        .map(|file| {
            let bytes = fs::read(folder.join(&file)).unwrap();
            (file, bytes)
        })
        .collect()
}

/// Makes `folder` a git repository with everything committed.
pub(crate) fn commit(folder: &Path, message: &str) -> String {
    if !folder.join(".git").exists() {
        git(folder, &["init", "--quiet", "--initial-branch", "main"]);
    }
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", message]);
    git(folder, &["rev-parse", "HEAD"])
}

/// Runs git, which passes, and gives what it prints.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = run(Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.org"])
        .args(arguments)
        .current_dir(folder));
    text(&output.stdout).trim_end().to_owned()
}

/// Runs a command that passes.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Has cargo find the crates of the whole workspace, where a variable says which folder has them: a
/// layer's own are those of one target. `parent` is for cargo's settings.
pub(crate) fn find_crates<'a>(command: &'a mut Command, parent: &Path) -> &'a mut Command {
    if let Some(vendored) = std::env::var_os("XTASK_VENDORED_CRATES") {
        let home = parent.join("cargo-home");
        fs::create_dir_all(&home).unwrap();
        let settings = fs::read(Path::new(&vendored).join("config.toml")).unwrap();
        fs::write(home.join("config.toml"), settings).unwrap();
        command.env("CARGO_HOME", home);
    }
    command
}
