//! The questions that the benchmark puts to Nix.

use std::collections::BTreeSet;
use std::env;
use std::fmt;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use xshell::{Cmd, Shell, cmd};

use crate::nix::query;
use crate::process;

const FEATURES: [&str; 2] = ["--extra-experimental-features", "nix-command flakes"];

pub(crate) struct Nix {
    shell: Shell,
    /// Of every command that reads a flake.
    flags: Vec<String>,
    system: String,
    /// As `nix --version` says it.
    pub(crate) version: String,
}

/// A measured command that ran and did not succeed.
#[derive(Debug)]
pub(crate) struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

impl Nix {
    /// # Errors
    /// There is no Nix with flakes here.
    pub(crate) fn new() -> Result<Self> {
        let shell = Shell::new()?;
        let user_flags = env::var("GANTRY_NIX_FLAGS").unwrap_or_default();
        let user_flags = user_flags.split_whitespace();
        Ok(Self {
            version: process::read(cmd!(shell, "nix --version"))?,
            system: process::read(cmd!(shell, "nix {FEATURES...} config show system"))?,
            flags: FEATURES
                .into_iter()
                .chain(user_flags)
                .map(str::to_owned)
                .collect(),
            shell,
        })
    }

    /// Builds an output of the flake in `folder`. In seconds, evaluation included.
    ///
    /// # Errors
    /// [`Failed`], or Nix cannot run.
    pub(crate) fn build(&self, folder: &Path, output: &str) -> Result<f64> {
        let Self { shell, flags, .. } = self;
        let output = self.installable(folder, output);
        // Nix's default of one job at a time would leave cores idle wherever layers are independent.
        seconds(cmd!(
            shell,
            "nix build --no-link --max-jobs auto {flags...} {output}"
        ))
    }

    /// Evaluates an output of the flake in `folder`, without what was evaluated before. In seconds.
    ///
    /// # Errors
    /// [`Failed`], or Nix cannot run.
    pub(crate) fn evaluate(&self, folder: &Path, output: &str) -> Result<f64> {
        let Self { shell, flags, .. } = self;
        let output = self.installable(folder, output);
        seconds(cmd!(
            shell,
            "nix eval --no-eval-cache {flags...} {output}.drvPath"
        ))
    }

    /// What the store holds of all that an output is built from: outputs of derivations, no sources.
    ///
    /// # Errors
    /// Nix cannot answer.
    pub(crate) fn stored(&self, folder: &Path, output: &str) -> Result<BTreeSet<String>> {
        let Self { shell, flags, .. } = self;
        let output = self.installable(folder, output);
        let evaluate = cmd!(shell, "nix eval --raw {flags...} {output}.drvPath");
        let derivation = process::read(evaluate)
            .with_context(|| format!("the flake in {} does not evaluate", folder.display()))?;
        let mut paths = query(&["--requisites", "--include-outputs"], [&*derivation])?;
        paths.retain(|path| Path::new(path).extension() != Some("drv".as_ref()));
        let derivers = query(&["--deriver"], paths.iter().map(String::as_str))?;
        let built = paths
            .into_iter()
            .zip(derivers)
            .filter(|(_, deriver)| deriver != "unknown-deriver");
        Ok(built.map(|(path, _)| path).collect())
    }

    /// The bytes of these store paths as a binary cache keeps them, compressed by zstd.
    ///
    /// # Errors
    /// There is no program `zstd`, or Nix cannot read a path.
    pub(crate) fn compressed_bytes(&self, paths: &[&str]) -> Result<u64> {
        const SCRIPT: &str = "set -e; while read -r path; do
            nix-store --dump \"$path\" </dev/null | zstd --quiet --threads=0 | wc -c
        done";
        let shell = &self.shell;
        let compress = cmd!(shell, "bash -o pipefail -c {SCRIPT}");
        let sizes = process::read_with(compress, &(paths.join("\n") + "\n"));
        let sizes = sizes.context("cannot compress store paths by zstd")?;
        sizes
            .lines()
            .map(|bytes| Ok(bytes.trim().parse::<u64>()?))
            .sum()
    }

    fn installable(&self, folder: &Path, output: &str) -> String {
        format!(
            "path:{}#packages.{}.{output}",
            folder.display(),
            self.system
        )
    }
}

/// How long the command runs, in seconds.
///
/// # Errors
/// [`Failed`], or it cannot be started.
fn seconds(command: Cmd<'_>) -> Result<f64> {
    let words = command.to_string();
    let started = Instant::now();
    let output = process::output(command, "")?;
    let seconds = started.elapsed().as_secs_f64();
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        let error = format!("`{words}` failed\n{}", error.trim_end());
        return Err(Failed(error).into());
    }
    Ok(seconds)
}
