//! Merging what differs between two renderings into a project, three-way, with git.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use xshell::{Shell, cmd};

use crate::init::{Files, write_with_parents};
use crate::{interrupt, process};

/// Who commits what the project never gets as a commit.
const IDENTITY: [&str; 4] = ["-c", "user.name=gantry", "-c", "user.email=gantry"];

/// What a merge did.
pub(super) struct Merged {
    /// The files that are changed, conflicts included.
    pub(super) changed: Vec<String>,
    /// The files with conflict markers.
    pub(super) conflicts: Vec<String>,
}

/// Fails unless everything in the repository around `root` is committed.
///
/// # Errors
/// It is not.
pub(super) fn require_clean(root: &Path) -> Result<()> {
    let shell = process::shell(root)?;
    let status = process::read(cmd!(shell, "git status --porcelain")).with_context(|| {
        format!(
            "{} is in no git repository: `git init`, and commit",
            root.display()
        )
    })?;
    if process::read(cmd!(shell, "git rev-parse --verify --quiet HEAD")).is_err() {
        bail!("nothing is committed yet, so that a merge could not be undone: run `git commit`");
    }
    if !status.is_empty() {
        bail!(
            "there are changes that are not committed, which could not be told from gantry's: \
             run `git commit --all`, or `git stash --include-untracked`\n{status}"
        );
    }
    Ok(())
}

/// Applies what differs from `before` to `after` to the project in `root`, as one change called `subject`.
///
/// # Errors
/// git fails otherwise than by a conflict.
pub(super) fn merge(root: &Path, before: &Files, after: &Files, subject: &str) -> Result<Merged> {
    let shell = process::shell(root)?;
    let prefix = process::read(cmd!(shell, "git rev-parse --show-prefix"))?;
    let top = process::read(cmd!(shell, "git rev-parse --show-toplevel"))?;
    shell.change_dir(top);
    let repository = tempfile::tempdir().context("cannot make a temporary folder")?;
    let repository = repository.path();
    let other = process::shell(repository)?;
    process::read(cmd!(other, "git init --quiet"))?;
    for files in [before, after] {
        commit(&other, repository, &prefix, files, subject)?;
    }
    process::read(cmd!(shell, "git fetch --quiet --no-tags {repository} HEAD"))?;

    // Ctrl-C does not reach it: it takes a moment, and would leave half of the change.
    let mut pick = Command::from(cmd!(shell, "git cherry-pick --no-commit FETCH_HEAD"));
    interrupt::leave_hook(&mut pick);
    let picked = pick.process_group(0).output().context("cannot run git")?;

    let list = |arguments: &[&str]| {
        let list = process::read(cmd!(shell, "git diff --name-only -z {arguments...}"))?;
        let files = list.split('\0').filter(|file| !file.is_empty());
        anyhow::Ok(files.map(str::to_owned).collect::<Vec<_>>())
    };
    let conflicts = list(&["--diff-filter=U"])?;
    if !picked.status.success() && conflicts.is_empty() {
        bail!(
            "git cannot merge: {}",
            String::from_utf8_lossy(&picked.stderr).trim()
        );
    }
    Ok(Merged {
        changed: list(&["HEAD"])?,
        conflicts,
    })
}

/// Commits these files and no others, in the folder `prefix` of the repository, where the shell is.
fn commit(
    shell: &Shell,
    repository: &Path,
    prefix: &str,
    files: &Files,
    subject: &str,
) -> Result<()> {
    process::read(cmd!(shell, "git rm --quiet -r --ignore-unmatch ."))?;
    let folder = repository.join(prefix);
    for (path, content) in files {
        write_with_parents(&folder.join(path), content)?;
    }
    process::read(cmd!(shell, "git add --all --force ."))?;
    let commit = [
        "commit",
        "--quiet",
        "--allow-empty",
        "--no-verify",
        "--message",
    ];
    process::read(cmd!(shell, "git {IDENTITY...} {commit...} {subject}"))?;
    Ok(())
}
