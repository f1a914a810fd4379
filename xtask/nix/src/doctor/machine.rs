//! The machine: its toolchain and its disks.

use std::fs;
use std::path::Path;
use std::process::Command;

use toml_edit::DocumentMut;
use xtask::finding::Code;
use xtask::process;
use xtask::workspace::Workspace;

use super::examination::Examination;

/// Below this a build of the workspace, or Nix's store, may run out of space: bytes.
const LEAST_SPACE: u64 = 5 << 30;

pub(super) fn check(workspace: &Workspace, examination: &mut Examination) {
    check_toolchain(workspace, examination);
    let mut folders = vec![workspace.root.as_path()];
    if Path::new("/nix/store").exists() {
        folders.push(Path::new("/nix/store"));
    }
    let mut seen = Vec::new();
    for folder in folders {
        match free_space(folder) {
            Some((disk, bytes)) => {
                if bytes < LEAST_SPACE && !seen.contains(&disk) {
                    examination.find(
                        Code::DiskNearlyFull,
                        folder.display().to_string(),
                        format!("{} are free on its disk", xtask::report::bytes(bytes)),
                        "nix store gc, or cargo clean",
                    );
                }
                seen.push(disk);
            }
            None => examination.skip(
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
    let mut df = Command::new("df");
    df.arg("-Pk").arg(folder).env("LC_ALL", "C");
    let output = process::output(&mut df, "").ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().nth(1)?;
    // The first column, of the device, may hold spaces.
    let words: Vec<&str> = line.split_whitespace().collect();
    let percent = words.iter().position(|word| word.ends_with('%'))?;
    let kibibytes: u64 = words.get(percent.checked_sub(1)?)?.parse().ok()?;
    Some((words[percent + 1..].join(" "), kibibytes * 1024))
}

fn check_toolchain(workspace: &Workspace, examination: &mut Examination) {
    let Some(channel) = pinned(&workspace.root) else {
        return;
    };
    let Some(installed) = installed(&workspace.root) else {
        examination.skip("the toolchain", "rustc does not run");
        return;
    };
    if installed != channel {
        let cure = match std::env::var("RUSTUP_TOOLCHAIN") {
            Ok(name) if !name.starts_with(&channel) => {
                format!("unset RUSTUP_TOOLCHAIN, which is {name}")
            }
            _ => "rustup override unset, or nix develop".to_owned(),
        };
        examination.find(
            Code::ToolchainMismatch,
            "rust-toolchain.toml",
            format!("it names {channel}, and rustc here is {installed}: cargo builds with another compiler than Nix does"),
            cure,
        );
    }
}

/// The version that rust-toolchain.toml names; nothing where it names a channel that moves.
fn pinned(root: &Path) -> Option<String> {
    let text = fs::read_to_string(root.join("rust-toolchain.toml")).ok()?;
    let file: DocumentMut = text.parse().ok()?;
    let channel = file.get("toolchain")?.get("channel")?.as_str()?;
    let is_version =
        channel.split('.').count() == 3 && channel.starts_with(|c: char| c.is_ascii_digit());
    is_version.then(|| channel.to_owned())
}

/// The version of the rustc that cargo runs in this folder.
pub(super) fn installed(root: &Path) -> Option<String> {
    let mut rustc = Command::new("rustc");
    let version = process::read(rustc.arg("--version").current_dir(root)).ok()?;
    Some(version.split_whitespace().nth(1)?.to_owned())
}
