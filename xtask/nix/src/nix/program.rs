//! The program `nix`, and what must be true of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fmt};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use xtask::backend::require_nix;
use xtask::workspace::Workspace;
use xtask::{git, process};

use super::trust::Trust;
use crate::cache::Cache;

/// The oldest Nix that crane works with.
const OLDEST: (u32, u32) = (2, 31);

pub(crate) struct Program {
    folder: PathBuf,
    flags: Vec<String>,
    /// The URL of the workspace's cache, where Nix takes nothing from it for this user.
    ignored_cache: Option<String>,
}

/// Why Nix cannot be used, with the command that mends it.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// This version.
    TooOld(String),
    FlakesOff,
}

impl std::error::Error for Unusable {}

impl fmt::Display for Unusable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooOld(version) => {
                let (major, minor) = OLDEST;
                write!(
                    formatter,
                    "{version} is older than {major}.{minor}, which crane needs: run `nix upgrade-nix`"
                )
            }
            Self::FlakesOff => formatter.write_str(
                "flakes are off: add `experimental-features = nix-command flakes` to nix.conf",
            ),
        }
    }
}

impl Program {
    /// Nix in this workspace, with its cache, and these flags and those of the variable
    /// `XTASK_NIX_FLAGS` in every command.
    ///
    /// # Errors
    /// The workspace is no flake, or Nix is absent, too old, or has flakes off; with the command that
    /// mends it.
    pub(crate) fn find(workspace: &Workspace, flags: &[String]) -> Result<Self> {
        require_nix(workspace)?;
        let variable = env::var("XTASK_NIX_FLAGS").unwrap_or_default();
        let user_flags = variable.split_whitespace().map(str::to_owned);
        let mut program = Self {
            folder: workspace.root.clone(),
            flags: user_flags.chain(flags.iter().cloned()).collect(),
            ignored_cache: None,
        };
        let version = Command::new("nix").arg("--version").output();
        let version = version.context("cannot run nix")?;
        let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
        if parse_version(&version).is_none_or(|version| version < OLDEST) {
            bail!(Unusable::TooOld(version));
        }
        if let Err(error) = program.read(&["flake", "metadata", "--json", "--no-update-lock-file"])
        {
            let error = format!("{error:#}");
            if error.contains("experimental") {
                bail!(Unusable::FlakesOff);
            }
            // Whatever else is wrong shows, whole, when the flake is evaluated.
        }
        program.add(&Cache::of(workspace)?);
        Ok(program)
    }

    /// Makes Nix read this cache too, where it can be made to.
    fn add(&mut self, cache: &Cache) {
        let Some(key) = cache.public_key.as_ref().filter(|_| !cache.is_absent()) else {
            return;
        };
        let cache_flags = ["--extra-substituters", &cache.url];
        let key_flags = ["--extra-trusted-public-keys", key];
        // Where Nix does not tell whom it trusts, it will say itself what it ignores.
        let flags = match Trust::of(&cache.url, key).unwrap_or(Trust::User) {
            Trust::User => [cache_flags, key_flags].concat(),
            Trust::Configuration => cache_flags.to_vec(),
            Trust::Nobody => {
                self.ignored_cache = Some(cache.url.clone());
                return;
            }
        };
        // In front of the user's flags, which can replace what this adds to.
        self.flags
            .splice(0..0, flags.into_iter().map(str::to_owned));
    }

    /// What to say before anything is built.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let ignored = self.ignored_cache.iter().map(|url| {
            format!("Nix does not trust this user, and ignores the cache {url}: `cargo xtask doctor` says what mends it")
        });
        untracked_warnings(&self.folder).chain(ignored).collect()
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
        let mut query = Command::new("nix-store");
        let paths = process::read(query.args(["--query", "--references", path]))?;
        Ok(paths.lines().map(str::to_owned).collect())
    }

    /// Standard output of a command of which nothing else is wanted.
    ///
    /// # Errors
    /// What it printed on standard error where it failed.
    pub(crate) fn read(&self, arguments: &[&str]) -> Result<String> {
        process::read(&mut self.command(arguments))
    }

    /// Nix's settings, as this program's commands have them.
    ///
    /// # Errors
    /// Nix cannot read its configuration.
    pub(crate) fn settings(&self) -> Result<Settings> {
        let mut command = Command::new("nix");
        command
            .args(["config", "show", "--json"])
            .args(cache_settings(&self.flags))
            .current_dir(&self.folder);
        let settings = process::read(&mut command)?;
        serde_json::from_str(&settings).context("cannot read the output of `nix config show`")
    }
}

/// The settings that decide which caches are asked and trusted.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Settings {
    pub(crate) substitute: Setting<bool>,
    pub(crate) substituters: Setting<Vec<String>>,
    pub(crate) require_sigs: Setting<bool>,
}

#[derive(Deserialize)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
}

/// Those of `flags` that set such settings: `nix config show` knows no flags of other commands.
fn cache_settings(flags: &[String]) -> Vec<&str> {
    let mut settings = Vec::new();
    let mut flags = flags.iter().map(String::as_str);
    while let Some(flag) = flags.next() {
        let values = match flag.trim_start_matches('-').trim_start_matches("extra-") {
            "option" => 2,
            "substituters" | "trusted-public-keys" => 1,
            "require-sigs" | "no-require-sigs" | "substitute" | "no-substitute" | "offline" => 0,
            _ => continue,
        };
        settings.push(flag);
        settings.extend(flags.by_ref().take(values));
    }
    settings
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
    let mut list = git::command(root);
    list.args(["ls-files", "--others", "--exclude-standard", "-z", "--"])
        .args(["*.rs", "*Cargo.toml", "Cargo.lock", "*.nix"]);
    let output = process::output(&mut list, "");
    // Outside of git a flake is the folder itself, and all of it is seen.
    let files = output.map(|output| output.stdout).unwrap_or_default();
    files
        .split(|&byte| byte == 0)
        .filter(|file| !file.is_empty())
        .map(|file| String::from_utf8_lossy(file).into_owned())
        .collect()
}

/// What to say of such files.
pub(crate) fn untracked_warnings(root: &Path) -> impl Iterator<Item = String> {
    untracked(root).into_iter().map(|file| {
        format!("git does not track {file}, so Nix does not see it: run `git add --intent-to-add {file}`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_set_no_setting_of_caches_are_left_out() {
        let flags = "--override-input crane path:/x -L --extra-substituters https://a \
                     --option trusted-public-keys k:1 --builders b --no-require-sigs";
        let flags: Vec<String> = flags.split_whitespace().map(str::to_owned).collect();
        assert_eq!(
            cache_settings(&flags).join(" "),
            "--extra-substituters https://a --option trusted-public-keys k:1 --no-require-sigs"
        );
    }

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
