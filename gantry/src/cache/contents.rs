//! What belongs into the cache: outputs of the flake, and all that they were built with.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::Cache;
use crate::nix::{self, Outputs, Program};
use crate::output;

pub(super) struct Contents {
    /// The store paths that are here and that no upstream cache has.
    ///
    /// Not the runtime closure alone: the layers that a build inherits are no part of that.
    pub(super) paths: Vec<String>,
    /// The outputs that are not in the store.
    pub(super) absent: Vec<Output>,
    /// Whether the outputs were named one by one.
    pub(super) is_named: bool,
}

/// A check or package of the flake.
#[derive(Clone)]
pub(super) struct Output {
    /// As `nix build` takes it, such as `.#checks.x86_64-linux.fmt-core`.
    pub(super) installable: String,
    derivation: String,
    pub(super) path: String,
}

impl Contents {
    /// # Errors
    /// The flake does not evaluate.
    pub(super) fn of(
        program: &Program,
        cache: &Cache,
        outputs: &[Output],
        is_named: bool,
    ) -> Result<Self> {
        let built = build_closure(program, outputs)?;
        let infos = nix::path_infos(program, None, &built)?;
        let absent = outputs
            .iter()
            .filter(|output| !infos.contains_key(&output.path));
        Ok(Self {
            absent: absent.cloned().collect(),
            paths: without_upstream(program, cache, infos.into_keys().collect())?,
            is_named,
        })
    }
}

/// The outputs of these names; of none, all of them, or with `deps` all layers of dependencies.
///
/// # Errors
/// The flake does not evaluate, or has no such output.
pub(super) fn select(program: &Program, names: &[String], deps: bool) -> Result<Vec<Output>> {
    let all = all_outputs(program)?;
    if names.is_empty() && !deps {
        return Ok(all.into_iter().map(|(_, output)| output).collect());
    }
    let mut selected = Vec::new();
    if deps {
        let layers = all.iter().filter(|(name, _)| name.starts_with("deps-"));
        selected.extend(layers.map(|(_, output)| output.clone()));
        if selected.is_empty() {
            bail!("the flake has no package `deps-TARGET-PROFILE`");
        }
    }
    for name in names {
        match all.iter().find(|(other, _)| other == name) {
            Some((_, output)) => selected.push(output.clone()),
            None => {
                bail!("the flake has no package or check `{name}`: `nix flake show` lists them")
            }
        }
    }
    Ok(selected)
}

/// Packages and checks, by name.
fn all_outputs(program: &Program) -> Result<Vec<(String, Output)>> {
    let system = program.system();
    let outputs = Outputs::evaluate(program)?;
    let all = outputs.all().map(|(kind, name, output)| {
        let output = Output {
            installable: format!(".#{kind}.{system}.{name}"),
            derivation: output.derivation.clone(),
            path: output.path.clone(),
        };
        (name.to_owned(), output)
    });
    Ok(all.collect())
}

/// What these outputs are built from, themselves included, each as the store path that it makes. What
/// they refer to is among it.
fn build_closure(program: &Program, outputs: &[Output]) -> Result<Vec<String>> {
    let derivations: BTreeSet<&str> = outputs.iter().map(|output| &*output.derivation).collect();
    let closure = program.query(&["--requisites"], derivations)?;
    let derivations = closure
        .iter()
        .filter(|path| path.strip_suffix(".drv").is_some());
    program.query(&["--outputs"], derivations.map(String::as_str))
}

/// Those of `paths` that none of the caches has which everybody reads who reads this one.
///
/// What another cache of the person who pushes has would be missing for all others.
fn without_upstream(
    program: &Program,
    cache: &Cache,
    mut paths: Vec<String>,
) -> Result<Vec<String>> {
    if !program.settings()?.substitute.value {
        return Ok(paths);
    }
    for (url, answer) in nix::ask_all(program, cache.upstream.clone(), &paths) {
        match answer {
            Ok(found) => {
                paths.retain(|path| !found.get(path).is_some_and(|found| found.is_trusted));
            }
            Err(error) => {
                output::print_error(&format!("note: {}\n", nix::unanswered(&url, &error)));
            }
        }
    }
    Ok(paths)
}
