//! What the tests share: small workspaces, flakes around them, and binary caches.

pub(crate) mod cachix;
pub(crate) mod checks;
pub(crate) mod http;
pub(crate) mod layers;
pub(crate) mod runner;
#[path = "../../../tests/support/mod.rs"]
pub(crate) mod workspace;

use std::path::{Path, PathBuf};

pub(crate) use self::workspace::{Report, Workspace, text};

/// The repository that these tests belong to.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the checks of `app` on Nix: the exit code, the report, and what was shown meanwhile.
pub(crate) fn ci(workspace: &Workspace, arguments: &[&str]) -> (i32, Report, String) {
    let selection = [
        "ci",
        "--backend",
        "nix",
        "--json",
        "--only",
        "build,test,doc",
        "-p",
        "app",
    ];
    let output = workspace.xtask(&[&selection, arguments].concat());
    let error = text(&output.stderr);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{error}"));
    (output.status.code().unwrap(), Report(report), error)
}
