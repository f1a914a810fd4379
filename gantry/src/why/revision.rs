//! The files of two states of the repository: those of a commit, and those that git tracks now.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context as _, Result};
use xshell::{Shell, cmd};

use crate::process;

/// A file that differs between the two states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// From the workspace's root.
    pub(crate) file: String,
    pub(crate) kind: ChangeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChangeKind {
    Added,
    Changed,
    Removed,
}

/// A commit of the repository around `root`.
pub(crate) struct Revision {
    /// At the workspace's root.
    shell: Shell,
    pub(crate) commit: String,
    /// How it is called.
    pub(crate) name: String,
}

impl Revision {
    /// The commit that `name` means; without one, where the branch left the main branch.
    ///
    /// # Errors
    /// This is no git repository, or it has no such commit.
    pub(crate) fn find(root: &Path, name: Option<&str>) -> Result<Self> {
        let shell = process::shell(root)?;
        let resolve = |name: &str| {
            process::read(cmd!(
                shell,
                "git rev-parse --verify --quiet --end-of-options {name}'^{commit}'"
            ))
        };
        let head = resolve("HEAD")
            .ok()
            .context("this is no git repository with a commit to compare with")?;
        let (commit, name) = if let Some(name) = name {
            let commit = resolve(name)
                .ok()
                .with_context(|| format!("git knows no revision `{name}`: `git log` shows them"))?;
            (commit, name.to_owned())
        } else {
            let main = [
                "origin/HEAD",
                "origin/main",
                "origin/master",
                "main",
                "master",
            ]
            .into_iter()
            .find(|branch| resolve(branch).is_ok())
            .context("there is no branch `main` to compare with: name a revision with --since")?;
            let base = process::read(cmd!(shell, "git merge-base HEAD {main}"))
                .ok()
                .with_context(|| {
                    format!(
                        "HEAD and {main} have no commit in common: name a revision with --since"
                    )
                })?;
            if base == head {
                (base, "HEAD".to_owned())
            } else {
                (base, format!("the merge-base with {main}"))
            }
        };
        Ok(Self {
            shell,
            commit,
            name,
        })
    }

    /// The tracked files that differ between this commit and the working tree.
    pub(crate) fn changes(&self) -> Result<Vec<Change>> {
        let (shell, commit) = (&self.shell, &self.commit);
        let text = process::read(cmd!(
            shell,
            "git diff --name-status --no-renames --relative -z {commit} -- ."
        ))?;
        let mut words = text.split('\0');
        let mut changes = Vec::new();
        while let (Some(status), Some(file)) = (words.next(), words.next()) {
            let kind = match status {
                "A" => ChangeKind::Added,
                "D" => ChangeKind::Removed,
                _ => ChangeKind::Changed,
            };
            changes.push(Change {
                file: file.to_owned(),
                kind,
            });
        }
        Ok(changes)
    }

    /// Whether HEAD is another commit.
    pub(crate) fn is_behind(&self) -> Result<bool> {
        let shell = &self.shell;
        Ok(process::read(cmd!(shell, "git rev-parse HEAD"))? != self.commit)
    }

    /// Writes the files of the commit into a new folder.
    pub(crate) fn check_out(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let index = folder.with_extension("index");
        let (shell, commit) = (&self.shell, &self.commit);
        let prefix = process::read(cmd!(shell, "git rev-parse --show-prefix"))?;
        // From the top, or git would leave out what lies outside the current folder.
        let top = process::read(cmd!(shell, "git rev-parse --show-toplevel"))?;
        let shell = process::shell(Path::new(&top))?;
        shell.set_var("GIT_INDEX_FILE", &index);
        process::read(cmd!(shell, "git read-tree {commit}:{prefix}"))?;
        process::read(cmd!(shell, "git checkout-index --all --prefix={folder}/"))?;
        // It may name files that the next run's index does not have.
        let _ = fs::remove_file(index);
        Ok(())
    }
}

impl Change {
    /// Does to a copy of the commit what was done to the working tree.
    pub(crate) fn apply(&self, root: &Path, copy: &Path) -> Result<()> {
        let (from, to) = (root.join(&self.file), copy.join(&self.file));
        let result = match self.kind {
            ChangeKind::Removed => remove(&to),
            _ => replace(&from, &to),
        };
        result.with_context(|| format!("cannot copy {}", self.file))
    }
}

fn remove(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        fs::remove_file(path)?;
    }
    Ok(())
}

fn replace(from: &Path, to: &Path) -> Result<()> {
    remove(to)?;
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    if from.is_symlink() {
        symlink(fs::read_link(from)?, to)?;
    } else if from.is_file() {
        fs::copy(from, to)?;
    }
    Ok(())
}
