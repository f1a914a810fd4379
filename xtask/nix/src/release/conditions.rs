//! What must be true before anything is released.

use anyhow::{Context as _, Result, bail};
use xtask::git;
use xtask::workspace::Workspace;

/// Checks that the commit that is checked out can be released as `version`; gives its hash.
///
/// # Errors
/// What speaks against it, and what to do.
pub(super) fn check(workspace: &Workspace, version: &str) -> Result<String> {
    check_version(workspace, version)?;
    let git = |arguments: &[&str]| git::read(&workspace.root, arguments);
    let head = git(&["rev-parse", "--verify", "HEAD"])
        .context("only a commit can be released, and git has none here: run `git commit`")?;
    let changes = git(&["status", "--porcelain"])?;
    if !changes.is_empty() {
        bail!(
            "the tree has changes that its commit has not:\n{changes}\ncommit them, or put them aside with `git stash --include-untracked`"
        );
    }
    let tag = format!("v{version}");
    let tagged = format!("refs/tags/{tag}^{{commit}}");
    // git says nothing of a tag that does not exist.
    if let Ok(tagged) = git(&["rev-parse", "--verify", "--quiet", &tagged])
        && tagged != head
    {
        bail!(
            "{tag} is {}, and {} is checked out: release that one after `git switch --detach {tag}`, or this one as another version",
            short(&tagged),
            short(&head)
        );
    }
    Ok(head)
}

fn check_version(workspace: &Workspace, version: &str) -> Result<()> {
    let product = || workspace.members.iter().filter(|member| member.is_default);
    match product().find(|member| member.version != version) {
        Some(member) => bail!(
            "{} is at version {} in Cargo.toml, not at {version}: set `version` there, run `cargo update --workspace`, and commit both",
            member.name,
            member.version
        ),
        None => Ok(()),
    }
}

fn short(hash: &str) -> &str {
    hash.get(..10).unwrap_or(hash)
}
