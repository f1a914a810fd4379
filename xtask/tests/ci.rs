//! `cargo xtask ci` through its binary, on real small workspaces.

#[allow(dead_code, reason = "each test uses a part of it")]
mod support;

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use support::{Workspace, isolated, text};

#[test]
fn a_sound_workspace_passes_and_a_second_run_compiles_nothing() {
    let workspace = Workspace::new();
    let (code, first) = workspace.ci(&[]);
    assert_eq!(code, 0, "{:?}", first.outcomes());
    assert_eq!(
        first.outcomes(),
        [
            "fmt app passed",
            "fmt core-library passed",
            "clippy app passed",
            "clippy core-library passed",
            "build app passed",
            "build core-library passed",
            "test app passed",
            "test core-library passed",
            "doctest core-library passed",
            "doc app passed",
            "doc core-library passed",
        ]
    );
    assert!(first.compiled().contains(&"app 0.1.0"));

    let build = workspace.cargo(&["build", "--locked"]);
    assert!(
        !text(&build.stderr).contains("Compiling"),
        "{}",
        text(&build.stderr)
    );
    let (code, second) = workspace.ci(&[]);
    assert_eq!(code, 0);
    assert_eq!(second.compiled(), [""; 0]);
}

#[test]
fn an_edited_member_and_its_dependants_are_all_that_compiles() {
    let workspace = Workspace::new();
    workspace.add_member("other", "");
    workspace.write("other/src/lib.rs", "//! Other.\n");
    workspace.edit("Cargo.toml", "\"app\"", "\"app\", \"other\"");
    workspace.lock();
    assert_eq!(workspace.ci(&[]).0, 0);
    workspace.edit("core/src/lib.rs", "number + 1", "1 + number");
    let (_, report) = workspace.ci(&[]);
    let compiled = report.compiled();
    assert!(compiled.contains(&"core-library 0.1.0") && compiled.contains(&"app 0.1.0"));
    assert!(!compiled.contains(&"other 0.1.0"), "{compiled:?}");
}

#[test]
fn variables_of_the_calling_cargo_run_no_build_script_again() {
    let workspace = Workspace::new();
    workspace.write(
        "app/build.rs",
        "fn main() {\n    println!(\"cargo::rerun-if-env-changed=CARGO_PKG_NAME\");\n}\n",
    );
    let build = || {
        let output = workspace
            .command(&["build", "--json"])
            .env("CARGO_PKG_NAME", "xtask")
            .env("CARGO_MANIFEST_DIR", "/nowhere")
            .output()
            .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        report["activities"][0]["compiled"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_ne!(build(), 0);
    let by_hand = workspace.cargo(&["build", "--locked"]);
    assert!(
        !text(&by_hand.stderr).contains("Compiling"),
        "{}",
        text(&by_hand.stderr)
    );
    assert_eq!(build(), 0);
}

#[test]
fn a_failing_test_fails_its_member_and_ends_the_run() {
    let workspace = Workspace::new();
    workspace.edit(
        "core/src/lib.rs",
        "assert_eq!(super::next(1), 2);",
        "assert_eq!(super::next(1), 3);",
    );
    let (code, report) = workspace.ci(&[]);
    assert_eq!(code, 1);
    assert!(
        report.has("test core-library failed"),
        "{:?}",
        report.outcomes()
    );
    assert!(report.has("clippy core-library passed"));
    assert!(report.has("doc core-library blocked"));

    let (code, report) = workspace.ci(&["--keep-going"]);
    assert_eq!(code, 1);
    assert!(
        report.has("test core-library failed"),
        "{:?}",
        report.outcomes()
    );
    assert!(report.has("test app passed"));
    assert!(report.has("doc core-library passed"));

    let output = workspace.xtask(&["test", "--backend", "cargo"]);
    let output = text(&output.stdout);
    let (_, repeated) = output
        .split_once("failed test native dev: core-library")
        .expect(&output);
    assert!(repeated.contains("left: 2"), "{output}");
}

#[test]
fn without_nextest_cargo_test_names_the_same_member() {
    let workspace = Workspace::new();
    workspace.edit(
        "core/src/lib.rs",
        "assert_eq!(super::next(1), 2);",
        "assert_eq!(super::next(1), 3);",
    );
    let programs = programs_without(&workspace, &["cargo-nextest"]);
    let output = workspace
        .command(&["test", "--json", "--keep-going"])
        .env("PATH", programs)
        .env("CARGO_HOME", workspace.path().join("cargo-home"))
        .output()
        .unwrap();
    let report = support::Report(serde_json::from_slice(&output.stdout).unwrap());
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("cargo-nextest is not installed"),
        "{}",
        text(&output.stderr)
    );
    assert!(
        report.has("test core-library failed"),
        "{:?}",
        report.outcomes()
    );
    assert!(report.has("test app passed"));
}

#[test]
fn a_failing_lint_blocks_dependants_alone_when_told_to_keep_going() {
    let workspace = Workspace::new();
    workspace.add_member("other", "");
    workspace.write("other/src/lib.rs", "//! Other.\n");
    workspace.edit("Cargo.toml", "\"app\"", "\"app\", \"other\"");
    workspace.lock();
    workspace.edit(
        "core/src/lib.rs",
        "    number + 1\n",
        "    return number + 1;\n",
    );
    let (code, report) = workspace.ci(&["--keep-going", "--only", "clippy"]);
    assert_eq!(code, 1);
    assert_eq!(
        report.outcomes(),
        [
            "clippy app blocked",
            "clippy core-library failed",
            "clippy other passed"
        ]
    );
}

#[test]
fn a_syntax_error_fails_every_step_of_its_member() {
    let workspace = Workspace::new();
    workspace.edit("app/src/main.rs", "fn main() {", "fn main( {");
    let (code, report) = workspace.ci(&["--keep-going"]);
    assert_eq!(code, 1);
    for step in ["fmt", "clippy", "build", "test", "doc"] {
        assert!(
            report.has(&format!("{step} app failed")),
            "{step}: {:?}",
            report.outcomes()
        );
    }
    assert!(report.has("clippy core-library passed"));
}

#[test]
fn an_unformatted_file_fails_its_member_with_the_command_that_mends_it() {
    let workspace = Workspace::new();
    workspace.edit("app/src/main.rs", "fn main() {", "fn  main() {");
    let (code, report) = workspace.ci(&["--only", "fmt"]);
    assert_eq!(code, 1);
    assert_eq!(
        report.outcomes(),
        ["fmt app failed", "fmt core-library passed"]
    );
    let output = workspace.xtask(&["fmt", "--backend", "cargo"]);
    assert!(
        text(&output.stdout).contains("cargo fmt"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn a_lock_file_out_of_date_is_a_failure_and_stays_untouched() {
    let workspace = Workspace::new();
    workspace.edit("core/Cargo.toml", "0.1.0", "0.2.0");
    let lock = workspace.read("Cargo.lock");
    let output = workspace.xtask(&["build", "--backend", "cargo"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).contains("--locked"),
        "{}",
        text(&output.stdout)
    );
    assert_eq!(workspace.read("Cargo.lock"), lock);
}

#[test]
fn a_path_with_spaces_is_no_obstacle() {
    let workspace = Workspace::with_prefix("a path with spaces ");
    let (code, report) = workspace.ci(&[]);
    assert_eq!(code, 0, "{:?}", report.outcomes());
}

#[test]
fn wrong_usage_and_broken_manifests_exit_with_2_and_one_message() {
    let workspace = Workspace::new();
    let fails = |arguments: &[&str], message: &str| {
        let output = workspace.xtask(arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(message), "{arguments:?}: {error}");
        assert!(
            output.stdout.is_empty() && !error.contains("panicked"),
            "{error}"
        );
    };
    fails(
        &["ci", "-p", "core-librarian"],
        "did you mean `core-library`?",
    );
    fails(&["ci", "--only", "clipy"], "clippy");
    fails(&["cii"], "ci");
    fails(
        &["ci", "--target", "wasm32-unknown-unknown", "--skip", "fmt"],
        "nothing to do",
    );
    workspace.edit(
        "core/Cargo.toml",
        "[package]",
        "[package.metadata.ci]\ntargets = [\"wasm\"]\n[package]",
    );
    fails(&["ci"], "unknown variant `wasm`");
    workspace.write("core/Cargo.toml", "[package\n");
    fails(&["ci"], "core/Cargo.toml");
    fs::remove_file(workspace.path().join("Cargo.toml")).unwrap();
    fails(&["ci"], "Cargo.toml");
}

#[test]
fn a_missing_tool_is_named_with_the_command_that_installs_it() {
    let workspace = Workspace::new();
    let output = workspace
        .command(&["clippy", "--backend", "cargo"])
        .env("PATH", programs_without(&workspace, &["cargo-clippy"]))
        .env("CARGO_HOME", workspace.path().join("cargo-home"))
        .output()
        .unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("rustup component add clippy"), "{error}");
}

#[test]
fn a_dry_run_prints_the_plan_and_compiles_nothing() {
    let workspace = Workspace::new();
    let output = workspace.xtask(&[
        "ci",
        "--dry-run",
        "--backend",
        "cargo",
        "--profile",
        "release",
        "-p",
        "app",
    ]);
    assert_eq!(output.status.code(), Some(0));
    let plan = text(&output.stdout);
    assert!(plan.contains("build native release: app"), "{plan}");
    assert!(
        plan.contains("--package app") && !plan.contains("core-library"),
        "{plan}"
    );
    assert!(!workspace.path().join("target").exists());
    let json = workspace.xtask(&["ci", "--dry-run", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["steps"].as_array().unwrap().len(), 11);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let workspace = Workspace::new();
    for arguments in [&["ci", "--dry-run"][..], &["completions", "zsh"]] {
        let mut child = workspace
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
}

#[test]
fn only_and_skip_narrow_the_steps() {
    let workspace = Workspace::new();
    let (_, report) = workspace.ci(&["--only", "fmt,build", "-p", "core-library"]);
    assert_eq!(
        report.outcomes(),
        ["fmt core-library passed", "build core-library passed"]
    );
    let (_, report) = workspace.ci(&["--only", "fmt,build", "--skip", "build"]);
    assert_eq!(
        report.outcomes(),
        ["fmt app passed", "fmt core-library passed"]
    );
}

#[test]
fn a_report_is_written_in_every_form() {
    let workspace = Workspace::new();
    let (folder, summary) = (
        workspace.path().join("report"),
        workspace.path().join("summary.md"),
    );
    let output = workspace
        .command(&["fmt", "--backend", "cargo", "--report"])
        .arg(&folder)
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let json = fs::read_to_string(folder.join("report.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["result"], "passed");
    assert!(
        fs::read_to_string(folder.join("report.html"))
            .unwrap()
            .contains("<svg")
    );
    assert!(fs::read_to_string(summary).unwrap().contains("| fmt |"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_finds_no_room_leaves_the_one_before() {
    let workspace = Workspace::new();
    workspace.write("report/report.json", "before");
    // What every write to this file fails with is what a write to a full disk fails with.
    let partial = workspace.path().join("report/report.json.partial");
    symlink("/dev/full", &partial).unwrap();
    let output = workspace.xtask(&["fmt", "--backend", "cargo", "--report", "report"]);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(
        error.contains("cannot write report/report.json: No space left on device"),
        "{error}"
    );
    assert!(text(&output.stdout).contains("passed"));
    assert_eq!(workspace.read("report/report.json"), "before");
    assert!(!partial.exists());
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let workspace = Workspace::new();
    let output = |variable: &str| {
        let output = workspace
            .command(&["fmt", "--backend", "cargo"])
            .env(variable, "1")
            .output()
            .unwrap();
        text(&output.stdout) + &text(&output.stderr)
    };
    assert!(output("CLICOLOR_FORCE").contains('\u{1b}'));
    assert!(!output("NO_COLOR").contains('\u{1b}'));
    assert!(!output("UNRELATED").contains('\u{1b}'));
}

#[test]
fn wasm_steps_are_skipped_where_the_standard_library_cannot_be_had() {
    let workspace = Workspace::new();
    workspace.edit(
        "core/Cargo.toml",
        "[package]",
        "[package.metadata.ci]\ntargets = [\"native\", \"wasm32-unknown-unknown\"]\n[package]",
    );
    // A compiler that has no library of any other target, on a machine without rustup and apt.
    let programs = programs_without(&workspace, &["rustup", "apt-cache", "apt-get", "rustc"]);
    let real = which("rustc");
    let rustc = programs.join("rustc");
    fs::write(
        &rustc,
        format!(
            "#!/bin/sh\ncase \"$*\" in\n*--print*sysroot*|*target-libdir*) echo /nowhere ;;\n*) exec {} \"$@\" ;;\nesac\n",
            real.display()
        ),
    )
    .unwrap();
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755)).unwrap();
    workspace.edit(
        "core/Cargo.toml",
        "[package]",
        "[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n[package]",
    );
    let run = |arguments: &[&str]| {
        let arguments = [
            &[
                "ci",
                "--backend",
                "cargo",
                "--only",
                "build",
                "--target",
                "wasm32-unknown-unknown",
            ],
            arguments,
        ];
        workspace
            .command(&arguments.concat())
            .env("PATH", &programs)
            .output()
            .unwrap()
    };
    let lenient = run(&[]);
    let table = text(&lenient.stdout);
    assert_eq!(
        lenient.status.code(),
        Some(0),
        "{table}{}",
        text(&lenient.stderr)
    );
    assert!(
        table.contains("skipped") && table.contains("rustup target add"),
        "{table}"
    );
    let strict = run(&["--strict"]);
    assert_eq!(strict.status.code(), Some(1));
    assert!(
        text(&strict.stdout).contains("--strict"),
        "{}",
        text(&strict.stdout)
    );
}

#[test]
fn without_the_page_no_wasm_step_is_left() {
    let workspace = Workspace::new();
    let targets =
        "[package.metadata.ci]\ntargets = [\"native\", \"wasm32-unknown-unknown\"]\n[package]";
    workspace.edit("core/Cargo.toml", "[package]", targets);
    workspace.add_member("page", "core-library = { path = \"../core\" }");
    workspace.edit(
        "page/Cargo.toml",
        "[package]",
        &targets.replace("\"native\", ", ""),
    );
    workspace.write("page/src/lib.rs", "//! Page.\n");
    workspace.edit("Cargo.toml", "\"core\", \"app\"", "\"*\"");
    workspace.edit(
        "Cargo.toml",
        "[workspace]",
        "[workspace]\nexclude = [\"target\"]",
    );
    workspace.lock();
    let plan = |workspace: &Workspace| text(&workspace.xtask(&["ci", "--dry-run"]).stdout);
    assert!(plan(&workspace).contains("clippy wasm32-unknown-unknown dev: core-library, page"));

    fs::remove_dir_all(workspace.path().join("page")).unwrap();
    assert!(
        workspace
            .cargo(&["update", "--workspace", "--offline"])
            .status
            .success()
    );
    assert!(!plan(&workspace).contains("wasm"), "{}", plan(&workspace));
    let (code, report) = workspace.ci(&["--strict"]);
    assert_eq!(code, 0, "{:?}", report.outcomes());
}

#[test]
fn a_page_is_made_of_a_library_and_not_of_an_example() {
    let workspace = Workspace::new();
    workspace.edit(
        "core/Cargo.toml",
        "[package]",
        "[package.metadata.ci]\ntargets = [\"wasm32-unknown-unknown\"]\n\n\
         [[example]]\nname = \"shown\"\ncrate-type = [\"cdylib\"]\n\n[package]",
    );
    workspace.write("core/examples/shown.rs", "//! Shown.\n");
    let plan = || text(&workspace.xtask(&["ci", "--dry-run"]).stdout);
    assert!(plan().contains("build wasm32-unknown-unknown dev: core-library"));
    assert!(!plan().contains("bindgen"), "{}", plan());

    let library = "[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n[package]";
    workspace.edit("core/Cargo.toml", "[package]", library);
    assert!(plan().contains("bindgen wasm32-unknown-unknown dev: core-library"));
}

#[test]
fn an_interrupt_ends_the_children_and_still_prints_the_table() {
    let workspace = Workspace::new();
    workspace.edit(
        "core/src/lib.rs",
        "assert_eq!(super::next(1), 2);",
        "std::fs::write(\"../sleeping\", std::process::id().to_string()).unwrap();\n        std::thread::sleep(std::time::Duration::from_secs(600));",
    );
    let mut child = workspace
        .command(&["test", "--backend", "cargo"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let marker = workspace.path().join("sleeping");
    wait_until(|| fs::read_to_string(&marker).is_ok_and(|text| !text.is_empty()));
    let test: u32 = fs::read_to_string(&marker).unwrap().parse().unwrap();
    assert!(is_running(test));

    assert!(signal("INT", child.id()));
    let mut table = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut table)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(
        table.contains("interrupted") && table.contains("doctest"),
        "{table}"
    );
    wait_until(|| !is_running(test));
}

#[test]
fn what_asks_nix_is_left_to_the_program_for_it() {
    let workspace = Workspace::new();
    workspace.write("flake.nix", "{ }");
    let programs = programs_without(&workspace, &["nix"]);
    stand_in(&programs, "nix");
    let installed = workspace.path().join("installed");
    fs::create_dir(&installed).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_xtask"), installed.join("xtask")).unwrap();
    stand_in(&installed, "xtask-nix");
    let printed = |program: &Path, cargo: Option<&Path>, arguments: &[&str]| {
        let mut command = isolated(program, workspace.path());
        command.args(arguments).env("PATH", &programs);
        match cargo {
            Some(cargo) => command.env("CARGO", cargo),
            None => command.env_remove("CARGO"),
        };
        text(&command.output().unwrap().stdout)
    };
    for arguments in [
        &["status", "--json", "--", "-L"][..],
        &["cache", "verify"],
        &["why", "default"],
        &["doctor", "--offline"],
        &["ci", "--backend", "nix"],
        &["test", "-p", "app"],
    ] {
        assert_eq!(
            printed(&installed.join("xtask"), None, arguments),
            format!("xtask-nix {}\n", arguments.join(" "))
        );
    }
    // Where cargo runs xtask, it runs the other program too, and compiles it first.
    let cargo = stand_in(&installed, "cargo");
    assert_eq!(
        printed(&installed.join("xtask"), Some(&cargo), &["status"]),
        "cargo run --quiet --locked --package xtask-nix -- status\n"
    );
}

#[test]
fn without_nix_it_is_said_why_cargo_was_taken() {
    let workspace = Workspace::new();
    let programs = programs_without(&workspace, &["nix"]);
    let run = |arguments: &[&str]| {
        let mut command = workspace.command(arguments);
        let output = command.env("PATH", &programs).output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let (code, shown) = run(&["fmt"]);
    assert!(
        code == Some(0) && shown.contains("backend cargo: there is no flake.nix"),
        "{shown}"
    );
    workspace.write("flake.nix", "{ }");
    let (code, shown) = run(&["fmt"]);
    assert!(
        code == Some(0) && shown.contains("backend cargo: nix is not on PATH"),
        "{shown}"
    );
    let (code, shown) = run(&["fmt", "--backend", "nix"]);
    assert!(
        code == Some(2) && shown.contains("https://nixos.org/download"),
        "{shown}"
    );
}

#[test]
fn completions_know_every_command() {
    let workspace = Workspace::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = workspace.xtask(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        let script = text(&output.stdout);
        for command in ["ci", "clippy", "wasm", "completions"] {
            assert!(script.contains(command), "{shell}: no {command}");
        }
    }
}

/// Whether the process was there to be sent the signal.
fn signal(name: &str, id: u32) -> bool {
    let command = format!("kill -{name} {id} 2>/dev/null");
    let status = Command::new("sh").args(["-c", &command]).status();
    status.unwrap().success()
}

fn is_running(id: u32) -> bool {
    match fs::read_to_string(format!("/proc/{id}/stat")) {
        // A zombie has ended; only its parent has not asked yet.
        Ok(status) => !status.contains(") Z "),
        // Linux alone has such files.
        Err(_) => !cfg!(target_os = "linux") && signal("0", id),
    }
}

fn wait_until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_mins(1), "waited in vain");
        thread::sleep(Duration::from_millis(50));
    }
}

/// A folder of links to all programs of `PATH` but these.
fn programs_without(workspace: &Workspace, without: &[&str]) -> PathBuf {
    let folder = workspace.path().join("programs");
    fs::create_dir(&folder).unwrap();
    for source in std::env::split_paths(&std::env::var_os("PATH").unwrap()) {
        for entry in fs::read_dir(source).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if !without.iter().any(|without| name == *without) {
                // The first one on PATH wins.
                let _ = symlink(entry.path(), folder.join(name));
            }
        }
    }
    folder
}

/// A program that prints its own name and the arguments that it was given.
fn stand_in(folder: &Path, name: &str) -> PathBuf {
    let program = folder.join(name);
    fs::write(&program, "#!/bin/sh\necho \"${0##*/}\" \"$@\"\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

fn which(program: &str) -> PathBuf {
    std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .unwrap()
}

#[test]
fn a_project_that_is_made_is_not_made_again() {
    let workspace = Workspace::new();
    let manifest = workspace.read("Cargo.toml");
    let made = "\n[workspace.metadata.template]\nname = \"acme\"\n";
    workspace.write("Cargo.toml", &(manifest + made));
    let output = workspace.xtask(&["init", "--name", "other"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "This is acme already.\n");
}
