//! What is true of every project.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::{files_below, find_crates, git, run, text};

/// Runs cargo, which passes.
pub(crate) fn cargo(folder: &Path, arguments: &[&str]) -> Output {
    let parent = folder.parent().unwrap();
    run(find_crates(&mut Command::new(env!("CARGO")), parent)
        .args(arguments)
        .current_dir(folder))
}

/// No file of the project, of those that are looked at, says one of these words.
pub(crate) fn assert_holds_none_of(
    root: &Path,
    left_out: &[&str],
    is_looked_at: impl Fn(&str) -> bool,
) {
    for file in files_below(root).iter().filter(|file| is_looked_at(file)) {
        let text = text(&fs::read(root.join(file)).unwrap());
        for word in left_out {
            assert!(
                !text.contains(word),
                "{file} names {word}, which the project has not"
            );
        }
    }
}

pub(crate) fn assert_links_lead_somewhere(root: &Path) {
    for file in files_below(root).iter().filter(|file| {
        Path::new(file)
            .extension()
            .is_some_and(|extension| extension == "md")
    }) {
        let text = fs::read_to_string(root.join(file)).unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
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
pub(crate) fn assert_lock_is_as_cargo_writes_it(root: &Path) {
    let read = || fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let lock = read();
    let metadata = ["metadata", "--offline", "--format-version", "1"];
    cargo(root, &[&metadata[..], &["--locked"]].concat());
    cargo(root, &metadata);
    assert_eq!(read(), lock);
    cargo(root, &["update", "--workspace", "--offline"]);
    assert_eq!(read(), lock);
}

/// What is true of every project that is called `name`.
pub(crate) fn assert_is_project(root: &Path, name: &str) {
    for file in files_below(root) {
        assert!(!file.to_lowercase().contains("gantry"), "{file}");
        let text = text(&fs::read(root.join(&file)).unwrap());
        let left: Vec<_> = text
            .lines()
            .filter(|line| line.to_lowercase().contains("gantry"))
            .collect();
        // Its template is where the template is.
        let expected: &[&str] = match &*file {
            "Cargo.toml" => &["repository = \"https://github.com/ORG/gantry\""],
            _ => &[],
        };
        assert_eq!(left, expected, "{file}");
        assert!(
            !["only", "begin", "end"].iter().any(|word| {
                ["template", "web", "init"].iter().any(|part| {
                    ["#", "//", "<!--"]
                        .iter()
                        .any(|open| text.contains(&format!("{open} {word} {part}")))
                })
            }),
            "{file} has a mark left"
        );
    }
    let left_out = [
        ".ci/",
        "CHANGELOG",
        "docs/benchmarks",
        "benchmarks.md",
        "xtask/bench",
        "xtask-bench",
        "xtask bench",
        "xtask/init",
        "xtask-init",
        "templates/",
        "./templates",
    ];
    // An update runs the template's own program.
    let is_update = |file: &str| file == "xtask/template/src/render.rs";
    assert_holds_none_of(root, &left_out, |file| !is_update(file));
    assert_links_lead_somewhere(root);

    assert_lock_is_as_cargo_writes_it(root);
    cargo(root, &["fmt", "--all", "--check"]);

    let packages = cargo(root, &["metadata", "--no-deps", "--format-version", "1"]);
    let packages = text(&packages.stdout);
    for package in [name, &format!("{name}-core"), "xtask"] {
        assert!(
            packages.contains(&format!("\"name\":\"{package}\"")),
            "{package}"
        );
    }

    let status = git(root, &["status", "--porcelain"]);
    assert!(
        status.lines().all(|line| line.starts_with("A  ")),
        "{status}"
    );
    let tracked = git(root, &["ls-files"]);
    assert_eq!(tracked.lines().count(), files_below(root).len());
}
