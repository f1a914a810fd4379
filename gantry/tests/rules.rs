//! Rules of this repository, which a project inherits.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("")
}

/// What follows `start` in a file of the repository, up to the next quote.
fn value(file: &str, start: &str) -> Option<String> {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let (_, rest) = text.split_once(start)?;
    Some(rest.split('"').next()?.to_owned())
}

#[test]
fn members_inherit_lints_and_the_edition() {
    let mut metadata = Command::new(env!("CARGO"));
    metadata.args(["metadata", "--no-deps", "--format-version=1"]);
    let metadata = metadata.current_dir(root()).output().unwrap().stdout;
    let metadata: Value = serde_json::from_slice(&metadata).unwrap();
    for member in metadata["packages"].as_array().unwrap() {
        let manifest = member["manifest_path"].as_str().unwrap();
        let text = fs::read_to_string(manifest).unwrap();
        assert!(text.contains("[lints]\nworkspace = true"), "{manifest}");
        assert!(text.contains("edition.workspace = true"), "{manifest}");
    }
}

#[test]
fn one_file_names_the_toolchain() {
    let channel = value("rust-toolchain.toml", "channel = \"").unwrap();
    let oldest = value("Cargo.toml", "rust-version = \"").unwrap();
    assert_eq!(channel.rsplit_once('.').unwrap().0, oldest);
    let grep = [
        "-rlF",
        "--exclude-dir=target",
        "--exclude-dir=.?*",
        "--exclude=Cargo.lock",
        "--exclude=targets.json",
    ];
    let found = Command::new("grep")
        .args(grep)
        .args([&channel, "."])
        .current_dir(root())
        .output();
    assert_eq!(
        String::from_utf8(found.unwrap().stdout).unwrap(),
        "./rust-toolchain.toml\n"
    );
}

#[test]
fn bindings_are_made_by_the_version_of_the_crate() {
    let version = |name| value("Cargo.lock", &format!("name = \"{name}\"\nversion = \""));
    let used = version("wasm-bindgen");
    assert!(used.is_none() || used == version("wasm-bindgen-cli-support"));
}
