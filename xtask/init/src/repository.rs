//! What git is asked of the project's repository.

use std::path::Path;

use anyhow::{Context as _, Result};
use xtask::git;

/// What git prints, where it has an answer.
pub(crate) fn answer(folder: &Path, arguments: &[&str]) -> Option<String> {
    let answer = git::read(folder, arguments);
    answer.ok().filter(|answer| !answer.is_empty())
}

/// Who commits here: `NAME <ADDRESS>`.
pub(crate) fn author(folder: &Path) -> Option<String> {
    let name = answer(folder, &["config", "user.name"])?;
    Some(match answer(folder, &["config", "user.email"]) {
        Some(address) => format!("{name} <{address}>"),
        None => name,
    })
}

/// The files that git tracks or would track, relative to `folder`.
///
/// # Errors
/// git cannot list them.
pub(crate) fn files(folder: &Path) -> Result<Vec<String>> {
    let list = git::read(
        folder,
        &[
            // What a user never wants to be tracked is no concern of the project.
            "-c",
            "core.excludesFile=/dev/null",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
    )
    .context("cannot list the project's files")?;
    let mut files: Vec<String> = list
        .split('\0')
        // A folder is a repository of its own.
        .filter(|path| !path.is_empty() && !path.ends_with('/'))
        .map(str::to_owned)
        .collect();
    files.sort_unstable();
    files.dedup();
    Ok(files)
}

/// Adds every file below `folder`.
///
/// # Errors
/// git cannot.
pub(crate) fn add_all(folder: &Path) -> Result<()> {
    git::read(folder, &["add", "--all", "."])
        .map(drop)
        .context("cannot add the project's files to git")
}
