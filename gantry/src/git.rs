//! git, whichever repository a caller such as a hook of git means.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process;

/// What a hook says of its own repository, which need not be the one that is asked about.
pub(crate) const OF_A_HOOK: [&str; 4] =
    ["GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE"];

/// git in `folder`.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(folder);
    for variable in OF_A_HOOK {
        command.env_remove(variable);
    }
    command
}

/// What git prints in `folder`, without the white space around it.
///
/// # Errors
/// What it says where it fails; or it cannot be started.
pub(crate) fn read(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = command(folder);
    command.args(arguments);
    process::read(command)
}
