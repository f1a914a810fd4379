//! Calls of Nix that are not the program's.
//!
//! `GANTRY_NIX_FLAGS` holds more flags for calls about flakes with inputs, separated by white space.

use std::env;
use std::process::Command;

use super::{Workspace, text};

/// What Nix says of its settings, for scripts that stand in for it.
pub(crate) const SETTINGS: &str = r#"{
  "require-sigs": { "value": true },
  "sandbox": { "value": true },
  "store": { "value": "auto" },
  "substitute": { "value": true },
  "substituters": { "value": [] },
  "system": { "value": "a-system" },
  "trusted-public-keys": { "value": [] },
  "trusted-substituters": { "value": [] }
}
"#;

/// A script in the place of Nix where commands are on and flakes are off; it reads the file `programs/settings`.
pub(crate) const WITHOUT_FLAKES: &str = r#"case $1 in
  --version) echo 'nix (Nix) 2.34.0' ;;
  config) while read -r line; do echo "$line"; done <programs/settings ;;
  *) echo "error: experimental Nix feature 'flakes' is disabled" >&2; exit 1 ;;
esac"#;

/// A call of Nix with the flags of the environment.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new("nix");
    command
        .args(["--extra-experimental-features", "nix-command flakes"])
        .args(arguments)
        .args(environment_flags().split_whitespace());
    command
}

pub(crate) fn environment_flags() -> String {
    env::var("GANTRY_NIX_FLAGS").unwrap_or_default()
}

/// Standard output of a command of Nix that passes; it runs in the workspace, as it is.
pub(crate) fn nix(workspace: &Workspace, arguments: &[&str]) -> String {
    let output = Command::new("nix")
        .args(arguments)
        .current_dir(workspace.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "nix {arguments:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout).trim().to_owned()
}

/// Takes these paths out of the store.
pub(crate) fn delete(workspace: &Workspace, paths: &[String]) {
    let paths = paths.iter().map(String::as_str);
    let arguments: Vec<&str> = ["store", "delete"].into_iter().chain(paths).collect();
    nix(workspace, &arguments);
}

/// This machine, as Nix calls it.
pub(crate) fn system() -> String {
    let system = match env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    format!("{}-{system}", env::consts::ARCH)
}
