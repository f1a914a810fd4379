//! `cargo xtask doctor`: what keeps builds from being cached, each finding with its cure.
//!
//! docs/troubleshooting.md says more of each code.

mod agreement;
mod contents;
mod examination;
mod flake;
mod machine;
mod nix_config;
mod nix_settings;
mod repository;
mod workflow;
mod workflows;

use std::fmt::Write as _;
use std::process::ExitCode;

use anstyle::AnsiColor;
use anyhow::Result;
use serde::Serialize;
use xtask::arguments::DoctorArguments;
use xtask::finding::{Code, Severity};
use xtask::interrupt;
use xtask::output;
use xtask::workspace::Workspace;

use self::examination::{Examination, Finding, Unchecked};
use self::workflow::Workflow;
use crate::cache::Settings;
use crate::nix::{Program, Unusable};

const MANIFEST: &str = "Cargo.toml, [workspace.metadata.cache]";

/// The form of `--json`.
#[derive(Serialize)]
struct Report {
    /// The version of this format.
    version: u32,
    findings: Vec<Finding>,
    unchecked: Vec<Unchecked>,
}

/// Looks for what keeps builds from being cached.
///
/// # Errors
/// There is no workspace here that cargo can read.
pub(crate) fn run(arguments: &DoctorArguments) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let mut examination = Examination::default();
    let (workflows, unreadable) = Workflow::read_all(&workspace.root);
    for (file, problem) in unreadable {
        let cure = "correct the file: GitHub would not run it either";
        examination.find(Code::WorkflowUnreadable, file, problem, cure);
    }
    let cache = Settings::of(&workspace).unwrap_or_else(|error| {
        let cure = "correct the table: docs/caches.md says what it holds";
        examination.find(Code::CacheMalformed, MANIFEST, format!("{error:#}"), cure);
        None
    });
    let cache = cache.as_ref();
    agreement::check(&workspace, cache, &workflows, &mut examination);
    workflows::check(cache, &workflows, &mut examination);
    repository::check(&workspace, arguments.offline, &mut examination);
    machine::check(&workspace, &mut examination);
    check_with_nix(&workspace, arguments, &mut examination);

    let report = Report {
        version: 1,
        findings: examination.findings,
        unchecked: examination.unchecked,
    };
    let text = if arguments.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.to_text()
    };
    output::print(&text)?;
    Ok(match (interrupt::requested(), &*report.findings) {
        (true, _) => ExitCode::from(130),
        (_, []) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn check_with_nix(
    workspace: &Workspace,
    arguments: &DoctorArguments,
    examination: &mut Examination,
) {
    const WHAT: &str = "Nix's settings, the flake and what the cache has";
    let mut flags = arguments.nix.flags.clone();
    if arguments.offline {
        flags.push("--offline".into());
    }
    let program = match Program::find(workspace, &flags) {
        Ok(program) => program,
        Err(error) => {
            let place = "nix";
            match error.downcast_ref() {
                Some(Unusable::TooOld(_)) => {
                    let cure = "nix upgrade-nix";
                    examination.find(Code::NixTooOld, place, error.to_string(), cure);
                }
                Some(Unusable::FlakesOff) => {
                    let cure = "add to nix.conf: experimental-features = nix-command flakes";
                    examination.find(Code::FlakesOff, place, "flakes are off", cure);
                }
                _ => {}
            }
            examination.skip(WHAT, format!("{error:#}"));
            return;
        }
    };
    nix_settings::check(workspace, &program, examination);
    if let Some(flake) = flake::check(workspace, &program, arguments.offline, examination) {
        contents::check(workspace, &program, &flake, arguments.offline, examination);
    }
}

impl Report {
    fn to_text(&self) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let (word, color) = match finding.severity {
                Severity::Error => ("error", AnsiColor::Red),
                Severity::Warning => ("warning", AnsiColor::Yellow),
            };
            let style = color.on_default();
            let Finding {
                code,
                place,
                problem,
                cure,
                ..
            } = finding;
            let _ = writeln!(
                text,
                "{style}{word:>11}{style:#} {place} [{code}]\n{:>12}{}\n{:>12}cure: {}",
                "",
                indented(problem),
                "",
                indented(cure)
            );
        }
        for Unchecked { what, why } in &self.unchecked {
            let style = AnsiColor::Yellow.on_default();
            let _ = writeln!(
                text,
                "{style}{:>11}{style:#} {what}: {}",
                "not checked",
                indented(why)
            );
        }
        match self.findings.len() {
            0 => text += "nothing found\n",
            1 => text += "1 finding; docs/troubleshooting.md says more of it\n",
            many => {
                let _ = writeln!(
                    text,
                    "{many} findings; docs/troubleshooting.md says more of each"
                );
            }
        }
        text
    }
}

fn indented(text: &str) -> String {
    text.replace('\n', &format!("\n{:>12}", ""))
}
