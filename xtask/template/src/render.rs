//! What the template is at a commit, for the answers of this project.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use xtask::{cargo, git, process};

/// A clone of the template, in a folder that is made for it.
pub(crate) struct Template {
    folder: PathBuf,
    /// Where cargo compiles what renders it.
    target: PathBuf,
}

impl Template {
    /// # Errors
    /// git cannot clone it.
    pub(crate) fn clone(url: &str, folder: &Path, target: PathBuf) -> Result<Self> {
        let clone = folder.join("template");
        process::read(
            Command::new("git")
                .args(["clone", "--quiet", "--no-checkout", "--", url])
                .arg(&clone),
        )
        .with_context(|| {
            format!("cannot clone the template {url}, which [workspace.metadata.template] in Cargo.toml names")
        })?;
        Ok(Self {
            folder: clone,
            target,
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The commit that `name` means, or the newest one.
    ///
    /// # Errors
    /// The template has no such commit.
    pub(crate) fn commit(&self, name: Option<&str>) -> Result<String> {
        let name = name.unwrap_or("HEAD");
        let parse = |name: &str| {
            self.git(&[
                "rev-parse",
                "--verify",
                "--quiet",
                &format!("{name}^{{commit}}"),
            ])
        };
        // A branch other than the main one is known as the remote's.
        parse(name)
            .or_else(|_| parse(&format!("origin/{name}")))
            .ok()
            .with_context(|| format!("the template has no commit `{name}`"))
    }

    /// Renders `commit`, and gives the tree that git has of it.
    ///
    /// # Errors
    /// The template cannot be rendered.
    pub(crate) fn render(
        &self,
        commit: &str,
        revision: &str,
        arguments: &[String],
    ) -> Result<String> {
        let folder = self.folder.with_file_name(commit);
        let path = folder.to_string_lossy();
        self.git(&["worktree", "add", "--quiet", "--detach", &path, commit])?;
        process::read(
            cargo::command("run")
                .args(["--quiet", "--locked", "--package", "xtask-init", "--"])
                .args(arguments)
                .arg(format!("--revision={revision}"))
                .env("CARGO_TARGET_DIR", &self.target)
                .current_dir(&folder),
        )
        .with_context(|| format!("cannot render the template at {commit}"))?;
        git::read(&folder, &["write-tree"])
    }

    fn git(&self, arguments: &[&str]) -> Result<String> {
        git::read(&self.folder, arguments)
    }
}
