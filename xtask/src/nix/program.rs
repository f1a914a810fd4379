//! The program `nix`, and what must be true of it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// The oldest Nix that crane works with.
const OLDEST: (u32, u32) = (2, 31);

pub(crate) struct Program {
    folder: PathBuf,
    flags: Vec<String>,
}

impl Program {
    /// # Errors
    /// Nix is absent, too old, or has flakes off; with the command that mends it.
    pub(crate) fn find(folder: &Path, flags: &[String]) -> Result<Self> {
        let variable = env::var("XTASK_NIX_FLAGS").unwrap_or_default();
        let program = Self {
            folder: folder.to_owned(),
            flags: variable
                .split_whitespace()
                .map(str::to_owned)
                .chain(flags.iter().cloned())
                .collect(),
        };
        let version = Command::new("nix").arg("--version").output();
        let Ok(version) = version else {
            bail!("nix is not on PATH: install it from https://nixos.org/download");
        };
        let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
        if parse_version(&version).is_none_or(|version| version < OLDEST) {
            let (major, minor) = OLDEST;
            bail!(
                "{version} is older than {major}.{minor}, which crane needs: run `nix upgrade-nix`"
            );
        }
        if let Err(error) = program.read(&["flake", "metadata", "--json", "--no-update-lock-file"])
        {
            let error = format!("{error:#}");
            if error.contains("experimental") {
                bail!(
                    "flakes are off: add `experimental-features = nix-command flakes` to nix.conf"
                );
            }
            // Whatever else is wrong shows, whole, when the flake is evaluated.
        }
        Ok(program)
    }

    /// `nix SUBCOMMAND` with the user's flags.
    pub(crate) fn command(&self, subcommand: &[&str]) -> Command {
        let mut command = Command::new("nix");
        command
            .args(subcommand)
            .args(&self.flags)
            .current_dir(&self.folder);
        command
    }

    /// The store paths that a store path refers to; of a derivation, its inputs.
    ///
    /// # Errors
    /// The path is not in the store.
    pub(crate) fn references(path: &str) -> Result<Vec<String>> {
        let output = Command::new("nix-store")
            .args(["--query", "--references", path])
            .output()
            .context("cannot run nix-store")?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let paths = String::from_utf8_lossy(&output.stdout);
        Ok(paths.lines().map(str::to_owned).collect())
    }

    /// Standard output of a command of which nothing else is wanted.
    ///
    /// # Errors
    /// What it printed on standard error where it failed.
    pub(crate) fn read(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).output().context("cannot run nix")?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// The system that Nix builds for, such as `x86_64-linux`.
pub(crate) fn system() -> Result<String> {
    let output = Command::new("nix")
        .args(["config", "show", "system"])
        .output()
        .context("cannot run nix")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// `nix (Nix) 2.34.8`, or that of an implementation of its own, such as `nix (Lix, like Nix) 2.93.0`.
fn parse_version(version: &str) -> Option<(u32, u32)> {
    let number = version.rsplit(' ').next()?;
    let mut parts = number.split(|character: char| !character.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Files of the workspace that git does not track and that cargo would read.
pub(crate) fn untracked(root: &Path) -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "--others", "--exclude-standard", "-z", "--"])
        .args(["*.rs", "*Cargo.toml", "Cargo.lock", "*.nix"])
        .current_dir(root)
        .output();
    // Outside of git a flake is the folder itself, and all of it is seen.
    let files = output.map(|output| output.stdout).unwrap_or_default();
    files
        .split(|&byte| byte == 0)
        .filter(|file| !file.is_empty())
        .map(|file| String::from_utf8_lossy(file).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_implementations_are_read() {
        assert_eq!(parse_version("nix (Nix) 2.34.8"), Some((2, 34)));
        assert_eq!(
            parse_version("nix (Lix, like Nix) 2.93.0-dev"),
            Some((2, 93))
        );
        assert_eq!(
            parse_version("nix (Determinate Nix 3.8.0) 2.30.1"),
            Some((2, 30))
        );
        assert_eq!(parse_version(""), None);
        assert!(parse_version("nix (Nix) 2.9.1").unwrap() < OLDEST);
    }
}
