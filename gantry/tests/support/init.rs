//! Copies of this repository, for tests that make projects of it.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs};

use tempfile::TempDir;

/// This repository; a build that has a part of it only says where the whole is.
pub(crate) fn repository() -> PathBuf {
    env::var_os("GANTRY_REPOSITORY").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join(".."),
        PathBuf::from,
    )
}

/// A copy of this repository in a folder of this name, with what git does not track yet and without
/// what it ignores.
pub(crate) fn copy_repository(name: &str) -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join(name);
    let files = if repository().join(".git").exists() {
        let list = "ls-files -z --cached --others --exclude-standard";
        let listed = git(&repository(), &list.split(' ').collect::<Vec<_>>());
        listed.split_terminator('\0').map(str::to_owned).collect()
    } else {
        files_below(&repository())
    };
    for file in files {
        // What is removed is in git's list until that is committed.
        if let Ok(content) = fs::read(repository().join(&file)) {
            write(&root, &file, &content);
        }
    }
    (parent, root)
}

/// What `templates.default` or `templates.minimal` hands out, or as much of it as says the list: the
/// files are the same, without a flake.lock.
pub(crate) fn hand_out(name: &str, minimal: bool) -> (TempDir, PathBuf) {
    let (parent, root) = copy_repository(name);
    let list: toml_edit::DocumentMut = read(&root, "templates/templates.toml").parse().unwrap();
    let texts = |template: &str, key: &str| {
        let paths = list[template][key].as_array().unwrap().iter();
        paths
            .map(|path| root.join(path.as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    let mut templates = vec!["default"];
    templates.extend(minimal.then_some("minimal"));
    let overlays = templates
        .iter()
        .map(|template| list[*template]["files"].as_str().unwrap());
    let overlays: Vec<_> = overlays.map(|files| content(&root.join(files))).collect();
    for path in templates
        .iter()
        .flat_map(|template| texts(template, "leave-out"))
    {
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
    for (file, content) in overlays.iter().flatten() {
        write(&root, file, content);
    }
    (parent, root)
}

/// `gantry init` in `folder`, by a user whom git does not know.
pub(crate) fn init(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gantry"));
    command
        .arg("init")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .stdin(Stdio::null());
    command
}

/// The paths of all files below `folder`, without those of git and of cargo.
pub(crate) fn files_below(folder: &Path) -> Vec<String> {
    content(folder).into_keys().collect()
}

/// The content of all files below `folder`, without those of git and of cargo.
pub(crate) fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if !entry.file_type().unwrap().is_dir() {
                files.insert(name, fs::read(entry.path()).unwrap());
            } else if entry.file_name() != ".git" && entry.file_name() != "target" {
                walk(&entry.path(), &format!("{name}/"), files);
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(folder, "", &mut files);
    files
}

/// Two folders have the same files; it is said which differ.
#[track_caller]
pub(crate) fn assert_same(found: &Path, expected: &BTreeMap<String, Vec<u8>>) {
    let found = content(found);
    let names: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    for name in names {
        let [found, expected] =
            [&found, expected].map(|files| files.get(name).map(|file| text(file)));
        assert_eq!(found, expected, "{name}");
    }
}

pub(crate) fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Writes a file in a folder that may not be there yet.
pub(crate) fn write(folder: &Path, file: &str, content: &[u8]) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Makes `folder` a git repository with everything committed.
pub(crate) fn commit(folder: &Path, message: &str) {
    if !folder.join(".git").exists() {
        git(folder, &["init", "--quiet", "--initial-branch", "main"]);
    }
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", message]);
}

/// Runs git, which passes, and gives what it prints.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = run(Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.org"])
        .args(arguments)
        .current_dir(folder));
    text(&output.stdout).trim_end().to_owned()
}

/// Runs cargo, which passes, and gives what it prints.
pub(crate) fn cargo(folder: &Path, arguments: &[&str]) -> String {
    let output = run(Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(arguments)
        .current_dir(folder));
    text(&output.stdout)
}

/// Runs a command that passes.
#[track_caller]
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
