//! Small workspaces for `lib.mkWorkspace`, and Nix run on them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::de::DeserializeOwned;

use super::git::copy_repository;
use super::nix::{command, environment_flags, system};
use super::{Workspace, repository, text};

/// What a workspace is built, tested, linted and documented with.
pub(crate) const STEPS: &[&str] = &["checks.build", "checks.test", "checks.clippy", "checks.doc"];

/// The manifest of a package in version 0.1.0, with this behind its first table.
pub(crate) fn package(name: &str, rest: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{rest}\n")
}

/// A flake around a cargo workspace, built by this repository's `gantry/nix/workspace`.
pub(crate) struct Flake(Workspace);

impl Deref for Flake {
    type Target = Workspace;

    fn deref(&self) -> &Workspace {
        &self.0
    }
}

impl Flake {
    /// A copy of this repository, with its own outputs.
    pub(crate) fn of_repository() -> Self {
        let flake = Self(Workspace::empty("gantry-nix-"));
        copy_repository(flake.path());
        flake
    }

    /// A flake of these files. `arguments` are further arguments of `mkWorkspace`, as Nix source.
    ///
    /// Its outputs are what `mkWorkspace` gives, under `workspace`, and the checks of that.
    pub(crate) fn new(arguments: &str, files: &[(&str, impl AsRef<str>)]) -> Self {
        let flake = Self(Workspace::empty("gantry-nix-"));
        let inputs = fs::read_to_string(repository().join("flake.nix")).unwrap();
        let start = inputs.find("  inputs = {").unwrap();
        let end = inputs.find("  outputs =").unwrap();
        flake.write(
            "flake.nix",
            &format!(
                "{{\n{}  outputs = {{ nixpkgs, crane, rust-overlay, ... }}: rec {{\n    \
                 workspace.{system} = let\n      \
                 pkgs = nixpkgs.legacyPackages.{system}.extend rust-overlay.overlays.default;\n      \
                 mkWorkspace = import ./nix/workspace {{ inherit crane; inherit (nixpkgs) lib; }};\n    \
                 in mkWorkspace ({{ inherit pkgs; root = ./.; freshness = \"require\"; }} // {arguments});\n    \
                 packages.{system} = workspace.{system}.deps;\n    \
                 checks.{system} = workspace.{system}.checks;\n  }};\n}}\n",
                &inputs[start..end],
                system = system(),
            ),
        );
        let lock = repository().join("flake.lock");
        fs::copy(lock, flake.path().join("flake.lock")).unwrap();
        copy(
            &repository().join("gantry/nix/workspace"),
            &flake.path().join("nix/workspace"),
        );
        for (path, text) in files {
            flake.write(path, text.as_ref());
        }
        flake
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_dir_all(self.path().join(path)).unwrap();
    }

    /// Writes Cargo.lock, with the versions that the registry has today.
    pub(crate) fn lock(&self) {
        let output = Command::new(env!("CARGO"))
            .arg("generate-lockfile")
            .current_dir(self.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    /// The derivation path of every layer of the native and wasm32 targets, and of every check.
    pub(crate) fn derivations(&self) -> BTreeMap<String, String> {
        self.evaluate(
            "workspace",
            "workspace: let
               paths = prefix: value:
                 if value ? drvPath then { ${prefix} = value.drvPath; }
                 else if builtins.isAttrs value then
                   builtins.foldl' (all: name: all // paths \"${prefix}/${name}\" value.${name}) { }
                     (builtins.attrNames value)
                 else { };
             in paths \"layers\" workspace.layers // paths \"checks\" workspace.checks",
        )
    }

    /// The names of the checks.
    pub(crate) fn checks(&self) -> BTreeSet<String> {
        self.evaluate("checks", "builtins.attrNames")
    }

    /// What a function in Nix says of an output.
    pub(crate) fn evaluate<T: DeserializeOwned>(&self, output: &str, function: &str) -> T {
        let attribute = self.attribute(output);
        let output = nix(&["eval", "--json", &attribute, "--apply", function]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Builds outputs of `workspace`; gives the first one's path, or the log of the failure.
    pub(crate) fn build(&self, attributes: &[&str]) -> Result<PathBuf, String> {
        let attributes: Vec<_> = attributes
            .iter()
            .map(|attribute| format!("{}.{attribute}", self.attribute("workspace")))
            .collect();
        let mut arguments = vec![
            "build",
            "-L",
            "--no-link",
            "--print-out-paths",
            "--keep-going",
        ];
        arguments.extend(attributes.iter().map(String::as_str));
        let output = nix(&arguments);
        if output.status.success() {
            Ok(PathBuf::from(text(&output.stdout).lines().next().unwrap()))
        } else {
            Err(text(&output.stderr))
        }
    }

    /// Builds a member's program in a profile, runs it, and gives what it prints.
    pub(crate) fn run(&self, profile: &str, member: &str) -> String {
        let path = self
            .build(&[&format!("programs.{profile}.{member}")])
            .unwrap_or_else(|log| panic!("{log}"));
        let output = Command::new(path.join("bin").join(member))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }

    /// Builds the whole workspace with cargo alone, runs a member's program, and gives what it prints.
    pub(crate) fn run_with_cargo(&self, member: &str, environment: &[(&str, &str)]) -> String {
        let target = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO"))
            .args(["build", "--workspace", "--target-dir"])
            .arg(target.path())
            .current_dir(self.path())
            .envs(environment.iter().copied())
            .env_remove("CARGO_TARGET_DIR")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let output = Command::new(target.path().join("debug").join(member))
            .output()
            .unwrap();
        text(&output.stdout).trim().to_owned()
    }

    /// Runs the program here, with the flags that these tests are given.
    pub(crate) fn gantry(&self, arguments: &[&str]) -> Output {
        self.command(arguments)
            .env("GANTRY_NIX_FLAGS", environment_flags())
            .output()
            .unwrap()
    }

    /// This system's part of an output.
    fn attribute(&self, output: &str) -> String {
        format!("path:{}#{output}.{}", self.path().display(), system())
    }
}

fn nix(arguments: &[&str]) -> Output {
    command(arguments)
        .output()
        .expect("`nix` is needed for this test")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
