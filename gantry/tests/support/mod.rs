//! What the tests share: small workspaces, flakes around them, and binary caches.

#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]

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
mod workspace;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};
use std::{env, io, thread};

pub(crate) use self::workspace::{PROGRAM, Report, Workspace, isolated};

/// The repository that these tests belong to.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// Exited with `code`, and said `part`.
#[track_caller]
pub(crate) fn assert_exit(output: &Output, code: i32, part: &str) {
    let printed = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{printed}");
    assert!(printed.contains(part), "{printed}");
}

/// Says that a test could not be run here, past what keeps the output of tests that pass; where
/// `GANTRY_STRICT` is set, it has failed.
#[track_caller]
pub(crate) fn skip(what: &str) {
    assert!(env::var_os("GANTRY_STRICT").is_none(), "{what}");
    let _ = writeln!(io::stderr(), "SKIPPED: {what}");
}

pub(crate) fn wait_until(mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_mins(1), "waited in vain");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Sends what Ctrl-C sends.
pub(crate) fn interrupt(child: &Child) {
    let id = child.id().to_string();
    let status = Command::new("kill").args(["-INT", &id]).status();
    assert!(status.unwrap().success());
}

/// Whether a process runs whose command line has this.
pub(crate) fn runs(part: &str) -> bool {
    let found = Command::new("pgrep").args(["-f", part]).output();
    found.unwrap().status.success()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
