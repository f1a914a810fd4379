//! `gantry why`: the edits that make an output be built again.

mod builds;
mod cause;
mod comparison;
mod files;
mod inputs;
mod lock;
mod manifests;
mod revision;
mod sources;

use std::fmt::Write as _;
use std::process::ExitCode;

use anstyle::AnsiColor;
use anyhow::Result;
use serde::Serialize;

use self::cause::Cause;
use self::comparison::Comparison;
use self::revision::Revision;
use crate::arguments::WhyArguments;
use crate::nix::{self, Program};
use crate::output;
use crate::workspace::Workspace;

/// The form of `--json`.
#[derive(Serialize)]
struct Report<'a> {
    /// The version of this format.
    version: u32,
    output: &'a str,
    since: Since<'a>,
    rebuilt: bool,
    causes: &'a [Cause],
}

#[derive(Serialize)]
struct Since<'a> {
    name: &'a str,
    commit: &'a str,
}

/// Says why an output is built again.
///
/// # Errors
/// Nix or git is missing, the flake does not evaluate, or there is no such output or revision.
pub(crate) fn run(arguments: &WhyArguments) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let program = Program::find(&workspace, &arguments.nix.flags)?;
    let since = Revision::find(&workspace.root, arguments.since.as_deref())?;
    for warning in nix::untracked_warnings(&workspace.root) {
        output::print_error(&format!("note: {warning}\n"));
    }
    let name = arguments.output.trim_start_matches(".#");
    let causes = Comparison::new(&workspace, &program, &since)?.causes(name)?;
    let text = if arguments.json {
        let report = Report {
            version: 1,
            output: name,
            since: Since {
                name: &since.name,
                commit: &since.commit,
            },
            rebuilt: !causes.is_empty(),
            causes: &causes,
        };
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        to_text(name, &since, &causes)
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn to_text(output: &str, since: &Revision, causes: &[Cause]) -> String {
    let commit = since.commit.get(..7).unwrap_or(&since.commit);
    let since = if since.name.starts_with(commit) {
        commit.to_owned()
    } else {
        format!("{} ({commit})", since.name)
    };
    if causes.is_empty() {
        return format!("nothing: {output} is what it was at {since}\n");
    }
    let mut text = format!("{output} is built again, because since {since}:\n");
    let style = AnsiColor::Cyan.on_default();
    for cause in causes {
        let _ = writeln!(text, "{style}{:>12}{style:#} {cause}", cause.topic());
    }
    text
}
