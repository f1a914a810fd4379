//! A copy of the repository, to run the commands in that workflows and documents show.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::{env, fs};

use tempfile::TempDir;

use super::git::{self, copy_repository};
use super::text;

/// A copy of the repository.
pub(crate) struct Runner {
    folder: TempDir,
    /// The secret key of the cache.
    pub(crate) key: String,
}

impl Runner {
    pub(crate) fn new() -> Self {
        let runner = Self {
            folder: tempfile::tempdir().unwrap(),
            key: String::new(),
        };
        copy_repository(&runner.checkout());
        fs::create_dir(runner.path("temp")).unwrap();
        // `GANTRY_NIX_FLAGS` may replace inputs of the flake; gantry heeds it by itself.
        runner.write_program(
            "bin/nix",
            "case $1 in\n\
             flake) words=\"$1 $2\"; shift 2 ;;\n\
             build | develop | eval | run) words=$1; shift ;;\n\
             *) exec env PATH=\"$REAL_PATH\" nix \"$@\" ;;\n\
             esac\n\
             PATH=$REAL_PATH exec nix $words $GANTRY_NIX_FLAGS \"$@\"",
        );
        runner
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn checkout(&self) -> PathBuf {
        self.path("checkout")
    }

    /// Puts a script in a folder, such as `bin`, which commands look through first.
    pub(crate) fn write_program(&self, name: &str, script: &str) {
        let file = self.path(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, format!("#!/bin/sh\nset -eu\n{script}\n")).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn bash(&self, script: &str) -> Command {
        let path = env::var("PATH").unwrap();
        let path = format!("{}:{path}", self.path("absent").display());
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .current_dir(self.checkout())
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("REAL_PATH", path)
            .env("XDG_CACHE_HOME", self.path("cache-home"))
            .env("RUNNER_TEMP", self.path("temp"));
        // What cargo tells the programs that it runs is not there.
        for (name, _) in env::vars().filter(|(name, _)| name.starts_with("CARGO")) {
            command.env_remove(name);
        }
        command
    }

    /// What a command of its own prints.
    pub(crate) fn print(&self, script: &str) -> String {
        let output = self.bash(script).output().unwrap();
        assert!(output.status.success(), "{script}: {}", printed(&output));
        text(&output.stdout).trim().to_owned()
    }

    /// Names a cache in the two files that do, a folder with a key of its own.
    pub(crate) fn configure(&mut self) {
        self.key = self.print("nix key generate-secret --key-name test-1");
        fs::write(self.path("key"), &self.key).unwrap();
        let public = self.print("nix key convert-secret-to-public <../key");
        // Compressing what is deleted at the end would take most of the time.
        let url = format!("file://{}?compression=none", self.path("cache").display());
        let append = |file: &str, from: &str, to: &str| {
            let file = self.checkout().join(file);
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(from), "{}", file.display());
            fs::write(file, text.replacen(from, to, 1)).unwrap();
        };
        append(
            "Cargo.toml",
            "\n[workspace.lints.rust]",
            &format!(
                "\n[workspace.metadata.cache]\nurl = \"{url}\"\npublic-key = \"{public}\"\n\n[workspace.lints.rust]"
            ),
        );
        append(
            "flake.nix",
            "\n  inputs = {",
            &format!(
                "\n  nixConfig = {{\n    extra-substituters = [ \"{url}\" ];\n    extra-trusted-public-keys = [ \"{public}\" ];\n  }};\n\n  inputs = {{"
            ),
        );
    }

    /// Takes Rust away: runners of some systems have none.
    pub(crate) fn remove_rust(&self) {
        for name in ["absent/cargo", "absent/rustc"] {
            self.write_program(name, "echo \"there is no $0\" >&2; exit 127");
        }
    }

    /// Commits everything.
    pub(crate) fn commit(&self) {
        git::commit(&self.checkout(), "Begin");
    }
}

/// All that a program printed.
pub(crate) fn printed(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}
