//! `gantry bench`: measures layers of members beside one derivation for the whole workspace.

mod document;
mod figures;
mod generate;
mod nix;
mod repository;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use self::generate::{Size, Workspace};
use self::nix::Failed;
use self::repository::Repository;
use self::run::RunArguments;
use crate::output;

/// What the benchmark does.
#[derive(Subcommand)]
pub(crate) enum BenchCommand {
    /// Write the workspace that is measured, with a flake that builds it in both ways
    Generate {
        /// A new folder, an empty one or one that was generated before
        folder: PathBuf,
        /// How large it is
        #[command(flatten)]
        size: Size,
    },
    /// Build it in both ways in several scenarios, and compare the time and the bytes
    Run(RunArguments),
}

/// Runs a command of `gantry bench`.
///
/// # Errors
/// This machine has not what the benchmark needs; a build that failed is an exit code.
pub(crate) fn run(command: BenchCommand) -> Result<ExitCode> {
    let result = match command {
        BenchCommand::Generate { folder, size } => Repository::find().and_then(|repository| {
            Workspace::new(&folder, size)?.write(&repository, "generated\n")
        }),
        BenchCommand::Run(arguments) => run::run(&arguments),
    };
    match result {
        Err(error) if error.is::<Failed>() => {
            output::print_error(&format!("error: {error:#}\n"));
            Ok(ExitCode::FAILURE)
        }
        result => result.map(|()| ExitCode::SUCCESS),
    }
}
