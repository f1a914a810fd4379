//! Programs of their own for what few runs of xtask need, so that nobody compiles it who does not.

use std::env;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Result, anyhow};

use crate::cargo;

/// Hands this process over to `xtask-NAME`, so that signals and the exit code are its own.
///
/// Where xtask is installed, without a cargo that runs it, that program is beside it; elsewhere cargo
/// compiles and runs the workspace member of that name.
///
/// # Errors
/// The program cannot be run.
pub fn become_program(
    name: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<ExitCode> {
    let name = format!("xtask-{name}");
    let mut command = installed(&name).unwrap_or_else(|| {
        let mut command = cargo::command("run");
        command.args(["--quiet", "--locked", "--package", &name, "--"]);
        command
    });
    let error = command.args(arguments).exec();
    let program = command.get_program().display();
    Err(anyhow!(error).context(format!("cannot run {program}")))
}

fn installed(name: &str) -> Option<Command> {
    if env::var_os("CARGO").is_some() {
        return None;
    }
    let program = env::current_exe().ok()?.with_file_name(name);
    program.is_file().then(|| Command::new(program))
}
