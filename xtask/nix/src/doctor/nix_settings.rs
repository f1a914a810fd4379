//! Nix's own settings, as nix.conf and the daemon have them.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;
use xtask::finding::Code;
use xtask::process;
use xtask::workspace::Workspace;

use super::examination::Examination;
use crate::cache::Cache;
use crate::nix::Trust;

pub(super) fn check(workspace: &Workspace, examination: &mut Examination) {
    match sandbox() {
        Ok(sandbox) if [Value::from(false), Value::from("false")].contains(&sandbox) => {
            examination.find(
                Code::SandboxOff,
                "nix.conf",
                "builds are not in a sandbox: they may find what is on this machine, and then what is cached is of no use elsewhere",
                "add to nix.conf: sandbox = true",
            );
        }
        Ok(_) => {}
        Err(error) => examination.skip("Nix's settings", format!("{error:#}")),
    }
    check_trust(workspace, examination);
}

fn sandbox() -> Result<Value> {
    // Not with the user's flags: a daemon decides by its own file.
    let text = process::read(Command::new("nix").args(["config", "show", "--json"]))?;
    let settings: Value =
        serde_json::from_str(&text).context("cannot read the output of `nix config show`")?;
    Ok(settings["sandbox"]["value"].clone())
}

/// Nix ignores the caches that an untrusted user names.
fn check_trust(workspace: &Workspace, examination: &mut Examination) {
    // One that cannot be read, or holds nothing yet, is found elsewhere.
    let Ok(Cache {
        url,
        public_key: Some(key),
        ..
    }) = Cache::of(workspace)
    else {
        return;
    };
    match Trust::of(&url, &key) {
        Ok(Trust::User | Trust::Configuration) => {}
        Ok(Trust::Nobody) => examination.find(
            Code::UserNotTrusted,
            "nix.conf",
            format!("Nix does not trust this user, and ignores the cache {url}: everything is built here"),
            format!(
                "add to /etc/nix/nix.conf, and restart the daemon:\nextra-substituters = {url}\nextra-trusted-public-keys = {key}"
            ),
        ),
        Err(error) => examination.skip("whether Nix trusts this user", format!("{error:#}")),
    }
}
