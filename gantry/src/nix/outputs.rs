//! A flake's outputs, evaluated and not yet built: all of them, or one.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::program::{Program, Unusable};
use super::remembered::{Checks, Remembered};

/// What the flake has for this machine's system, by name.
#[derive(Deserialize)]
pub(crate) struct Outputs {
    pub(crate) checks: Checks,
    pub(crate) packages: BTreeMap<String, Package>,
}

/// A check or package, evaluated and not yet built.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Output {
    /// The derivation's store path.
    pub(crate) derivation: String,
    /// The store path that it makes.
    pub(crate) path: String,
}

#[derive(Deserialize, Serialize)]
pub(crate) struct Check {
    #[serde(flatten)]
    pub(crate) output: Output,
    /// Nothing where it only gathers other checks.
    pub(crate) step: Option<Facts>,
}

/// What a check does. Of one that mkWorkspace does not make only the kind is known, which is its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub(crate) struct Facts {
    /// Such as `clippy`.
    pub(crate) kind: String,
    /// Of whom, by name.
    pub(crate) member: Option<String>,
    /// For which platform, `native` or a triple; formatting is the same for all.
    pub(crate) target: Option<String>,
    /// In which profile of cargo, where something is compiled.
    pub(crate) profile: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    #[serde(flatten)]
    pub(crate) output: Output,
    pub(crate) version: Option<String>,
    /// What a release calls its archive, where the package says.
    pub(crate) archive: Option<String>,
    /// Whether it is for others than those who work on the project.
    pub(crate) release: bool,
}

/// An output that was looked for by its name, and what there is.
#[derive(Deserialize)]
pub(crate) struct Found {
    pub(crate) output: Option<Output>,
    /// Of all outputs.
    pub(crate) names: Vec<String>,
    /// The folders of the workspace's members, from its root, by the members' names.
    pub(crate) members: BTreeMap<String, String>,
}

impl Outputs {
    /// All of the flake's checks and packages.
    ///
    /// # Errors
    /// The flake does not evaluate.
    pub(crate) fn evaluate(program: &Program) -> Result<Self> {
        evaluate(program, &function(program, ""))
    }

    /// The checks alone: evaluating the packages too takes half as long again.
    ///
    /// # Errors
    /// The flake does not evaluate.
    pub(crate) fn checks(program: &Program) -> Result<Checks> {
        let function = function(program, ".checks");
        let remembered = (!program.is_impure())
            .then(|| Remembered::of(program, &function))
            .flatten();
        if let Some(checks) = remembered.as_ref().and_then(Remembered::read) {
            return Ok(checks);
        }
        let checks = evaluate(program, &function)?;
        if let Some(remembered) = remembered {
            // Where that cannot be kept, the next run evaluates again.
            let _ = remembered.write(&checks);
        }
        Ok(checks)
    }

    /// All checks and packages: `checks` or `packages`, the name, and the output.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str, &Output)> {
        let packages = self.packages.iter();
        let packages = packages.map(|(name, package)| ("packages", &**name, &package.output));
        let checks = self.checks.iter();
        packages.chain(checks.map(|(name, check)| ("checks", &**name, &check.output)))
    }
}

impl Program {
    /// The check of this name in `flake`, or else the package. No other output is evaluated.
    ///
    /// # Errors
    /// The flake does not evaluate.
    pub(crate) fn output(&self, flake: &str, name: &str) -> Result<Found> {
        let is_plain = |character: char| character.is_alphanumeric() || "-_.+".contains(character);
        if !name.chars().all(is_plain) {
            bail!("`{name}` is no name of an output: `gantry why test-MEMBER`, for example");
        }
        let system = self.system();
        let function = format!("({}) \"{system}\" \"{name}\"", include_str!("output.nix"));
        self.evaluate(flake, &function)
    }

    /// What a function in Nix makes of all outputs of `flake`.
    ///
    /// # Errors
    /// [`Unusable::FlakesOff`], or what Nix says of a flake that does not evaluate.
    fn evaluate<T: DeserializeOwned>(&self, flake: &str, function: &str) -> Result<T> {
        // The dot names the flake's outputs as a whole.
        let outputs = format!("{flake}#.");
        let json = self.read(&["eval", "--json", &outputs, "--apply", function]);
        let json = json.map_err(Unusable::or)?;
        serde_json::from_str(&json).context("cannot read the output of `nix eval`")
    }
}

/// What says in Nix what the outputs are, or what `attribute` selects of them.
fn function(program: &Program, attribute: &str) -> String {
    format!(
        "outputs: (({}) \"{}\" outputs){attribute}",
        include_str!("outputs.nix"),
        program.system()
    )
}

fn evaluate<T: DeserializeOwned>(program: &Program, function: &str) -> Result<T> {
    program
        .evaluate(".", function)
        .context("the flake does not evaluate")
}
