//! Drives the workspace, on a developer's machine as in CI: `cargo xtask --help`.
//!
//! A command of your own is a variant of [`Command`] and a function, as [`links`] is; [`steps`] makes it
//! a step of `ci` too.

mod ci;
mod engine;
mod links;
mod process;
mod report;
mod steps;
mod wasm;
mod wasm_std;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, io};

use anyhow::Result;
use clap::{CommandFactory as _, Parser, ValueEnum};
use clap_complete::Shell;

/// Drives the workspace, on a developer's machine as in CI.
#[derive(Parser)]
#[command(
    bin_name = "cargo xtask",
    after_help = "\
Where Nix is, gantry runs the steps, and understands more: `nix run .#gantry -- ci --help`.
It alone has these, each with a --help: status why doctor cache release update init bench

Examples:
  cargo xtask ci                        run every step, as CI does
  cargo xtask ci --dry-run              list the steps, each with its command
  cargo xtask test -p MEMBER            run the tests of one member
  source <(cargo xtask completions bash); alias xtask='cargo xtask'

Exit codes: 0 passed, 1 a step failed, 2 wrong usage or environment, 130 interrupted"
)]
struct Arguments {
    command: Command,
    /// The shell that completions are for
    #[arg(required_if_eq("command", "completions"))]
    shell: Option<Shell>,
    /// Compile in this profile [default: dev, or release for `wasm`]
    #[arg(long)]
    profile: Option<String>,
    /// Take this target alone: a triple, or `native`
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// Take this member alone (may be given several times)
    #[arg(short, long, value_name = "MEMBER")]
    package: Vec<String>,
    /// Take these kinds of steps alone
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave these kinds of steps out
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    skip: Vec<String>,
    /// Go on after a failed step
    #[arg(long)]
    keep_going: bool,
    /// Count what the machine lacks as a failure, as CI should
    #[arg(long)]
    strict: bool,
    /// Also run the wasm tests in headless Chromium
    #[arg(long)]
    browser: bool,
    /// Print each step's name and command, and run nothing
    #[arg(long)]
    dry_run: bool,
    /// Write what came of the steps as JSON; `-` is standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// What runs the steps; `auto` is Nix where it is installed and the project is a flake
    #[arg(long, default_value = "auto", value_parser = ["auto", "nix", "cargo"])]
    backend: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Command {
    /// Run every step of CI
    Ci,
    /// Check the formatting (`cargo fmt` mends it)
    Fmt,
    /// Lint; every warning is an error
    Clippy,
    /// Compile
    Build,
    /// Run the tests and the documentation's examples
    Test,
    /// Build the documentation; every warning is an error
    Doc,
    /// Build web pages into target/web/MEMBER
    Wasm,
    /// Check that the links between Markdown files lead somewhere
    Links,
    /// Print shell completions
    Completions,
}

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(if process::interrupted() { 130 } else { 2 })
    })
}

fn run() -> Result<ExitCode> {
    let words: Vec<_> =
        env::args_os().skip(1).map(|it| it.to_string_lossy().into_owned()).collect();
    engine::take_over(&words)?;
    process::handle_signals()?;
    let arguments = Arguments::parse();
    match arguments.command {
        Command::Ci => ci::run_steps(&arguments, &[]),
        Command::Fmt => ci::run_steps(&arguments, &["fmt"]),
        Command::Clippy => ci::run_steps(&arguments, &["clippy"]),
        Command::Build => ci::run_steps(&arguments, &["build"]),
        Command::Test => ci::run_steps(&arguments, &["test", "browser", "doctest"]),
        Command::Doc => ci::run_steps(&arguments, &["doc"]),
        Command::Wasm => ci::run_steps(&arguments, &["bindgen"]),
        Command::Links => links::check(),
        Command::Completions => {
            let shell = arguments.shell.unwrap_or(Shell::Bash);
            clap_complete::generate(shell, &mut Arguments::command(), "xtask", &mut io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    }
}

impl Arguments {
    /// What cargo compiles in; a page is made to be served, so that it is optimised.
    fn profile(&self) -> &str {
        let is_page = matches!(self.command, Command::Wasm);
        self.profile.as_deref().unwrap_or(if is_page { "release" } else { "dev" })
    }
}
