//! Brings into a project what has changed in its template: `cargo xtask template --help`.

mod answers;
mod merge;
mod render;
mod update;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::interrupt;

/// Brings into a project what has changed in the template that it was made of
#[derive(Parser)]
#[command(
    name = "template",
    bin_name = "cargo xtask template",
    version,
    propagate_version = true,
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Merge the template's changes into the project's files, and commit nothing
    #[command(after_help = "\
The template is rendered twice with the answers in Cargo.toml, as it was and as it is to be. What
differs is merged with git, as `git cherry-pick` would. Both renderings run the template's own code.

Exit codes: 0 merged, 1 merged with conflicts, 2 wrong usage or environment, 130 interrupted")]
    Update(update::Arguments),
}

fn main() -> ExitCode {
    let Command::Update(arguments) = Arguments::parse().command;
    xtask::exit(interrupt::install().and_then(|()| update::run(&arguments)))
}
