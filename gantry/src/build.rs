//! Runs a plan as one `nix build` of the flake's checks, or more where a machine goes away.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::build_log::BuildLog;
use crate::event::{Event, Outcome};
use crate::interrupt;
use crate::nix::{self, Availability, Lookup, Program};
use crate::plan::Step;
use crate::process::{self, Output};

/// Runs the steps; each gets its outcome as an event. With `skip_cached` a result in a trusted binary
/// cache is as good as one here.
///
/// # Errors
/// The steps cannot be run here; a failed step is no error.
pub(crate) fn run(
    program: &Program,
    steps: &[Step],
    skip_cached: bool,
    emit: &mut dyn FnMut(Event),
) -> Result<()> {
    for warning in program.warnings() {
        emit(Event::Note(warning));
    }
    let mut checks = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        if let Some(output) = &step.output {
            checks.insert(index, output);
        }
        if let Some(reason) = step.obstacle() {
            let outcome = Outcome::Skipped(reason);
            emit(Event::Settled {
                steps: vec![index],
                outcome,
            });
        }
    }
    settle_cached(program, &mut checks, skip_cached, emit)?;
    if checks.is_empty() {
        return Ok(());
    }

    // Checks may share a derivation.
    let mut derivations: BTreeSet<_> = checks.values().map(|check| &check.derivation).collect();
    let mut log = BuildLog::new(program, &checks, emit);
    while !derivations.is_empty() {
        let mut command = program.build();
        command.args(["--keep-going", "--log-format", "internal-json"]);
        process::run(
            command,
            &nix::installables(derivations),
            |output| match output {
                Output::Tick => log.tick(),
                Output::Line(line) => log.line(&line),
            },
        )?;
        derivations = log.end_run(interrupt::requested());
    }
    log.finish();
    Ok(())
}

/// Settles the steps whose results are in the store, or with `elsewhere` in a trusted cache, and takes
/// them out of `checks`.
fn settle_cached(
    program: &Program,
    checks: &mut BTreeMap<usize, &nix::Output>,
    elsewhere: bool,
    emit: &mut dyn FnMut(Event),
) -> Result<()> {
    let paths: Vec<String> = checks.values().map(|check| check.path.clone()).collect();
    let lookup = if elsewhere {
        Lookup::of(program, &paths)?
    } else {
        Lookup::in_store(program, &paths)?
    };
    for warning in &lookup.warnings {
        emit(Event::Note(warning.clone()));
    }
    let mut by_cache: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
    checks.retain(|&step, check| {
        let cache = match lookup.availability(&check.path) {
            Availability::Store => None,
            Availability::Cache { url, .. } => Some(url),
            Availability::Nowhere { .. } => return true,
        };
        by_cache.entry(cache).or_default().push(step);
        false
    });
    for (cache, steps) in by_cache {
        let outcome = cache.map_or(Outcome::Cached, |url| {
            Outcome::CachedIn(format!("in {url}"))
        });
        emit(Event::Settled { steps, outcome });
    }
    Ok(())
}
