//! What the program comes to, with stand-ins for the programs that it runs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A cargo that compiles nothing and says what took how long.
const CARGO: &str = r#"
[ "$1" = fetch ] && exit
while [ "$1" != --target-dir ]; do shift; done
mkdir "$2/cargo-timings"
echo 'const UNIT_DATA = [{"name": "one", "duration": 1.0}];' >"$2/cargo-timings/cargo-timing.html"
"#;

/// `cargo xtask bench` with these arguments, for which the script `script` is the program `name`.
fn bench(name: &str, script: &str, arguments: &[&str]) -> (TempDir, Command) {
    let folder = tempfile::tempdir().unwrap();
    let stand_in = folder.path().join(name);
    fs::write(&stand_in, format!("#!/bin/sh\n{script}")).unwrap();
    fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new(program());
    command
        .args(arguments)
        .env("CARGO", &stand_in)
        .env("PATH", format!("{}:{path}", folder.path().display()));
    (folder, command)
}

/// The program under test. Not by cargo's variable: where a shell script stands in for rustc, it drops
/// variables with a hyphen in their names.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    folder.join("xtask-bench")
}

fn assert_exit(output: &Output, code: i32, message: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(
        error.starts_with("error: ") && error.contains(message),
        "{error}"
    );
}

#[test]
fn what_is_measured_and_fails_is_a_failure() {
    let fails = "[ \"$1\" = fetch ] && exit\necho broken >&2\nexit 101\n";
    let (_folder, mut command) = bench("cargo", fails, &["compile"]);
    assert_exit(&command.output().unwrap(), 1, "broken");
}

#[test]
fn an_environment_that_nothing_can_be_measured_in_is_no_failure_of_a_build() {
    let fails = "echo offline >&2\nexit 101\n";
    let (_folder, mut command) = bench("cargo", fails, &["compile"]);
    assert_exit(&command.output().unwrap(), 2, "offline");

    let fails = "[ \"$3\" = --version ] && exit\necho 'no flakes' >&2\nexit 1\n";
    let (_folder, mut command) = bench("nix", fails, &["run"]);
    assert_exit(&command.output().unwrap(), 2, "no flakes");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let (_folder, mut command) = bench("cargo", CARGO, &["compile", "--repeat", "1"]);
    let output = command.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("| one | 100 % |"), "{printed}");

    let (_folder, mut command) = bench("cargo", CARGO, &["compile", "--repeat", "1"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
