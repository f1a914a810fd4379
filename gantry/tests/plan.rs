//! This repository's flake checks what its `cargo xtask ci` runs.
//!
//! `cargo test --test plan -- --ignored`

mod support;

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::{Value, json};
use support::nix::environment_flags;
use support::{PROGRAM, isolated, repository, text};

/// A dry run's steps.
fn steps(output: &Output) -> Vec<Value> {
    let plan: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
    plan["steps"].as_array().unwrap().clone()
}

#[test]
#[ignore = "needs Nix"]
fn the_flake_and_cargo_have_the_same_steps() {
    const DRY_RUN: [&str; 4] = ["ci", "--dry-run", "--json", "-"];
    let cache = tempfile::tempdir().unwrap();
    let output = isolated(PROGRAM, &repository())
        .args(DRY_RUN)
        .env("XDG_CACHE_HOME", cache.path())
        .env("GANTRY_NIX_FLAGS", environment_flags())
        .output()
        .unwrap();
    let name = |step: &Value| step["name"].as_str().unwrap().to_owned();
    let flake: BTreeSet<_> = steps(&output)
        .iter()
        // What is not about members, and the engine's own.
        .filter(|step| step["member"].is_string() && !name(step).starts_with("gantry-"))
        .map(name)
        .collect();

    let output = isolated(env!("CARGO"), &repository())
        .args(["xtask"])
        .args(DRY_RUN)
        .args(["--backend", "cargo"])
        .output()
        .unwrap();
    let cargo: BTreeSet<_> = steps(&output)
        .iter()
        .filter(|step| step["members"] != json!([]))
        .flat_map(|step| step["names"].as_array().unwrap().clone())
        .map(|name| name.as_str().unwrap().to_owned())
        // The flake's tests run the documentation's examples too.
        .filter(|name| !name.starts_with("doctest-"))
        .collect();
    assert_eq!(flake, cargo);
}
