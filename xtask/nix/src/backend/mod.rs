//! Runs a plan as one `nix build` over the flake's checks.

mod run;

use std::collections::BTreeMap;

use anyhow::Result;
use xtask::backend::{Backend, Options};
use xtask::event::{Event, Outcome};
use xtask::interrupt;
use xtask::plan::Step;
use xtask::process::{self, Output};
use xtask::workspace::Workspace;

use self::run::Run;
use crate::nix::{self, Availability, Outputs, Place, Program};

pub(crate) struct Nix {
    program: Program,
}

impl Nix {
    /// Nix with these flags, and those of the variable `XTASK_NIX_FLAGS`, in every command.
    ///
    /// # Errors
    /// Why Nix cannot run the plan here, and the command that mends it.
    pub(crate) fn find(workspace: &Workspace, flags: &[String]) -> Result<Self> {
        Ok(Self {
            program: Program::find(workspace, flags)?,
        })
    }

    /// Settles the steps whose results are in the store, or with `elsewhere` in a trusted cache; the
    /// outputs of the others are left.
    fn settle_cached(
        &self,
        outputs: Outputs,
        elsewhere: bool,
        emit: &mut dyn FnMut(Event),
    ) -> Result<Outputs> {
        let paths = outputs.paths();
        let availability = if elsewhere {
            Availability::of(&self.program, &paths)?
        } else {
            Availability::in_store(&self.program, &paths)?
        };
        for warning in &availability.warnings {
            emit(Event::Note(warning.clone()));
        }
        let mut by_cache: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
        for (step, check) in outputs.checks() {
            let cache = match availability.place(&check.path) {
                Place::Store => None,
                Place::Cache { url, .. } => Some(url),
                Place::Nowhere { .. } => continue,
            };
            by_cache.entry(cache).or_default().push(step);
        }
        let settled: Vec<usize> = by_cache.values().flatten().copied().collect();
        for (cache, steps) in by_cache {
            let outcome = cache.map_or(Outcome::Cached, |url| {
                Outcome::CachedIn(format!("in {url}"))
            });
            emit(Event::Settled { steps, outcome });
        }
        Ok(outputs.without(&settled))
    }
}

impl Backend for Nix {
    fn name(&self) -> &'static str {
        "nix"
    }

    fn commands(&self, _workspace: &Workspace, plan: &[Step]) -> Vec<(Vec<usize>, String)> {
        let system = self.program.system().unwrap_or("SYSTEM".into());
        plan.iter()
            .enumerate()
            .map(|(index, step)| {
                let command = format!("nix build .#checks.{system}.{}", nix::check_name(step));
                (vec![index], command)
            })
            .collect()
    }

    fn run(
        &self,
        _workspace: &Workspace,
        plan: &[Step],
        options: &Options,
        emit: &mut dyn FnMut(Event),
    ) -> Result<()> {
        for warning in self.program.warnings() {
            emit(Event::Note(warning));
        }
        let mut outputs = Outputs::evaluate(&self.program, plan)?;
        for (step, reason) in outputs.missing(plan) {
            emit(Event::Settled {
                steps: vec![step],
                outcome: Outcome::Skipped(reason),
            });
        }
        outputs = self.settle_cached(outputs, options.skip_cached, emit)?;
        let installables = outputs.installables();
        if installables.is_empty() {
            return Ok(());
        }

        let mut command = self.program.build();
        command
            .args(["--keep-going", "--log-format", "internal-json"])
            .args(installables);
        let mut run = Run::new(&self.program, &outputs, emit);
        process::run(&mut command, |output| match output {
            Output::Tick => run.tick(),
            Output::Line(line) => run.line(&line),
        })?;
        run.settle(interrupt::requested());
        Ok(())
    }
}
