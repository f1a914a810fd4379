//! Programs for people without Nix, built by real Nix and released: `release-targets` of a manifest.
//!
//! Run with `cargo test --test without_nix -- --ignored` where Nix is installed. What needs the standard library
//! of musl says `SKIPPED` where Rust has none.

mod support;

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::git::{commit, copy_repository, git};
use support::layers::{Flake, package};
use support::nix::{command, system};
use support::{Workspace, assert_exit, repository, skip, text};

const SKIPPED: &str = "programs for musl: this Rust has no standard library for it";

fn musl() -> String {
    format!("{ARCH}-unknown-linux-musl")
}

fn has_standard_library(triple: &str) -> bool {
    let mut rustc = Command::new("rustc");
    let rustc = rustc.args(["--print", "target-libdir", "--target", triple]);
    Path::new(text(&rustc.output().unwrap().stdout).trim()).exists()
}

/// What a shell script prints in a folder.
fn shell(folder: &Path, script: &str) -> String {
    let mut bash = Command::new("bash");
    let bash = bash.args(["-euo", "pipefail", "-c", script]);
    let output = bash.current_dir(folder).output().unwrap();
    let errors = text(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    text(&output.stdout).trim().to_owned()
}

/// The minimal project, built with these packages, with one check, and nothing else to release.
fn project(packages: &str) -> Flake {
    let files = git(
        &repository(),
        &[
            "ls-files",
            "LICENSE*",
            "README.md",
            "rustfmt.toml",
            "nix",
            "crates/c*",
            "xtask/[Cs]*",
            "templates/minimal",
        ],
    );
    let content = |file: &str| fs::read_to_string(repository().join(file)).unwrap();
    let files: Vec<_> = files
        .lines()
        .map(|file| (file.trim_start_matches("templates/minimal/"), content(file)))
        .collect();
    let arguments = format!(
        "(let packages = {packages}; in import ./nix/settings.nix {{ pkgs = packages; }} // {{ pkgs = packages; }})"
    );
    let flake = Flake::new(&arguments, &files);
    let (outputs, system) = (flake.read("flake.nix"), system());
    let outputs = outputs
        .replace(
            &format!("workspace.{system}.deps"),
            &format!("workspace.{system}.releases"),
        )
        .replace(
            &format!("workspace.{system}.checks"),
            &format!("{{ inherit (workspace.{system}.checks) fmt-acme; }}"),
        );
    flake.write("flake.nix", &outputs);
    flake.write(".gitignore", "/.cache\n/target\n");
    commit(flake.path(), "Begin");
    flake
}

#[test]
#[ignore = "needs Nix and the registry"]
fn a_static_program_is_released() {
    let triple = musl();
    if !has_standard_library(&triple) {
        return skip(SKIPPED);
    }
    let flake = project("pkgs");
    assert_exit(&flake.gantry(&["release", "0.1.0"]), 0, "released v0.1.0");

    let folder = flake.path().join("target/release-0.1.0");
    let name = format!("acme-v0.1.0-{triple}");
    assert_eq!(
        shell(&folder, "ls"),
        format!("SHA256SUMS\n{name}.tar.gz\nmanifest.json")
    );
    shell(&folder, "sha256sum --check --strict SHA256SUMS");
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap();
    let released = &manifest["packages"][0];
    assert_eq!(released["name"], format!("acme-{triple}"));
    assert_eq!(released["references"], serde_json::json!([]));
    assert_eq!(released["archive"]["file"], format!("{name}.tar.gz"));
    assert_eq!(released["archive"]["format"], "tar");

    shell(&folder, "tar -xzf *.tar.gz");
    let unpacked = folder.join(&name);
    assert_eq!(
        shell(&unpacked, "find . -type f | sort"),
        "./LICENSE-APACHE\n./LICENSE-MIT\n./README.md\n./bin/acme"
    );
    let headers = shell(
        &unpacked,
        "readelf --wide --program-headers --dynamic bin/acme",
    );
    for needed in ["INTERP", "NEEDED", "RUNPATH"] {
        assert!(!headers.contains(needed), "{headers}");
    }
    let libraries = shell(&unpacked, "ldd bin/acme 2>&1 || true");
    assert!(libraries.contains("statically linked"), "{libraries}");
    // OpenSSL hashes, without anything of this machine's environment.
    assert_eq!(
        shell(&unpacked, "env -i bin/acme sum README.md LICENSE-MIT"),
        shell(&unpacked, "sha256sum README.md LICENSE-MIT")
    );
}

/// A program whose library is in the store, for the machine's own Linux.
#[test]
#[ignore = "needs Nix"]
fn a_program_that_needs_the_store_is_not_built() {
    let triple = format!("{ARCH}-unknown-linux-gnu");
    let manifest = format!("\n[package.metadata.ci]\nrelease-targets = [\"{triple}\"]\n");
    let flake = Flake::new(
        "{ release.env.RUSTFLAGS = let
             library = pkgs.runCommandCC \"answers\" { } ''
               mkdir -p $out/lib
               echo 'int answer(void) { return 42; }' | gcc -shared -fPIC -x c - -o $out/lib/libanswers.so
             '';
           in \"-L ${library}/lib -Clink-arg=-Wl,-rpath,${library}/lib\"; }",
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"app\"]\n".to_owned(),
            ),
            ("app/Cargo.toml", package("app", &manifest)),
            (
                "app/src/main.rs",
                "#[link(name = \"answers\")]\nunsafe extern \"C\" {\n    safe fn answer() -> i32;\n}\n\n\
                 fn main() {\n    println!(\"{}\", answer());\n}\n"
                    .to_owned(),
            ),
        ],
    );
    flake.lock();
    let log = flake
        .build(&[&format!("releases.app-{triple}")])
        .unwrap_err();
    let needed: Vec<_> = log
        .lines()
        .filter_map(|line| line.split_once("error:   ").map(|(_, needed)| needed))
        .collect();
    for part in ["/nix/store/", "-answers/lib", "ld-linux", "libanswers.so"] {
        assert!(needed.iter().any(|it| it.contains(part)), "{part}:\n{log}");
    }
    assert!(
        log.contains("error: app is for people without Nix, whose machines do not have"),
        "{log}"
    );

    flake.edit("app/src/main.rs", "fn main", "pub fn main");
    fs::rename(
        flake.path().join("app/src/main.rs"),
        flake.path().join("app/src/lib.rs"),
    )
    .unwrap();
    let log = flake
        .build(&[&format!("releases.app-{triple}")])
        .unwrap_err();
    assert!(
        log.contains("app/Cargo.toml, but it has no program to release"),
        "{log}"
    );
}

/// Those of other systems can only be evaluated here.
#[test]
#[ignore = "needs Nix"]
fn each_system_makes_what_it_compiles_for() {
    let workspace = Workspace::empty("gantry-nix-");
    copy_repository(workspace.path());
    let evaluate = |attribute: &str, function: &str| -> Value {
        let attribute = format!("path:{}#packages{attribute}", workspace.path().display());
        let output = command(&["eval", "--json", &attribute, "--apply", function]).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let archives = evaluate(
        "",
        "builtins.mapAttrs (_: packages: builtins.filter (name: name != null)
           (map (package: package.archiveName or null) (builtins.attrValues packages)))",
    );
    assert_eq!(
        archives,
        serde_json::json!({
            "aarch64-darwin": ["acme-v0.1.0-aarch64-apple-darwin"],
            "aarch64-linux": ["acme-v0.1.0-aarch64-unknown-linux-musl"],
            "x86_64-linux": ["acme-v0.1.0-x86_64-unknown-linux-musl"],
        })
    );
    for arch in ["aarch64", "x86_64"] {
        let attribute = format!(".{arch}-linux.acme-{arch}-unknown-linux-musl");
        let path = evaluate(&attribute, "package: package.drvPath");
        assert!(path.as_str().unwrap().ends_with("-0.1.0.drv"), "{path}");
    }

    // crane signs what it makes for macOS, with what a stand-in for nixpkgs may not have.
    let flake = project(
        "nixpkgs.legacyPackages.aarch64-darwin.extend (_: previous: {
           darwin = previous.darwin // { signingUtils = \"signing-utils\"; };
         })",
    );
    let released = flake.evaluate::<BTreeMap<String, String>>(
        "workspace",
        "workspace: builtins.mapAttrs (_: package: package.drvPath) workspace.releases",
    );
    let names: Vec<_> = released.keys().collect();
    assert_eq!(names, ["acme-aarch64-apple-darwin"]);
}

#[test]
#[ignore = "needs Nix"]
fn musl_is_one_more_target_of_a_member() {
    let triple = musl();
    if !has_standard_library(&triple) {
        return skip(SKIPPED);
    }
    let targets = |rest: &str| {
        format!("\n[package.metadata.ci]\ntargets = [\"native\", \"{triple}\"]\n{rest}")
    };
    // Such programs run on this machine as they are.
    let variable = triple.to_uppercase().replace('-', "_");
    let flake = Flake::new(
        &format!("{{ targets.{triple}.testEnv.CARGO_TARGET_{variable}_RUNNER = \"env\"; }}"),
        &[
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"base\"]\n".to_owned(),
            ),
            (
                "app/Cargo.toml",
                package("app", &targets("\n[dependencies]\nbase = { path = \"../base\" }\n")),
            ),
            (
                "app/src/main.rs",
                "//! App.\nfn main() {\n    println!(\"{}\", base::environment());\n}\n\n\
                 #[cfg(test)]\nmod tests {\n    #[test]\n    fn is_static() {\n        \
                 assert_eq!(base::environment(), \"musl\");\n    }\n}\n"
                    .to_owned(),
            ),
            ("base/Cargo.toml", package("base", &targets(""))),
            (
                "base/src/lib.rs",
                "//! Base.\n/// The C library.\n#[must_use]\npub fn environment() -> &'static str {\n    \
                 if cfg!(target_env = \"musl\") { \"musl\" } else { \"another\" }\n}\n"
                    .to_owned(),
            ),
        ],
    );
    flake.lock();
    let steps = ["build", "clippy", "test"].map(|step| format!("checks.{step}-app-{triple}"));
    let steps = steps.each_ref().map(String::as_str);
    let built = flake.build(&steps).unwrap_or_else(|log| panic!("{log}"));
    assert_eq!(shell(&built, "bin/app"), "musl");
}
