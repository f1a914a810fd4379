//! `gantry ci` with real Nix, on flakes whose checks are small derivations.
//!
//! Run with `cargo test --test ci -- --ignored` where Nix is installed.

mod support;

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use serde_json::{Value, json};
use support::cache::{Key, copy, flags};
use support::checks::{BUILT, CACHED, SOUND, SUBSTITUTED, flake, sound_paths};
use support::layers::{Flake, package};
use support::nix::{SETTINGS, WITHOUT_FLAKES, delete, nix, system};
use support::{Report, Workspace, assert_exit, interrupt, runs, text, wait_until};

#[test]
#[ignore = "needs Nix"]
fn what_was_built_is_cached_in_the_next_run() {
    let workspace = Workspace::new();
    flake(&workspace, &SOUND);
    let (code, report, shown) = workspace.ci(&[]);
    assert_eq!(code, 0, "{shown}");
    assert_eq!(report.outcomes(), BUILT);
    assert_eq!(report.compiled(), ["app 0.1.0"]);

    let (code, report, _) = workspace.ci(&[]);
    assert_eq!(code, 0);
    assert_eq!(report.outcomes(), CACHED);
    assert!(report.activities().is_empty());
}

/// What was asked of Nix by a dry run.
fn calls(workspace: &Workspace) -> String {
    let path = env::var("PATH").unwrap();
    let mut folders = env::split_paths(&path);
    let real = folders.find(|folder| folder.join("nix").exists()).unwrap();
    let log = workspace.path().join("programs/log");
    let script = format!(
        "#!/bin/sh\necho \"$1\" >>{}\nexec {}/nix \"$@\"\n",
        log.display(),
        real.display()
    );
    workspace.write("programs/nix", &script);
    let programs = workspace.path().join("programs");
    fs::set_permissions(programs.join("nix"), fs::Permissions::from_mode(0o755)).unwrap();
    let _ = fs::remove_file(&log);
    let mut command = workspace.command(&["ci", "--dry-run"]);
    command.env("PATH", format!("{}:{path}", programs.display()));
    assert_exit(&command.output().unwrap(), 0, "build-app  nix build");
    fs::read_to_string(log).unwrap()
}

#[test]
#[ignore = "needs Nix"]
fn a_flake_is_evaluated_when_it_changes_and_when_the_store_lost_it() {
    let workspace = Workspace::new();
    flake(&workspace, &SOUND);
    let is_evaluated = || calls(&workspace).contains("eval");
    assert!(is_evaluated());
    assert!(!is_evaluated());
    workspace.edit("app/src/main.rs", "//! App", "//! Other");
    assert!(is_evaluated());
    assert!(!is_evaluated());
    let attribute = format!(".#checks.{}.doc-app.drvPath", system());
    let derivation = nix(&workspace, &["eval", "--raw", &attribute]);
    delete(&workspace, &[derivation]);
    assert!(is_evaluated());
}

#[test]
#[ignore = "needs Nix"]
fn the_plan_is_what_the_flake_checks() {
    let workspace = Workspace::new();
    flake(
        &workspace,
        &[
            ("audit", "", "exit 1"),
            ("test-app", "", "exit 1"),
            ("fmt-app", "", "exit 1"),
        ],
    );
    let system = system();
    workspace.edit(
        "flake.nix",
        "audit = check",
        "all = check \"all\" [ audit ] \"\" // { step = null; }; audit = check",
    );
    let lines = ["fmt-app", "test-app", "audit"]
        .map(|name| format!("{name}  nix build .#checks.{system}.{name}\n"));
    let output = workspace.gantry(&["ci", "--dry-run"]);
    assert_eq!(text(&output.stdout), lines.concat());

    let output = workspace.gantry(&["ci", "--dry-run", "--json", "-", "--only", "test"]);
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!({ "version": 1, "steps": [{
        "name": "test-app", "kind": "test", "member": "app", "target": "native", "profile": "dev",
        "command": format!("nix build .#checks.{system}.test-app"),
    }]});
    assert_eq!(plan, expected);
    let output = workspace.gantry(&["ci", "--only", "tests"]);
    assert_exit(&output, 2, "did you mean `test`?");
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
        let output = flake.gantry(&["ci", "--json", "-"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        Report::of(&output)
    };
    run();
    // No run of this test before has built it.
    let salt = flake.path().file_name().unwrap().display();
    flake.edit("leaf/src/main.rs", "//! leaf", &format!("//! {salt}"));
    let report = run();
    for outcome in report.outcomes() {
        let expected = if outcome.contains("-leaf ") {
            "built"
        } else {
            "cached"
        };
        assert!(outcome.ends_with(expected), "{:?}", report.outcomes());
    }
    assert!(!report.activities().is_empty());
    for activity in report.activities() {
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
                "echo half > $out; printf 'not \\377 UTF-8\\n'; \
                 echo 'error[E0308]: mismatched types'; echo ' --> app/src/main.rs:4:5'; exit 3",
            ),
            ("test-app", "build-app", "echo tested > $out"),
            ("doc-app", "", "echo documented > $out"),
        ],
    );
    let (code, report, shown) = workspace.ci(&[]);
    assert_eq!(code, 1, "{shown}");
    assert_eq!(
        report.outcomes(),
        ["build-app failed", "test-app blocked", "doc-app built"]
    );
    assert_eq!(report.0["steps"][1]["reason"], "after build-app failed");

    let mut command = workspace.command(&["build"]);
    let output = command.env("GITHUB_ACTIONS", "true").output().unwrap();
    assert_exit(&output, 1, "UTF-8");
    let table = text(&output.stdout);
    assert!(table.contains("nix log"), "{table}");
    assert_exit(
        &output,
        1,
        "::error file=app/src/main.rs,line=4,title=build-app::error[E0308]: mismatched types",
    );
}

#[test]
#[ignore = "needs Nix"]
fn an_output_that_is_refused_has_failed_and_is_built_once() {
    let workspace = Workspace::new();
    flake(
        &workspace,
        &[
            ("build-app", "", "echo built > $out"),
            ("test-app", "build-app", "echo tested > $out"),
            ("doc-app", "", "echo out of order; exit 3"),
        ],
    );
    let hash = format!("sha256-{}=", "A".repeat(43));
    workspace.edit(
        "flake.nix",
        "derivation { inherit",
        &format!("derivation {{ ${{if name == \"build-app\" then \"outputHash\" else null}} = \"{hash}\"; inherit"),
    );
    let (code, report, shown) = workspace.ci(&[]);
    assert_eq!(code, 1, "{shown}");
    assert_eq!(
        report.outcomes(),
        ["build-app failed", "test-app blocked", "doc-app failed"]
    );
    let activities = report.activities();
    assert_eq!(activities.len(), 2, "{activities:?}");
    assert!(activities.iter().all(|build| build["failed"] == true));
    assert_eq!(report.0["steps"][1]["reason"], "after build-app failed");
}

/// What is printed where `nix` is this script, which may read `programs/settings`.
fn with_nix(script: &str, arguments: &[&str]) -> Output {
    let workspace = Workspace::new();
    workspace.write("flake.nix", "{ outputs = { self }: { }; }");
    workspace.write("programs/settings", SETTINGS);
    workspace.write("programs/nix", &format!("#!/bin/sh\n{script}\n"));
    let folder = workspace.path().join("programs");
    fs::set_permissions(folder.join("nix"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), env::var("PATH").unwrap());
    workspace
        .command(arguments)
        .env("PATH", path)
        .output()
        .unwrap()
}

#[test]
fn a_nix_that_cannot_be_used_is_an_error_with_what_mends_it() {
    for (nix, reason) in [
        (
            "case $* in --version) echo 'nix (Nix) 2.18.1';; *) echo \"not asked for: $*\" >&2; exit 99;; esac",
            "error: nix (Nix) 2.18.1 is older than 2.31, which crane needs: run `nix upgrade-nix`",
        ),
        (
            "case $* in --version) echo 'nix (Nix) 2.34.0';; \
             *) echo \"error: experimental Nix feature 'nix-command' is disabled\" >&2; exit 1;; esac",
            "error: flakes are off: add `experimental-features",
        ),
        (WITHOUT_FLAKES, "flakes are off: add `experimental-features"),
        (
            "case $* in --version) echo 'nix (Nix) 2.34.0';; *) echo 'error: no settings' >&2; exit 1;; esac",
            "error: Nix does not show its configuration: error: no settings",
        ),
        (
            "echo 'a library is missing' >&2; exit 127",
            "error: Nix does not run here: install it from https://nixos.org/download: a library is missing",
        ),
    ] {
        assert_exit(&with_nix(nix, &["ci"]), 2, reason);
    }
}

#[test]
#[ignore = "needs Nix"]
fn a_signed_cache_is_used_and_one_with_another_key_is_not() {
    let workspace = Workspace::new();
    flake(&workspace, &SOUND);
    assert_eq!(workspace.ci(&[]).0, 0);

    let trusted = Key::new(&workspace, "test-1");
    let stranger = Key::new(&workspace, "stranger-1");
    let paths = sound_paths(&workspace);
    let cache = format!("file://{}", workspace.path().join("cache").display());
    copy(&workspace, &cache, Some(&trusted), &paths);
    delete(&workspace, &paths);
    let (code, report, shown) = workspace.ci(&flags(&cache, &trusted));
    assert_eq!(code, 0, "{shown}");
    assert_eq!(report.outcomes(), SUBSTITUTED);
    let activity = &report.activities()[0];
    assert_eq!(activity["from"].as_str().unwrap(), cache);
    assert!(activity["bytes"].as_u64().unwrap() > 0, "{activity}");

    delete(&workspace, &paths);
    let (code, report, shown) = workspace.ci(&flags(&cache, &stranger));
    assert_eq!(code, 0, "{shown}");
    assert_eq!(report.outcomes(), BUILT);
}

#[test]
#[ignore = "needs Nix"]
fn an_interrupt_leaves_no_build_behind() {
    const SCRIPT: &str = "while :; do : alone; done";
    let workspace = Workspace::new();
    flake(&workspace, &[("build-app", "", SCRIPT)]);
    let mut child = workspace.command(&["ci"]).spawn().unwrap();
    wait_until(|| runs(SCRIPT));
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    wait_until(|| !runs(SCRIPT));
}

#[test]
#[ignore = "needs Nix"]
fn a_file_that_git_does_not_track_is_named() {
    let workspace = Workspace::new();
    flake(&workspace, &SOUND);
    workspace.write("app/src/new.rs", "");
    let (_, _, shown) = workspace.ci(&[]);
    assert!(
        shown.contains("git add --intent-to-add app/src/new.rs"),
        "{shown}"
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
    assert_exit(&workspace.gantry(&["ci"]), 2, "out of order");
}
