//! Asking Nix about a flake and about files.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;
use xtask::process;

use super::outputs::Check;
use super::program::Program;
use crate::url;

/// An output that was looked for by its name, and the names that there are.
#[derive(Deserialize)]
pub(crate) struct Found {
    pub(crate) output: Option<Check>,
    pub(crate) names: Vec<String>,
}

impl Program {
    /// The check of this name in `flake`, or else the package.
    ///
    /// # Errors
    /// The flake does not evaluate.
    pub(crate) fn output(&self, flake: &str, name: &str) -> Result<Found> {
        let is_plain = |character: char| character.is_alphanumeric() || "-_.+".contains(character);
        if !name.chars().all(is_plain) {
            bail!("`{name}` is no name of an output: `cargo xtask why test-MEMBER`, for example");
        }
        let system = self.system()?;
        let function = format!(
            "outputs: let all = (outputs.packages.\"{system}\" or {{ }}) // (outputs.checks.\"{system}\" or {{ }}); in {{ \
             names = builtins.attrNames all; \
             output = if all ? \"{name}\" then {{ derivation = all.\"{name}\".drvPath; path = all.\"{name}\".outPath; }} else null; }}"
        );
        // The dot names the flake's outputs as a whole.
        let found = self.read(&[
            "eval",
            "--json",
            &format!("{flake}#."),
            "--apply",
            &function,
        ])?;
        serde_json::from_str(&found).context("cannot read the output of `nix eval`")
    }

    /// TOML files as values; one that does not exist is an empty table.
    ///
    /// # Errors
    /// A file is no TOML.
    pub(crate) fn toml(&self, files: &[PathBuf]) -> Result<Vec<Value>> {
        const READ: &str = "map (file: if builtins.pathExists file then fromTOML (builtins.unsafeDiscardStringContext (builtins.readFile file)) else { }) (builtins.fromJSON (builtins.getEnv \"XTASK_FILES\"))";
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let files: Vec<_> = files.iter().map(|file| file.to_string_lossy()).collect();
        let mut command = self.command(&["eval", "--json", "--impure", "--expr", READ]);
        command.env("XTASK_FILES", serde_json::to_string(&files)?);
        let values = process::read(&mut command)?;
        serde_json::from_str(&values).context("cannot read the output of `nix eval`")
    }
}

/// The flake in a folder, as it is there, with a date that does not depend on when it was written.
pub(crate) fn path_reference(folder: &Path) -> String {
    format!("path:{}?lastModified=1", url::encode(folder))
}
