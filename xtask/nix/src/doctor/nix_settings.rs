//! Nix's own settings, as nix.conf and the daemon have them.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::Value;
use xtask::finding::Code;
use xtask::process;

use super::examination::Examination;
use crate::cache;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Settings {
    sandbox: Setting<Value>,
    substituters: Setting<Vec<String>>,
    trusted_substituters: Setting<Vec<String>>,
    trusted_public_keys: Setting<Vec<String>>,
}

#[derive(Deserialize)]
struct Setting<T> {
    value: T,
}

pub(super) fn check(cache: Option<&cache::Settings>, examination: &mut Examination) {
    let settings = match read() {
        Ok(settings) => settings,
        Err(error) => {
            examination.skip("Nix's settings", format!("{error:#}"));
            return;
        }
    };
    let is_off = [Value::from(false), Value::from("false")].contains(&settings.sandbox.value);
    if is_off {
        examination.find(
            Code::SandboxOff,
            "nix.conf",
            "builds are not in a sandbox: they may find what is on this machine, and then what is cached is of no use elsewhere",
            "add to nix.conf: sandbox = true",
        );
    }
    check_trust(cache, &settings, examination);
}

fn read() -> Result<Settings> {
    // Not with the user's flags: a daemon decides by its own file.
    let text = process::read(Command::new("nix").args(["config", "show", "--json"]))?;
    serde_json::from_str(&text).context("cannot read the output of `nix config show`")
}

/// Nix ignores the caches that an untrusted user names.
fn check_trust(
    cache: Option<&cache::Settings>,
    settings: &Settings,
    examination: &mut Examination,
) {
    let Some(cache) = cache else {
        return;
    };
    match is_trusted() {
        Some(true) => return,
        Some(false) => {}
        None => {
            examination.skip(
                "whether Nix trusts this user",
                "`nix store info` does not say",
            );
            return;
        }
    }
    let url = cache.url();
    let plain = |url: &str| url.trim_end_matches('/').to_owned();
    let allowed = [&settings.substituters, &settings.trusted_substituters];
    let is_allowed = allowed.iter().any(|setting| {
        setting
            .value
            .iter()
            .any(|other| plain(other) == plain(&url))
    });
    if !is_allowed
        || !settings
            .trusted_public_keys
            .value
            .contains(&cache.public_key)
    {
        examination.find(
            Code::UserNotTrusted,
            "nix.conf",
            format!("Nix does not trust this user, and ignores the cache {url}: everything is built here"),
            format!(
                "add to /etc/nix/nix.conf, and restart the daemon:\nextra-substituters = {url}\nextra-trusted-public-keys = {}",
                cache.public_key
            ),
        );
    }
}

fn is_trusted() -> Option<bool> {
    let mut command = Command::new("nix");
    let info = process::read(command.args(["store", "info", "--json"])).ok()?;
    let info: Value = serde_json::from_str(&info).ok()?;
    info["trusted"]
        .as_bool()
        .or(info["trusted"].as_i64().map(|trusted| trusted != 0))
}
