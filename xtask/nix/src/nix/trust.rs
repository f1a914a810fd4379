//! Which caches Nix takes from when a user's commands name them.
//!
//! In a multi-user installation a daemon does the work. From users that it does not trust it takes no
//! settings: for them, caches and keys are those of its own configuration.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::Value;
use xtask::process;

use super::program::Setting;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Settings {
    substituters: Setting<Vec<String>>,
    trusted_substituters: Setting<Vec<String>>,
    trusted_public_keys: Setting<Vec<String>>,
}

/// On whose word Nix takes paths from a cache.
pub(crate) enum Trust {
    /// On the user's, who may name any cache and key.
    User,
    /// On that of Nix's own configuration, which has this cache and its key.
    Configuration,
    /// It takes nothing from it.
    Nobody,
}

impl Trust {
    /// That in the cache at `url`, whose paths are signed with `public_key`.
    ///
    /// # Errors
    /// Nix does not say.
    pub(crate) fn of(url: &str, public_key: &str) -> Result<Self> {
        if is_user_trusted()? {
            return Ok(Self::User);
        }
        // Not with the user's flags: they are what is not heeded.
        let settings = process::read(Command::new("nix").args(["config", "show", "--json"]))?;
        let settings: Settings = serde_json::from_str(&settings)
            .context("cannot read the output of `nix config show`")?;
        let url = canonical(url)?;
        let is_it = |other: &String| other.trim_end_matches('/') == url.trim_end_matches('/');
        let is_allowed = [&settings.substituters, &settings.trusted_substituters]
            .iter()
            .any(|setting| setting.value.iter().any(is_it));
        let keys = settings.trusted_public_keys.value;
        Ok(if is_allowed && keys.iter().any(|key| key == public_key) {
            Self::Configuration
        } else {
            Self::Nobody
        })
    }
}

/// The URL of a store as Nix writes it in its settings: its parameters have no order.
///
/// # Errors
/// It is no URL of a store.
pub(crate) fn canonical(url: &str) -> Result<String> {
    let mut command = Command::new("nix");
    process::read(command.args(["config", "show", "substituters", "--substituters", url]))
}

fn is_user_trusted() -> Result<bool> {
    let mut command = Command::new("nix");
    let info = process::read(command.args(["store", "info", "--json"]))?;
    let info: Value =
        serde_json::from_str(&info).context("cannot read the output of `nix store info`")?;
    // A number before Nix 2.21.
    let trusted = &info["trusted"];
    trusted
        .as_bool()
        .or(trusted.as_i64().map(|trusted| trusted != 0))
        .context("`nix store info` does not say")
}
