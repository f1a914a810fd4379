//! What the benchmark takes from this repository: its toolchain and its flake's inputs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::workspace::Workspace;

pub(crate) struct Repository {
    root: PathBuf,
}

impl Repository {
    /// The repository around the current folder.
    ///
    /// # Errors
    /// There is none with a flake.
    pub(crate) fn find() -> Result<Self> {
        Ok(Self {
            root: Workspace::find()?.root,
        })
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Replaces `@INPUT@` in `flake` by the revision that flake.lock names, and `@gantry@` by this
    /// repository as git sees it.
    ///
    /// # Errors
    /// flake.lock cannot be read, or names no revision of an input.
    pub(crate) fn fill_inputs(&self, flake: &str) -> Result<String> {
        let lock: Value =
            serde_json::from_str(&self.read("flake.lock")?).context("flake.lock is not JSON")?;
        let mut flake = flake.replace("@gantry@", &format!("git+file://{}", self.root.display()));
        for input in ["nixpkgs", "crane", "rust-overlay"] {
            let locked = &lock["nodes"][input]["locked"];
            let field = |name: &str| {
                locked[name].as_str().with_context(|| {
                    format!("flake.lock has no `{name}` of the input {input}: run `nix flake lock`")
                })
            };
            let url = format!(
                "github:{}/{}/{}",
                field("owner")?,
                field("repo")?,
                field("rev")?
            );
            flake = flake.replace(&format!("@{input}@"), &url);
        }
        Ok(flake)
    }

    /// The text of a file of the repository.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn read(&self, relative: &str) -> Result<String> {
        let path = self.path(relative);
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A repository with what the benchmark takes from one.
    pub(crate) fn repository() -> (TempDir, Repository) {
        let folder = TempDir::new().unwrap();
        let nodes: Vec<String> = ["nixpkgs", "crane", "rust-overlay"]
            .iter()
            .map(|input| {
                format!(
                    r#""{input}": {{"locked": {{"owner": "of", "repo": "{input}", "rev": "0f"}}}}"#
                )
            })
            .collect();
        let lock = format!(r#"{{"nodes": {{{}}}}}"#, nodes.join(", "));
        fs::write(folder.path().join("flake.lock"), lock).unwrap();
        fs::write(folder.path().join("rust-toolchain.toml"), "[toolchain]\n").unwrap();
        let root = folder.path().to_owned();
        (folder, Repository { root })
    }

    #[test]
    fn inputs_are_those_that_are_locked() {
        let (folder, repository) = repository();
        let flake = repository.fill_inputs("@crane@ @gantry@").unwrap();
        let root = folder.path().display();
        assert_eq!(flake, format!("github:of/crane/0f git+file://{root}"));
    }

    #[test]
    fn an_input_that_is_not_locked_is_named() {
        let (folder, repository) = repository();
        fs::write(folder.path().join("flake.lock"), "{}").unwrap();
        let error = repository.fill_inputs("").unwrap_err().to_string();
        assert!(error.contains("the input nixpkgs"), "{error}");
    }
}
