//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::plan::{Profile, Target, What};

/// Drives the workspace, on a developer's machine as in CI.
#[derive(Parser)]
#[command(
    name = "xtask",
    bin_name = "cargo xtask",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  cargo xtask ci                      run every step, as CI does
  cargo xtask ci --dry-run            show the steps and the commands that run them
  cargo xtask ci --only clippy,test   run these steps alone
  cargo xtask test -p gantry-core     test one member
  cargo xtask wasm                    build the web page into target/web
  cargo xtask completions bash        print shell completions

Exit codes: 0 passed, 1 a step failed, 2 wrong usage or environment, 130 interrupted"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run every step of CI
    Ci(CiArguments),
    /// Check the formatting (`cargo fmt` mends it)
    Fmt(RunArguments),
    /// Lint; every warning is an error
    Clippy(RunArguments),
    /// Compile
    Build(RunArguments),
    /// Run the tests and the documentation's examples
    Test(RunArguments),
    /// Build the documentation; every warning is an error
    Doc(RunArguments),
    /// Build the web page into target/web, in the release profile unless told otherwise
    Wasm(RunArguments),
    /// Print shell completions
    #[command(after_help = "\
They complete the command `xtask`, so that both lines are needed, in bash for example:
  alias xtask='cargo xtask'
  source <(cargo xtask completions bash)")]
    Completions { shell: Shell },
}

#[derive(Args)]
pub(crate) struct CiArguments {
    /// Run these steps alone
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub(crate) only: Vec<What>,

    /// Leave these steps out
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub(crate) skip: Vec<What>,

    #[command(flatten)]
    pub(crate) run: RunArguments,
}

impl CiArguments {
    /// The kinds of steps that `--only` and `--skip` leave.
    pub(crate) fn steps(&self) -> Vec<What> {
        let is_wanted = |what: &What| {
            if self.only.is_empty() {
                // Only `--browser` asks for it.
                *what != What::Browser
            } else {
                self.only.contains(what)
            }
        };
        let mut steps = What::value_variants().to_vec();
        steps.retain(|what| is_wanted(what) && !self.skip.contains(what));
        steps
    }
}

/// What every command that runs steps understands.
#[derive(Args, Clone)]
pub(crate) struct RunArguments {
    /// Take this member alone (may be given several times)
    #[arg(short, long = "package", value_name = "MEMBER")]
    pub(crate) package: Vec<String>,

    /// Take this target alone
    #[arg(long)]
    pub(crate) target: Option<Target>,

    /// Compile in this profile [default: dev]
    #[arg(long)]
    pub(crate) profile: Option<Profile>,

    /// Go on after a failed step
    #[arg(long)]
    pub(crate) keep_going: bool,

    /// Count a skipped step as a failed one, as CI should
    #[arg(long)]
    pub(crate) strict: bool,

    /// Also run the wasm tests in headless Chromium
    #[arg(long)]
    pub(crate) browser: bool,

    /// Print the steps and their commands, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Write report.json and report.html into this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) report: Option<PathBuf>,

    /// Show the output of every step, not of failed ones alone
    #[arg(short, long)]
    pub(crate) verbose: bool,

    /// What runs the steps
    #[arg(long, value_enum, default_value_t)]
    pub(crate) backend: BackendChoice,

    /// Flags for Nix, such as --builders; `XTASK_NIX_FLAGS` holds those that are always wanted
    #[arg(last = true, value_name = "NIX FLAG")]
    pub(crate) nix_flags: Vec<String>,
}

impl RunArguments {
    /// Adds what `--browser` asks for to the kinds of steps of a command.
    pub(crate) fn with_browser(&self, steps: &[What]) -> Vec<What> {
        let mut steps = steps.to_vec();
        if self.browser && steps.contains(&What::Test) {
            steps.push(What::Browser);
        }
        steps
    }

    /// The arguments of `cargo xtask wasm`: a page is made to be served, so it is optimised.
    pub(crate) fn for_page(self) -> Self {
        Self {
            target: Some(Target::Wasm),
            profile: self.profile.or(Some(Profile::Release)),
            ..self
        }
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum BackendChoice {
    /// The best that this machine has
    #[default]
    Auto,
    /// `nix build` over the flake's outputs
    Nix,
    /// Plain cargo
    Cargo,
}
