//! Drives the workspace, on a developer's machine as in CI: `cargo xtask --help`.

mod completions;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use xtask::arguments::{BackendChoice, Command, RunCommand};
use xtask::backend::{Cargo, require_nix};
use xtask::workspace::Workspace;
use xtask::{ci, output, program};

fn main() -> ExitCode {
    xtask::main(|command| match command {
        Command::Run(command) => run(command),
        Command::Nix(_) => ask_nix(),
        // begin template
        Command::Bench(arguments) => program::become_program("bench", arguments.all),
        // end template
        Command::Init(arguments) => init(arguments.all),
        Command::Template(arguments) => program::become_program("template", arguments.all),
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
    program::become_program("nix", env::args_os().skip(1))
}

/// Makes a project of the template, once.
fn init(arguments: Vec<OsString>) -> Result<ExitCode> {
    match Workspace::load()?.project {
        None => program::become_program("init", arguments),
        Some(name) => {
            output::print(&format!("This is {name} already.\n"))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
