//! The commands that the documents show: each is run, or says why it is not.

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use support::repository;
use support::runner::{Runner, printed};

/// A fenced block of commands in a document.
struct Block {
    commands: Vec<String>,
    /// Why it is not run, from the comment in front of it.
    not_run: Option<String>,
}

/// The documents for people who use the workspace or work on it.
fn documents() -> Vec<PathBuf> {
    let entries = fs::read_dir(repository().join("docs")).unwrap();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    paths.extend(["README.md", "CONTRIBUTING.md"].map(|name| repository().join(name)));
    paths.sort();
    paths
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut before = "";
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line == "```sh" {
            let not_run = before.strip_prefix("<!-- not run: ");
            blocks.push(Block {
                commands: lines
                    .by_ref()
                    .take_while(|line| *line != "```")
                    .map(str::to_owned)
                    .collect(),
                not_run: not_run.map(|rest| rest.trim_end_matches(" -->").to_owned()),
            });
        }
        if !line.is_empty() {
            before = line;
        }
    }
    blocks
}

#[test]
fn commands_are_found_with_what_is_said_of_them() {
    let text = "a\n\n   ```sh\n   one\n   two\n   ```\n<!-- not run: why -->\n```sh\nthree\n```\n";
    let blocks = blocks(text);
    assert_eq!(blocks[0].commands, ["one", "two"]);
    assert!(blocks[0].not_run.is_none());
    assert_eq!(blocks[1].commands, ["three"]);
    assert_eq!(blocks[1].not_run.as_deref(), Some("why"));
    assert_eq!(blocks.len(), 2);
}

#[test]
#[ignore = "needs Nix"]
fn the_commands_of_the_documents_pass() {
    let runner = Runner::new();
    runner.commit();
    let mut count = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let blocks = blocks(&text);
        let to_run = blocks.iter().filter(|block| block.not_run.is_none());
        for command in to_run.flat_map(|block| &block.commands) {
            let output = runner.bash(command).output().unwrap();
            // These two say with 1 that there is something to say.
            let says = ["cargo xtask status", "cargo xtask doctor"].contains(&&**command);
            let passed = output.status.success() || says && output.status.code() == Some(1);
            assert!(
                passed,
                "{}: {command}\n{}",
                path.display(),
                printed(&output)
            );
            count += 1;
        }
        runner.print("git reset --quiet --hard && git clean --quiet --force -d");
    }
    assert!(count > 5, "{count}");
}

/// Those of `nix build` and `nix run`, wherever in the text. Words in capitals stand for a name.
#[test]
#[ignore = "needs Nix"]
fn the_outputs_in_the_documents_exist() {
    let runner = Runner::new();
    runner.commit();
    let system = runner.print("nix config show system");
    let mut names = BTreeSet::new();
    for path in documents() {
        let text = fs::read_to_string(path).unwrap();
        for (command, kind) in [("nix build .#", "packages"), ("nix run .#", "apps")] {
            for rest in text.split(command).skip(1) {
                let is_name = |character: char| {
                    character.is_ascii_alphanumeric() || "-_.".contains(character)
                };
                let end = rest.find(|character| !is_name(character));
                let name = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
                if !name.contains(|character: char| character.is_ascii_uppercase()) {
                    names.insert(format!("{kind}.{system}.{name}"));
                }
            }
        }
    }
    assert!(names.len() > 1, "{names:?}");
    for name in names {
        runner.print(&format!("nix eval .#{name} --apply builtins.attrNames"));
    }
}
