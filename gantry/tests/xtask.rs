//! The project's driver, `cargo xtask`, in small workspaces, with the real cargo.

mod support;

use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;
use std::{env, fs};

use serde_json::Value;
use support::repository;
use tempfile::TempDir;

/// The program that the repository's cargo compiles.
static XTASK: LazyLock<PathBuf> = LazyLock::new(|| {
    let build = [
        "build",
        "--locked",
        "--package=xtask",
        "--message-format=json",
    ];
    let mut build_xtask = Command::new(env!("CARGO"));
    let output = build_xtask
        .args(build)
        .current_dir(repository())
        .output()
        .unwrap();
    let messages = String::from_utf8(output.stdout).unwrap();
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter_map(|it| Some(it["executable"].as_str()?.into()));
    programs.next_back().expect("xtask does not compile")
});

const PASSING: &str = "//! Sums.\n\n#[test]\nfn adds() {\n    assert_eq!(1 + 1, 2);\n}\n";

/// A workspace of the library `sums`, which is for these targets.
fn workspace(targets: &[&str], library: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir_all(folder.path().join("sums/src")).unwrap();
    let package = "[package]\nname = \"sums\"\nedition = \"2024\"\n";
    let targets = format!("[package.metadata.ci]\ntargets = {targets:?}\n");
    for (file, text) in [
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"sums\"]\nresolver = \"3\"\n",
        ),
        (
            "Cargo.lock",
            "[[package]]\nname = \"sums\"\nversion = \"0.0.0\"\n",
        ),
        ("sums/Cargo.toml", &[package, &targets].concat()),
        ("sums/src/lib.rs", library),
    ] {
        fs::write(folder.path().join(file), text).unwrap();
    }
    folder
}

/// A command without what the run of these tests is configured with.
fn xtask(folder: &TempDir, arguments: &str) -> Command {
    let mut command = Command::new(&*XTASK);
    let prefixes = [
        "CARGO_",
        "NEXTEST",
        "GITHUB_",
        "GANTRY_",
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
    ];
    for (name, _) in env::vars().filter(|(name, _)| name != "CARGO_HOME") {
        if prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
        .current_dir(folder)
        .args(arguments.split_whitespace());
    command
}

/// The exit code, and what was printed on both streams.
fn run(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), text)
}

/// The names of the steps, each with what became of it.
fn steps(command: &mut Command) -> Vec<String> {
    let output = command.args(["--json", "-"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let steps = report["steps"].as_array().unwrap().iter();
    steps
        .map(|it| format!("{} {}", it["names"][0], it["outcome"]).replace('"', ""))
        .collect()
}

#[test]
fn a_run_ends_with_a_table_that_is_the_summary_too() {
    let folder = workspace(&["native"], PASSING);
    let file = folder.path().join("summary");
    let (code, text) = run(xtask(&folder, "ci").env("GITHUB_STEP_SUMMARY", &file));
    let summary = fs::read_to_string(file).unwrap();
    assert!(
        code == 0 && text.starts_with(&summary[..summary.len() - 1]),
        "{text}"
    );
    assert!(
        summary.contains(" s | passed      | test native sums |"),
        "{summary}"
    );
}

#[test]
fn a_failed_command_is_repeated() {
    let folder = workspace(&["native"], "//! Sums.\n\nfn unused() {}\n");
    let (code, text) = run(&mut xtask(&folder, "ci"));
    let repeated = "failed: clippy-sums\n  $ cargo clippy --all-targets --locked";
    assert!(code == 1 && text.contains(repeated), "{text}");
    let going_on = steps(&mut xtask(&folder, "ci --keep-going --only clippy,build"));
    assert_eq!(going_on, ["clippy-sums failed", "build-sums passed"]);
}

#[test]
fn what_the_machine_lacks_is_skipped_unless_that_is_forbidden() {
    let folder = workspace(&["mips-unknown-linux-gnu"], PASSING);
    let (code, text) = run(&mut xtask(&folder, "build"));
    let mend = "is missing: run `rustup target add mips-unknown-linux-gnu`";
    assert!(code == 0 && text.contains(mend), "{text}");
    assert_eq!(run(&mut xtask(&folder, "build --strict")).0, 1);
}

#[test]
fn tests_of_another_target_run_where_cargo_knows_a_runner() {
    let version = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap();
    let folder = workspace(&["native", host], PASSING);
    let variable = host.to_uppercase().replace('-', "_");
    let mut test = xtask(&folder, &format!("test --target {host}"));
    assert_eq!(run(&mut test).0, 2, "there is nothing to do");
    test.env(format!("CARGO_TARGET_{variable}_RUNNER"), "env");
    assert_eq!(steps(&mut test), [format!("test-sums-{host} passed")]);
}

#[test]
fn an_interrupt_leaves_no_process() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connect = format!("let _open = std::net::TcpStream::connect(\"{address}\");");
    let sleep = "std::thread::sleep(std::time::Duration::from_secs(3600));";
    let hanging = PASSING.replace("assert_eq!(1 + 1, 2);", &(connect + sleep));
    let folder = workspace(&["native"], &hanging);
    for signal in ["INT", "TERM"] {
        let mut run = xtask(&folder, "test").spawn().unwrap();
        let (mut test, _) = listener.accept().unwrap();
        let kill = format!("kill -s {signal} {}", run.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(run.wait().unwrap().code(), Some(130));
        // The end of the process is the end of its connection.
        test.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        assert_eq!(test.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn a_dry_run_lists_the_steps_and_runs_none() {
    let folder = workspace(&["native"], PASSING);
    let (code, text) = run(&mut xtask(&folder, "ci --dry-run --skip fmt,test"));
    let names: Vec<_> = text
        .lines()
        .filter_map(|it| it.split_once("  cargo "))
        .collect();
    let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["clippy-sums", "build-sums", "doctest-sums"],
        "{text}"
    );
    assert!(code == 0 && !folder.path().join("target").exists());
}

#[test]
fn mistyped_names_are_wrong_usage() {
    let folder = workspace(&["native"], PASSING);
    let (code, text) = run(&mut xtask(&folder, "ci -p smus"));
    assert!(code == 2 && text.contains("there are [\"sums\"]"), "{text}");
    assert_eq!(run(&mut xtask(&folder, "ci --only clipy")).0, 2);
}

#[test]
fn a_broken_link_is_found() {
    let folder = workspace(&["native"], PASSING);
    let readme = folder.path().join("README.md");
    fs::write(
        &readme,
        "[a](sums/src/lib.rs#b) [c](https://example.org) [d](#d)",
    )
    .unwrap();
    assert_eq!(run(&mut xtask(&folder, "links")).0, 0);
    fs::write(&readme, "[a](sums)\n[b](gone.md)\n").unwrap();
    let (code, text) = run(&mut xtask(&folder, "links"));
    assert!(code == 1 && text.contains(" --> ./README.md:2"), "{text}");
}

#[test]
fn the_engine_takes_over_where_nix_is() {
    let folder = workspace(&["native"], PASSING);
    assert_eq!(run(&mut xtask(&folder, "status")).0, 2);
    let nix = folder.path().join("nix");
    fs::write(&nix, "#!/bin/sh\nprintf '<%s>' \"$@\"\nexit 7\n").unwrap();
    fs::set_permissions(&nix, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(folder.path().join("flake.nix"), "").unwrap();
    let path = format!("{}:{}", folder.path().display(), env::var("PATH").unwrap());
    for (arguments, words) in [
        ("status --json", "<status><--json>"),
        (
            "ci --report out -- --cores 1",
            "<ci><--report><out><--><--cores><1>",
        ),
        ("fmt --backend nix -p a", "<fmt><--backend><nix><-p><a>"),
    ] {
        let mut command = xtask(&folder, arguments);
        command
            .env("PATH", &path)
            .env("GANTRY_NIX_FLAGS", "--offline -L");
        let all = format!("<run><--offline><-L><.#gantry><-->{words}");
        assert_eq!(run(&mut command), (7, all));
    }
    assert_eq!(
        run(xtask(&folder, "fmt --backend=cargo").env("PATH", &path)).0,
        0
    );
}
