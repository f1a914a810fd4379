//! `cargo xtask ci --backend nix` with real Nix, on a flake whose checks are small derivations.
//!
//! Run with `cargo test -p xtask-nix --test ci -- --ignored` where Nix is installed.

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use support::cache::Key;
use support::checks::{BUILT, CACHED, SOUND, SUBSTITUTED, flake, sound_paths};
use support::layers::{Flake, package};
use support::nix::{delete, nix};
use support::{Report, Workspace, ci, text, wait_until};

#[test]
#[ignore = "needs Nix"]
fn what_was_built_is_cached_in_the_next_run() {
    let workspace = Workspace::new();
    flake(&workspace, &SOUND);
    let (code, report, error) = ci(&workspace, &[]);
    assert_eq!(code, 0, "{error}");
    assert_eq!(report.outcomes(), BUILT);
    assert_eq!(report.compiled(), ["app 0.1.0"]);

    let (code, report, _) = ci(&workspace, &[]);
    assert_eq!(code, 0);
    assert_eq!(report.outcomes(), CACHED);
    assert_eq!(report.0["activities"].as_array().unwrap().len(), 0);
}

#[test]
#[ignore = "needs Nix"]
fn an_edit_of_a_leaf_builds_its_layers_and_no_others() {
    let library = "//! Base.\n\n/// One.\n#[must_use]\npub fn one() -> u32 {\n    1\n}\n";
    let program_of = |name: &str| {
        format!("//! {name}.\n\nfn main() {{\n    println!(\"{{}}\", base::one());\n}}\n")
    };
    let base = "[dependencies]\nbase = { path = \"../base\" }";
    let flake = Flake::new(
        "{ }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"base\", \"leaf\", \"other\"]\n",
            ),
            ("base/Cargo.toml", &package("base", "")),
            ("base/src/lib.rs", library),
            ("leaf/Cargo.toml", &package("leaf", base)),
            ("leaf/src/main.rs", &program_of("leaf")),
            ("other/Cargo.toml", &package("other", base)),
            ("other/src/main.rs", &program_of("other")),
        ],
    );
    flake.lock();
    let run = || {
        let output = flake.xtask(&["ci", "--backend", "nix", "--json"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        Report(serde_json::from_slice(&output.stdout).unwrap())
    };
    run();
    // No run of this test before has built it.
    let salt = flake.path().file_name().unwrap().display();
    flake.edit("leaf/src/main.rs", "//! leaf", &format!("//! {salt}"));
    let report = run();
    for outcome in report.outcomes() {
        let expected = if outcome.contains(" leaf ") {
            "built"
        } else {
            "cached"
        };
        assert!(outcome.ends_with(expected), "{:?}", report.outcomes());
    }
    let activities = report.0["activities"].as_array().unwrap();
    assert!(!activities.is_empty());
    for activity in activities {
        let derivation = activity["derivation"].as_str().unwrap();
        assert!(derivation.contains("leaf"), "{derivation}");
    }
    let compiled = report.compiled();
    assert!(
        compiled.contains(&"leaf 0.1.0") && compiled.iter().all(|name| *name == "leaf 0.1.0"),
        "{compiled:?}"
    );
}

#[test]
#[ignore = "needs Nix"]
fn a_failed_step_blocks_what_needs_it_and_nothing_else() {
    let workspace = Workspace::new();
    flake(
        &workspace,
        &[
            // What it has written is left in the store, and is no result.
            (
                "build-app",
                "",
                "echo half > $out; printf 'not \\377 UTF-8\\n'; exit 3",
            ),
            ("test-app", "build-app", "echo tested > $out"),
            ("doc-app", "", "echo documented > $out"),
        ],
    );
    let (code, report, error) = ci(&workspace, &[]);
    assert_eq!(code, 1, "{error}");
    assert_eq!(
        report.outcomes(),
        ["build app failed", "test app blocked", "doc app built"]
    );
    assert_eq!(report.0["steps"][1]["reason"], "after build-app failed");

    let output = workspace
        .command(&["build", "--backend", "nix", "-p", "app"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let table = text(&output.stdout);
    assert!(
        table.contains("UTF-8") && table.contains("nix log"),
        "{table}"
    );
}

/// What Nix says of its settings.
const SETTINGS: &str = r#"{
  "require-sigs": { "value": true },
  "sandbox": { "value": true },
  "substitute": { "value": true },
  "substituters": { "value": [] },
  "system": { "value": "a-system" },
  "trusted-public-keys": { "value": [] },
  "trusted-substituters": { "value": [] }
}"#;

/// The exit code of `arguments` and what is shown, where `nix` is this script. It runs
/// beside a file with its settings.
fn with_nix(script: &str, arguments: &[&str]) -> (i32, String) {
    let workspace = Workspace::new();
    workspace.write("flake.nix", "{ outputs = { self }: { }; }");
    workspace.write("settings", SETTINGS);
    let folder = workspace.path().join("programs");
    workspace.write("programs/nix", &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(folder.join("nix"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), env::var("PATH").unwrap());
    let output = workspace
        .command(arguments)
        .env("PATH", path)
        .output()
        .unwrap();
    (output.status.code().unwrap(), text(&output.stderr))
}

#[test]
fn a_nix_that_cannot_be_used_is_an_error_where_it_is_asked_for_and_a_remark_elsewhere() {
    for (nix, reason) in [
        (
            "case $* in --version) echo 'nix (Nix) 2.18.1';; *) echo \"not asked for: $*\" >&2; exit 99;; esac",
            "nix (Nix) 2.18.1 is older than",
        ),
        (
            "case $* in --version) echo 'nix (Nix) 2.34.0';; \
             'flake metadata '*) echo \"error: experimental Nix feature 'flakes' is disabled\" >&2; exit 1;; \
             *) echo \"not asked for: $*\" >&2; exit 99;; esac",
            "flakes are off",
        ),
        (
            "echo 'a library is missing' >&2; exit 127",
            "Nix does not run: a library is missing",
        ),
    ] {
        let (code, shown) = with_nix(nix, &["fmt", "--backend", "nix"]);
        assert!(
            code == 2 && shown.contains(&format!("error: {reason}")),
            "{shown}"
        );
        let (code, shown) = with_nix(nix, &["fmt"]);
        assert!(
            code == 0 && shown.contains(&format!("backend cargo: {reason}")),
            "{shown}"
        );
    }
}

#[test]
fn a_nix_that_does_not_tell_its_settings_is_an_error_and_not_a_flake_without_checks() {
    let nix = "case $* in --version) echo 'nix (Nix) 2.34.0';; flake*) ;; \
         config*features*) cat settings;; config*) echo 'there are none' >&2; exit 1;; \
         eval*a-system*) echo '{}';; *) echo \"not asked for: $*\" >&2; exit 99;; esac";
    let run = ["fmt", "--backend", "nix"];
    let (code, shown) = with_nix(nix, &run);
    assert!(code == 2 && shown.contains("there are none"), "{shown}");
    // Nix may need flags to tell anything.
    let flags = ["--", "--extra-experimental-features", "nix-command flakes"];
    let (code, shown) = with_nix(nix, &[&run[..], &flags].concat());
    assert_eq!(code, 0, "{shown}");
}

#[test]
#[ignore = "needs Nix"]
fn a_signed_cache_is_used_and_one_with_another_key_is_not() {
    let workspace = Workspace::new();
    flake(&workspace, &SOUND);
    assert_eq!(ci(&workspace, &[]).0, 0);

    let trusted = Key::new(&workspace, "test-1");
    let stranger = Key::new(&workspace, "stranger-1");
    let paths = sound_paths(&workspace);
    let cache = format!("file://{}", workspace.path().join("cache").display());
    let signed = format!("{cache}?secret-key={}", trusted.secret.display());
    let names: Vec<&str> = paths.iter().map(String::as_str).collect();
    nix(&workspace, &[&["copy", "--to", &signed], &*names].concat());

    let with_key = |key: &Key| {
        delete(&workspace, &paths);
        ci(
            &workspace,
            &[
                "--",
                "--substituters",
                &cache,
                "--trusted-public-keys",
                &key.public,
            ],
        )
    };
    let (code, report, error) = with_key(&trusted);
    assert_eq!(code, 0, "{error}");
    assert_eq!(report.outcomes(), SUBSTITUTED);
    let activity = &report.0["activities"][0];
    assert_eq!(activity["from"].as_str().unwrap(), cache);
    assert!(activity["bytes"].as_u64().unwrap() > 0, "{activity}");

    let (code, report, error) = with_key(&stranger);
    assert_eq!(code, 0, "{error}");
    assert_eq!(report.outcomes(), BUILT);
}

#[test]
#[ignore = "needs Nix"]
fn an_interrupt_leaves_no_build_behind() {
    let workspace = Workspace::new();
    flake(&workspace, &[("build-app", "", "while :; do :; done")]);
    let mut child = workspace
        .command(&["build", "--backend", "nix", "-p", "app"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let builders = || {
        let output = Command::new("pgrep")
            .args(["-f", "while :; do :; done"])
            .output()
            .unwrap();
        text(&output.stdout).lines().count()
    };
    wait_until(|| builders() > 0);
    assert!(
        Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    wait_until(|| builders() == 0);
}

#[test]
#[ignore = "needs Nix"]
fn a_file_that_git_does_not_track_is_named() {
    let workspace = Workspace::new();
    flake(&workspace, &SOUND);
    workspace.write("app/src/new.rs", "");
    let (_, _, error) = ci(&workspace, &[]);
    assert!(
        error.contains("git add --intent-to-add app/src/new.rs"),
        "{error}"
    );
}

#[test]
#[ignore = "needs Nix"]
fn a_flake_that_does_not_evaluate_is_an_error_of_the_environment() {
    let workspace = Workspace::new();
    workspace.write(
        "flake.nix",
        "{ outputs = { self }: throw \"out of order\"; }",
    );
    let output = workspace.xtask(&["ci", "--backend", "nix"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("out of order"),
        "{}",
        text(&output.stderr)
    );
}
