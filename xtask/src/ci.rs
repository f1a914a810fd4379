//! `cargo xtask ci` and the commands of its single steps: plan, run, report.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use xshell::Shell;

use crate::process::{interrupted, run};
use crate::steps::{Commands, Project, Step};
use crate::workspace::{NATIVE, Workspace};
use crate::{Arguments, report};

/// Runs the steps that [`Project::plan`] says, and reports what came of them.
pub(crate) fn run_steps(arguments: &Arguments, kinds: &[&str]) -> Result<ExitCode> {
    let sh = Shell::new()?;
    let workspace = Workspace::load(&sh)?;
    sh.change_dir(&workspace.root);
    let project = Project { sh, workspace, arguments };
    let mut steps: Vec<Step> = Vec::new();
    for (mut step, commands) in project.plan(kinds)? {
        let failed = steps.iter().find(|step| step.outcome == "failed");
        if let Some(failed) = failed.filter(|_| !arguments.keep_going) {
            (step.outcome, step.reason) = ("not run", format!("{} failed", failed.kind));
        } else if interrupted() {
            step.outcome = "not run";
        } else if !arguments.dry_run {
            let started = Instant::now();
            if let Err(missing) = run_step(&project, &mut step, commands) {
                (step.outcome, step.reason) = ("skipped", format!("{missing:#}"));
            }
            step.seconds = started.elapsed().as_secs_f64();
        }
        steps.push(step);
    }
    report::report(arguments, &steps)
}

/// Runs a step up to the first command that fails. The error is what the machine lacks.
fn run_step(project: &Project<'_>, step: &mut Step, commands: Commands<'_>) -> Result<()> {
    let is_native = step.target.is_empty() || step.target == NATIVE;
    let variables = if is_native { Vec::new() } else { project.provide_std(&step.target)? };
    step.outcome = "passed";
    for command in commands? {
        let description = command.to_string();
        eprintln!("\n$ {description}");
        let has_passed = run(command.envs(variables.clone())).unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            false
        });
        if !has_passed {
            step.outcome = if interrupted() { "interrupted" } else { "failed" };
            step.command = description;
            break;
        }
    }
    Ok(())
}
