//! What git and Cargo.lock hide from a build.

use std::path::Path;

use serde_json::Value;
use xshell::cmd;

use super::code::Code;
use super::report::Report;
use crate::workspace::Workspace;
use crate::{nix, process, toml};

pub(super) fn check(workspace: &Workspace, offline: bool, report: &mut Report) {
    if let Some(tracked) = tracked(&workspace.root) {
        check_tracked(workspace, &tracked, report);
    } else {
        report.skip("whether git tracks all files", "this is no git repository");
    }
    check_lock(workspace, offline, report);
}

fn check_tracked(workspace: &Workspace, tracked: &[String], report: &mut Report) {
    let is_tracked = |file: &str| tracked.iter().any(|other| other == file);
    if workspace.root.join("Cargo.lock").exists() && !is_tracked("Cargo.lock") {
        report.find(
            Code::LockUntracked,
            "Cargo.lock",
            "git does not track it: Nix does not see it, and every machine resolves other versions",
            "git add --force Cargo.lock",
        );
    }
    let untracked = nix::untracked(&workspace.root);
    let mut folders = Vec::new();
    for manifest in &untracked {
        // That of a workspace, or one that cargo cannot read, is a file like others.
        let Some(folder) = manifest.strip_suffix("Cargo.toml") else {
            continue;
        };
        let content = toml::read(&workspace.root.join(manifest)).unwrap_or_default();
        if let Some(name) = content.pointer("/package/name").and_then(Value::as_str) {
            report.find(
                Code::MemberUntracked,
                manifest,
                format!("git does not track the package `{name}`: for Nix it does not exist"),
                format!(
                    "git add --intent-to-add {}",
                    quoted(folder.trim_end_matches('/'))
                ),
            );
            folders.push(folder);
        }
    }
    for file in &untracked {
        if file != "Cargo.lock" && !folders.iter().any(|folder| file.starts_with(folder)) {
            report.find(
                Code::FileUntracked,
                file,
                "git does not track it: Nix does not see it",
                format!("git add --intent-to-add {}", quoted(file)),
            );
        }
    }
}

fn quoted(path: &str) -> String {
    if path.is_empty() {
        ".".to_owned()
    } else if path.contains(' ') {
        format!("'{path}'")
    } else {
        path.to_owned()
    }
}

/// The files that git tracks, from `root`; nothing outside of a repository.
fn tracked(root: &Path) -> Option<Vec<String>> {
    let shell = process::shell(root).ok()?;
    let files = process::read(cmd!(shell, "git ls-files -z")).ok()?;
    Some(files.split('\0').map(str::to_owned).collect())
}

fn check_lock(workspace: &Workspace, offline: bool, report: &mut Report) {
    const SUBJECT: &str = "whether Cargo.lock is up to date";
    let refused = |flags: &[&str]| {
        let metadata = process::shell(&workspace.root).and_then(|shell| {
            let flags = ["--locked", "--format-version", "1"].iter().chain(flags);
            process::read(cmd!(shell, "cargo metadata {flags...}"))
        });
        metadata.err().map(|error| error.to_string())
    };
    let is_outdated = |error: &str| error.contains("--locked");
    // What is here already answers for most.
    let mut error = refused(&["--offline"]);
    if !offline && error.as_deref().is_some_and(|error| !is_outdated(error)) {
        error = refused(&[]);
    }
    match error {
        None => {}
        Some(error) if is_outdated(&error) => report.find(
            Code::LockOutdated,
            "Cargo.lock",
            "it does not say what the manifests ask for: builds with --locked refuse it, and so does Nix",
            "cargo metadata --format-version 1 >/dev/null",
        ),
        Some(error) => {
            let reason = error.lines().next().unwrap_or_default();
            report.skip(SUBJECT, reason.trim_start_matches("error: "));
        }
    }
}
