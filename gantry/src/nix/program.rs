//! The program `nix`, and what must be true of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fmt};

use anyhow::{Context as _, Error, Result, bail};
use xshell::{Shell, cmd};

use super::log::without_parameters;
use super::settings::{FEATURES, Known, STORE, Settings, select};
use super::store::query;
use super::trust::Trust;
use crate::cache::Cache;
use crate::process;
use crate::workspace::Workspace;

/// The oldest Nix that crane works with.
const OLDEST: (u32, u32) = (2, 31);

pub(crate) struct Program {
    folder: PathBuf,
    flags: Vec<String>,
    /// The system that Nix builds for, such as `x86_64-linux`.
    system: String,
    /// The URL of the store that it builds in.
    store: String,
    /// What to say of the workspace's cache, where flags do not make Nix take from it.
    cache_warning: Option<String>,
}

/// Why Nix cannot be used, with the command that mends it.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// This version.
    TooOld(String),
    FlakesOff,
}

impl Unusable {
    /// This reason where it is behind `error`, which is another one otherwise.
    ///
    /// Nix refuses commands about its settings where `nix-command` is off, and any flake where `flakes` is.
    pub(super) fn or(error: Error) -> Error {
        if are_flakes_off(&format!("{error:#}")) {
            Self::FlakesOff.into()
        } else {
            error
        }
    }
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
    /// `GANTRY_NIX_FLAGS` in every command.
    ///
    /// # Errors
    /// Nix is absent, too old, or has flakes off; with the command that mends it.
    pub(crate) fn find(workspace: &Workspace, flags: &[String]) -> Result<Self> {
        let variable = env::var("GANTRY_NIX_FLAGS").unwrap_or_default();
        let user_flags = variable.split_whitespace().map(str::to_owned);
        let mut program = Self {
            folder: workspace.root.clone(),
            flags: user_flags.chain(flags.iter().cloned()).collect(),
            system: String::new(),
            store: String::new(),
            cache_warning: None,
        };
        let shell = process::shell(&workspace.root)?;
        let version = process::read(cmd!(shell, "nix --version"));
        let version =
            version.context("Nix does not run here: install it from https://nixos.org/download")?;
        if parse_version(&version).is_none_or(|version| version < OLDEST) {
            bail!(Unusable::TooOld(version));
        }
        let settings = program.settings().map_err(Unusable::or)?;
        program.system = settings.system.value;
        program.store = settings.store.value;
        program.add(&Cache::of(workspace)?);
        Ok(program)
    }

    /// One that builds in this store, for tests that start no Nix.
    #[cfg(test)]
    pub(crate) fn with_store(store: &str) -> Self {
        Self {
            folder: env::temp_dir(),
            flags: Vec::new(),
            system: String::new(),
            store: store.into(),
            cache_warning: None,
        }
    }

    /// Makes Nix read this cache too, where it can be made to.
    fn add(&mut self, cache: &Cache) {
        let Some(key) = cache.public_key.as_ref().filter(|_| !cache.is_absent()) else {
            return;
        };
        let cache_flags = ["--extra-substituters", &cache.url];
        let key_flags = ["--extra-trusted-public-keys", key];
        let trust = if let Some(machine) = self.remote_machine() {
            // It is asked from here all the same.
            self.cache_warning = Some(format!(
                "{machine} heeds no flags: it takes from the cache {} what its own nix.conf lets it",
                cache.url
            ));
            Trust::User
        } else {
            // Where Nix does not tell whom it trusts, it will say itself what it ignores.
            Trust::of(self, &cache.url, key).unwrap_or(Trust::User)
        };
        let flags = match trust {
            Trust::User => [cache_flags, key_flags].concat(),
            Trust::Configuration => cache_flags.to_vec(),
            Trust::Nobody => {
                self.cache_warning = Some(format!(
                    "Nix does not trust this user, and ignores the cache {}: `gantry doctor` says what mends it",
                    cache.url
                ));
                return;
            }
        };
        // In front of the user's flags, which can replace what this adds to.
        self.flags
            .splice(0..0, flags.into_iter().map(str::to_owned));
    }

    /// The workspace's root.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether evaluation may read what is no part of the flake.
    pub(super) fn is_impure(&self) -> bool {
        self.flags.iter().any(|flag| flag == "--impure")
    }

    /// The URL of the store that the flake is evaluated in, where the user's flags name it.
    pub(crate) fn evaluation_store(&self) -> Option<&str> {
        let mut flags = self.flags.iter();
        // The last one counts.
        let flag = flags.rposition(|flag| flag == "--eval-store")?;
        self.flags.get(flag + 1).map(String::as_str)
    }

    /// Whether evaluation writes to this machine's own store.
    pub(super) fn evaluates_here(&self) -> bool {
        elsewhere(self.evaluation_store().unwrap_or(&self.store)).is_none()
    }

    /// The URL of the store that it builds in, where that is not this machine's own.
    pub(crate) fn foreign_store(&self) -> Option<&str> {
        elsewhere(&self.store)
    }

    /// The machine whose store it builds in, as Nix names builders, where that is another one.
    pub(crate) fn remote_machine(&self) -> Option<&str> {
        let machine = without_parameters(&self.store);
        let is_remote = ["ssh-ng://", "ssh://"]
            .iter()
            .any(|scheme| machine.starts_with(scheme));
        is_remote.then_some(machine)
    }

    /// What shows all that the build of this derivation printed, as one would type it.
    pub(crate) fn log_command(&self, derivation: &str) -> String {
        match (self.remote_machine(), self.foreign_store()) {
            // Nix itself asks no store on another machine for logs.
            (Some(machine), _) => {
                let place = machine.replacen("ssh-ng://", "ssh://", 1);
                let mut parameters = self.store.split(['?', '&']);
                let key = parameters.find_map(|parameter| parameter.strip_prefix("ssh-key="));
                let key = key.map_or_else(String::new, |key| format!("-i '{key}' "));
                format!("ssh {key}{place} nix log {derivation}")
            }
            (None, Some(store)) => format!("nix log --store '{store}' {derivation}"),
            (None, None) => format!("nix log {derivation}"),
        }
    }

    /// What to say before anything is built.
    pub(crate) fn warnings(&self) -> Vec<String> {
        untracked_warnings(&self.folder)
            .chain(self.cache_warning.clone())
            .collect()
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

    /// The same about what evaluation writes: derivations and sources.
    pub(super) fn evaluation_command(&self, subcommand: &[&str]) -> Command {
        let mut command = self.command(subcommand);
        if let Some(store) = self.evaluation_store() {
            command.args(["--store", store]);
        }
        command
    }

    /// What `nix-store --query` answers of these derivations, line by line.
    ///
    /// # Errors
    /// A path is not in the store.
    pub(crate) fn query<'a>(
        &self,
        question: &[&str],
        derivations: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<String>> {
        let store = self.evaluation_store().unwrap_or(&self.store);
        query(&[question, &["--store", store]].concat(), derivations)
    }

    /// `nix build` of what [`installables`] makes, on standard input. A cache that breaks its promise
    /// costs time, and no build its success.
    pub(crate) fn build(&self) -> Command {
        self.command(&["build", "--fallback", "--no-link", "--stdin"])
    }

    /// Standard output of a command of which nothing else is wanted.
    ///
    /// # Errors
    /// What it printed on standard error where it failed.
    pub(crate) fn read(&self, arguments: &[&str]) -> Result<String> {
        process::read(self.command(arguments))
    }

    /// Nix's settings, as this program's commands have them.
    ///
    /// # Errors
    /// Nix cannot read its configuration.
    pub(crate) fn settings(&self) -> Result<Settings> {
        self.show_config(&Settings::flags())
    }

    /// Nix's settings as its configuration has them, whatever the user's flags say.
    ///
    /// # Errors
    /// Nix cannot read its configuration.
    pub(crate) fn configuration(&self) -> Result<Settings> {
        self.show_config(FEATURES)
    }

    /// The system that Nix builds for, such as `x86_64-linux`.
    pub(crate) fn system(&self) -> &str {
        &self.system
    }

    /// What Nix says of its store, whatever the user's flags say of its caches.
    ///
    /// # Errors
    /// Nix does not reach it.
    pub(crate) fn store_info(&self) -> Result<String> {
        self.read_with_settings(&["store", "info", "--json"], &[FEATURES, &[STORE]].concat())
    }

    fn show_config(&self, settings: &[Known]) -> Result<Settings> {
        let shown = self.read_with_settings(&["config", "show", "--json"], settings);
        Settings::parse(&shown.context("Nix does not show its configuration")?)
    }

    /// Standard output of a command, which gets those of the flags alone that set these settings.
    fn read_with_settings(&self, subcommand: &[&str], settings: &[Known]) -> Result<String> {
        let mut command = Command::new("nix");
        command
            .args(subcommand)
            .args(select(&self.flags, settings))
            .current_dir(&self.folder);
        process::read(command)
    }
}

/// The URL of a store, where it is not this machine's own.
fn elsewhere(store: &str) -> Option<&str> {
    let is_own = ["", "auto", "daemon", "local"].contains(&store) || store.starts_with("unix://");
    (!is_own).then_some(store)
}

/// What `nix build --stdin` reads to build the outputs of these derivations.
pub(crate) fn installables<'a>(derivations: impl IntoIterator<Item = &'a String>) -> String {
    let derivations = derivations.into_iter();
    let outputs: Vec<_> = derivations.map(|path| format!("{path}^out")).collect();
    outputs.join("\n")
}

/// `nix (Nix) 2.34.8`, or that of an implementation of its own, such as `nix (Lix, like Nix) 2.93.0`.
fn parse_version(version: &str) -> Option<(u32, u32)> {
    let number = version.rsplit(' ').next()?;
    let mut parts = number.split(|character: char| !character.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Whether Nix refuses to do anything with flakes, in its own words or those of Lix.
fn are_flakes_off(error: &str) -> bool {
    ["flakes", "nix-command"]
        .iter()
        .any(|feature| error.contains(&format!(" feature '{feature}' is disabled")))
}

/// Files of the workspace that git does not track and that cargo would read.
pub(crate) fn untracked(root: &Path) -> Vec<String> {
    let list = |shell: Shell| {
        let files = ["*.rs", "*Cargo.toml", "Cargo.lock", "*.nix"];
        process::read(cmd!(
            shell,
            "git ls-files --others --exclude-standard -z -- {files...}"
        ))
    };
    // Outside of git a flake is the folder itself, and all of it is seen.
    let files = process::shell(root).and_then(list).unwrap_or_default();
    let files = files.split('\0').filter(|file| !file.is_empty());
    files.map(str::to_owned).collect()
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
    fn flakes_are_off_where_nix_says_so_and_nowhere_else() {
        for error in [
            "error: experimental Nix feature 'nix-command' is disabled; add '--extra-experimental-features nix-command' to enable it",
            "error: experimental Nix feature 'flakes' is disabled (requested here); add ...",
            "error: experimental Lix feature 'flakes' is disabled; use ...",
        ] {
            assert!(are_flakes_off(error), "{error}");
        }
        for error in [
            "error: cannot find the branch 'experimental' of github:acme/experimental",
            "error: experimental Nix feature 'pipe-operators' is disabled; add ...",
        ] {
            assert!(!are_flakes_off(error), "{error}");
        }
    }

    #[test]
    fn a_log_is_shown_where_it_is() {
        for (store, command) in [
            ("daemon", "nix log it.drv"),
            ("local?root=/a", "nix log --store 'local?root=/a' it.drv"),
            ("ssh-ng://one", "ssh ssh://one nix log it.drv"),
            (
                "ssh-ng://me@one:22?compress=true&ssh-key=/a&max-connections=2",
                "ssh -i '/a' ssh://me@one:22 nix log it.drv",
            ),
        ] {
            assert_eq!(Program::with_store(store).log_command("it.drv"), command);
        }
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
