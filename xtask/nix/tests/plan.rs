//! The flake's checks are the steps of xtask's plan, whatever the manifests say.
//!
//! `cargo test -p xtask-nix --test plan -- --ignored`

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::collections::BTreeSet;

use serde_json::Value;
use support::layers::{Flake, package};
use support::text;

/// The steps of the plan, under the names of checks.
fn plan(flake: &Flake) -> BTreeSet<String> {
    let output = flake.xtask(&["ci", "--dry-run", "--json", "--backend", "cargo"]);
    let plan: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
    let steps = plan["steps"].as_array().unwrap().iter();
    steps
        // The test layers run the documentation's examples too.
        .filter(|step| step["what"] != "doctest")
        .map(|step| {
            let word = |key: &str| step[key].as_str();
            let what_and_member = [word("what").unwrap(), word("member").unwrap()];
            let target = word("target").filter(|&target| target != "native");
            [&what_and_member[..], target.as_slice()].concat().join("-")
        })
        .collect()
}

/// The checks of single members.
fn checks(flake: &Flake) -> BTreeSet<String> {
    flake
        .checks()
        .into_iter()
        // Steps of all members, and what is not about members.
        .filter(|name| name.contains('-'))
        // Nix documents members that are not for native, too.
        .filter(|name| !(name.starts_with("doc-") && name.ends_with("-wasm32-unknown-unknown")))
        .collect()
}

#[test]
#[ignore = "needs Nix"]
fn of_this_repository() {
    let flake = Flake::of_repository();
    let whole = plan(&flake);
    assert!(whole.contains("bindgen-gantry-web-wasm32-unknown-unknown"));
    assert_eq!(checks(&flake), whole);

    // Nothing else has to be edited.
    flake.remove("crates/web");
    let native = plan(&flake);
    assert!(!native.iter().any(|name| name.contains("wasm32")));
    assert_eq!(checks(&flake), native);
}

#[test]
#[ignore = "needs Nix and the registry"]
fn of_members_for_several_targets() {
    const WASM: &str = "\"wasm32-unknown-unknown\"";
    const CDYLIB: &str = "[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n";
    const TESTED: &str = "[dev-dependencies]\nwasm-bindgen-test = \"0.3\"\n";
    // Of members: name, targets, and the rest of the manifest.
    let shapes: &[&[(&str, &str, &str)]] = &[
        &[("app", "\"native\"", "")],
        // Can be built for wasm32, but nothing makes use of that.
        &[("base", &format!("\"native\", {WASM}"), "")],
        &[("page", WASM, ""), ("app", "\"native\"", "")],
        &[("both", &format!("{WASM}, \"native\""), CDYLIB)],
        &[
            ("both", &format!("\"native\", {WASM}"), TESTED),
            ("base", &format!("\"native\", {WASM}"), ""),
        ],
    ];
    for &shape in shapes {
        let members: Vec<_> = shape.iter().map(|(name, ..)| name).collect();
        let root = format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n");
        let mut files = vec![("Cargo.toml".to_owned(), root)];
        for (name, targets, rest) in shape {
            let metadata = format!("\n[package.metadata.ci]\ntargets = [{targets}]\n\n{rest}");
            files.push((format!("{name}/Cargo.toml"), package(name, &metadata)));
            files.push((format!("{name}/src/lib.rs"), String::new()));
        }
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (&**path, &**text))
            .collect();
        let flake = Flake::new(
            "{ targets.wasm32-unknown-unknown.testedWith = \"wasm-bindgen-test\"; }",
            &files,
        );
        flake.lock();
        let mut plan = plan(&flake);
        // Bindings are not made by mkWorkspace.
        plan.retain(|name| !name.starts_with("bindgen-"));
        assert_eq!(checks(&flake), plan, "{shape:?}");
    }
}
