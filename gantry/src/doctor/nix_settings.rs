//! Nix's own settings, as nix.conf and the daemon have them.

use super::code::Code;
use crate::workspace::Workspace;
use serde_json::Value;

use super::report::Report;
use crate::cache::Cache;
use crate::nix::{Program, Trust};

pub(super) fn check(workspace: &Workspace, program: &Program, report: &mut Report) {
    // Not with the user's flags: a daemon decides by its own file.
    match program.configuration() {
        Ok(settings) if is_off(&settings.sandbox.value) => {
            report.find(
                Code::SandboxOff,
                "nix.conf",
                "builds are not in a sandbox: they may find what is on this machine, and then what is cached is of no use elsewhere",
                "add to nix.conf: sandbox = true",
            );
        }
        Ok(_) => {}
        Err(error) => report.skip("Nix's settings", format!("{error:#}")),
    }
    check_trust(workspace, program, report);
}

fn is_off(sandbox: &Value) -> bool {
    [Value::from(false), Value::from("false")].contains(sandbox)
}

/// Nix ignores the caches that an untrusted user names.
fn check_trust(workspace: &Workspace, program: &Program, report: &mut Report) {
    // One that cannot be read, or holds nothing yet, is found elsewhere.
    let Ok(Cache {
        url,
        public_key: Some(key),
        ..
    }) = Cache::of(workspace)
    else {
        return;
    };
    match Trust::of(program, &url, &key) {
        Ok(Trust::User | Trust::Configuration) => {}
        Ok(Trust::Nobody) => report.find(
            Code::UserNotTrusted,
            "nix.conf",
            format!("Nix does not trust this user, and ignores the cache {url}: everything is built here"),
            format!(
                "add to /etc/nix/nix.conf, and restart the daemon:\nextra-substituters = {url}\nextra-trusted-public-keys = {key}"
            ),
        ),
        Err(error) => report.skip("whether Nix trusts this user", format!("{error:#}")),
    }
}
