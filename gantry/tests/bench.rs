//! What `gantry bench` writes, and what it comes to where Nix cannot be used.

mod support;

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use support::nix::{self, system};
use support::{PROGRAM, Workspace, assert_exit, isolated, repository, text};

#[test]
fn an_environment_that_nothing_can_be_measured_in_is_no_failure_of_a_build() {
    let workspace = Workspace::new();
    workspace.write("flake.nix", "{ outputs = _: { }; }");
    let script = "#!/bin/sh\ncase $* in *--version) exit;; esac\necho 'no flakes' >&2\nexit 1\n";
    workspace.write("programs/nix", script);
    let programs = workspace.path().join("programs");
    fs::set_permissions(programs.join("nix"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", programs.display(), env::var("PATH").unwrap());
    let mut command = workspace.command(&["bench", "run"]);
    assert_exit(&command.env("PATH", path).output().unwrap(), 2, "no flakes");
}

/// How long Nix evaluates before it builds anything, in seconds of processor time: it says the same on a busy
/// machine.
const LIMIT: f64 = 3.0;

#[test]
#[ignore = "needs Nix"]
fn fifty_generated_members_are_evaluated_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let generated = isolated(PROGRAM, &repository())
        .args(["bench", "generate", "--members", "50"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_exit(&generated, 0, "");

    let statistics = folder.path().join("statistics.json");
    let layers = format!(
        "path:{}#packages.{}.layers.drvPath",
        folder.path().display(),
        system()
    );
    let output = nix::command(&["eval", "--raw", &layers])
        .env("NIX_SHOW_STATS", "1")
        .env("NIX_SHOW_STATS_PATH", &statistics)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let statistics: Value = serde_json::from_slice(&fs::read(statistics).unwrap()).unwrap();
    let seconds = statistics["cpuTime"].as_f64().unwrap();
    assert!(seconds < LIMIT, "{seconds} s");
    eprintln!("{seconds} s of {LIMIT}");
}
