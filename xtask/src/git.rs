//! Calling git.

use std::path::Path;
use std::process::Command;

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
