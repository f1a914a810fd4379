//! What git and Cargo.lock hide from a build.

use std::path::Path;

use xtask::finding::Code;
use xtask::workspace::Workspace;
use xtask::{cargo, git, process};

use super::examination::Examination;
use crate::nix;

pub(super) fn check(workspace: &Workspace, offline: bool, examination: &mut Examination) {
    if let Some(tracked) = tracked(&workspace.root) {
        check_tracked(workspace, &tracked, examination);
    } else {
        examination.skip("whether git tracks all files", "this is no git repository");
    }
    check_lock(workspace, offline, examination);
}

fn check_tracked(workspace: &Workspace, tracked: &[String], examination: &mut Examination) {
    let is_tracked = |file: &str| tracked.iter().any(|other| other == file);
    if workspace.root.join("Cargo.lock").exists() && !is_tracked("Cargo.lock") {
        examination.find(
            Code::LockUntracked,
            "Cargo.lock",
            "git does not track it: Nix does not see it, and every machine resolves other versions",
            "git add --force Cargo.lock",
        );
    }
    let mut manifests = Vec::new();
    for member in &workspace.members {
        let path = member.directory.join("Cargo.toml");
        let Ok(manifest) = path.strip_prefix(&workspace.root) else {
            continue;
        };
        let manifest = manifest.to_string_lossy().into_owned();
        if !is_tracked(&manifest) {
            let folder = Path::new(&manifest)
                .parent()
                .unwrap_or(Path::new(""))
                .display()
                .to_string();
            examination.find(
                Code::MemberUntracked,
                &manifest,
                format!(
                    "git does not track the member `{}`: for Nix it does not exist",
                    member.name
                ),
                format!("git add --intent-to-add {}", quoted(&folder)),
            );
            manifests.push(format!("{folder}/"));
        }
    }
    for file in nix::untracked(&workspace.root) {
        if file != "Cargo.lock" && !manifests.iter().any(|folder| file.starts_with(folder)) {
            examination.find(
                Code::FileUntracked,
                &file,
                "git does not track it: Nix does not see it",
                format!("git add --intent-to-add {}", quoted(&file)),
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
    let output = process::output(git::command(root).args(["ls-files", "-z"]), "")
        .ok()
        .filter(|output| output.status.success())?;
    let files = String::from_utf8_lossy(&output.stdout);
    Some(files.split('\0').map(str::to_owned).collect())
}

fn check_lock(workspace: &Workspace, offline: bool, examination: &mut Examination) {
    const WHAT: &str = "whether Cargo.lock is up to date";
    let refused = |flags: &[&str]| {
        let mut metadata = cargo::command("metadata");
        metadata
            .args(["--locked", "--format-version", "1"])
            .args(flags)
            .current_dir(&workspace.root);
        process::output(&mut metadata, "").map_or_else(
            |error| Some(error.to_string()),
            |output| {
                let error = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                (!output.status.success()).then_some(error)
            },
        )
    };
    let is_outdated = |error: &str| error.contains("--locked");
    // What is here already answers for most.
    let mut error = refused(&["--offline"]);
    if !offline && error.as_deref().is_some_and(|error| !is_outdated(error)) {
        error = refused(&[]);
    }
    match error {
        None => {}
        Some(error) if is_outdated(&error) => examination.find(
            Code::LockOutdated,
            "Cargo.lock",
            "it does not say what the manifests ask for: builds with --locked refuse it, and so does Nix",
            "cargo metadata --format-version 1 >/dev/null",
        ),
        Some(error) => {
            let reason = error.lines().next().unwrap_or_default();
            examination.skip(WHAT, reason.trim_start_matches("error: "));
        }
    }
}
