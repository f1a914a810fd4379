//! `mkWorkspace` on public workspaces that were not made for it: each builds, passes its tests and
//! can be linted and documented.
//!
//! `cargo test --test public -- --ignored [NAME]`
//!
//! What cannot be reached is left out, or with `GANTRY_STRICT=1` a failure.
//! A clone serves as well as GitHub: `git config --global url.FOLDER.insteadOf https://github.com/OWNER/NAME`.

mod support;

use std::fs;
use std::process::Command;

use support::layers::{Flake, STEPS};
use support::{repository, skip, text};

/// `name` is that in `bench/public/workspaces.nix`, which says where it is, and what its manifests do not.
fn passes(name: &str) {
    let list = repository().join("gantry/bench/public/workspaces.nix");
    let output = Command::new("nix")
        .args(["--extra-experimental-features", "nix-command"])
        .args(["eval", "--raw", &format!("{name}.repository"), "--file"])
        .arg(&list)
        .output()
        .unwrap();
    let url = format!("https://github.com/{}", text(&output.stdout));
    let reached = Command::new("git")
        .args(["ls-remote", "--exit-code", &url, "HEAD"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .unwrap();
    if !reached.status.success() {
        return skip(&format!("{url}: {}", text(&reached.stderr).trim()));
    }
    let flake = Flake::new(
        &format!(
            "(let said = (import ./workspaces.nix).{name}; in {{
               root = builtins.fetchGit {{ url = \"{url}\"; rev = said.revision; shallow = true; }};
               files = said.files or [ ];
               lintTargets = said.lintTargets or \"--all-targets\";
               # Which lints they heed is their own matter, and changes with every version of clippy.
               denyWarnings = false;
             }})"
        ),
        &[("workspaces.nix", fs::read_to_string(list).unwrap())],
    );
    flake.build(STEPS).unwrap_or_else(|log| panic!("{log}"));
}

#[test]
#[ignore = "needs Nix and GitHub"]
fn ripgrep() {
    passes("ripgrep");
}

#[test]
#[ignore = "needs Nix and GitHub"]
fn axum() {
    passes("axum");
}
