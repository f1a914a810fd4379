//! What the cache has of the layers that everything else is built on.

use std::collections::BTreeMap;

use super::code::Code;
use crate::workspace::Workspace;

use super::report::Report;
use crate::cache::Cache;
use crate::nix::{self, Package, Program};

/// `packages` are the flake's.
pub(super) fn check(
    workspace: &Workspace,
    program: &Program,
    packages: &BTreeMap<String, Package>,
    offline: bool,
    report: &mut Report,
) {
    const SUBJECT: &str = "what the cache has";
    let cache = match Cache::of(workspace) {
        Ok(cache) => cache,
        Err(error) => {
            report.skip(SUBJECT, format!("{error:#}"));
            return;
        }
    };
    let is_folder = cache.url.starts_with("file://");
    let Some(key) = cache
        .public_key
        .as_deref()
        .filter(|_| cache.is_named() || !cache.is_absent())
    else {
        report.skip(SUBJECT, "Cargo.toml names no cache, and nothing was pushed to the user's own: gantry cache push");
        return;
    };
    if offline && !is_folder {
        report.skip(format!("what {} has", cache.url), "offline");
        return;
    }
    if cache.is_absent() {
        let fix = "gantry cache push";
        report.find(
            Code::CacheUnreachable,
            &cache.url,
            "the folder does not exist",
            fix,
        );
        return;
    }
    let layers: BTreeMap<&str, &str> = packages
        .iter()
        .filter(|(name, _)| name.starts_with("deps-"))
        .map(|(name, package)| (&*package.output.path, &**name))
        .collect();
    if layers.is_empty() {
        report.skip(SUBJECT, "the flake has no package `deps-TARGET-PROFILE`");
        return;
    }
    let paths: Vec<String> = layers.keys().map(|&path| path.to_owned()).collect();
    let found = match nix::ask(program, &cache.url, Some(key), &paths) {
        Ok(found) => found,
        Err(error) => {
            let problem = error.to_string();
            let reason = problem.lines().rfind(|line| !line.trim().is_empty());
            report.find(
                Code::CacheUnreachable,
                &cache.url,
                format!("it gives no answer: {}", reason.unwrap_or_default().trim()),
                format!("nix store info --store {}", cache.url),
            );
            return;
        }
    };
    let names = |test: &dyn Fn(&str) -> bool| {
        let names = layers
            .iter()
            .filter(|(path, _)| test(path))
            .map(|(_, name)| *name);
        names.collect::<Vec<_>>().join(", ")
    };
    let untrusted = names(&|path| found.get(path).is_some_and(|found| !found.is_trusted));
    if !untrusted.is_empty() {
        report.find(
            Code::CacheSignedByAnotherKey,
            &cache.url,
            format!("{untrusted} are not signed with {}: Nix does not accept them", key.split(':').next().unwrap_or_default()),
            "name the cache's key in Cargo.toml, or push them again, signed with this one: gantry cache push --deps",
        );
    }
    let absent = names(&|path| !found.contains_key(path));
    if !absent.is_empty() {
        report.find(
            Code::CacheWithoutDeps,
            &cache.url,
            format!("it has no {absent} as the flake now builds them: every machine compiles all dependencies"),
            "nix build .#deps && gantry cache push --deps",
        );
    }
}
