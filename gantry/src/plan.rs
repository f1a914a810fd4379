//! What a run will do, as data: the checks of the flake, which Nix evaluates to a list of steps.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow, bail};
use serde::Serialize;

use crate::arguments::{SelectionArguments, StepArguments};
use crate::nix::{Check, Facts, Output};
use crate::suggestion::nearest;

/// The kinds of steps that every workspace may have, in the order in which they are shown: what fails fast
/// comes first. A project's own checks come after them.
const KINDS: [&str; 7] = ["fmt", "clippy", "build", "bindgen", "test", BROWSER, "doc"];
/// The tests of a page in a real browser, which no sandbox of Nix has.
const BROWSER: &str = "browser";
const BROWSER_COMMAND: &str = "cargo xtask ci --backend cargo --browser";
/// The examples in the documentation, which the checks of the kind `test` run too.
const DOCTEST: &str = "doctest";
const WASM: &str = "wasm32-unknown-unknown";

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    /// The name of the check.
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) facts: Facts,
    /// What Nix makes of it; nothing where the flake has no such check.
    #[serde(skip)]
    pub(crate) output: Option<Output>,
}

impl Step {
    /// The steps that these checks of a flake are, in the order in which they are shown.
    pub(crate) fn all(checks: BTreeMap<String, Check>) -> Vec<Self> {
        let mut steps: Vec<Self> = checks
            .into_iter()
            .filter_map(|(name, Check { output, step })| {
                Some(Self {
                    name,
                    facts: step?,
                    output: Some(output),
                })
            })
            .collect();
        steps.sort_by_cached_key(Self::order);
        steps
    }

    /// By kind, then by target, the machine's own first.
    fn order(&self) -> impl Ord + use<> {
        let facts = self.facts.clone();
        let rank = KINDS.iter().position(|kind| *kind == facts.kind);
        let is_native = facts.target.as_deref() == Some("native");
        (
            rank.unwrap_or(KINDS.len()),
            facts.kind,
            !is_native,
            facts.target,
            facts.member,
        )
    }

    /// What runs it, as one would type it.
    pub(crate) fn command(&self, system: &str) -> String {
        match self.output {
            Some(_) => format!("nix build .#checks.{system}.{}", self.name),
            None => BROWSER_COMMAND.to_owned(),
        }
    }

    /// Why Nix cannot run it, with the command that does; nothing where it can.
    pub(crate) fn obstacle(&self) -> Option<String> {
        let reason = format!(
            "the flake has no check `{}`: run `{BROWSER_COMMAND}`",
            self.name
        );
        self.output.is_none().then_some(reason)
    }
}

/// Those of a flake's steps that the command line asks for.
///
/// # Errors
/// It names what no step is of, or leaves nothing to do.
pub(crate) fn select(
    mut steps: Vec<Step>,
    kinds: &StepArguments,
    selection: &SelectionArguments,
) -> Result<Vec<Step>> {
    if kinds.skip.iter().any(|kind| kind == DOCTEST) {
        bail!("the flake's checks run `{DOCTEST}` with `test`: skip that one");
    }
    let mut only = kinds.only.clone();
    for kind in &mut only {
        if kind == DOCTEST {
            "test".clone_into(kind);
        }
    }
    if selection.browser && only.iter().any(|kind| kind == "test") {
        only.push(BROWSER.to_owned());
    }
    let of = |fact: fn(&Facts) -> Option<&String>| -> BTreeSet<&str> {
        let facts = steps.iter().filter_map(|step| fact(&step.facts));
        facts.map(String::as_str).collect()
    };
    let own_kinds = of(|facts| Some(&facts.kind));
    let own_kinds = own_kinds.into_iter().filter(|kind| !KINDS.contains(kind));
    let kinds_of_steps = KINDS.into_iter().chain(own_kinds);
    require_known("step", only.iter().chain(&kinds.skip), kinds_of_steps)?;
    require_known(
        "member",
        &selection.package,
        of(|facts| facts.member.as_ref()),
    )?;
    require_known(
        "target",
        &selection.target,
        of(|facts| facts.target.as_ref()),
    )?;
    require_known(
        "profile",
        &selection.profile,
        of(|facts| facts.profile.as_ref()),
    )
    .map_err(|error| {
        anyhow!("{error}; `cargo xtask ci --backend cargo` takes any profile of cargo's")
    })?;

    let is_tested = !kinds.skip.iter().any(|kind| kind == "test");
    if selection.browser && is_tested || only.iter().any(|kind| kind == BROWSER) {
        let missing = browser_steps(&steps);
        steps.extend(missing);
        steps.sort_by_cached_key(Step::order);
    }
    steps.retain(|Step { facts, .. }| {
        let is_kind = only.is_empty() || only.contains(&facts.kind);
        let is_member = |member| selection.package.contains(member);
        // What makes no difference for a step does not leave it out.
        let agrees = |asked: &Option<String>, fact: &Option<String>| {
            asked.is_none() || fact.is_none() || asked == fact
        };
        is_kind
            && !kinds.skip.contains(&facts.kind)
            && (selection.package.is_empty() || facts.member.as_ref().is_some_and(is_member))
            && agrees(&selection.target, &facts.target)
            && agrees(&selection.profile, &facts.profile)
    });
    if steps.is_empty() {
        bail!("nothing to do: no step is left; `gantry ci --dry-run` lists them all");
    }
    Ok(steps)
}

/// A browser's steps, for the members that are tested on wasm32 and that the flake has no such check for.
fn browser_steps(steps: &[Step]) -> Vec<Step> {
    let is_checked = |member| {
        let mut steps = steps.iter();
        steps.any(|step| step.facts.kind == BROWSER && step.facts.member == member)
    };
    let tests = steps.iter().filter(|Step { facts, .. }| {
        facts.kind == "test"
            && facts.target.as_deref() == Some(WASM)
            && !is_checked(facts.member.clone())
    });
    tests
        .map(|step| Step {
            name: step.name.replacen("test", BROWSER, 1),
            facts: Facts {
                kind: BROWSER.to_owned(),
                ..step.facts.clone()
            },
            output: None,
        })
        .collect()
}

/// Checks that all of `asked` are among `known`.
///
/// # Errors
/// One is not; which was probably meant, and what there is.
fn require_known<'a>(
    noun: &str,
    asked: impl IntoIterator<Item = &'a String>,
    known: impl IntoIterator<Item = &'a str>,
) -> Result<()> {
    let known: Vec<_> = known.into_iter().collect();
    let Some(unknown) = asked
        .into_iter()
        .find(|name| !known.contains(&name.as_str()))
    else {
        return Ok(());
    };
    let suggestion = match nearest(unknown, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`? There are"),
        None => "there are".to_owned(),
    };
    let known = known.join(", ");
    bail!("the flake checks no {noun} `{unknown}`: {suggestion} {known}");
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::arguments::{Arguments, Command};

    /// The steps of the checks `NAME KIND MEMBER TARGET PROFILE`; `-` for what a check does not say.
    fn steps(checks: &[&str]) -> Vec<Step> {
        let checks = checks.iter().map(|check| {
            let words: Vec<_> = check.split(' ').collect();
            let word = |index: usize| Some(words[index].to_owned()).filter(|word| word != "-");
            let check = Check {
                output: Output {
                    derivation: format!("/nix/store/x-{}.drv", words[0]),
                    path: format!("/nix/store/x-{}", words[0]),
                },
                step: word(1).map(|kind| Facts {
                    kind,
                    member: word(2),
                    target: word(3),
                    profile: word(4),
                }),
            };
            (words[0].to_owned(), check)
        });
        Step::all(checks.collect())
    }

    fn workspace() -> Vec<Step> {
        steps(&[
            "audit audit - - -",
            "build - - - -",
            "build-app build app native dev",
            "build-page-wasm32-unknown-unknown build page wasm32-unknown-unknown dev",
            "fmt-app fmt app - -",
            "fmt-page fmt page - -",
            "test-app test app native dev",
            "test-page-wasm32-unknown-unknown test page wasm32-unknown-unknown dev",
        ])
    }

    fn selected(arguments: &[&str]) -> Result<Vec<String>, String> {
        let words = ["gantry", "status"].iter().chain(arguments);
        let Command::Status(arguments) = Arguments::parse_from(words).command else {
            panic!("this is `status`");
        };
        select(workspace(), &arguments.steps, &arguments.selection)
            .map(|steps| steps.into_iter().map(|step| step.name).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn steps_are_in_order_and_gathering_checks_are_none() {
        assert_eq!(
            selected(&[]).unwrap(),
            [
                "fmt-app",
                "fmt-page",
                "build-app",
                "build-page-wasm32-unknown-unknown",
                "test-app",
                "test-page-wasm32-unknown-unknown",
                "audit",
            ]
        );
    }

    #[test]
    fn a_selection_leaves_what_agrees_with_it() {
        for (arguments, names) in [
            ("--only audit,fmt", "fmt-app fmt-page audit"),
            ("--skip build,test,audit", "fmt-app fmt-page"),
            ("-p app", "fmt-app build-app test-app"),
            ("-p app --target native --only build", "build-app"),
            ("--only doctest --target native", "test-app"),
            (
                "--only bindgen,build --profile dev --target native",
                "build-app",
            ),
            ("--only browser", "browser-page-wasm32-unknown-unknown"),
            (
                "--only test --browser --target wasm32-unknown-unknown",
                "test-page-wasm32-unknown-unknown browser-page-wasm32-unknown-unknown",
            ),
            ("--only fmt --browser -p app", "fmt-app"),
            ("--skip test,build,fmt --browser", "audit"),
            (
                "--skip build,fmt --browser -p page",
                "test-page-wasm32-unknown-unknown browser-page-wasm32-unknown-unknown",
            ),
        ] {
            let words: Vec<_> = arguments.split(' ').collect();
            assert_eq!(selected(&words).unwrap().join(" "), names, "{arguments}");
        }
    }

    #[test]
    fn what_there_is_not_is_answered_with_what_there_is() {
        for (arguments, message) in [
            (
                "--only clipy",
                "the flake checks no step `clipy`: did you mean `clippy`? There are fmt, clippy, build, bindgen, test, browser, doc, audit",
            ),
            ("--skip doctest", "skip that one"),
            (
                "-p aap",
                "no member `aap`: did you mean `app`? There are app, page",
            ),
            (
                "--target zzz",
                "no target `zzz`: there are native, wasm32-unknown-unknown",
            ),
            (
                "--profile release",
                "no profile `release`: there are dev; `cargo xtask ci",
            ),
            ("--only bindgen", "nothing to do"),
        ] {
            let words: Vec<_> = arguments.split(' ').collect();
            let error = selected(&words).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn a_browser_is_left_to_cargo() {
        let words = ["gantry", "status", "--only", "browser"];
        let Command::Status(arguments) = Arguments::parse_from(words).command else {
            panic!("this is `status`");
        };
        let steps = select(workspace(), &arguments.steps, &arguments.selection).unwrap();
        assert_eq!(steps[0].command("s"), BROWSER_COMMAND);
        assert!(steps[0].obstacle().unwrap().contains(BROWSER_COMMAND));
        assert_eq!(workspace()[0].command("s"), "nix build .#checks.s.fmt-app");
        assert_eq!(workspace()[0].obstacle(), None);
    }
}
