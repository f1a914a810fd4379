//! The revision of gantry that a project's flake.lock pins.
//!
//! Format: <https://nix.dev/manual/nix/latest/command-ref/new-cli/nix3-flake#lock-files>.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fmt, fs};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use crate::init::{Files, write_with_parents};
use crate::process;

/// A node of a lock file.
pub(super) struct Revision {
    /// What flake.nix says, in attributes.
    original: Map<String, Value>,
    /// The same with a content that never changes.
    pub(super) locked: Map<String, Value>,
}

impl Revision {
    /// The one that this lock file has.
    ///
    /// # Errors
    /// It has none.
    pub(super) fn locked(lock: &[u8]) -> Result<Self> {
        let lock: Value = serde_json::from_slice(lock).context("flake.lock is no JSON")?;
        let nodes = &lock["nodes"];
        let name = |root: &Value| nodes[root.as_str()?]["inputs"]["gantry"].as_str();
        let attributes = |kind| nodes[name(&lock["root"])?][kind].as_object().cloned();
        let (Some(original), Some(locked)) = (attributes("original"), attributes("locked")) else {
            anyhow::bail!(
                "flake.lock has no input `gantry`: only a project whose flake.nix names one can be updated"
            );
        };
        Ok(Self { original, locked })
    }

    /// The URL of the same flake at another revision: a commit, a tag or a branch.
    ///
    /// # Errors
    /// It is a flake without revisions.
    fn at(&self, revision: &str) -> Result<String> {
        ensure!(
            self.original.get("type").is_none_or(|kind| kind != "path"),
            "--to {revision}: gantry comes from a folder here, which has no revisions"
        );
        let mut flake = self.original.clone();
        flake.remove("ref");
        let is_commit =
            revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
        flake.insert(
            if is_commit { "rev" } else { "ref" }.into(),
            revision.into(),
        );
        let expression = format!("builtins.flakeRefToString {}", literal(&flake));
        process::read(nix(&["eval", "--raw", "--expr", &expression]))
            .with_context(|| format!("--to {revision}"))
    }

    /// The folder of what gantry hands out at this revision. Of its flake only what makes templates is
    /// evaluated, which has no need for nixpkgs.
    ///
    /// # Errors
    /// Nix cannot get at it, or evaluate it.
    pub(super) fn template(&self) -> Result<PathBuf> {
        // As the input of a flake, it is what it was even where its folder has changed since.
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let mut input = self.original.clone();
        input.insert("flake".into(), false.into());
        let flake = format!(
            r#"{{
  inputs.gantry = {};
  outputs = inputs: {{
    template = (import "${{inputs.gantry}}/templates" {{ self = inputs.gantry; }}).default.path;
  }};
}}"#,
            literal(&input)
        );
        let lock = json!({ "version": 7, "root": "root", "nodes": {
            "root": { "inputs": { "gantry": "gantry" } },
            "gantry": { "flake": false, "locked": self.locked, "original": self.original },
        } });
        write_with_parents(&folder.path().join("flake.nix"), flake.as_bytes())?;
        write_with_parents(
            &folder.path().join("flake.lock"),
            lock.to_string().as_bytes(),
        )?;
        let output = format!("path:{}#template", folder.path().display());
        let mut evaluate = nix(&["eval", "--raw", "--no-update-lock-file", &output]);
        evaluate.args(flags());
        let path = process::read(evaluate)
            .with_context(|| format!("Nix does not get at gantry at {self}"))?;
        Ok(path.into())
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |key: &str| self.locked.get(key).and_then(Value::as_str);
        formatter.write_str(
            text("rev")
                .or(text("narHash"))
                .unwrap_or("an unknown revision"),
        )
    }
}

/// The project's flake.lock after its input gantry has moved on. Nix writes it in another folder, so that
/// the project changes when everything is known.
///
/// # Errors
/// Nix finds no such revision.
pub(super) fn move_on(project: &Files, old: &Revision, to: Option<&str>) -> Result<Vec<u8>> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    for file in ["flake.nix", "flake.lock"] {
        write_with_parents(&folder.path().join(file), &project[file])?;
    }
    let flake = format!("path:{}", folder.path().display());
    // Without the flags of GANTRY_NIX_FLAGS: an input that is replaced for a run does not belong into the
    // lock file.
    match to {
        None => process::read(nix(&["flake", "update", "gantry", "--flake", &flake])),
        Some(revision) => {
            let url = old.at(revision)?;
            process::read(nix(&[
                "flake",
                "lock",
                "--override-input",
                "gantry",
                &url,
                &flake,
            ]))
        }
    }
    .context("Nix cannot move the input gantry on")?;
    fs::read(folder.path().join("flake.lock")).context("Nix has written no flake.lock")
}

/// These attributes as Nix writes them.
fn literal(attributes: &Map<String, Value>) -> String {
    // Strings, numbers and truth are the same in JSON, but for `${` in a string.
    let value = |value: &Value| value.to_string().replace("${", "\\${");
    let attributes = attributes.iter();
    let attributes = attributes.map(|(name, content)| format!("{name} = {};", value(content)));
    format!("{{ {} }}", attributes.collect::<Vec<_>>().join(" "))
}

fn nix(arguments: &[&str]) -> Command {
    let mut command = Command::new("nix");
    let features = ["--extra-experimental-features", "nix-command flakes"];
    command.args(features).args(arguments);
    command
}

/// What Nix is told by the user.
fn flags() -> Vec<String> {
    let flags = env::var("GANTRY_NIX_FLAGS").unwrap_or_default();
    flags.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_says_which_revision_it_pins() {
        let lock = r#"{ "root": "root", "nodes": {
            "gantry_2": { "locked": { "rev": "0f" }, "original": { "type": "github" } },
            "root": { "inputs": { "gantry": "gantry_2", "nixpkgs": ["gantry", "nixpkgs"] } }
        } }"#;
        let revision = Revision::locked(lock.as_bytes()).unwrap();
        assert_eq!(revision.to_string(), "0f");
        for lock in [r#"{ "root": "root", "nodes": { "root": {} } }"#, "{}", "["] {
            assert!(Revision::locked(lock.as_bytes()).is_err(), "{lock}");
        }
    }

    #[test]
    fn attributes_are_an_expression_of_nix_whatever_is_in_them() {
        let map = json!({ "path": "/a \"${b}\"", "shallow": true });
        assert_eq!(
            literal(map.as_object().unwrap()),
            r#"{ path = "/a \"\${b}\""; shallow = true; }"#
        );
    }
}
