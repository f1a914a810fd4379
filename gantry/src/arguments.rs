//! The command line.

use std::env;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum as _};
use clap_complete::Shell;

use crate::bench::BenchCommand;
use crate::doctor::Code;
use crate::init::InitArguments;
use crate::update::UpdateArguments;

/// Runs the CI of a cargo workspace on Nix, and says what was cached, built and why.
#[derive(Parser)]
#[command(
    name = "gantry",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  gantry ci                      run every check of the flake
  gantry ci --dry-run            list them, with the commands that run them
  gantry ci --only clippy,test   run these alone
  gantry test -p acme-core       test one member
  gantry status                  say what a run would have to build
  gantry why test-acme-core      say which edits make it be built again
  gantry doctor                  say what keeps builds from being cached
  gantry cache push              share what was built
  gantry release 0.1.0           build, push and archive the packages of a version

In a project, `nix run .#gantry -- COMMAND` and `cargo xtask COMMAND` run it too.

Exit codes: 0 passed, 1 a step failed, 2 wrong usage or environment, 130 interrupted"
)]
pub(crate) struct Arguments {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What `gantry` does.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the checks of the flake
    Ci(CiArguments),
    /// Run those of some kinds
    #[command(flatten)]
    Kind(KindCommand),
    /// Say of every check whether the Nix store or a binary cache has it
    #[command(after_help = "Exit codes: 0 nothing to build, 1 something to build")]
    Status(StatusArguments),
    /// Say why a check or package will be built again: which edits reach it
    Why(WhyArguments),
    /// Look for what keeps builds from being cached, and say how to mend it
    #[command(after_help = doctor_help())]
    Doctor(DoctorArguments),
    /// Push to the binary cache, pin in it, and verify what it has
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Build a version's packages, push and pin them, and write them into a folder
    #[command(
        after_help = "Exit codes: 0 released, 1 CI or a build failed, 2 this commit is not to be released so"
    )]
    Release(ReleaseArguments),
    /// Make a project of what gantry hands out, with a name of its own
    Init(InitArguments),
    /// Move gantry on, and merge what has changed in what it hands out
    Update(UpdateArguments),
    /// Measure layers of members beside one derivation for the whole workspace
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Print shell completions
    #[command(after_help = "In bash, for example: source <(gantry completions bash)")]
    Completions {
        /// The shell that they are for
        shell: Shell,
    },
}

/// `ci --only KIND` in a word, as a project's own driver has it.
#[derive(Subcommand)]
pub(crate) enum KindCommand {
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
    /// Compile wasm members and make their bindings
    Wasm(RunArguments),
}

impl KindCommand {
    /// The kinds of steps, and how to run them.
    pub(crate) fn into_steps(self) -> (StepArguments, RunArguments) {
        let (kinds, arguments): (&[&str], _) = match self {
            Self::Fmt(arguments) => (&["fmt"], arguments),
            Self::Clippy(arguments) => (&["clippy"], arguments),
            Self::Build(arguments) => (&["build"], arguments),
            Self::Test(arguments) => (&["test"], arguments),
            Self::Doc(arguments) => (&["doc"], arguments),
            Self::Wasm(mut arguments) => {
                let target = &mut arguments.selection.target;
                target.get_or_insert_with(|| "wasm32-unknown-unknown".to_owned());
                (&["build", "bindgen"], arguments)
            }
        };
        let only = kinds.iter().map(|&kind| kind.to_owned()).collect();
        (
            StepArguments {
                only,
                skip: Vec::new(),
            },
            arguments,
        )
    }
}

/// Those of `ci`.
#[derive(Args)]
pub(crate) struct CiArguments {
    /// Which steps
    #[command(flatten)]
    pub(crate) steps: StepArguments,

    /// How to run them
    #[command(flatten)]
    pub(crate) run: RunArguments,
}

/// Which kinds of steps.
#[derive(Args)]
pub(crate) struct StepArguments {
    /// Take steps of this kind alone: fmt, clippy, build, bindgen, test, doc, or a check of the project's own
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub(crate) only: Vec<String>,

    /// Leave steps of this kind out
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
}

/// What a plan is narrowed to.
#[derive(Args, Default)]
pub(crate) struct SelectionArguments {
    /// Take this member alone (may be given several times)
    #[arg(short, long = "package", value_name = "MEMBER")]
    pub(crate) package: Vec<String>,

    /// Take this target alone: native, or a triple
    #[arg(long)]
    pub(crate) target: Option<String>,

    /// Take what is compiled in this profile alone
    #[arg(long)]
    pub(crate) profile: Option<String>,

    /// Also ask for the wasm tests in headless Chromium, which plain cargo alone can run
    #[arg(long)]
    pub(crate) browser: bool,
}

/// What every command that runs steps understands.
#[derive(Args, Default)]
pub(crate) struct RunArguments {
    /// What to run
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,

    /// Go on after a failed step, as Nix does in any case
    #[arg(long)]
    pub(crate) keep_going: bool,

    /// What xtask was told, which hands its words on as they are
    #[arg(long, hide = true, value_parser = ["auto", "nix"])]
    pub(crate) backend: Option<String>,

    /// Count a skipped step as a failed one, as CI should
    #[arg(long)]
    pub(crate) strict: bool,

    /// Neither download nor build what a trusted binary cache has (Nix); the default where CI=true
    #[arg(long, overrides_with = "no_skip_cached")]
    pub(crate) skip_cached: bool,

    /// Download what a binary cache has
    #[arg(long, overrides_with = "skip_cached")]
    pub(crate) no_skip_cached: bool,

    /// Print each step's name and command, a line each, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Write the report, or the steps of a dry run, to this file as JSON; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Write report.json and report.html into this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) report: Option<PathBuf>,

    /// Show the output of every step, not of failed ones alone
    #[arg(short, long)]
    pub(crate) verbose: bool,

    /// What Nix is told
    #[command(flatten)]
    pub(crate) nix: NixArguments,
}

impl RunArguments {
    /// Whether steps whose results a trusted binary cache has are done with.
    pub(crate) fn skips_cached(&self) -> bool {
        let is_ci = || env::var_os("CI").is_some_and(|value| value == "true");
        self.skip_cached || !self.no_skip_cached && is_ci()
    }
}

/// What is handed on to Nix.
#[derive(Args, Default)]
pub(crate) struct NixArguments {
    /// Flags for Nix, such as --builders; `GANTRY_NIX_FLAGS` holds those that are always wanted
    #[arg(last = true, value_name = "NIX FLAG")]
    pub(crate) flags: Vec<String>,
}

/// Those of `status`.
#[derive(Args)]
pub(crate) struct StatusArguments {
    /// Of which steps
    #[command(flatten)]
    pub(crate) steps: StepArguments,

    /// What to run
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// What Nix is told
    #[command(flatten)]
    pub(crate) nix: NixArguments,
}

/// What is done to the binary cache.
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

        /// What Nix is told
        #[command(flatten)]
        nix: NixArguments,
    },
    /// Ask the cache for all that `push` pushes, and check the signatures
    #[command(after_help = "Exit codes: 0 all is there and signed, 1 something is not")]
    Verify(CacheArguments),
}

/// Those of `cache push` and `cache verify`.
#[derive(Args)]
pub(crate) struct CacheArguments {
    /// Take the layers of the dependencies, and nothing else that is not named
    #[arg(long)]
    pub(crate) deps: bool,

    /// Checks and packages of the flake [default: all that are built]
    #[arg(value_name = "OUTPUT")]
    pub(crate) outputs: Vec<String>,

    /// What Nix is told
    #[command(flatten)]
    pub(crate) nix: NixArguments,
}

/// Those of `gantry release`.
#[derive(Args)]
pub(crate) struct ReleaseArguments {
    /// The version in Cargo.toml, such as 0.1.0
    // The name is not that of the flag `--version`.
    #[arg(id = "release", value_name = "VERSION")]
    pub(crate) version: String,

    /// Write the files into this folder [default: release-VERSION in the target folder]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,

    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Flags for Nix
    #[command(flatten)]
    pub(crate) nix: NixArguments,
}

/// Those of `why`.
#[derive(Args)]
pub(crate) struct WhyArguments {
    /// A check or package of the flake, such as test-acme-core or default
    pub(crate) output: String,

    /// Compare with this revision [default: where the branch left the main branch]
    #[arg(long, value_name = "REVISION")]
    pub(crate) since: Option<String>,

    /// Print the causes as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// What Nix is told
    #[command(flatten)]
    pub(crate) nix: NixArguments,
}

/// Those of `doctor`.
#[derive(Args)]
pub(crate) struct DoctorArguments {
    /// Ask nothing outside of this machine
    #[arg(long)]
    pub(crate) offline: bool,

    /// Print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// What Nix is told
    #[command(flatten)]
    pub(crate) nix: NixArguments,
}

fn doctor_help() -> String {
    let codes: Vec<_> = Code::value_variants()
        .iter()
        .map(|code| format!("  {code}"))
        .collect();
    format!(
        "Codes, of which docs/troubleshooting.md says more:\n{}\n\nExit codes: 0 nothing found, 1 something, 2 no workspace",
        codes.join("\n")
    )
}
