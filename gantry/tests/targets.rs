//! The table of targets that `mkWorkspace` computes with is what rustc says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// What rustc prints, line by line.
fn rustc(arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new("rustc").args(arguments).output().unwrap();
    assert!(output.status.success(), "rustc {arguments:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// What no release of rustc changes about a target; processors learn features, and rustc of atomics.
fn lasting(lines: &BTreeSet<String>) -> BTreeSet<&String> {
    lines
        .iter()
        .filter(|line| {
            !line.starts_with("target_feature") && !line.starts_with("target_has_atomic")
        })
        .collect()
}

#[test]
fn the_table_of_targets_is_what_rustc_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("nix/workspace/targets.json");
    let mut table: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let version = table.remove("rustc").unwrap();
    let version = version.as_str().unwrap();
    let is_same = rustc(&["--version"])
        .iter()
        .any(|line| line.starts_with(&format!("rustc {version} ")));
    for target in [
        "aarch64-apple-darwin",
        "aarch64-unknown-linux-gnu",
        "thumbv6m-none-eabi",
        "wasm32-unknown-unknown",
        "x86_64-unknown-linux-gnu",
    ] {
        let known: BTreeSet<String> = serde_json::from_value(table[target].clone()).unwrap();
        let said = rustc(&["--print", "cfg", "--target", target]);
        assert_eq!(
            lasting(&known),
            lasting(&said),
            "{target}: renew the table with `bash targets.sh >targets.json`"
        );
        if is_same
            && !said
                .iter()
                .any(|line| line.starts_with("target_has_atomic_"))
        {
            assert_eq!(known, said, "{target}");
        }
    }
    let known: BTreeSet<String> = table.into_keys().collect();
    if is_same {
        assert_eq!(known, rustc(&["--print", "target-list"]));
    }
}
