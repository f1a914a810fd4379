//! Calling cargo from within `cargo xtask`, and reading its messages.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use crate::plan::Target;

/// `cargo SUBCOMMAND` with the cargo that runs xtask.
///
/// What that cargo set for xtask's own process is taken out: build scripts watch some of it, and
/// would run again for each change of caller.
pub fn command(subcommand: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg(subcommand);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_set_by_cargo_run) {
            command.env_remove(name);
        }
    }
    command
}

/// Whether `cargo run` sets this variable for the program that it runs.
fn is_set_by_cargo_run(name: &str) -> bool {
    const PREFIXES: [&str; 5] = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_CFG_",
        "CARGO_BIN_",
        "CARGO_FEATURE_",
    ];
    const NAMES: [&str; 3] = ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.contains(&name)
}

/// Sets a value in cargo's configuration for this command; lists add to what its files say.
pub(crate) fn configure(command: &mut Command, key: &str, value: impl Into<Value>) {
    // Strings and arrays of JSON are such of TOML too.
    command.args(["--config", &format!("{key}={}", value.into())]);
}

/// Lets cargo compile for `target` with the standard library of this sysroot.
pub(crate) fn use_sysroot(command: &mut Command, target: Target, sysroot: &Path) {
    let flag = format!("--sysroot={}", sysroot.display());
    if let Some(flags) = env::var_os("RUSTFLAGS") {
        // It makes cargo ignore its configuration; the encoded form may hold spaces.
        let flags = flags.to_string_lossy();
        let words = flags.split_whitespace().chain([&*flag]);
        command.env(
            "CARGO_ENCODED_RUSTFLAGS",
            words.collect::<Vec<_>>().join("\x1f"),
        );
    } else {
        configure(command, &format!("target.{target}.rustflags"), vec![flag]);
    }
}

/// A line of `--message-format json`.
///
/// Format: <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "reason")]
pub(crate) enum Message {
    #[serde(rename = "compiler-message")]
    Diagnostic {
        package_id: String,
        message: Diagnostic,
    },
    #[serde(rename = "compiler-artifact")]
    Artifact {
        package_id: String,
        fresh: bool,
        filenames: Vec<PathBuf>,
        executable: Option<PathBuf>,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct Diagnostic {
    pub(crate) level: String,
    pub(crate) rendered: Option<String>,
}

impl Message {
    /// The message on this line; a line may as well be the output of a test.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        line.starts_with("{\"reason\":")
            .then(|| serde_json::from_str(line).ok())
            .flatten()
    }
}

/// The name and version in a package id, such as `path+file:///x/core#gantry-core@0.1.0`.
///
/// Format: <https://doc.rust-lang.org/cargo/reference/pkgid-spec.html>.
pub(crate) fn package_name_and_version(id: &str) -> String {
    let Some((url, fragment)) = id.rsplit_once('#') else {
        return id.to_owned();
    };
    if let Some((name, version)) = fragment.rsplit_once('@') {
        format!("{name} {version}")
    } else {
        // A path whose last component is the name has only the version behind the `#`.
        let name = url.rsplit('/').next().unwrap_or(url);
        format!("{} {fragment}", name.split('?').next().unwrap_or(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_ids_of_all_sources_are_named() {
        for (id, name) in [
            ("path+file:///x/core#gantry-core@0.1.0", "gantry-core 0.1.0"),
            ("path+file:///x/xtask#0.1.0", "xtask 0.1.0"),
            (
                "registry+https://example.org/index#serde@1.0.2",
                "serde 1.0.2",
            ),
            ("git+https://example.org/a/b?rev=1#2.0.0", "b 2.0.0"),
        ] {
            assert_eq!(package_name_and_version(id), name);
        }
    }

    #[test]
    fn a_tests_own_output_is_not_a_message() {
        assert_eq!(Message::parse("test it_works ... ok"), None);
        assert_eq!(Message::parse("{\"reason\": oops"), None);
        assert_eq!(
            Message::parse(r#"{"reason":"build-finished","success":true}"#),
            Some(Message::Other)
        );
    }
}
