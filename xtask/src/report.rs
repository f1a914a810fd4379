//! What came of the steps: a table for people, which is Markdown, and JSON for programs.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::Arguments;
use crate::process::interrupted;
use crate::steps::Step;

/// Reports the steps; the exit code says what they come to.
pub(crate) fn report(arguments: &Arguments, steps: &[Step]) -> Result<ExitCode> {
    let is = |outcome: &str| steps.iter().any(|step| step.outcome == outcome);
    let (result, exit_code) = match arguments.strict {
        _ if interrupted() => ("interrupted", 130),
        strict if is("failed") || strict && is("skipped") => ("failed", 1),
        _ => ("passed", 0),
    };
    let mut text = table(steps);
    if let Some(file) = env::var_os("GITHUB_STEP_SUMMARY") {
        let file = OpenOptions::new().append(true).create(true).open(file);
        let written = file.and_then(|mut file| writeln!(file, "{text}"));
        written.context("cannot write GITHUB_STEP_SUMMARY")?;
    }
    if arguments.dry_run {
        let line = |step: &Step| format!("{}  {}\n", step.names.join(" "), step.command);
        text = steps.iter().map(line).collect();
    }
    for step in steps.iter().filter(|step| step.outcome == "failed") {
        text += &format!("\nfailed: {}\n  $ {}\n", step.names.join(" "), step.command);
    }
    let json = json!({ "version": 1, "backend": "cargo", "result": result, "steps": steps });
    match arguments.json.as_deref() {
        Some(file) if file == Path::new("-") => text = format!("{json:#}\n"),
        Some(file) => {
            let partial = file.with_extension("partial");
            let written = fs::write(&partial, format!("{json:#}\n"));
            let written = written.and_then(|()| fs::rename(&partial, file));
            written.with_context(|| format!("cannot write {}", file.display()))?;
        }
        None => {}
    }
    io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::from(exit_code))
}

fn table(steps: &[Step]) -> String {
    let mut text = "\n|     time | outcome     | step | reason\n".to_owned();
    text += "| -------: | ----------- | ---- | ------\n";
    for Step { kind, target, members, outcome, reason, seconds, .. } in steps {
        let step = format!("{kind} {target} {}", members.join(" "));
        text += &format!("| {seconds:6.1} s | {outcome:11} | {step} | {reason}\n");
    }
    text
}
