//! What a run will do, as data: a list of steps, the same for every backend.

use std::fmt;

use anyhow::{Result, bail};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::workspace::{Member, Workspace};

/// The kinds of steps, in the order in which they run: what fails fast comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Check the formatting
    Fmt,
    /// Lint all of a member's targets; warnings are errors
    Clippy,
    /// Compile libraries and binaries
    Build,
    /// Make JavaScript bindings of a wasm member
    Bindgen,
    /// Run unit and integration tests
    Test,
    /// Run the wasm tests in headless Chromium
    Browser,
    /// Run the documentation's examples
    Doctest,
    /// Build the documentation; warnings are errors
    Doc,
}

/// A platform that members are built for, as `package.metadata.ci.targets` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub enum Target {
    /// The machine's own platform
    #[serde(rename = "native")]
    Native,
    /// WebAssembly without an operating system
    #[serde(rename = "wasm32-unknown-unknown")]
    #[value(name = "wasm32-unknown-unknown")]
    Wasm,
}

/// A profile of cargo
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    #[default]
    #[expect(missing_docs, reason = "clap would print it")]
    Dev,
    #[expect(missing_docs, reason = "clap would print it")]
    Release,
}

/// One thing to do to one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What to do.
    pub what: What,
    /// To this member, by name.
    pub member: String,
    /// Formatting is the same for every target.
    pub target: Option<Target>,
    /// None where nothing is compiled.
    pub profile: Option<Profile>,
}

/// What a run is narrowed to; an empty list of members means all of them.
pub(crate) struct Selection<'a> {
    pub(crate) members: &'a [String],
    pub(crate) target: Option<Target>,
    pub(crate) steps: &'a [What],
    pub(crate) profile: Profile,
}

impl Target {
    /// The triple that cargo is given, and that checks are called by; the machine's own platform goes
    /// without.
    #[must_use]
    pub fn triple(self) -> Option<String> {
        (self != Self::Native).then(|| self.to_string())
    }
}

impl Step {
    /// All but the member.
    pub(crate) fn kind(&self) -> (What, Option<Target>, Option<Profile>) {
        (self.what, self.target, self.profile)
    }

    /// The steps of `workspace` that `selection` leaves, in the order in which they run.
    ///
    /// # Errors
    /// An unknown member, or nothing left to do.
    pub(crate) fn plan(workspace: &Workspace, selection: &Selection<'_>) -> Result<Vec<Self>> {
        let members = workspace.select(selection.members)?;
        let targets = Target::value_variants().iter().copied();
        let needed = targets.filter(|&target| workspace.needs(target));
        let steps: Vec<Self> = steps_of(&members, needed, selection.profile)
            .filter(|step| selection.steps.contains(&step.what))
            .filter(|step| {
                selection.target.is_none()
                    || step.target.is_none()
                    || step.target == selection.target
            })
            .collect();
        if steps.is_empty() {
            bail!(
                "nothing to do: no selected member has such a step; `cargo xtask ci --dry-run` lists them all"
            );
        }
        Ok(steps)
    }
}

fn steps_of(
    members: &[&Member],
    targets: impl Iterator<Item = Target>,
    profile: Profile,
) -> impl Iterator<Item = Step> {
    let formatting = members.iter().map(|member| Step {
        what: What::Fmt,
        member: member.name.clone(),
        target: None,
        profile: None,
    });
    let compiled = targets.flat_map(move |target| {
        What::value_variants().iter().flat_map(move |&what| {
            members
                .iter()
                .filter(move |member| has_step(member, what, target))
                .map(move |member| Step {
                    what,
                    member: member.name.clone(),
                    target: Some(target),
                    profile: Some(profile),
                })
        })
    });
    formatting.chain(compiled)
}

fn has_step(member: &Member, what: What, target: Target) -> bool {
    member.targets.contains(&target)
        && match (what, target) {
            (What::Fmt, _)
            | (What::Bindgen | What::Browser, Target::Native)
            | (What::Doctest | What::Doc, Target::Wasm) => false,
            (What::Clippy | What::Build, _) | (What::Doc, Target::Native) => true,
            (What::Bindgen, Target::Wasm) => member.is_cdylib,
            (What::Test, _) | (What::Browser, Target::Wasm) => member.is_tested_on(target),
            (What::Doctest, Target::Native) => member.has_doctests,
        }
}

/// Writes a value as the command line spells it.
macro_rules! display_as_argument {
    ($($kind:ty),*) => {$(
        impl fmt::Display for $kind {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let value = self.to_possible_value();
                formatter.pad(value.as_ref().map_or("", |value| value.get_name()))
            }
        }
    )*};
}
display_as_argument!(What, Target, Profile);

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, targets: &[Target]) -> Member {
        Member {
            name: name.into(),
            targets: targets.to_vec(),
            ..Member::default()
        }
    }

    fn plan(workspace: &Workspace, target: Option<Target>, steps: &[What]) -> Vec<String> {
        let selection = Selection {
            members: &[],
            target,
            steps,
            profile: Profile::Dev,
        };
        Step::plan(workspace, &selection)
            .unwrap()
            .into_iter()
            .map(|step| format!("{} {}", step.what, step.member))
            .collect()
    }

    #[test]
    fn a_member_has_the_steps_of_its_own_targets_alone() {
        let workspace = Workspace {
            members: vec![
                member("app", &[Target::Native]),
                Member {
                    is_cdylib: true,
                    ..member("page", &[Target::Wasm])
                },
            ],
            ..Workspace::default()
        };
        let steps = plan(&workspace, None, What::value_variants());
        assert_eq!(
            steps,
            [
                "fmt app",
                "fmt page",
                "clippy app",
                "build app",
                "test app",
                "doc app",
                "clippy page",
                "build page",
                "bindgen page"
            ]
        );
    }

    #[test]
    fn manifests_name_a_target_as_the_command_line_does() {
        for target in Target::value_variants() {
            assert_eq!(serde_json::to_value(target).unwrap(), target.to_string());
        }
    }

    #[test]
    fn a_workspace_without_wasm_members_has_no_wasm_steps() {
        let workspace = Workspace {
            members: vec![member("app", &[Target::Native])],
            ..Workspace::default()
        };
        let all = plan(&workspace, None, What::value_variants());
        assert_eq!(
            all,
            plan(&workspace, Some(Target::Native), What::value_variants())
        );
        assert!(!all.iter().any(|step| step.starts_with("bindgen")));
    }

    #[test]
    fn a_selection_that_leaves_nothing_is_an_error() {
        let workspace = Workspace {
            members: vec![member("app", &[Target::Native])],
            ..Workspace::default()
        };
        let selection = Selection {
            members: &[],
            target: Some(Target::Wasm),
            steps: &[What::Build],
            profile: Profile::Dev,
        };
        assert!(Step::plan(&workspace, &selection).is_err());
    }
}
