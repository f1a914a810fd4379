//! How workflows set up the cache: in time, with a token, and not for everyone.

use super::code::Code;

use super::report::Report;
use super::workflow::{Job, Step, Workflow};
use crate::cache::Settings;

const TOKENS: [&str; 2] = ["authToken", "signingKey"];

pub(super) fn check(cache: Option<&Settings>, workflows: &[Workflow], report: &mut Report) {
    for workflow in workflows {
        for job in &workflow.jobs {
            check_order(workflow, job, report);
            check_pull_requests(workflow, job, report);
        }
    }
    if cache.is_some_and(|cache| cache.cachix.is_some()) {
        check_writer(workflows, report);
    }
}

fn check_order(workflow: &Workflow, job: &Job, report: &mut Report) {
    let (Some(cachix), Some(build)) = (
        job.steps.iter().position(sets_up_cachix),
        job.steps.iter().position(builds),
    ) else {
        return;
    };
    if build < cachix {
        report.find(
            Code::CachixAfterBuild,
            place(workflow, job),
            format!(
                "the step `{}` builds before the step `{}` sets up the cache: it downloads nothing, and what it built is not pushed",
                job.steps[build].name, job.steps[cachix].name
            ),
            format!("move the step `{}` in front of it", job.steps[cachix].name),
        );
    }
}

fn check_pull_requests(workflow: &Workflow, job: &Job, report: &mut Report) {
    if !workflow.is_for_pull_requests() || keeps_pull_requests_out(&job.condition) {
        return;
    }
    for step in &job.steps {
        if keeps_pull_requests_out(&step.condition) {
            continue;
        }
        let environments = [&workflow.env, &job.env, &step.env];
        let variables = environments
            .into_iter()
            .flatten()
            .filter(|(name, _)| name.starts_with("CACHIX_"));
        let inputs = step
            .with
            .iter()
            .filter(|(name, _)| TOKENS.contains(&&***name));
        let passed = inputs.chain(variables.filter(|_| uses_cachix(step)));
        for (name, value) in passed {
            if value.contains("secrets.") && !keeps_pull_requests_out(value) {
                report.find(
                    Code::TokenInPullRequests,
                    place(workflow, job),
                    format!(
                        "the step `{}` passes `{name}` in runs for pull requests too: their code could write to the cache before anybody has read it",
                        step.name
                    ),
                    format!("{name}: {}", guarded(value)),
                );
            }
        }
    }
}

/// The same value, for runs that are not for pull requests.
fn guarded(value: &str) -> String {
    let secret = value
        .trim()
        .trim_start_matches("${{")
        .trim_end_matches("}}")
        .trim();
    format!("${{{{ github.event_name == 'push' && {secret} || '' }}}}")
}

/// Whether an expression is false, or empty, in a run for a pull request.
fn keeps_pull_requests_out(expression: &str) -> bool {
    let looks = ["github.event_name", "github.ref"]
        .iter()
        .any(|name| expression.contains(name));
    looks && !expression.contains("== 'pull_request")
}

fn check_writer(workflows: &[Workflow], report: &mut Report) {
    let mut steps = workflows.iter().flat_map(|workflow| {
        let jobs = workflow.jobs.iter();
        jobs.flat_map(move |job| job.steps.iter().map(move |step| (workflow, job, step)))
    });
    let readers: Vec<_> = steps
        .clone()
        .filter(|(.., step)| step.uses.starts_with("cachix/cachix-action@"))
        .collect();
    let writes = |(workflow, job, step): (&Workflow, &Job, &Step)| {
        TOKENS.iter().any(|name| step.with.contains_key(*name))
            || step
                .with
                .get("skipPush")
                .is_some_and(|value| value == "true")
            || [&workflow.env, &job.env, &step.env]
                .iter()
                .any(|env| env.keys().any(|name| name.starts_with("CACHIX_")))
    };
    if let (Some((workflow, job, step)), false) = (readers.first(), steps.any(writes)) {
        report.find(
            Code::TokenMissing,
            place(workflow, job),
            format!(
                "the step `{}` has no token, and no other step has one: nothing is ever pushed to the cache",
                step.name
            ),
            "add to its `with`: authToken: ${{ github.event_name == 'push' && secrets.CACHIX_AUTH_TOKEN || '' }}",
        );
    }
}

fn place(workflow: &Workflow, job: &Job) -> String {
    format!("{}, job `{}`", workflow.file, job.name)
}

fn sets_up_cachix(step: &Step) -> bool {
    step.uses.starts_with("cachix/cachix-action@")
        || commands(&step.run).any(|words| words.starts_with(&["cachix", "use"]))
}

fn uses_cachix(step: &Step) -> bool {
    sets_up_cachix(step)
        || commands(&step.run).any(|words| words.first() == Some(&"cachix"))
        || commands(&step.run).any(|words| gantry_command(&words) == Some("cache"))
}

/// Whether a step builds with Nix, by itself or through gantry.
fn builds(step: &Step) -> bool {
    const BUILDING: [&str; 5] = ["build", "run", "develop", "shell", "flake"];
    const STEPS: [&str; 8] = [
        "ci", "fmt", "clippy", "build", "test", "doc", "wasm", "release",
    ];
    commands(&step.run).any(|words| match &*words {
        ["nix-build" | "nix-shell", ..] => true,
        ["nix", arguments @ ..] => {
            let mut words = arguments.iter().filter(|word| !word.starts_with('-'));
            match words.next() {
                Some(&"flake") => words.next() == Some(&"check"),
                Some(subcommand) => BUILDING.contains(subcommand),
                None => false,
            }
        }
        words => gantry_command(words).is_some_and(|command| STEPS.contains(&command)),
    })
}

/// What these words have gantry do, by itself, by xtask or by the flake.
fn gantry_command<'a>(words: &[&'a str]) -> Option<&'a str> {
    match words {
        ["gantry", command, ..] | ["cargo", "xtask", command, ..] => Some(command),
        ["nix", "run", arguments @ ..] if arguments.contains(&".#gantry") => {
            let end = arguments.iter().position(|word| *word == "--")?;
            arguments.get(end + 1).copied()
        }
        _ => None,
    }
}

/// The commands of a script, as words.
fn commands(script: &str) -> impl Iterator<Item = Vec<&str>> {
    script
        .split(['\n', ';', '|', '&', '('])
        .map(|command| command.split_whitespace().collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const SETUP: &str = "      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
      - uses: cachix/install-nix-action@630ae543ea3a38a9a4166f03376c02c50f408342
";
    const CACHIX: &str = "      - name: Cachix
        uses: cachix/cachix-action@5f2d7c5294214f71b873db4b969586b980625e71
        with:
          name: acme
          authToken: ${{ github.event_name == 'push' && secrets.CACHIX_AUTH_TOKEN || '' }}
";
    const BUILD: &str = "      - name: Build
        run: |
          set -e
          nix -L build .#default
";

    fn examine(on: &str, steps: &str) -> Report {
        let text =
            format!("on: {on}\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n{steps}");
        let workflow = Workflow::parse(Path::new(""), "ci.yml", &text).unwrap();
        let mut report = Report::new();
        for job in &workflow.jobs {
            check_order(&workflow, job, &mut report);
            check_pull_requests(&workflow, job, &mut report);
        }
        check_writer(&[workflow], &mut report);
        report
    }

    #[test]
    fn a_sound_workflow_has_no_finding() {
        let report = examine("[push, pull_request]", &[SETUP, CACHIX, BUILD].concat());
        assert!(report.codes().is_empty(), "{report:?}");
        let report = examine("push", &[SETUP, BUILD].concat());
        assert!(report.codes().is_empty(), "{report:?}");
    }

    #[test]
    fn a_build_before_cachix_is_found() {
        let steps = [SETUP, BUILD, CACHIX].concat();
        assert_eq!(examine("push", &steps).codes(), ["cachix-after-build"]);
        for command in [
            "nix flake check",
            "echo; cargo xtask ci --strict",
            "nix run .#gantry -- ci",
            "cd a && nix develop -c make",
        ] {
            let steps = format!("{SETUP}      - run: {command}\n{CACHIX}");
            assert_eq!(
                examine("push", &steps).codes(),
                ["cachix-after-build"],
                "{command}"
            );
        }
        for command in [
            "nix --version",
            "gantry doctor",
            "echo nix build",
            "nix flake metadata",
        ] {
            let steps = format!("{SETUP}      - run: {command}\n{CACHIX}");
            assert!(examine("push", &steps).codes().is_empty(), "{command}");
        }
    }

    #[test]
    fn a_token_for_pull_requests_is_found() {
        let open = CACHIX.replace(
            "github.event_name == 'push' && secrets.CACHIX_AUTH_TOKEN || ''",
            "secrets.CACHIX_AUTH_TOKEN",
        );
        for event in ["pull_request", "[push, pull_request_target]"] {
            let report = examine(event, &[SETUP, &open, BUILD].concat());
            assert_eq!(report.codes(), ["token-in-pull-requests"]);
            assert_eq!(
                report.findings[0].fix,
                "authToken: ${{ github.event_name == 'push' && secrets.CACHIX_AUTH_TOKEN || '' }}"
            );
        }
        assert!(examine("push", &open).codes().is_empty());
        let guarded = format!("{open}        if: github.event_name != 'pull_request'\n");
        assert!(examine("pull_request", &guarded).codes().is_empty());
        let wrong = format!("{open}        if: github.event_name == 'pull_request'\n");
        assert_eq!(
            examine("pull_request", &wrong).codes(),
            ["token-in-pull-requests"]
        );
    }

    #[test]
    fn a_token_that_nobody_has_is_found() {
        let without = CACHIX
            .split_inclusive('\n')
            .filter(|line| !line.contains("authToken"));
        let without: String = without.collect();
        assert_eq!(examine("push", &without).codes(), ["token-missing"]);
        let reads = format!("{without}          skipPush: true\n");
        assert!(examine("push", &reads).codes().is_empty());
    }
}
