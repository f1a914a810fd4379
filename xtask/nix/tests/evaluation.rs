//! How long Nix evaluates before it builds anything.
//!
//! `cargo test -p xtask-nix --test evaluation -- --ignored`

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::fs;
use std::process::Command;

use serde_json::Value;
use support::nix::{command, system};
use support::{repository, text};

/// Processor time in seconds: it says the same on a busy machine.
const LIMIT: f64 = 3.0;

#[test]
#[ignore = "needs Nix and the registry"]
fn builds_tests_and_lints_of_fifty_members() {
    let folder = tempfile::tempdir().unwrap();
    let generated = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--package", "xtask-bench"])
        .args(["--", "generate", "--members", "50"])
        .arg(folder.path())
        .current_dir(repository())
        .output()
        .unwrap();
    assert!(generated.status.success(), "{}", text(&generated.stderr));

    let statistics = folder.path().join("statistics.json");
    let layers = format!(
        "path:{}#packages.{}.layers.drvPath",
        folder.path().display(),
        system()
    );
    let output = command(&["eval", "--raw", &layers])
        .env("NIX_SHOW_STATS", "1")
        .env("NIX_SHOW_STATS_PATH", &statistics)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let statistics: Value = serde_json::from_slice(&fs::read(statistics).unwrap()).unwrap();
    let seconds = statistics["cpuTime"].as_f64().unwrap();
    assert!(seconds < LIMIT, "{seconds} s");
    eprintln!("{seconds} s of {LIMIT}");
}
