//! Running what is measured.

use std::fmt::{self, Display};
use std::process::Command;
use std::time::Instant;

use anyhow::Result;
use xtask::process;

/// A measured command that ran and did not succeed.
#[derive(Debug)]
pub(crate) struct Failed(String);

impl Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

/// How long the command runs, in seconds.
///
/// # Errors
/// [`Failed`], or it cannot be started.
pub(crate) fn seconds(command: &mut Command) -> Result<f64> {
    let started = Instant::now();
    let output = process::output(command, "")?;
    let seconds = started.elapsed().as_secs_f64();
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
    Ok(seconds)
}
