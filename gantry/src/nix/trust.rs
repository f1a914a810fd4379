//! Which caches Nix takes from when a user's commands name them.
//!
//! In a multi-user installation a daemon does the work. From users that it does not trust it takes no
//! settings: for them, caches and keys are those of its own configuration.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::program::Program;
use crate::url::is_same_store;

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
    pub(crate) fn of(program: &Program, url: &str, public_key: &str) -> Result<Self> {
        if is_user_trusted(program)? {
            return Ok(Self::User);
        }
        // Not with the user's flags: they are what is not heeded.
        let settings = program.configuration()?;
        let is_it = |other: &String| is_same_store(other, url);
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

fn is_user_trusted(program: &Program) -> Result<bool> {
    let info: Value = serde_json::from_str(&program.store_info()?)
        .context("cannot read the output of `nix store info`")?;
    // A number before Nix 2.21.
    let trusted = &info["trusted"];
    trusted
        .as_bool()
        .or(trusted.as_i64().map(|trusted| trusted != 0))
        .context("`nix store info` does not say")
}
