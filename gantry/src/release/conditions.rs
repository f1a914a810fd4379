//! What must be true before anything is released.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use xshell::cmd;

use crate::nix::Package;
use crate::process;
use crate::workspace::Workspace;

/// Checks that the commit that is checked out can be released as `version`; gives its hash.
///
/// # Errors
/// What speaks against it, and what to do.
pub(super) fn check_commit(workspace: &Workspace, version: &str) -> Result<String> {
    let shell = process::shell(&workspace.root)?;
    let head = process::read(cmd!(shell, "git rev-parse --verify HEAD"))
        .context("only a commit can be released, and git has none here: run `git commit`")?;
    let changes = process::read(cmd!(shell, "git status --porcelain"))?;
    if !changes.is_empty() {
        bail!(
            "the tree has changes that its commit has not:\n{changes}\ncommit them, or put them aside with `git stash --include-untracked`"
        );
    }
    let tag = format!("v{version}");
    let tagged = cmd!(
        shell,
        "git rev-parse --verify --quiet refs/tags/{tag}'^{commit}'"
    );
    // git says nothing of a tag that does not exist.
    if let Ok(tagged) = process::read(tagged)
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

/// Checks that the packages that say their version say this one.
///
/// # Errors
/// The first that says another, and what to do.
pub(super) fn check_versions(packages: &BTreeMap<String, Package>, version: &str) -> Result<()> {
    for (name, package) in packages {
        if let Some(other) = &package.version
            && other != version
        {
            bail!(
                "the package `{name}` is at version {other}, not at {version}: set `version` in Cargo.toml, run `cargo update --workspace`, and commit both; a package that is not to be released has `release = false`"
            );
        }
    }
    Ok(())
}

fn short(hash: &str) -> &str {
    hash.get(..10).unwrap_or(hash)
}
