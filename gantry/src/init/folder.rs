//! The project's folder: its files, as git knows them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, str};

use anyhow::{Context as _, Result, ensure};

use crate::{interrupt, output};

use super::stage;

/// Files by their paths, relative to the folder that they are in.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The folder of a workspace, which is one run's alone until the value goes.
pub(crate) struct Folder {
    pub(crate) root: PathBuf,
    lock: File,
}

impl Folder {
    /// The folder of the workspace around the current one. Waits for another run that is at work there.
    ///
    /// # Errors
    /// There is no workspace.
    pub(crate) fn open() -> Result<Self> {
        let root = workspace_root()?;
        let lock = File::open(&root).with_context(|| format!("cannot read {}", root.display()))?;
        if lock.try_lock().is_err() {
            output::print_error("note: another run is at work here, which this one waits for\n");
            // What has no locks, as some network file systems, must do without.
            let _ = lock.lock();
        }
        Ok(Self { root, lock })
    }

    /// What git prints.
    ///
    /// # Errors
    /// What it says where it fails; or it cannot be started.
    pub(crate) fn git(&self, arguments: &[&str]) -> Result<String> {
        let mut git = Command::new("git");
        git.args(arguments).current_dir(&self.root);
        interrupt::leave_hook(&mut git);
        // Where this program is killed, git works on, and keeps the lock as long as it does.
        git.stdin(self.lock.try_clone()?);
        let output = git.output().context("cannot run git")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "git {}: {}",
            arguments.join(" "),
            error.trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned())
    }

    /// What git prints, where it has an answer.
    pub(crate) fn ask_git(&self, arguments: &[&str]) -> Option<String> {
        let answer = self.git(arguments);
        answer.ok().filter(|answer| !answer.is_empty())
    }

    /// Makes a repository of the folder where none is around it.
    ///
    /// # Errors
    /// git cannot.
    pub(crate) fn require_repository(&self) -> Result<()> {
        if self.ask_git(&["rev-parse", "--show-toplevel"]).is_none() {
            self.git(&["init", "--quiet", "--initial-branch", "main"])?;
        }
        Ok(())
    }

    /// The files that git tracks or would track. Links are not among them.
    ///
    /// # Errors
    /// git cannot list them, or one cannot be read.
    pub(crate) fn files(&self) -> Result<Files> {
        let list = self.git(&[
            // What a user never wants to be tracked is no concern of the project.
            "-c",
            "core.excludesFile=/dev/null",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])?;
        let mut files = Files::new();
        for file in list.split_terminator('\0') {
            let path = self.root.join(file);
            let is_file = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
            if is_file && !file.starts_with(stage::FOLDER) {
                files.insert(file.to_owned(), read(&path)?);
            }
        }
        Ok(files)
    }

    /// Adds every file to git.
    ///
    /// # Errors
    /// git cannot.
    pub(crate) fn add_all(&self) -> Result<()> {
        let but_stage = format!(":(exclude){}*", stage::FOLDER);
        self.git(&["add", "--all", "--", ".", &but_stage]).map(drop)
    }
}

/// The nearest folder upwards whose Cargo.toml has a workspace.
fn workspace_root() -> Result<PathBuf> {
    let current = env::current_dir().context("the current folder is gone")?;
    let has_workspace = |folder: &&Path| {
        fs::read_to_string(folder.join("Cargo.toml"))
            .is_ok_and(|text| text.lines().any(|line| line.trim_end() == "[workspace]"))
    };
    let root = current.ancestors().find(has_workspace).with_context(|| {
        format!(
            "neither {} nor a folder around it has a Cargo.toml with [workspace]: go to the project's folder",
            current.display()
        )
    })?;
    Ok(root.to_owned())
}

/// The content of a file.
///
/// # Errors
/// It cannot be read.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The text of one of the files.
///
/// # Errors
/// It is not among them, or no text.
pub(crate) fn text<'a>(files: &'a Files, path: &str) -> Result<&'a str> {
    let content = files
        .get(path)
        .with_context(|| format!("there is no {path}"))?;
    str::from_utf8(content).with_context(|| format!("{path} is not UTF-8"))
}

/// All files below a folder.
///
/// # Errors
/// One cannot be read.
pub(crate) fn files_below(root: &Path) -> Result<Files> {
    fn walk(folder: &Path, prefix: &str, files: &mut Files) -> Result<()> {
        let entries = fs::read_dir(folder);
        for entry in entries.with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                walk(&entry.path(), &format!("{path}/"), files)?;
            } else {
                files.insert(path, read(&entry.path())?);
            }
        }
        Ok(())
    }
    let mut files = Files::new();
    walk(root, "", &mut files)?;
    Ok(files)
}
