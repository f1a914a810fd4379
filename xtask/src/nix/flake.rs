//! Asking Nix about a flake and about files.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use super::outputs::Check;
use super::program::{Program, system};

/// An output that was looked for by its name, and the names that there are.
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
        if !name
            .chars()
            .all(|character| character.is_alphanumeric() || "-_.+".contains(character))
        {
            bail!("`{name}` is no name of an output: `cargo xtask why test-MEMBER`, for example");
        }
        let system = system()?;
        let mut found = Found {
            output: None,
            names: Vec::new(),
        };
        for kind in ["checks", "packages"] {
            let here = self.outputs_of(&format!("{flake}#{kind}.{system}"), name)?;
            found.names.extend(here.names);
            if here.output.is_some() {
                found.output = here.output;
                break;
            }
        }
        Ok(found)
    }

    fn outputs_of(&self, installable: &str, name: &str) -> Result<Found> {
        #[derive(Deserialize)]
        struct Evaluated {
            output: Option<Check>,
            names: Vec<String>,
        }
        let apply = format!(
            "outputs: {{ names = builtins.attrNames outputs; output = if outputs ? \"{name}\" then let output = outputs.\"{name}\"; in {{ derivation = output.drvPath; path = output.outPath; }} else null; }}"
        );
        let text = match self.read(&["eval", "--json", installable, "--apply", &apply]) {
            Err(error) if error.to_string().contains("does not provide attribute") => {
                return Ok(Found {
                    output: None,
                    names: Vec::new(),
                });
            }
            text => text?,
        };
        let Evaluated { output, names } =
            serde_json::from_str(&text).context("cannot read the output of `nix eval`")?;
        Ok(Found { output, names })
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
        let output = command
            .env("XTASK_FILES", serde_json::to_string(&files)?)
            .output()
            .context("cannot run nix")?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        serde_json::from_slice(&output.stdout).context("cannot read the output of `nix eval`")
    }
}

/// The flake in a folder, as it is there, with a date that does not depend on when it was written.
pub(crate) fn path_reference(folder: &Path) -> String {
    let mut reference = String::from("path:");
    for byte in folder.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            reference.push(char::from(byte));
        } else {
            let _ = write!(reference, "%{byte:02X}");
        }
    }
    reference + "?lastModified=1"
}
