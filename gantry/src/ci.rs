//! `gantry ci`: plan, run, report.

use std::env;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use crate::arguments::{RunArguments, StepArguments};
use crate::display::Display;
use crate::event::Event;
use crate::nix::{Outputs, Program};
use crate::plan::{self, Step};
use crate::report::{Report, RunResult};
use crate::workspace::Workspace;
use crate::{build, file, github, interrupt, output};

/// Runs the flake's checks of these kinds, and says what came of them.
///
/// # Errors
/// Wrong usage, no Nix, or a flake that does not evaluate; failed steps are an exit code.
pub(crate) fn run(kinds: &StepArguments, arguments: &RunArguments) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let program = Program::find(&workspace, &arguments.nix.flags)?;
    let all = Step::all(Outputs::checks(&program)?);
    let steps = plan::select(all, kinds, &arguments.selection)?;
    if arguments.dry_run {
        print_plan(&steps, program.system(), arguments.json.as_deref())?;
        return Ok(ExitCode::SUCCESS);
    }
    run_steps(&program, &steps, arguments)
}

/// Runs these steps, and says what came of them.
///
/// # Errors
/// They cannot be run here, or a report cannot be written; failed steps are an exit code.
pub(crate) fn run_steps(
    program: &Program,
    steps: &[Step],
    arguments: &RunArguments,
) -> Result<ExitCode> {
    let mut report = Report::new(steps);
    let mut display = Display::new(arguments.verbose);
    let mut emit = |event: Event| {
        report.fold(&event);
        display.show(&event, &report);
    };
    build::run(program, steps, arguments.skips_cached(), &mut emit)?;
    let result = report.finish(arguments.strict, interrupt::requested());

    let json = arguments.json.as_deref();
    if let Some(file) = json {
        write_json(file, &report)?;
    }
    // Standard output holds one thing.
    if json != Some(Path::new("-")) {
        output::print(&report.to_text())?;
    }
    if let Some(folder) = &arguments.report {
        report.write(folder)?;
    }
    if let Some(file) = env::var_os("GITHUB_STEP_SUMMARY") {
        report.append_markdown(Path::new(&file))?;
    }
    if github::is_here() {
        output::print_error(&report.to_annotations());
    }
    Ok(match result {
        RunResult::Passed => ExitCode::SUCCESS,
        RunResult::Failed => ExitCode::FAILURE,
        RunResult::Interrupted => ExitCode::from(130),
    })
}

fn print_plan(steps: &[Step], system: &str, json: Option<&Path>) -> Result<()> {
    /// The form of `--dry-run --json`.
    #[derive(Serialize)]
    struct DryRun<'a> {
        /// The version of this format.
        version: u32,
        steps: Vec<Planned<'a>>,
    }
    #[derive(Serialize)]
    struct Planned<'a> {
        #[serde(flatten)]
        step: &'a Step,
        command: String,
    }
    let planned = steps.iter().map(|step| Planned {
        step,
        command: step.command(system),
    });
    if let Some(file) = json {
        let steps = planned.collect();
        return write_json(file, &DryRun { version: 1, steps });
    }
    let lines = planned.map(|Planned { step, command }| format!("{}  {command}\n", step.name));
    output::print(&lines.collect::<String>())
}

/// Writes to a file, or to standard output where it is `-`.
fn write_json(file: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)? + "\n";
    if file == Path::new("-") {
        output::print(&text)
    } else {
        file::write(file, &text)
    }
}
