//! What is true of every project.

use std::fs;
use std::path::Path;

use crate::init::{cargo, content, git, read, text};

/// No file of the project names one of these.
#[track_caller]
pub(crate) fn assert_names_none_of(root: &Path, words: &[&str]) {
    for (file, content) in content(root) {
        let text = text(&content).to_lowercase();
        for word in words {
            assert!(
                !file.contains(word) && !text.contains(word),
                "{file} names {word}"
            );
        }
    }
}

#[track_caller]
pub(crate) fn assert_links_lead_somewhere(root: &Path) {
    for (file, content) in content(root)
        .iter()
        .filter(|(file, _)| file.ends_with("md"))
    {
        let text = text(content);
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for link in links {
            let target = link.split('#').next().unwrap();
            let folder = root.join(file).parent().unwrap().to_owned();
            assert!(
                link.contains("://") || target.is_empty() || folder.join(target).exists(),
                "{file} links to {link}"
            );
        }
    }
}

/// The lock file needs no change, and cargo makes none where it may.
#[track_caller]
pub(crate) fn assert_lock_is_as_cargo_writes_it(root: &Path) {
    let lock = read(root, "Cargo.lock");
    // A machine may not have its crates yet.
    cargo(root, &["fetch", "--quiet", "--locked"]);
    cargo(
        root,
        &["metadata", "--locked", "--offline", "--format-version", "1"],
    );
    cargo(root, &["update", "--quiet", "--workspace", "--offline"]);
    assert_eq!(read(root, "Cargo.lock"), lock);
}

/// What is true of every project that is called `name`, which does not hold the template's name.
#[track_caller]
pub(crate) fn assert_is_project(root: &Path, name: &str) {
    assert_names_none_of(root, &["acme", "templates/", ".ci/", "changelog"]);
    assert_links_lead_somewhere(root);
    assert_lock_is_as_cargo_writes_it(root);
    cargo(root, &["fmt", "--all", "--check"]);

    let packages = cargo(root, &["metadata", "--no-deps", "--format-version", "1"]);
    for package in [name, &format!("{name}-core"), "xtask"] {
        let package = format!("\"name\":\"{package}\"");
        assert!(packages.contains(&package), "{package}");
    }

    // All is added, and nothing else is there.
    let unstaged = git(root, &["status", "--porcelain"]);
    assert!(
        !unstaged
            .lines()
            .any(|line| line.starts_with("??") || &line[1..2] != " "),
        "{unstaged}"
    );
    assert!(!fs::exists(root.join(".gantry-init")).unwrap());
}
