//! The machine: its toolchain and its disks.

use std::path::Path;

use serde_json::Value;
use xshell::{Shell, cmd};

use super::code::Code;
use super::report::Report;
use crate::workspace::Workspace;
use crate::{process, toml, units};

/// Below this a build of the workspace, or Nix's store, may run out of space: bytes.
const LEAST_SPACE: u64 = 5 << 30;

pub(super) fn check(workspace: &Workspace, report: &mut Report) {
    check_toolchain(workspace, report);
    let mut folders = vec![workspace.root.as_path()];
    if Path::new("/nix/store").exists() {
        folders.push(Path::new("/nix/store"));
    }
    let mut seen = Vec::new();
    for folder in folders {
        match free_space(folder) {
            Some((disk, bytes)) => {
                if bytes < LEAST_SPACE && !seen.contains(&disk) {
                    report.find(
                        Code::DiskNearlyFull,
                        folder.display().to_string(),
                        format!("{} are free on its disk", units::bytes(bytes)),
                        "nix store gc, or cargo clean",
                    );
                }
                seen.push(disk);
            }
            None => report.skip(
                format!("the free space of {}", folder.display()),
                "`df` does not say",
            ),
        }
    }
}

/// The disk that a folder is on, and its free bytes.
///
/// Format: <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/df.html>.
fn free_space(folder: &Path) -> Option<(String, u64)> {
    let shell = Shell::new().ok()?;
    let df = cmd!(shell, "df -Pk {folder}").env("LC_ALL", "C");
    let text = process::read(df).ok()?;
    let line = text.lines().nth(1)?;
    // The first column, of the device, may hold spaces.
    let words: Vec<&str> = line.split_whitespace().collect();
    let percent = words.iter().position(|word| word.ends_with('%'))?;
    let kibibytes: u64 = words.get(percent.checked_sub(1)?)?.parse().ok()?;
    Some((words[percent + 1..].join(" "), kibibytes * 1024))
}

fn check_toolchain(workspace: &Workspace, report: &mut Report) {
    let Some(channel) = pinned(&workspace.root) else {
        return;
    };
    let Some(installed) = installed(&workspace.root) else {
        report.skip("the toolchain", "rustc does not run");
        return;
    };
    if installed != channel {
        let fix = match std::env::var("RUSTUP_TOOLCHAIN") {
            Ok(name) if !name.starts_with(&channel) => {
                format!("unset RUSTUP_TOOLCHAIN, which is {name}")
            }
            _ => "rustup override unset, or nix develop".to_owned(),
        };
        report.find(
            Code::ToolchainMismatch,
            "rust-toolchain.toml",
            format!("it names {channel}, and rustc here is {installed}: cargo builds with another compiler than Nix does"),
            fix,
        );
    }
}

/// The version that rust-toolchain.toml names; nothing where it names a channel that moves.
fn pinned(root: &Path) -> Option<String> {
    let file = toml::read(&root.join("rust-toolchain.toml")).ok()?;
    let channel = file.pointer("/toolchain/channel").and_then(Value::as_str)?;
    let is_version =
        channel.split('.').count() == 3 && channel.starts_with(|c: char| c.is_ascii_digit());
    is_version.then(|| channel.to_owned())
}

/// The version of the rustc that cargo runs in this folder.
pub(super) fn installed(root: &Path) -> Option<String> {
    let shell = process::shell(root).ok()?;
    let version = process::read(cmd!(shell, "rustc --version")).ok()?;
    Some(version.split_whitespace().nth(1)?.to_owned())
}
