//! Drives the workspace, on a developer's machine as in CI: `cargo xtask --help`.
//!
//! Data flows one way: the manifests become a [`plan`], a [`backend`] runs it and emits
//! [`event`]s, and these fold into a [`report`]. `docs/architecture.md` is the map.

mod arguments;
mod backend;
mod bench;
mod cache;
mod cargo;
mod ci;
mod completions;
mod display;
mod doctor;
mod environment;
mod event;
mod interrupt;
mod nix;
mod output;
mod plan;
mod process;
mod report;
mod status;
mod table;
mod wasm_linker;
mod wasm_std;
mod why;
mod workspace;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser as _;
use plan::What;

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Ci(arguments) => ci::run(&arguments.run, &arguments.steps.kinds()),
        Command::Fmt(run) => ci::run(&run, &[What::Fmt]),
        Command::Clippy(run) => ci::run(&run, &[What::Clippy]),
        Command::Build(run) => ci::run(&run, &[What::Build]),
        Command::Test(run) => ci::run(&run, &[What::Test, What::Doctest]),
        Command::Doc(run) => ci::run(&run, &[What::Doc]),
        Command::Wasm(run) => ci::run(&run.for_page(), &[What::Build, What::Bindgen]),
        Command::Status(arguments) => status::run(&arguments),
        Command::Cache(command) => cache::run(&command),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Why(arguments) => why::run(&arguments),
        Command::Bench { arguments } => bench::run(&arguments),
        Command::Completions { shell } => completions::print(shell),
    };
    result.unwrap_or_else(|error| {
        output::print_error(&format!("error: {error:#}\n"));
        ExitCode::from(if interrupt::requested() { 130 } else { 2 })
    })
}
