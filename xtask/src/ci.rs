//! `cargo xtask ci` and the commands of its single steps: plan, run, report.

use std::env;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum as _;
use serde::Serialize;

use crate::arguments::RunArguments;
use crate::backend::{Backend, Options};
use crate::display::Display;
use crate::event::Event;
use crate::interrupt;
use crate::output;
use crate::plan::{Step, Target, What};
use crate::report::{Report, RunResult};
use crate::workspace::Workspace;

/// Runs the steps of the kinds `steps` with `backend`, and says what came of them.
///
/// `remark` says why it is this backend where the choice was left open.
///
/// # Errors
/// Wrong usage, or an environment in which the steps cannot run; failed steps are an exit code.
pub fn run(
    workspace: &Workspace,
    arguments: &RunArguments,
    steps: &[What],
    backend: &dyn Backend,
    remark: Option<String>,
) -> Result<ExitCode> {
    let plan = arguments.selection.plan(workspace, steps)?;
    if arguments.dry_run {
        print_plan(backend, workspace, &plan, arguments.json)?;
        return Ok(ExitCode::SUCCESS);
    }

    let mut report = Report::new(backend.name(), &plan);
    let mut display = Display::new(arguments.verbose);
    let mut emit = |event: Event| {
        report.fold(&event);
        display.show(&event, &report);
    };
    if let Some(remark) = remark {
        emit(Event::Note(remark));
    }
    if let Some(remark) = unneeded_target(workspace) {
        emit(Event::Note(remark));
    }
    let options = Options {
        keep_going: arguments.keep_going,
        skip_cached: arguments.skip_cached(),
        color: anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never,
    };
    backend.run(workspace, &plan, &options, &mut emit)?;
    let result = report.finish(arguments.strict, interrupt::requested());

    if arguments.json {
        output::print(&format!("{}\n", report.to_json()?))?;
    } else {
        output::print(&report.to_text())?;
    }
    if let Some(folder) = &arguments.report {
        report.write(folder)?;
    }
    if let Some(file) = env::var_os("GITHUB_STEP_SUMMARY") {
        report.append_markdown(Path::new(&file))?;
    }
    Ok(match result {
        RunResult::Passed => ExitCode::SUCCESS,
        RunResult::Failed => ExitCode::FAILURE,
        RunResult::Interrupted => ExitCode::from(130),
    })
}

/// Says which members name a target that no step is for.
fn unneeded_target(workspace: &Workspace) -> Option<String> {
    let named = |target| {
        let members = workspace.members.iter();
        members
            .filter(|member| member.targets.contains(&target))
            .map(|member| &*member.name)
            .collect::<Vec<_>>()
    };
    let mut targets = Target::value_variants().iter().copied();
    let target = targets.find(|&target| !workspace.needs(target) && !named(target).is_empty())?;
    Some(format!(
        "no member makes anything for {target}, so {} has no steps for it",
        named(target).join(", ")
    ))
}

fn print_plan(
    backend: &dyn Backend,
    workspace: &Workspace,
    plan: &[Step],
    json: bool,
) -> Result<()> {
    /// The form of `--dry-run --json`.
    #[derive(Serialize)]
    struct DryRun<'a> {
        backend: &'a str,
        steps: &'a [Step],
    }
    let name = backend.name();
    let text = if json {
        serde_json::to_string_pretty(&DryRun {
            backend: name,
            steps: plan,
        })?
    } else {
        let report = Report::new(name, plan);
        let mut lines = vec![format!("backend {name}")];
        for (steps, command) in backend.commands(workspace, plan) {
            lines.push(format!(
                "{}\n  $ {command}",
                report.titles(&steps).join(", ")
            ));
        }
        lines.join("\n")
    };
    output::print(&format!("{text}\n"))
}
