//! What drives the workspace, for the programs that do: `xtask`, and `xtask-nix` for all that asks
//! Nix.
//!
//! Data flows one way: the manifests become a [`plan`], a [`backend`] runs it and emits
//! [`event`]s, and these fold into a [`report`]. `docs/architecture.md` is the map.

pub mod arguments;
pub mod backend;
pub mod cargo;
pub mod ci;
mod display;
mod environment;
pub mod event;
pub mod file;
pub mod finding;
pub mod git;
pub mod interrupt;
pub mod output;
pub mod plan;
pub mod process;
pub mod program;
pub mod report;
pub mod suggestion;
pub mod table;
mod wasm_linker;
mod wasm_std;
pub mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::arguments::{Arguments, Command};

/// Runs the command that was typed; the exit code says what came of it, and an error is printed.
pub fn main(run: impl FnOnce(Command) -> Result<ExitCode>) -> ExitCode {
    let command = Arguments::parse().command;
    exit(interrupt::install().and_then(|()| run(command)))
}

/// The exit code of a program that came to this result; an error is printed.
#[must_use]
pub fn exit(result: Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        output::print_error(&format!("error: {error:#}\n"));
        ExitCode::from(if interrupt::requested() { 130 } else { 2 })
    })
}
