//! The engine, gantry, takes over its own commands, and the steps where Nix runs them.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use xshell::{Shell, cmd};

use crate::process::without_cargo_variables;

/// What xtask always does itself, and what it does where there is no Nix.
const OWN: [&str; 4] = ["wasm", "links", "completions", "help"];
const STEPS: [&str; 6] = ["ci", "fmt", "clippy", "build", "test", "doc"];

/// Becomes the engine where what was typed is for it, and returns otherwise. The words are not
/// parsed, for the engine understands more of them.
pub(crate) fn take_over(words: &[String]) -> Result<()> {
    let Some(name) = words.first().map(String::as_str) else {
        return Ok(());
    };
    let is_step = STEPS.contains(&name);
    let asks_for = |backend| words.join(" ").replace('=', " ").contains(backend);
    if name.starts_with('-') || OWN.contains(&name) || asks_for("--backend cargo") {
        return Ok(());
    }
    let sh = Shell::new()?;
    let locate = cmd!(sh, "cargo locate-project --workspace --message-format=plain");
    let root = Path::new(&locate.read()?).with_file_name("");
    let engine = root.join("gantry/Cargo.toml");
    let command = if root.join("flake.nix").exists() && find_program("nix").is_some() {
        let flags = env::var("GANTRY_NIX_FLAGS").unwrap_or_default();
        let flags = flags.split_whitespace();
        cmd!(sh, "nix run {flags...} .#gantry -- {words...}")
    } else if !is_step && engine.exists() {
        cmd!(sh, "cargo run -q --locked --manifest-path {engine} -- {words...}")
    } else if !is_step || asks_for("--backend nix") {
        bail!("`{name}` needs a flake.nix, and Nix: install it from https://nixos.org/download");
    } else {
        return Ok(());
    };
    let failed = format!("cannot run `{command}`");
    Err(without_cargo_variables(command).exec()).context(failed)
}

/// The file that `PATH` names this program by.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut files = env::split_paths(&path).map(|folder| folder.join(name));
    files.find(|file| file.is_file())
}
