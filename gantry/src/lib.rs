//! Runs the CI of a cargo workspace on Nix, and says what was cached, built and why: `gantry --help`.
//!
//! Data flows one way: Nix evaluates the flake's checks to a `plan`, `build` runs it and emits events,
//! and these fold into a `report`. `docs/architecture.md` is the map.

mod arguments;
mod bench;
mod build;
mod build_log;
mod cache;
mod ci;
mod completions;
mod display;
mod doctor;
mod event;
mod file;
mod github;
mod init;
mod interrupt;
mod nix;
mod output;
mod plan;
mod process;
mod release;
mod report;
mod status;
mod suggestion;
mod table;
mod toml;
mod units;
mod update;
mod url;
mod why;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::arguments::{Arguments, Command};
pub use crate::nix::Entry;

/// Runs the command that was typed. The exit code says what came of it; an error is printed.
#[must_use]
pub fn main() -> ExitCode {
    let command = Arguments::parse().command;
    let result = match &command {
        // It may ask questions, which Ctrl-C is to end at once.
        Command::Init(_) => Ok(()),
        _ => interrupt::install(),
    }
    .and_then(|()| execute(command));
    result.unwrap_or_else(|error| {
        output::print_error(&format!("error: {error:#}\n"));
        ExitCode::from(if interrupt::requested() { 130 } else { 2 })
    })
}

fn execute(command: Command) -> Result<ExitCode> {
    match command {
        Command::Ci(arguments) => ci::run(&arguments.steps, &arguments.run),
        Command::Kind(command) => {
            let (steps, arguments) = command.into_steps();
            ci::run(&steps, &arguments)
        }
        Command::Status(arguments) => status::run(&arguments),
        Command::Why(arguments) => why::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Cache(command) => cache::run(&command),
        Command::Release(arguments) => release::run(&arguments),
        Command::Init(arguments) => init::run(arguments),
        Command::Update(arguments) => update::run(&arguments),
        Command::Bench(command) => bench::run(command),
        Command::Completions { shell } => completions::print(shell),
    }
}
