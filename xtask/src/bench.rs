//! `cargo xtask bench`: a program of its own, which nobody compiles who does not measure.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;

use anyhow::{Result, anyhow};

use crate::cargo;

/// Hands this process over to `xtask-bench`, so that signals and the exit code are its own.
///
/// # Errors
/// cargo cannot be run.
pub(crate) fn run(arguments: &[OsString]) -> Result<ExitCode> {
    let error = cargo::command("run")
        .args(["--quiet", "--locked", "--package", "xtask-bench", "--"])
        .args(arguments)
        .exec();
    Err(anyhow!(error).context("cannot run cargo"))
}
