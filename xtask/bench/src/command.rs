//! Running commands that have to succeed.

use std::fmt::{self, Display};
use std::process::Command;

use anyhow::Result;
use xtask::process;

/// A command that ran and did not succeed.
#[derive(Debug)]
pub(crate) struct Failed(String);

impl Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

/// What the command prints on standard output.
///
/// # Errors
/// [`Failed`], or it cannot be started.
pub(crate) fn ask(command: &mut Command) -> Result<String> {
    let output = process::output(command, "")?;
    if !output.status.success() {
        let words: Vec<_> = [command.get_program()]
            .into_iter()
            .chain(command.get_args())
            .map(|word| word.to_string_lossy())
            .collect();
        return Err(Failed(format!(
            "`{}` failed\n{}",
            words.join(" "),
            String::from_utf8_lossy(&output.stderr).trim_end()
        ))
        .into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
