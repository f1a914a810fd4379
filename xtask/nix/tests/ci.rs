//! `cargo xtask ci --backend nix` with real Nix, on a flake whose checks are small derivations.
//!
//! Run with `cargo test -p xtask-nix --test ci -- --ignored` where Nix is installed.

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::process::{Command, Stdio};
use std::{thread, time};

use support::checks::{Key, SOUND, delete, flake, nix, sound_paths};
use support::{Workspace, ci, text};

#[test]
#[ignore = "needs Nix"]
fn what_was_built_is_cached_in_the_next_run() {
    let workspace = Workspace::new();
    flake(&workspace, &SOUND);
    let (code, report, error) = ci(&workspace, &[]);
    assert_eq!(code, 0, "{error}");
    assert_eq!(
        report.outcomes(),
        ["build app built", "test app built", "doc app built"]
    );
    assert_eq!(report.compiled(), ["app 0.1.0"]);

    let (code, report, _) = ci(&workspace, &[]);
    assert_eq!(code, 0);
    assert_eq!(
        report.outcomes(),
        ["build app cached", "test app cached", "doc app cached"]
    );
    assert_eq!(report.0["activities"].as_array().unwrap().len(), 0);
}

#[test]
#[ignore = "needs Nix"]
fn a_failed_step_blocks_what_needs_it_and_nothing_else() {
    let workspace = Workspace::new();
    flake(
        &workspace,
        &[
            ("build-app", "", "printf 'not \\377 UTF-8\\n'; exit 3"),
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
    let table = text(&output.stdout);
    assert!(
        table.contains("UTF-8") && table.contains("nix log"),
        "{table}"
    );
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
    assert_eq!(
        report.outcomes(),
        [
            "build app substituted",
            "test app substituted",
            "doc app substituted"
        ]
    );
    let activity = &report.0["activities"][0];
    assert_eq!(activity["from"].as_str().unwrap(), cache);
    assert!(activity["bytes"].as_u64().unwrap() > 0, "{activity}");

    let (code, report, error) = with_key(&stranger);
    assert_eq!(code, 0, "{error}");
    assert_eq!(
        report.outcomes(),
        ["build app built", "test app built", "doc app built"]
    );
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

fn wait_until(condition: impl Fn() -> bool) {
    let started = time::Instant::now();
    while !condition() {
        assert!(
            started.elapsed() < time::Duration::from_mins(1),
            "waited in vain"
        );
        thread::sleep(time::Duration::from_millis(100));
    }
}
