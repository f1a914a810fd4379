//! `gantry doctor`: what keeps builds from being cached, each finding with what mends it.
//!
//! docs/troubleshooting.md says more of each code.

mod cached_deps;
mod caches;
mod code;
mod flake;
mod machine;
mod nix_config;
mod nix_settings;
mod report;
mod repository;
mod workflow;
mod workflows;

use std::process::ExitCode;

use anyhow::{Error, Result};

pub(crate) use self::code::Code;
use self::report::Report;
use self::workflow::Workflow;
use crate::arguments::DoctorArguments;
use crate::cache::Settings;
use crate::nix::{Program, Unusable};
use crate::workspace::Workspace;
use crate::{interrupt, output};

const MANIFEST: &str = "Cargo.toml, [workspace.metadata.cache]";

/// Looks for what keeps builds from being cached.
///
/// # Errors
/// There is no flake here, or its Cargo.toml cannot be read.
pub(crate) fn run(arguments: &DoctorArguments) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let mut report = Report::new();
    let (workflows, unreadable) = Workflow::read_all(&workspace.root);
    for (file, problem) in unreadable {
        let fix = "correct the file: GitHub would not run it either";
        report.find(Code::WorkflowUnreadable, file, problem, fix);
    }
    let cache = Settings::of(&workspace).unwrap_or_else(|error| {
        let fix = "correct the table: docs/caches.md says what it holds";
        report.find(Code::CacheMalformed, MANIFEST, format!("{error:#}"), fix);
        None
    });
    let cache = cache.as_ref();
    caches::check(&workspace, cache, &workflows, &mut report);
    workflows::check(cache, &workflows, &mut report);
    repository::check(&workspace, arguments.offline, &mut report);
    machine::check(&workspace, &mut report);
    check_with_nix(&workspace, arguments, &mut report);

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

fn check_with_nix(workspace: &Workspace, arguments: &DoctorArguments, report: &mut Report) {
    const SUBJECT: &str = "Nix's settings, the flake and what the cache has";
    let mut flags = arguments.nix.flags.clone();
    if arguments.offline {
        flags.push("--offline".into());
    }
    let program = match Program::find(workspace, &flags) {
        Ok(program) => program,
        Err(error) => {
            find_unusable(&error, report);
            report.skip(SUBJECT, format!("{error:#}"));
            return;
        }
    };
    nix_settings::check(workspace, &program, report);
    if let Some(flake) = flake::check(workspace, &program, arguments.offline, report) {
        cached_deps::check(workspace, &program, &flake, arguments.offline, report);
    }
}

/// Finds what `error` says of Nix itself; whether it says such a thing.
fn find_unusable(error: &Error, report: &mut Report) -> bool {
    let (code, problem, fix) = match error.downcast_ref() {
        Some(Unusable::TooOld(_)) => (Code::NixTooOld, format!("{error:#}"), "nix upgrade-nix"),
        Some(Unusable::FlakesOff) => (
            Code::FlakesOff,
            "flakes are off".to_owned(),
            "add to nix.conf: experimental-features = nix-command flakes",
        ),
        None => return false,
    };
    report.find(code, "nix", problem, fix);
    true
}
