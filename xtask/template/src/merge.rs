//! Merging what differs between two trees into a project, three-way, with git.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use xtask::{git, process};

/// Who commits what the project never gets as a commit.
const IDENTITY: [(&str, &str); 4] = [
    ("GIT_AUTHOR_NAME", "template"),
    ("GIT_AUTHOR_EMAIL", "template"),
    ("GIT_COMMITTER_NAME", "template"),
    ("GIT_COMMITTER_EMAIL", "template"),
];

/// The ref in the clone that the change is fetched by.
const REF: &str = "refs/heads/change-of-the-template";

/// What a merge did.
pub(crate) struct Merged {
    /// The files that are changed, conflicts included.
    pub(crate) changed: Vec<String>,
    /// The files with conflict markers.
    pub(crate) conflicts: Vec<String>,
}

/// Fails unless everything in the repository around `root` is committed.
///
/// # Errors
/// It is not.
pub(crate) fn require_clean(root: &Path) -> Result<()> {
    let status = git::read(root, &["status", "--porcelain"]).with_context(|| {
        format!(
            "{} is in no git repository: `git init`, and commit",
            root.display()
        )
    })?;
    if git::read(root, &["rev-parse", "--verify", "--quiet", "HEAD"]).is_err() {
        bail!("nothing is committed yet, so that a merge could not be undone: run `git commit`");
    }
    if !status.is_empty() {
        bail!(
            "there are changes that are not committed, which could not be told from the template's: \
             run `git commit --all`, or `git stash --include-untracked`\n{status}"
        );
    }
    Ok(())
}

/// Applies what differs from tree `old` to tree `new`, both in the repository `clone`, to the project
/// in `root`.
///
/// # Errors
/// git fails otherwise than by a conflict.
pub(crate) fn merge(
    root: &Path,
    clone: &Path,
    old: &str,
    new: &str,
    subject: &str,
) -> Result<Merged> {
    let prefix = git::read(root, &["rev-parse", "--show-prefix"])?;
    let commit = |tree: &str, parent: Option<&str>| {
        let tree = below(clone, &prefix, tree)?;
        let mut command = git::command(clone);
        command.args(["commit-tree", "-m", subject]).envs(IDENTITY);
        if let Some(parent) = parent {
            command.args(["-p", parent]);
        }
        process::read(command.arg(tree))
    };
    let base = commit(old, None)?;
    let change = commit(new, Some(&base))?;
    git::read(clone, &["update-ref", REF, &change])?;

    let top = git::read(root, &["rev-parse", "--show-toplevel"])?;
    let git = || git::command(Path::new(&top));
    process::read(
        git()
            .args(["fetch", "--quiet", "--no-tags"])
            .arg(clone)
            .arg(REF),
    )?;
    let picked = process::output(git().args(["cherry-pick", "--no-commit", &change]), "")?;

    let list = |arguments: &[&str]| {
        let list = process::read(git().args(["diff", "--name-only", "-z"]).args(arguments))?;
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

/// The tree that has `tree` at `prefix`, which ends in a slash or is empty.
fn below(clone: &Path, prefix: &str, tree: &str) -> Result<String> {
    let mut tree = tree.to_owned();
    for folder in prefix
        .trim_end_matches('/')
        .rsplit('/')
        .filter(|folder| !folder.is_empty())
    {
        let entry = format!("040000 tree {tree}\t{folder}\0");
        tree = process::read_with(git::command(clone).args(["mktree", "-z"]), &entry)?;
    }
    Ok(tree)
}
