//! The flake's outputs: what they are made of, and by which compiler.

use std::collections::{BTreeMap, BTreeSet};

use super::code::Code;
use crate::workspace::Workspace;

use super::machine;
use super::report::Report;
use crate::nix::{Closure, Derivation, Outputs, Package, Program, common_files};

/// Files around a workspace that no build of it reads.
const UNRELATED: [&str; 5] = ["flake.nix", "flake.lock", ".gitignore", ".envrc", ".github"];

/// Packages of the flake, by name; nothing where it does not evaluate.
pub(super) fn check(
    workspace: &Workspace,
    program: &Program,
    offline: bool,
    report: &mut Report,
) -> Option<BTreeMap<String, Package>> {
    let outputs = match Outputs::evaluate(program) {
        Ok(outputs) => outputs,
        Err(error) => {
            if super::find_unusable(&error, report) {
                // All is said.
            } else if offline {
                report.skip("the flake's outputs", format!("offline, {error:#}"));
            } else {
                let fix = "nix flake check --no-build shows where";
                report.find(Code::FlakeBroken, "flake.nix", format!("{error:#}"), fix);
            }
            return None;
        }
    };
    let derivations: BTreeSet<&str> = outputs
        .all()
        .map(|(.., output)| &*output.derivation)
        .collect();
    if derivations.is_empty() {
        report.skip("the flake's outputs", "it has none for this system");
        return None;
    }
    match Closure::read(program, &derivations) {
        Ok(closure) => {
            check_sources(workspace, &closure, report);
            check_toolchain(workspace, &closure, &derivations, report);
        }
        Err(error) => {
            report.skip("what the flake's outputs are made of", format!("{error:#}"));
        }
    }
    Some(outputs.packages)
}

fn check_sources(workspace: &Workspace, closure: &Closure, report: &mut Report) {
    for source in closure.sources() {
        let mut found: Vec<_> = UNRELATED
            .into_iter()
            .filter(|file| {
                let common = common_files(&source.join(file), &workspace.root.join(file));
                // A filter may leave folders without their files.
                common.is_some_and(|count| count > 0)
            })
            .collect();
        if found.is_empty() {
            continue;
        }
        found.sort_unstable();
        let users = closure.users(&source);
        report.find(
            Code::UnrelatedFiles,
            users.first().map_or("flake.nix", |name| *name),
            format!(
                "{} of the {} that are built with it are in its source: any change of them builds it again",
                found.join(", "),
                users.len()
            ),
            "filter the source: src = craneLib.cleanCargoSource ./.; or use lib.mkWorkspace, which gives each layer its own files",
        );
    }
}

fn check_toolchain(
    workspace: &Workspace,
    closure: &Closure,
    outputs: &BTreeSet<&str>,
    report: &mut Report,
) {
    let inputs = outputs
        .iter()
        .filter_map(|path| closure.derivations.get(path.rsplit('/').next()?))
        .flat_map(Derivation::inputs)
        .filter_map(|input| closure.derivations.get(input));
    let versions: BTreeSet<&str> = inputs
        .filter_map(|input| toolchain_version(&input.name))
        .collect();
    let Some(installed) = machine::installed(&workspace.root) else {
        return;
    };
    if !versions.is_empty() && !versions.contains(&*installed) {
        let versions: Vec<_> = versions.into_iter().collect();
        report.find(
            Code::ToolchainMismatch,
            "flake.nix",
            format!("the flake builds with Rust {}, and rustc here is {installed}", versions.join(", ")),
            "let the flake read rust-toolchain.toml, and let rustup choose by it: rustup override unset",
        );
    }
}

/// `1.90.0` of `rust-minimal-1.90.0` and the like.
fn toolchain_version(name: &str) -> Option<&str> {
    let (start, version) = name.rsplit_once('-')?;
    let is_rust =
        ["rust", "rustc", "rustc-wrapper", "cargo"].contains(&start) || start.starts_with("rust-");
    let is_version = version.split('.').count() == 3
        && version.split('.').all(|part| part.parse::<u32>().is_ok());
    (is_rust && is_version).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toolchains_are_known_by_their_names() {
        for name in ["rust-1.90.0", "rust-minimal-1.90.0", "rustc-wrapper-1.90.0"] {
            assert_eq!(toolchain_version(name), Some("1.90.0"), "{name}");
        }
        for name in [
            "openssl-3.0.1",
            "host-rust",
            "rust-minimal",
            "cargo-package-rust-1.2.3",
        ] {
            assert_eq!(toolchain_version(name), None, "{name}");
        }
    }
}
