//! The questions that the benchmark puts to Nix.

use std::collections::BTreeSet;
use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use xtask::process;

use crate::command;

/// Extra arguments of every `nix` command that reads a flake, separated by white space.
const FLAGS: &str = "XTASK_NIX_FLAGS";

pub(crate) struct Nix {
    system: String,
    /// As `nix --version` says it.
    pub(crate) version: String,
}

impl Nix {
    /// # Errors
    /// There is no Nix with flakes here.
    pub(crate) fn new() -> Result<Self> {
        let ask = |arguments: &[&str]| {
            process::read(&mut nix(arguments))
                .with_context(|| format!("`nix {}` failed", arguments.join(" ")))
        };
        Ok(Self {
            version: ask(&["--version"])?,
            system: ask(&[
                "eval",
                "--raw",
                "--impure",
                "--expr",
                "builtins.currentSystem",
            ])?,
        })
    }

    /// Builds an output of the flake in `folder`. In seconds, evaluation included.
    ///
    /// # Errors
    /// [`Failed`](crate::command::Failed), or Nix cannot run.
    pub(crate) fn build(&self, folder: &Path, output: &str) -> Result<f64> {
        // Nix's default of one job at a time would leave cores idle wherever layers are independent.
        self.timed(
            &["build", "--no-link", "--max-jobs", "auto"],
            folder,
            output,
        )
    }

    /// Evaluates an output of the flake in `folder`, without what was evaluated before. In seconds.
    ///
    /// # Errors
    /// [`Failed`](crate::command::Failed), or Nix cannot run.
    pub(crate) fn evaluate(&self, folder: &Path, output: &str) -> Result<f64> {
        self.timed(
            &["eval", "--no-eval-cache"],
            folder,
            &format!("{output}.drvPath"),
        )
    }

    /// What the store holds of all that an output is built from: outputs of derivations, no sources.
    ///
    /// # Errors
    /// Nix cannot answer.
    pub(crate) fn stored(&self, folder: &Path, output: &str) -> Result<BTreeSet<String>> {
        let mut evaluate = flake_command(&["eval", "--raw"]);
        evaluate.arg(self.installable(folder, &format!("{output}.drvPath")));
        let derivation = process::read(&mut evaluate)
            .with_context(|| format!("the flake in {} does not evaluate", folder.display()))?;
        let paths = query(
            &["--requisites", "--include-outputs"],
            &[derivation.as_str()],
        )?;
        let outputs: Vec<&str> = paths
            .lines()
            .filter(|path| Path::new(path).extension() != Some("drv".as_ref()))
            .collect();
        let derivers = query(&["--deriver"], &outputs)?;
        Ok(outputs
            .iter()
            .zip(derivers.lines())
            .filter(|(_, deriver)| *deriver != "unknown-deriver")
            .map(|(path, _)| (*path).to_owned())
            .collect())
    }

    fn timed(&self, arguments: &[&str], folder: &Path, output: &str) -> Result<f64> {
        let mut command = flake_command(arguments);
        command.arg(self.installable(folder, output));
        command::seconds(&mut command)
    }

    fn installable(&self, folder: &Path, output: &str) -> String {
        format!(
            "path:{}#packages.{}.{output}",
            folder.display(),
            self.system
        )
    }
}

/// The bytes of these store paths as a binary cache keeps them, compressed by zstd.
///
/// # Errors
/// There is no program `zstd`, or Nix cannot read a path.
pub(crate) fn compressed_bytes<'a>(paths: impl IntoIterator<Item = &'a String>) -> Result<u64> {
    const SCRIPT: &str =
        "set -e; for path; do nix-store --dump \"$path\" | zstd --quiet --threads=0 | wc -c; done";
    let mut compress = Command::new("bash");
    compress
        .args(["-o", "pipefail", "-c", SCRIPT, "bash"])
        .args(paths);
    let output = process::read(&mut compress).context("cannot compress store paths by zstd")?;
    output
        .lines()
        .map(|bytes| Ok(bytes.trim().parse::<u64>()?))
        .sum()
}

/// What the store says of these paths.
fn query(question: &[&str], paths: &[&str]) -> Result<String> {
    let mut command = Command::new("nix-store");
    command.arg("--query").args(question).args(paths);
    process::read(&mut command)
        .with_context(|| format!("`nix-store --query {}` failed", question.join(" ")))
}

/// A command that reads a flake.
fn flake_command(arguments: &[&str]) -> Command {
    let mut command = nix(arguments);
    if let Ok(flags) = env::var(FLAGS) {
        command.args(flags.split_whitespace());
    }
    command
}

fn nix(arguments: &[&str]) -> Command {
    let mut command = Command::new("nix");
    command
        .args(["--extra-experimental-features", "nix-command flakes"])
        .args(arguments);
    command
}
