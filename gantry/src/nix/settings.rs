//! Nix's settings, and the flags that set them.

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::Value;

/// A setting, and how many values its flag takes.
pub(crate) type Known = (&'static str, usize);

/// What Nix needs to do anything at all, also for a user whose other settings it does not heed.
pub(crate) const FEATURES: &[Known] = &[("experimental-features", 1)];

/// The store that commands are about.
pub(crate) const STORE: Known = ("store", 1);

/// What else decides [`Settings`].
const OTHERS: [Known; 7] = [
    ("offline", 0),
    ("require-sigs", 0),
    STORE,
    ("substitute", 0),
    ("substituters", 1),
    ("system", 1),
    ("trusted-public-keys", 1),
];

/// A part of what `nix config show --json` prints.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Settings {
    pub(crate) require_sigs: Setting<bool>,
    /// Whether builds are in one: a truth value, or one as text, or `relaxed`.
    pub(crate) sandbox: Setting<Value>,
    /// The URL of the store that commands are about; also what the variable `NIX_REMOTE` says of it.
    pub(crate) store: Setting<String>,
    pub(crate) substitute: Setting<bool>,
    pub(crate) substituters: Setting<Vec<String>>,
    /// The system that Nix builds for, such as `x86_64-linux`.
    pub(crate) system: Setting<String>,
    pub(crate) trusted_public_keys: Setting<Vec<String>>,
    pub(crate) trusted_substituters: Setting<Vec<String>>,
}

#[derive(Deserialize)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
}

impl Settings {
    pub(crate) fn parse(json: &str) -> Result<Self> {
        serde_json::from_str(json).context("cannot read the output of `nix config show`")
    }

    /// The flags that decide them.
    pub(crate) fn flags() -> Vec<Known> {
        [FEATURES, &OTHERS].concat()
    }
}

/// Those of `flags` that set one of these settings: `nix config show` knows no flags of other commands.
pub(crate) fn select<'a>(flags: &'a [String], settings: &[Known]) -> Vec<&'a str> {
    let values = |name: &str| {
        let name = ["extra-", "no-"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix))
            .unwrap_or(name);
        let mut settings = settings.iter();
        settings.find(|(setting, _)| *setting == name)
    };
    let mut selected = Vec::new();
    let mut flags = flags.iter().map(String::as_str);
    while let Some(flag) = flags.next() {
        match flag.trim_start_matches('-') {
            "option" => {
                let option: Vec<&str> = flags.by_ref().take(2).collect();
                if option.first().is_some_and(|name| values(name).is_some()) {
                    selected.push(flag);
                    selected.extend(option);
                }
            }
            name => {
                if let Some((_, count)) = values(name) {
                    selected.push(flag);
                    selected.extend(flags.by_ref().take(*count));
                }
            }
        }
    }
    selected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_set_no_setting_are_left_out() {
        let flags = "--override-input crane path:/x -L --extra-substituters https://a \
                     --extra-experimental-features flakes --option trusted-public-keys k:1 \
                     --option cores 1 --builders b --eval-store auto --store s://x --no-require-sigs --system s";
        let flags: Vec<String> = flags.split_whitespace().map(str::to_owned).collect();
        assert_eq!(
            select(&flags, &Settings::flags()).join(" "),
            "--extra-substituters https://a --extra-experimental-features flakes \
             --option trusted-public-keys k:1 --store s://x --no-require-sigs --system s"
        );
        assert_eq!(
            select(&flags, FEATURES).join(" "),
            "--extra-experimental-features flakes"
        );
    }
}
