//! The command line.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::finding::Code;
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
  cargo xtask release 0.1.0           build, push and archive the packages of a version
  cargo xtask completions bash        print shell completions

Exit codes: 0 passed, 1 a step failed, 2 wrong usage or environment, 130 interrupted"
)]
pub struct Arguments {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What `cargo xtask` does, by the program that does it.
#[derive(Subcommand)]
pub enum Command {
    /// A run of steps
    #[command(flatten)]
    Run(RunCommand),
    /// A question that only Nix can answer
    #[command(flatten)]
    Nix(NixCommand),
    // begin template
    /// Measure layers beside one derivation a step (`bench --help` tells more)
    #[command(disable_help_flag = true, disable_version_flag = true)]
    Bench(OtherArguments),
    // end template
    /// Make a project of the template (`init --help` tells more)
    #[command(disable_help_flag = true, disable_version_flag = true)]
    Init(OtherArguments),
    /// Bring in what has changed in the template (`template --help` tells more)
    #[command(disable_help_flag = true, disable_version_flag = true)]
    Template(OtherArguments),
    /// Print shell completions
    #[command(after_help = "\
They complete the command `xtask`, so that both lines are needed, in bash for example:
  alias xtask='cargo xtask'
  source <(cargo xtask completions bash)")]
    Completions {
        /// The shell that they are for
        shell: Shell,
    },
}

/// Those of a program of its own.
#[derive(Args)]
pub struct OtherArguments {
    /// What that program is told
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENTS"
    )]
    pub all: Vec<OsString>,
}

/// Runs steps.
#[derive(Subcommand)]
pub enum RunCommand {
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
}

impl RunCommand {
    /// How to run, and the kinds of steps.
    #[must_use]
    pub fn into_steps(self) -> (RunArguments, Vec<What>) {
        match self {
            Self::Ci(arguments) => {
                let kinds = arguments.steps.kinds();
                (arguments.run, kinds)
            }
            Self::Fmt(run) => (run, vec![What::Fmt]),
            Self::Clippy(run) => (run, vec![What::Clippy]),
            Self::Build(run) => (run, vec![What::Build]),
            Self::Test(run) => (run, vec![What::Test, What::Doctest]),
            Self::Doc(run) => (run, vec![What::Doc]),
            Self::Wasm(run) => (run.for_page(), vec![What::Build, What::Bindgen]),
        }
    }
}

/// Asks Nix.
#[derive(Subcommand)]
pub enum NixCommand {
    /// Say of every output of the plan whether the Nix store or a binary cache has it
    #[command(after_help = "Exit codes: 0 nothing to build, 1 something to build")]
    Status(StatusArguments),
    /// Push to the binary cache, pin in it, and verify what it has
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Build a version's packages, push and pin them, and write them into a folder
    #[command(
        after_help = "Exit codes: 0 released, 1 CI or a build failed, 2 this commit is not to be released so"
    )]
    Release(ReleaseArguments),
    /// Say why a check or package will be built again: which edits reach it
    Why(WhyArguments),
    /// Look for what keeps builds from being cached, and say how to mend it
    #[command(after_help = doctor_help())]
    Doctor(DoctorArguments),
}

/// Those of `ci`.
#[derive(Args)]
pub struct CiArguments {
    /// Which steps
    #[command(flatten)]
    pub steps: StepArguments,

    /// How to run them
    #[command(flatten)]
    pub run: RunArguments,
}

/// Which kinds of steps.
#[derive(Args)]
pub struct StepArguments {
    /// Take these steps alone
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    only: Vec<What>,

    /// Leave these steps out
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    skip: Vec<What>,
}

impl StepArguments {
    /// The kinds of steps that `--only` and `--skip` leave.
    #[must_use]
    pub fn kinds(&self) -> Vec<What> {
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
pub struct SelectionArguments {
    /// Take this member alone (may be given several times)
    #[arg(short, long = "package", value_name = "MEMBER")]
    pub package: Vec<String>,

    /// Take this target alone
    #[arg(long)]
    pub target: Option<Target>,

    /// Compile in this profile [default: dev]
    #[arg(long)]
    pub profile: Option<Profile>,

    /// Also run the wasm tests in headless Chromium
    #[arg(long)]
    pub browser: bool,
}

impl SelectionArguments {
    /// The steps of these kinds that are left.
    ///
    /// # Errors
    /// An unknown member, or nothing left to do.
    pub fn plan(&self, workspace: &Workspace, kinds: &[What]) -> Result<Vec<Step>> {
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
pub struct RunArguments {
    /// What to run
    #[command(flatten)]
    pub selection: SelectionArguments,

    /// Go on after a failed step
    #[arg(long)]
    pub keep_going: bool,

    /// Count a skipped step as a failed one, as CI should
    #[arg(long)]
    pub strict: bool,

    /// Neither download nor build what a trusted binary cache has (Nix); the default where CI=true
    #[arg(long, overrides_with = "no_skip_cached")]
    skip_cached: bool,

    /// Download what a binary cache has
    #[arg(long, overrides_with = "skip_cached")]
    no_skip_cached: bool,

    /// Print the steps and their commands, and run nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,

    /// Write report.json and report.html into this folder
    #[arg(long, value_name = "FOLDER")]
    pub report: Option<PathBuf>,

    /// Show the output of every step, not of failed ones alone
    #[arg(short, long)]
    pub verbose: bool,

    /// What runs the steps
    #[arg(long, value_enum, default_value_t)]
    pub backend: BackendChoice,

    /// What Nix is told
    #[command(flatten)]
    pub nix: NixArguments,
}

impl RunArguments {
    /// Whether steps whose results a trusted binary cache has are done with.
    pub(crate) fn skip_cached(&self) -> bool {
        let is_ci = || env::var_os("CI").is_some_and(|value| value == "true");
        self.skip_cached || !self.no_skip_cached && is_ci()
    }

    /// The arguments of `cargo xtask wasm`: a page is made to be served, so it is optimised.
    fn for_page(mut self) -> Self {
        let selection = &mut self.selection;
        selection.target = Some(Target::Wasm);
        selection.profile.get_or_insert(Profile::Release);
        self
    }
}

/// What is handed on to Nix.
#[derive(Args, Clone)]
pub struct NixArguments {
    /// Flags for Nix, such as --builders; `XTASK_NIX_FLAGS` holds those that are always wanted
    #[arg(last = true, value_name = "NIX FLAG")]
    pub flags: Vec<String>,
}

/// Those of `status`.
#[derive(Args)]
pub struct StatusArguments {
    /// Of which steps
    #[command(flatten)]
    pub steps: StepArguments,

    /// What to run
    #[command(flatten)]
    pub selection: SelectionArguments,

    /// Print JSON
    #[arg(long)]
    pub json: bool,

    /// What Nix is told
    #[command(flatten)]
    pub nix: NixArguments,
}

/// What is done to the binary cache.
#[derive(Subcommand)]
pub enum CacheCommand {
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
pub struct CacheArguments {
    /// Take the layers of the dependencies, and nothing else that is not named
    #[arg(long)]
    pub deps: bool,

    /// Checks and packages of the flake [default: all that are built]
    #[arg(value_name = "OUTPUT")]
    pub outputs: Vec<String>,

    /// What Nix is told
    #[command(flatten)]
    pub nix: NixArguments,
}

/// Those of `cargo xtask release`.
#[derive(Args)]
pub struct ReleaseArguments {
    /// The version in Cargo.toml, such as 0.1.0
    // The name is not that of the flag `--version`.
    #[arg(id = "release", value_name = "VERSION")]
    pub version: String,

    /// Write the files into this folder [default: release-VERSION in the target folder]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,

    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Flags for Nix
    #[command(flatten)]
    pub nix: NixArguments,
}

/// Those of `why`.
#[derive(Args)]
pub struct WhyArguments {
    /// A check or package of the flake, such as test-gantry-core or default
    pub output: String,

    /// Compare with this revision [default: where the branch left the main branch]
    #[arg(long, value_name = "REVISION")]
    pub since: Option<String>,

    /// Print the causes as JSON
    #[arg(long)]
    pub json: bool,

    /// What Nix is told
    #[command(flatten)]
    pub nix: NixArguments,
}

/// Those of `doctor`.
#[derive(Args)]
pub struct DoctorArguments {
    /// Ask nothing outside of this machine
    #[arg(long)]
    pub offline: bool,

    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,

    /// What Nix is told
    #[command(flatten)]
    pub nix: NixArguments,
}

fn doctor_help() -> String {
    let codes: Vec<_> = Code::ALL.iter().map(|code| format!("  {code}")).collect();
    format!(
        "Codes, of which docs/troubleshooting.md says more:\n{}\n\nExit codes: 0 nothing found, 1 something, 2 no workspace",
        codes.join("\n")
    )
}

/// What `--backend` asks for.
#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum BackendChoice {
    /// The best that this machine has
    #[default]
    Auto,
    /// `nix build` over the flake's outputs
    Nix,
    /// Plain cargo
    Cargo,
}
