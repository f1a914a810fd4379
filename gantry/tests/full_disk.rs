//! A disk on which a build runs out of space: a small one, made for the test.
//!
//! `cargo test --test full_disk -- --ignored`, as root, who may mount disks.

mod support;

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use support::checks::{SOUND, flake};
use support::installation::Installation;
use support::{Report, Workspace, assert_exit, skip, text};
use tempfile::TempDir;

const SIZE: u64 = 64 << 20;

/// A disk in memory; it goes with the value.
struct Disk(TempDir);

impl Disk {
    /// None where this user may not mount one.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={SIZE}"), "tmpfs"])
            .arg(folder.path())
            .output();
        let is_mounted = mounted.is_ok_and(|output| output.status.success());
        is_mounted.then(|| Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes up this much of it, in bytes, or with less all that is left.
    fn fill(&self, bytes: u64) {
        let mut file = File::create(self.path().join("ballast")).unwrap();
        let _ = std::io::copy(
            &mut std::io::Read::take(std::io::repeat(0), bytes),
            &mut file,
        );
    }

    fn free(&self) {
        fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.path())
            .status();
    }
}

#[test]
#[ignore = "needs Nix"]
fn a_full_disk_fails_the_step_that_needs_it_until_there_is_space() {
    let Some(disk) = Disk::mount() else {
        return skip("a full disk: this user may not mount one");
    };
    let workspace = Workspace::new();
    let installation = Installation::new(disk.path());
    // 32 MiB, by what any shell has.
    let writes = "line=0123456789abcdef; while [ ''${#line} -lt 1048576 ]; do line=$line$line; done; \
                  for part in 1 2 3 4 5 6 7 8; do for piece in 1 2 3 4; do printf %s \"$line\" || exit 1; done; done > $out";
    flake(
        &workspace,
        &[
            // Built first, while there is space.
            ("doc-app", "", "echo documented > $out"),
            ("build-app", "doc-app", writes),
            ("test-app", "build-app", "echo tested > $out"),
        ],
    );
    let ci = |arguments: &[&str]| {
        let mut command = workspace.command(&[&["ci"], arguments].concat());
        installation.enter(&mut command).output().unwrap()
    };

    disk.fill(SIZE * 3 / 4);
    let output = ci(&["--json", "-"]);
    assert_exit(&output, 1, "is full: `nix store gc`");
    assert_eq!(
        Report::of(&output).outcomes(),
        ["build-app failed", "test-app blocked", "doc-app built"]
    );
    assert_exit(&ci(&[]), 1, "lack of free disk space");

    disk.free();
    let output = ci(&["--json", "-"]);
    assert_exit(&output, 0, "");
    assert_eq!(
        Report::of(&output).outcomes(),
        ["build-app built", "test-app built", "doc-app cached"]
    );
}

#[test]
#[ignore = "needs Nix"]
fn a_disk_without_space_for_a_derivation_is_an_error_of_the_environment() {
    let Some(disk) = Disk::mount() else {
        return skip("a full disk: this user may not mount one");
    };
    let workspace = Workspace::new();
    let installation = Installation::new(disk.path());
    flake(&workspace, &SOUND);
    let ci = || {
        let mut command = workspace.command(&["ci", "--only", "doc"]);
        installation.enter(&mut command).output().unwrap()
    };
    disk.fill(SIZE);
    let output = ci();
    let shown = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    // The system's words, or the database's.
    let words = ["No space left on device", "database or disk is full"];
    assert!(words.iter().any(|words| shown.contains(words)), "{shown}");
    disk.free();
    assert_eq!(ci().status.code(), Some(0));
}
