//! Drives the workspace, on a developer's machine as in CI: `cargo xtask --help`.

mod completions;

use std::env;
use std::process::ExitCode;

use anyhow::Result;
use xtask::arguments::{BackendChoice, Command, RunCommand};
use xtask::backend::{Cargo, require_nix};
use xtask::workspace::Workspace;
use xtask::{ci, program};

fn main() -> ExitCode {
    xtask::main(|command| match command {
        Command::Run(command) => run(command),
        Command::Nix(_) => ask_nix(),
        Command::Bench { arguments } => program::become_program("xtask-bench", arguments),
        Command::Completions { shell } => completions::print(shell),
    })
}

/// Runs steps with plain cargo, or leaves them to the program that asks Nix.
fn run(command: RunCommand) -> Result<ExitCode> {
    let (arguments, steps) = command.into_steps();
    let workspace = Workspace::load()?;
    let remark = match arguments.backend {
        BackendChoice::Cargo => None,
        BackendChoice::Nix => {
            require_nix(&workspace)?;
            return ask_nix();
        }
        BackendChoice::Auto => match require_nix(&workspace) {
            Ok(()) => return ask_nix(),
            Err(reason) => Some(format!("backend cargo: {reason}")),
        },
    };
    ci::run(&workspace, &arguments, &steps, &Cargo, remark)
}

/// Hands over to the program that parses the same arguments and can ask Nix.
fn ask_nix() -> Result<ExitCode> {
    program::become_program("xtask-nix", env::args_os().skip(1))
}
