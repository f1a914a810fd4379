//! What the tests share: small workspaces, flakes around them, and binary caches.

pub(crate) mod bucket;
pub(crate) mod cache;
pub(crate) mod cachix;
pub(crate) mod checks;
pub(crate) mod git;
pub(crate) mod http;
pub(crate) mod installation;
pub(crate) mod layers;
pub(crate) mod nix;
pub(crate) mod runner;
#[path = "../../../tests/support/mod.rs"]
pub(crate) mod workspace;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};
use std::{env, io, thread};

pub(crate) use self::workspace::{Report, Workspace, text};

/// The repository that these tests belong to.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The steps that the flakes of these tests have checks for.
pub(crate) const SELECTION: [&str; 4] = ["--only", "build,test,doc", "-p", "app"];
/// A run with Nix that says as JSON what came of it.
pub(crate) const RUN: [&str; 4] = ["ci", "--backend", "nix", "--json"];

/// Runs the checks of `app` on Nix: the exit code, the report, and what was shown meanwhile.
pub(crate) fn ci(workspace: &Workspace, arguments: &[&str]) -> (i32, Report, String) {
    let output = workspace.xtask(&[&RUN, &SELECTION, arguments].concat());
    let error = text(&output.stderr);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{error}"));
    (output.status.code().unwrap(), Report(report), error)
}

/// Exited with `code`, and said `part`.
#[track_caller]
pub(crate) fn assert_exit(output: &Output, code: i32, part: &str) {
    let printed = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{printed}");
    assert!(printed.contains(part), "{printed}");
}

/// Says that a test could not be run here, past what keeps the output of tests that pass; where
/// `XTASK_STRICT` is set, it has failed.
#[track_caller]
pub(crate) fn skip(what: &str) {
    assert!(env::var_os("XTASK_STRICT").is_none(), "{what}");
    let _ = writeln!(io::stderr(), "SKIPPED: {what}");
}

pub(crate) fn wait_until(mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_mins(1), "waited in vain");
        thread::sleep(Duration::from_millis(100));
    }
}
