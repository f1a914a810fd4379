//! Measures layers of members beside one derivation a step: `cargo xtask bench --help`.

mod command;
mod compile;
mod document;
mod figures;
mod generate;
mod nix;
mod repository;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use command::Failed;
use compile::CompileArguments;
use generate::{Size, Workspace};
use repository::Repository;
use run::RunArguments;
use xtask::{interrupt, output};

/// Measures layers of members beside one derivation a step for the whole workspace
#[derive(Parser)]
#[command(
    name = "bench",
    bin_name = "cargo xtask bench",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "\
XTASK_NIX_FLAGS holds further flags of `nix`, separated by white space.

Exit codes: 0 passed, 1 a build failed, 2 wrong usage or environment, 130 interrupted"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the workspace that is measured, with a flake that builds it in both ways
    Generate {
        /// A new folder, an empty one or one that was generated before
        folder: PathBuf,
        #[command(flatten)]
        size: Size,
    },
    /// Build it in both ways in several scenarios, and compare the time and the bytes
    Run(RunArguments),
    /// Compile xtask as who runs it for the first time does, and say what takes how long
    Compile(CompileArguments),
}

fn main() -> ExitCode {
    let result = interrupt::install().and_then(|()| execute(Arguments::parse().command));
    xtask::exit(match result {
        Err(error) if error.is::<Failed>() => {
            output::print_error(&format!("error: {error:#}\n"));
            Ok(ExitCode::FAILURE)
        }
        result => result.map(|()| ExitCode::SUCCESS),
    })
}

fn execute(command: Command) -> Result<()> {
    match command {
        Command::Generate { folder, size } => {
            Workspace::new(&folder, size)?.write(&Repository::new(), "generated\n")
        }
        Command::Run(arguments) => run::run(&arguments),
        Command::Compile(arguments) => compile::run(&arguments),
    }
}
