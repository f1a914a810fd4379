//! The part of `cargo xtask` that asks Nix; a program of its own, so that nobody compiles it who has
//! no Nix.
//!
//! It understands the same arguments: xtask hands over to it with those that it was given.

mod backend;
mod cache;
mod doctor;
mod nix;
mod release;
mod status;
mod url;
mod why;

use std::process::ExitCode;

use anyhow::{Result, bail};
use xtask::arguments::{BackendChoice, Command, NixCommand, RunCommand};
use xtask::backend::Cargo;
use xtask::ci;
use xtask::workspace::Workspace;

use self::backend::Nix;

fn main() -> ExitCode {
    xtask::main(|command| match command {
        Command::Run(command) => run(command),
        Command::Nix(NixCommand::Status(arguments)) => status::run(&arguments),
        Command::Nix(NixCommand::Cache(command)) => cache::run(&command),
        Command::Nix(NixCommand::Doctor(arguments)) => doctor::run(&arguments),
        Command::Nix(NixCommand::Release(arguments)) => release::run(&arguments),
        Command::Nix(NixCommand::Why(arguments)) => why::run(&arguments),
        _ => not_here(),
    })
}

/// Runs steps with Nix; where that was left open and Nix cannot, with plain cargo.
fn run(command: RunCommand) -> Result<ExitCode> {
    let (arguments, steps) = command.into_steps();
    let workspace = Workspace::load()?;
    let nix = || Nix::find(&workspace, &arguments.nix.flags);
    match arguments.backend {
        BackendChoice::Cargo => ci::run(&workspace, &arguments, &steps, &Cargo, None),
        BackendChoice::Nix => ci::run(&workspace, &arguments, &steps, &nix()?, None),
        BackendChoice::Auto => match nix() {
            Ok(nix) => {
                let remark = "backend nix: it is installed, and this is a flake";
                ci::run(&workspace, &arguments, &steps, &nix, Some(remark.into()))
            }
            Err(reason) => {
                let remark = format!("backend cargo: {reason:#}");
                ci::run(&workspace, &arguments, &steps, &Cargo, Some(remark))
            }
        },
    }
}

fn not_here() -> Result<ExitCode> {
    bail!("this program asks Nix and does nothing else: run `cargo xtask`")
}
