//! The command line.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::doctor::Code;
use crate::plan::{Profile, Selection, Step, Target, What};
use crate::workspace::Workspace;

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
  cargo xtask status                  say what a run on Nix would have to build
  cargo xtask cache push              share what was built
  cargo xtask why test-gantry-core    say which edits make it be built again
  cargo xtask doctor                  say what keeps builds from being cached
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
    /// Say of every output of the plan whether the Nix store or a binary cache has it
    #[command(after_help = "Exit codes: 0 nothing to build, 1 something to build")]
    Status(StatusArguments),
    /// Push to the binary cache, pin in it, and verify what it has
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Say why a check or package will be built again: which edits reach it
    Why(WhyArguments),
    /// Look for what keeps builds from being cached, and say how to mend it
    #[command(after_help = doctor_help())]
    Doctor(DoctorArguments),
    /// Measure layers beside one derivation a step (`bench --help` tells more)
    #[command(disable_help_flag = true, disable_version_flag = true)]
    Bench {
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "ARGUMENTS"
        )]
        arguments: Vec<OsString>,
    },
    /// Print shell completions
    #[command(after_help = "\
They complete the command `xtask`, so that both lines are needed, in bash for example:
  alias xtask='cargo xtask'
  source <(cargo xtask completions bash)")]
    Completions { shell: Shell },
}

#[derive(Args)]
pub(crate) struct CiArguments {
    #[command(flatten)]
    pub(crate) steps: StepArguments,

    #[command(flatten)]
    pub(crate) run: RunArguments,
}

#[derive(Args)]
pub(crate) struct StepArguments {
    /// Take these steps alone
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    only: Vec<What>,

    /// Leave these steps out
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    skip: Vec<What>,
}

impl StepArguments {
    /// The kinds of steps that `--only` and `--skip` leave.
    pub(crate) fn kinds(&self) -> Vec<What> {
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

/// What a plan is narrowed to.
#[derive(Args, Clone)]
pub(crate) struct SelectionArguments {
    /// Take this member alone (may be given several times)
    #[arg(short, long = "package", value_name = "MEMBER")]
    pub(crate) package: Vec<String>,

    /// Take this target alone
    #[arg(long)]
    pub(crate) target: Option<Target>,

    /// Compile in this profile [default: dev]
    #[arg(long)]
    pub(crate) profile: Option<Profile>,

    /// Also run the wasm tests in headless Chromium
    #[arg(long)]
    pub(crate) browser: bool,
}

impl SelectionArguments {
    /// The steps of these kinds that are left.
    ///
    /// # Errors
    /// An unknown member, or nothing left to do.
    pub(crate) fn plan(&self, workspace: &Workspace, kinds: &[What]) -> Result<Vec<Step>> {
        let mut steps = kinds.to_vec();
        if self.browser && steps.contains(&What::Test) {
            steps.push(What::Browser);
        }
        let selection = Selection {
            members: &self.package,
            target: self.target,
            steps: &steps,
            profile: self.profile.unwrap_or_default(),
        };
        Step::plan(workspace, &selection)
    }
}

/// What every command that runs steps understands.
#[derive(Args, Clone)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,

    /// Go on after a failed step
    #[arg(long)]
    pub(crate) keep_going: bool,

    /// Count a skipped step as a failed one, as CI should
    #[arg(long)]
    pub(crate) strict: bool,

    /// Neither download nor build what a trusted binary cache has (Nix); the default where CI=true
    #[arg(long, overrides_with = "no_skip_cached")]
    skip_cached: bool,

    /// Download what a binary cache has
    #[arg(long, overrides_with = "skip_cached")]
    no_skip_cached: bool,

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

    #[command(flatten)]
    pub(crate) nix: NixArguments,
}

impl RunArguments {
    /// Whether steps whose results a trusted binary cache has are done with.
    pub(crate) fn skip_cached(&self) -> bool {
        let is_ci = || env::var_os("CI").is_some_and(|value| value == "true");
        self.skip_cached || !self.no_skip_cached && is_ci()
    }

    /// The arguments of `cargo xtask wasm`: a page is made to be served, so it is optimised.
    pub(crate) fn for_page(mut self) -> Self {
        let selection = &mut self.selection;
        selection.target = Some(Target::Wasm);
        selection.profile.get_or_insert(Profile::Release);
        self
    }
}

#[derive(Args, Clone)]
pub(crate) struct NixArguments {
    /// Flags for Nix, such as --builders; `XTASK_NIX_FLAGS` holds those that are always wanted
    #[arg(last = true, value_name = "NIX FLAG")]
    pub(crate) flags: Vec<String>,
}

#[derive(Args)]
pub(crate) struct StatusArguments {
    #[command(flatten)]
    pub(crate) steps: StepArguments,

    #[command(flatten)]
    pub(crate) selection: SelectionArguments,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) nix: NixArguments,
}

#[derive(Subcommand)]
pub(crate) enum CacheCommand {
    /// Push what was built, with all that it was built with
    Push(CacheArguments),
    /// Push an output and keep it from being collected (Cachix)
    Pin {
        /// The name of the pin
        name: String,

        /// A check or package of the flake
        output: String,

        #[command(flatten)]
        nix: NixArguments,
    },
    /// Ask the cache for all that `push` pushes, and check the signatures
    #[command(after_help = "Exit codes: 0 all is there and signed, 1 something is not")]
    Verify(CacheArguments),
}

#[derive(Args)]
pub(crate) struct CacheArguments {
    /// Take the layers of the dependencies, and nothing else that is not named
    #[arg(long)]
    pub(crate) deps: bool,

    /// Checks and packages of the flake [default: all that are built]
    #[arg(value_name = "OUTPUT")]
    pub(crate) outputs: Vec<String>,

    #[command(flatten)]
    pub(crate) nix: NixArguments,
}

#[derive(Args)]
pub(crate) struct WhyArguments {
    /// A check or package of the flake, such as test-gantry-core or default
    pub(crate) output: String,

    /// Compare with this revision [default: where the branch left the main branch]
    #[arg(long, value_name = "REVISION")]
    pub(crate) since: Option<String>,

    /// Print the causes as JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) nix: NixArguments,
}

#[derive(Args)]
pub(crate) struct DoctorArguments {
    /// Ask nothing outside of this machine
    #[arg(long)]
    pub(crate) offline: bool,

    /// Print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) nix: NixArguments,
}

fn doctor_help() -> String {
    let codes: Vec<_> = Code::ALL.iter().map(|code| format!("  {code}")).collect();
    format!(
        "Codes, of which docs/troubleshooting.md says more:\n{}\n\nExit codes: 0 nothing found, 1 something, 2 no workspace",
        codes.join("\n")
    )
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
