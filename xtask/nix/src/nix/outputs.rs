//! The flake's checks that are the plan's steps.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use xtask::plan::{Profile, Step, Target, What};

use super::program::Program;

/// The checks of the flake, by step of the plan.
pub(crate) struct Outputs {
    steps: Vec<Option<Check>>,
}

/// A check or package, evaluated and not yet built.
#[derive(Clone, Deserialize)]
pub(crate) struct Check {
    pub(crate) derivation: String,
    pub(crate) path: String,
}

impl Outputs {
    /// # Errors
    /// The flake does not evaluate.
    pub(crate) fn evaluate(program: &Program, plan: &[Step]) -> Result<Self> {
        let checks = evaluate(program, "checks")?;
        let steps = plan
            .iter()
            .map(|step| {
                let is_built = step.profile != Some(Profile::Release);
                checks.get(&check_name(step)).filter(|_| is_built).cloned()
            })
            .collect();
        Ok(Self { steps })
    }

    /// The outputs without those of these steps.
    pub(crate) fn without(mut self, steps: &[usize]) -> Self {
        for &step in steps {
            self.steps[step] = None;
        }
        self
    }

    /// Steps that no check runs, and why.
    pub(crate) fn missing(&self, plan: &[Step]) -> Vec<(usize, String)> {
        let reason = |step: &Step| {
            if step.profile == Some(Profile::Release) {
                "the flake's checks are of the dev profile: run `cargo xtask ci --backend cargo`"
                    .to_owned()
            } else {
                format!(
                    "the flake has no check `{}`: run `cargo xtask ci --backend cargo`",
                    check_name(step)
                )
            }
        };
        (0..plan.len())
            .filter(|&index| self.steps[index].is_none())
            .map(|index| (index, reason(&plan[index])))
            .collect()
    }

    /// What to ask `nix build` for.
    pub(crate) fn installables(&self) -> Vec<String> {
        let mut installables: Vec<_> = self
            .checks()
            .map(|(_, check)| format!("{}^out", check.derivation))
            .collect();
        installables.sort();
        installables.dedup();
        installables
    }

    /// The store paths of the checks.
    pub(crate) fn paths(&self) -> Vec<String> {
        let paths = self.checks().map(|(_, check)| check.path.clone());
        // Steps may share a check.
        paths.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The checks, each with its step's index.
    pub(crate) fn checks(&self) -> impl Iterator<Item = (usize, &Check)> {
        self.steps
            .iter()
            .enumerate()
            .filter_map(|(index, check)| Some((index, check.as_ref()?)))
    }
}

/// The flake's outputs of a kind, such as `checks` or `packages`, for this system, by name.
///
/// # Errors
/// The flake does not evaluate.
pub(crate) fn evaluate(program: &Program, kind: &str) -> Result<BTreeMap<String, Check>> {
    let system = program.system()?;
    let function = format!(
        "outputs: builtins.mapAttrs \
         (_: output: {{ derivation = output.drvPath; path = output.outPath; }}) \
         (outputs.{kind}.\"{system}\" or {{ }})"
    );
    // The leading dot names the flake's outputs as a whole.
    let outputs = program
        .read(&["eval", "--json", ".#.", "--apply", &function])
        .context("the flake does not evaluate")?;
    serde_json::from_str(&outputs).context("cannot read the output of `nix eval`")
}

/// `WHAT-MEMBER`, with the target behind it where that is not the native one.
pub(crate) fn check_name(step: &Step) -> String {
    let what = match step.what {
        // The test layers run the documentation's examples too.
        What::Doctest => What::Test,
        what => what,
    };
    match step.target.and_then(Target::triple) {
        Some(triple) => format!("{what}-{}-{triple}", step.member),
        None => format!("{what}-{}", step.member),
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn a_check_names_every_target_but_the_machines_own() {
        let targets = [None]
            .into_iter()
            .chain(Target::value_variants().iter().copied().map(Some));
        for target in targets {
            let name = check_name(&Step {
                what: What::Doctest,
                member: "core".into(),
                target,
                profile: None,
            });
            let suffix = match target {
                None | Some(Target::Native) => String::new(),
                Some(other) => format!("-{other}"),
            };
            assert_eq!(name, format!("test-core{suffix}"));
        }
    }
}
