//! `gantry doctor` on workspaces that are each broken in one way; without Nix.

mod support;

use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::git::git;
use support::nix::{SETTINGS, WITHOUT_FLAKES};
use support::{Workspace, assert_exit, text};

const KEY: &str = "acme.cachix.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=";
const FLAKE: &str = "\
{
  nixConfig = {
    extra-substituters = [ \"https://acme.cachix.org\" ];
    extra-trusted-public-keys = [ \"acme.cachix.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=\" ];
  };
  outputs = { self }: { };
}
";
const WORKFLOW: &str = "\
on:
  push:
    branches: [main]
  pull_request:

jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
      - uses: cachix/install-nix-action@630ae543ea3a38a9a4166f03376c02c50f408342
        with:
          extra_nix_config: |
            extra-substituters = https://acme.cachix.org
            extra-trusted-public-keys = acme.cachix.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=
      - uses: cachix/cachix-action@5f2d7c5294214f71b873db4b969586b980625e71
        with:
          name: acme
          authToken: ${{ github.event_name == 'push' && secrets.CACHIX_AUTH_TOKEN || '' }}
      - run: cargo xtask ci --strict
";

/// A workspace with a cache, a flake and a workflow, in which nothing is wrong.
fn sound() -> Workspace {
    let workspace = Workspace::new();
    let manifest = workspace.read("Cargo.toml");
    let cache = format!("\n[workspace.metadata.cache]\nname = \"acme\"\npublic-key = \"{KEY}\"\n");
    workspace.write("Cargo.toml", &(manifest + &cache));
    workspace.write("flake.nix", FLAKE);
    workspace.write(".github/workflows/ci.yml", WORKFLOW);
    workspace.write(".gitignore", "/target\n/programs\n");
    git(workspace.path(), &["init", "--quiet"]);
    git(workspace.path(), &["add", "--all"]);
    workspace
}

/// A command where there is no Nix; `df` says that this many KiB are free.
fn doctor_command(workspace: &Workspace, free: u64, arguments: &[&str]) -> Command {
    // All programs but Nix's own.
    let programs = workspace.path().join("programs");
    fs::create_dir_all(&programs).unwrap();
    for name in ["cargo", "git", "rustc", "sh"] {
        let found = env::split_paths(&env::var_os("PATH").unwrap())
            .map(|folder| folder.join(name))
            .find(|path| path.exists());
        // rustup's own programs go by the name that they are called by.
        let target = found.unwrap();
        if !programs.join(name).exists() {
            symlink(target, programs.join(name)).unwrap();
        }
    }
    let df = format!(
        "#!/bin/sh\nprintf 'Filesystem 1024-blocks Used Available Capacity Mounted on\\n/dev/a b 9 9 {free} 9%% /\\n'\n"
    );
    write_program(&programs.join("df"), &df);
    let mut command = workspace.command(&[&["doctor", "--offline", "--json"], arguments].concat());
    command
        .env("PATH", &programs)
        .env_remove("RUSTUP_TOOLCHAIN");
    command
}

/// The exit code and the report of that.
fn doctor_with(workspace: &Workspace, free: u64, arguments: &[&str]) -> (i32, Value) {
    let mut command = doctor_command(workspace, free, arguments);
    let output = command.output().unwrap();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    (output.status.code().unwrap(), report)
}

fn write_program(path: &Path, script: &str) {
    fs::write(path, script).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn doctor(workspace: &Workspace) -> (i32, Value) {
    doctor_with(workspace, 1 << 30, &[])
}

fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let workspace = sound();
    let (code, report) = doctor(&workspace);
    assert_eq!((code, codes(&report)), (0, vec![]), "{report:#}");
    let unchecked = report["unchecked"].as_array().unwrap();
    assert_eq!(unchecked.len(), 1, "{report:#}");
    let reason = unchecked[0]["why"].as_str().unwrap();
    assert!(reason.contains("Nix does not run here"), "{reason}");
}

#[test]
fn what_needs_cargo_is_left_out_where_there_is_none() {
    let workspace = sound();
    let mut command = doctor_command(&workspace, 1 << 30, &[]);
    fs::remove_file(workspace.path().join("programs/cargo")).unwrap();
    let output = command.output().unwrap();
    assert_exit(&output, 0, "cargo does not run");
}

#[test]
fn each_way_of_being_broken_is_found() {
    type Break = fn(&Workspace);
    let ways: [(&str, Break); 16] = [
        ("cache-malformed", |workspace| {
            workspace.edit("Cargo.toml", "name = \"acme\"\n", "");
            workspace.write("flake.nix", "{ outputs = { self }: { }; }\n");
            fs::remove_dir_all(workspace.path().join(".github")).unwrap();
        }),
        ("cache-undeclared", |workspace| {
            let manifest = workspace.read("Cargo.toml");
            workspace.write(
                "Cargo.toml",
                manifest.split("\n[workspace.metadata").next().unwrap(),
            );
        }),
        ("cache-not-in-flake", |workspace| {
            workspace.edit("flake.nix", "https://acme", "https://other");
        }),
        ("cache-not-in-flake", |workspace| {
            workspace.write("flake.nix", "{ outputs = { self }: { }; }\n");
        }),
        ("cache-not-in-workflow", |workspace| {
            workspace.edit(".github/workflows/ci.yml", "https://acme", "https://other");
            workspace.edit(".github/workflows/ci.yml", "name: acme", "name: other");
        }),
        ("cache-not-in-workflow", |workspace| {
            workspace.edit(
                ".github/workflows/ci.yml",
                "acme.cachix.org-1:6NCH",
                "acme.cachix.org-1:7NCH",
            );
        }),
        ("key-malformed", |workspace| {
            for file in ["Cargo.toml", "flake.nix", ".github/workflows/ci.yml"] {
                workspace.edit(file, "DShjY=", "DShj");
            }
        }),
        ("key-of-another-cache", |workspace| {
            for file in ["Cargo.toml", "flake.nix", ".github/workflows/ci.yml"] {
                workspace.edit(file, "acme.cachix.org-1", "other.cachix.org-1");
            }
        }),
        ("workflow-unreadable", |workspace| {
            workspace.write(".github/workflows/more.yml", "on: [push\n");
            git(workspace.path(), &["add", "--all"]);
        }),
        ("cachix-after-build", |workspace| {
            let at = "      - uses: cachix/cachix-action";
            workspace.edit(
                ".github/workflows/ci.yml",
                at,
                &format!("      - run: nix build\n{at}"),
            );
        }),
        ("token-missing", |workspace| {
            workspace.edit(".github/workflows/ci.yml", "authToken", "unknown");
        }),
        ("token-in-pull-requests", |workspace| {
            workspace.edit(
                ".github/workflows/ci.yml",
                "github.event_name == 'push' && secrets.CACHIX_AUTH_TOKEN || ''",
                "secrets.TOKEN",
            );
        }),
        ("lock-untracked", |workspace| {
            git(
                workspace.path(),
                &["rm", "--quiet", "--cached", "Cargo.lock"],
            );
        }),
        ("lock-outdated", |workspace| {
            workspace.edit("core/Cargo.toml", "0.1.0", "0.2.0");
        }),
        ("member-untracked", |workspace| {
            git(
                workspace.path(),
                &["rm", "--quiet", "-r", "--cached", "app"],
            );
        }),
        ("file-untracked", |workspace| {
            workspace.write("app/src/more.rs", "");
        }),
    ];
    for (code, break_it) in ways {
        let workspace = sound();
        break_it(&workspace);
        let (exit, report) = doctor(&workspace);
        assert_eq!((exit, codes(&report)), (1, vec![code]), "{report:#}");
        let finding = &report["findings"][0];
        for key in ["severity", "place", "problem", "fix"] {
            assert!(!finding[key].as_str().unwrap().is_empty(), "{finding:#}");
        }
    }
}

#[test]
fn a_hook_of_another_repository_leads_nowhere_else() {
    let (workspace, other) = (sound(), Workspace::new());
    git(other.path(), &["init", "--quiet"]);
    let mut command = doctor_command(&workspace, 1 << 30, &[]);
    let output = command
        .env("GIT_DIR", other.path().join(".git"))
        .env("GIT_WORK_TREE", other.path())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(codes(&report), [""; 0], "{report:#}");
}

#[test]
fn the_machine_is_looked_at() {
    let workspace = sound();
    let (_, report) = doctor_with(&workspace, 1 << 20, &[]);
    assert_eq!(codes(&report), ["disk-nearly-full"]);
    assert!(
        report["findings"][0]["problem"]
            .as_str()
            .unwrap()
            .contains("1.1 GB"),
        "{report:#}"
    );

    workspace.write("rust-toolchain.toml", "[toolchain]\nchannel = \"1.0.1\"\n");
    let rustc = workspace.path().join("programs/rustc");
    let real = fs::read_link(&rustc).unwrap();
    fs::remove_file(&rustc).unwrap();
    let script = format!(
        "#!/bin/sh\ncase $1 in --version) echo 'rustc 1.0.2 (abc 2015-01-01)';; *) exec {} \"$@\";; esac\n",
        real.display()
    );
    write_program(&rustc, &script);
    let (_, report) = doctor(&workspace);
    assert_eq!(codes(&report), ["toolchain-mismatch"], "{report:#}");
}

#[test]
fn an_old_nix_and_one_without_flakes_are_found() {
    for (script, code) in [
        ("echo 'nix (Nix) 2.18.1'", "nix-too-old"),
        (
            "case $1 in --version) echo 'nix (Nix) 2.34.0';; *) echo \"error: experimental Nix feature 'nix-command' is disabled\" >&2; exit 1;; esac",
            "flakes-off",
        ),
        (WITHOUT_FLAKES, "flakes-off"),
    ] {
        let workspace = sound();
        fs::create_dir(workspace.path().join("programs")).unwrap();
        workspace.write("programs/settings", SETTINGS);
        write_program(
            &workspace.path().join("programs/nix"),
            &format!("#!/bin/sh\n{script}\n"),
        );
        let (exit, report) = doctor(&workspace);
        assert_eq!((exit, codes(&report)), (1, vec![code]), "{report:#}");
    }
}

#[test]
fn what_is_said_is_for_people_too() {
    let workspace = sound();
    workspace.edit(".github/workflows/ci.yml", "authToken", "unknown");
    let output = workspace.gantry(&["doctor", "--offline"]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(
        shown.contains(".github/workflows/ci.yml, job `build` [token-missing]"),
        "{shown}"
    );
    assert!(
        shown.contains("fix: add to its `with`: authToken:"),
        "{shown}"
    );
}

#[test]
fn without_a_workspace_it_cannot_run() {
    let workspace = Workspace::new();
    assert_exit(&workspace.gantry(&["doctor"]), 2, "there is no flake.nix");
    workspace.write("flake.nix", FLAKE);
    workspace.write("Cargo.toml", "[workspace\n");
    assert_exit(&workspace.gantry(&["doctor"]), 2, "Cargo.toml: ");
}

#[test]
fn every_code_is_in_the_document_and_no_other() {
    let output = Workspace::new().gantry(&["doctor", "--help"]);
    let help = text(&output.stdout);
    let (_, codes) = help.split_once("says more:\n").unwrap();
    let codes = codes.split("\n\n").next().unwrap().lines();
    let mut codes: Vec<_> = codes.map(str::trim).collect();
    let mut documented: Vec<_> = include_str!("../docs/troubleshooting.md")
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    codes.sort_unstable();
    documented.sort_unstable();
    assert!(codes.len() > 20);
    assert_eq!(codes, documented);
}
