//! Shell completions.

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory as _;
use clap_complete::Shell;

use xtask::arguments::Arguments;
use xtask::output;

/// Prints the completions of `shell` for the program `xtask`, which `cargo xtask` runs.
pub(crate) fn print(shell: Shell) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "xtask", &mut script);
    output::print(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}
