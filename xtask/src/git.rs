//! Calling git.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process;

/// git in `folder`, whichever repository a caller such as a hook of git means.
#[must_use]
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(folder);
    for variable in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE"] {
        command.env_remove(variable);
    }
    command
}

/// What git prints in `folder`, without the white space around it.
///
/// # Errors
/// What it says where it fails; or it cannot be started.
pub fn read(folder: &Path, arguments: &[&str]) -> Result<String> {
    process::read(command(folder).args(arguments))
}
