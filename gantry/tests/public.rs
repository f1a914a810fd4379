//! `mkWorkspace` on public workspaces that were not made for it: each builds, passes its tests and
//! can be linted and documented.
//!
//! `cargo test --test public -- --ignored [NAME]`
//!
//! What cannot be reached is left out, or with `GANTRY_STRICT=1` a failure.
//! A clone serves as well as GitHub: `git config --global url.FOLDER.insteadOf https://github.com/OWNER/NAME`.

mod support;

use std::process::Command;

use support::layers::{Flake, STEPS};
use support::{skip, text};

/// `arguments` of `mkWorkspace` say what the manifests do not.
fn passes(repository: &str, revision: &str, arguments: &str) {
    let url = format!("https://github.com/{repository}");
    let reached = Command::new("git")
        .args(["ls-remote", "--exit-code", &url, "HEAD"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .unwrap();
    if !reached.status.success() {
        return skip(&format!("{repository}: {}", text(&reached.stderr).trim()));
    }
    let flake = Flake::new(
        &format!(
            "{{
               root = builtins.fetchGit {{ url = \"{url}\"; rev = \"{revision}\"; shallow = true; }};
               # Which lints they heed is their own matter, and changes with every version of clippy.
               denyWarnings = false;
             }} // {arguments}"
        ),
        &[("", ""); 0],
    );
    flake.build(STEPS).unwrap_or_else(|log| panic!("{log}"));
}

#[test]
#[ignore = "needs Nix and GitHub"]
fn ripgrep() {
    passes(
        "BurntSushi/ripgrep",
        "3fce3b5bb0236da2df6d99672afb8a719642eca7",
        // Its benchmarks need a nightly compiler.
        "{ members.globset.lintTargets = \"--lib --tests\"; }",
    );
}

#[test]
#[ignore = "needs Nix and GitHub"]
fn axum() {
    passes(
        "tokio-rs/axum",
        "3d78036dcac289d6c1d54934708acb6a5bd73686",
        "{ }",
    );
}
