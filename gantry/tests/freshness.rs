//! A layer compiles its own crate and nothing else, or fails; and stores what it compiled, once.
//!
//! `cargo test --test freshness -- --ignored`

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::layers::{Flake, package};
use support::nix::command;
use support::text;

/// `app` on `library`, whose build script looks at the environment.
fn workspace(arguments: &str) -> Flake {
    let flake = Flake::new(
        arguments,
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"library\"]\n",
            ),
            (
                "library/Cargo.toml",
                "[package]\nname = \"library\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
            ),
            (
                "library/src/lib.rs",
                // Large, so that later layers link to it.
                "pub const SEEN: &str = env!(\"SEEN\");\npub static LARGE: [u8; 100_000] = [1; 100_000];\n",
            ),
            (
                "library/build.rs",
                "fn main() {\n    println!(\"cargo::rerun-if-env-changed=LOOK\");\n    \
                 println!(\"cargo::rustc-env=SEEN={}\", std::env::var(\"LOOK\").unwrap_or_default());\n}\n",
            ),
            (
                "app/Cargo.toml",
                "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                 [dependencies]\nlibrary = { path = \"../library\" }\n",
            ),
            (
                "app/src/main.rs",
                "fn main() {\n    assert_eq!(library::LARGE[9], 1);\n    println!(\"{}\", library::SEEN);\n}\n",
            ),
        ],
    );
    flake.lock();
    flake
}

/// `workspace` with an output `strange`: the layer of `app` in another environment than that of `library`.
fn strange(arguments: &str) -> Flake {
    let flake = workspace(arguments);
    flake.edit(
        "flake.nix",
        "in mkWorkspace",
        "in (workspace: workspace // { strange = workspace.layers.native.dev.build.app.overrideAttrs { LOOK = \"now\"; }; }) (mkWorkspace",
    );
    flake.edit("flake.nix", "});\n    packages", "}));\n    packages");
    flake
}

const COMPILED_AGAIN: &str = "gantry: compiled again: library 0.1.0: the env variable LOOK changed";

#[test]
#[ignore = "needs Nix"]
fn a_layer_that_compiles_another_crate_fails_and_says_why_where_that_is_asked_for() {
    let log = strange("{ freshness = \"require\"; }")
        .build(&["strange"])
        .unwrap_err();
    assert!(
        log.contains(COMPILED_AGAIN)
            && log.contains("the layer cargo-build-app-dev compiled more than its own crate"),
        "{log}"
    );
}

#[test]
#[ignore = "needs Nix"]
fn a_layer_that_compiles_another_crate_says_why_and_is_right() {
    let path = strange("{ freshness = \"report\"; }")
        .build(&["strange"])
        .unwrap_or_else(|log| panic!("{log}"));
    let output = Command::new(path.join("bin/app")).output().unwrap();
    assert_eq!(text(&output.stdout), "now\n");
    let output = command(&["log", &path.to_string_lossy()]).output().unwrap();
    let log = text(&output.stdout) + &text(&output.stderr);
    assert!(log.contains(COMPILED_AGAIN), "{log}");
}

#[test]
#[ignore = "needs Nix"]
fn a_member_s_environment_reaches_every_layer_that_holds_it() {
    let flake = workspace("{ members.library.env.LOOK = \"here\"; }");
    assert_eq!(flake.run("dev", "app"), "here");
    flake.build(&["checks.test", "checks.clippy"]).unwrap();
}

#[test]
#[ignore = "needs Nix"]
fn members_that_disagree_about_the_environment_are_refused() {
    let flake = workspace("{ members.library.env.LOOK = \"a\"; members.app.env.LOOK = \"b\"; }");
    let log = flake.build(&["checks.build-app"]).unwrap_err();
    assert!(log.contains("set LOOK to different values"), "{log}");
}

/// Every file below `folder` that is no link, with its content.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.append(&mut files(&entry.path()));
        } else if kind.is_file() {
            found.push((entry.path(), fs::read(entry.path()).unwrap()));
        }
    }
    found
}

#[test]
#[ignore = "needs Nix"]
fn a_layer_stores_what_it_compiled_once() {
    let script = "fn main() {}\n";
    let flake = Flake::new(
        "{ }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"library\", \"macros\"]\nexclude = [\"vendored\"]\n",
            ),
            ("vendored/Cargo.toml", &package("vendored", "")),
            ("vendored/build.rs", script),
            ("vendored/src/lib.rs", "pub fn word() {}\n"),
            (
                "macros/Cargo.toml",
                &package("macros", "\n[lib]\nproc-macro = true\n"),
            ),
            ("macros/src/lib.rs", ""),
            (
                "library/Cargo.toml",
                &package(
                    "library",
                    "\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n\
                     [dependencies]\nvendored = { path = \"../vendored\" }\nmacros = { path = \"../macros\" }\n",
                ),
            ),
            ("library/build.rs", script),
            ("library/src/lib.rs", "pub use vendored::word;\n"),
            (
                "app/Cargo.toml",
                &package(
                    "app",
                    "\n[dependencies]\nlibrary = { path = \"../library\" }\n",
                ),
            ),
            ("app/src/main.rs", "fn main() {\n    library::word();\n}\n"),
            (
                "app/tests/runs.rs",
                "#[test]\nfn runs() {\n    \
                 assert!(std::process::Command::new(env!(\"CARGO_BIN_EXE_app\")).status().unwrap().success());\n}\n",
            ),
        ],
    );
    flake.lock();
    // Nothing waits for `app`, so that it has no artifacts.
    let stored = [
        "deps",
        "build.app",
        "build.library",
        "build.library.artifacts",
        "build.macros",
        "build.macros.artifacts",
        "check.library",
        "check.macros",
    ];
    let layers: Vec<_> = stored
        .iter()
        .map(|layer| flake.build(&[&format!("layers.native.dev.{layer}")]))
        .collect::<Result<_, _>>()
        .unwrap_or_else(|log| panic!("{log}"));

    let mut places: BTreeMap<Vec<u8>, Vec<PathBuf>> = BTreeMap::new();
    for layer in &layers {
        for (path, content) in files(layer) {
            // Fingerprints and the like are small, and alike.
            if content.len() > 4096 {
                places.entry(content).or_default().push(path);
            }
        }
    }
    let twice: Vec<_> = places.values().filter(|paths| paths.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:#?}");
    for stored in [
        "bin/app",
        "lib/liblibrary.so",
        "build_script_build-",
        "libvendored-",
    ] {
        assert!(
            places
                .values()
                .flatten()
                .any(|path| path.to_string_lossy().contains(stored)),
            "no layer stores {stored}"
        );
    }
    // The tests find the program that they run.
    flake
        .build(&["checks.test"])
        .unwrap_or_else(|log| panic!("{log}"));
}
