//! `cargo xtask status`: where the outputs of the plan are before anything is built.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use serde::Serialize;
use xtask::arguments::StatusArguments;
use xtask::output;
use xtask::plan::Step;
use xtask::report::bytes;
use xtask::table::table;
use xtask::workspace::Workspace;

use crate::nix::{self, Availability, Outputs, Place, Program};

/// The form of `--json`.
#[derive(Serialize)]
struct Status {
    /// The version of this format.
    version: u32,
    notes: Vec<String>,
    outputs: Vec<Output>,
}

/// A check of the flake.
#[derive(Serialize)]
struct Output {
    name: String,
    path: String,
    #[serde(flatten)]
    place: Place,
}

/// Says which outputs of the plan are in the store, in a cache, or to be built.
///
/// # Errors
/// Wrong usage, no Nix, or a flake that does not evaluate.
pub(crate) fn run(arguments: &StatusArguments) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let kinds = arguments.steps.kinds();
    let plan = arguments.selection.plan(&workspace, &kinds)?;
    let program = Program::find(&workspace, &arguments.nix.flags)?;
    let status = Status::of(&program, &plan)?;
    if arguments.json {
        output::print(&format!("{}\n", serde_json::to_string_pretty(&status)?))?;
    } else {
        output::print(&status.to_text())?;
    }
    Ok(
        if status.count(|place| matches!(place, Place::Nowhere { .. })) == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        },
    )
}

impl Status {
    fn of(program: &Program, plan: &[Step]) -> Result<Self> {
        let mut notes = program.warnings();
        let outputs = Outputs::evaluate(program, plan)?;
        for (_, reason) in outputs.missing(plan) {
            if !notes.contains(&reason) {
                notes.push(reason);
            }
        }
        let availability = Availability::of(program, &outputs.paths())?;
        notes.extend(availability.warnings.iter().cloned());
        let mut seen = BTreeSet::new();
        let outputs = outputs
            .checks()
            .map(|(step, check)| (nix::check_name(&plan[step]), check))
            // Steps may share a check.
            .filter(|(name, _)| seen.insert(name.clone()))
            .map(|(name, check)| Output {
                name,
                place: availability.place(&check.path),
                path: check.path.clone(),
            })
            .collect();
        Ok(Self {
            version: 1,
            notes,
            outputs,
        })
    }

    fn count(&self, is_meant: impl Fn(&Place) -> bool) -> usize {
        let places = self.outputs.iter().map(|output| &output.place);
        places.filter(|place| is_meant(place)).count()
    }

    fn to_text(&self) -> String {
        let plain = |text: &str| (text.to_owned(), Style::new());
        let mut download = 0;
        let rows: Vec<_> = self
            .outputs
            .iter()
            .map(|output| {
                let (word, color, place, size) = match &output.place {
                    Place::Store => ("in store", AnsiColor::Green, String::new(), None),
                    Place::Cache { url, bytes } => {
                        ("in cache", AnsiColor::Cyan, url.clone(), Some(*bytes))
                    }
                    Place::Nowhere { untrusted } => {
                        let remark = untrusted.as_ref().map_or_else(String::new, |url| {
                            format!("signed by no trusted key in {url}")
                        });
                        ("to build", AnsiColor::Yellow, remark, None)
                    }
                };
                download += size.unwrap_or_default();
                [
                    plain(&output.name),
                    (word.to_owned(), color.on_default()),
                    plain(&size.map_or_else(String::new, bytes)),
                    plain(&place),
                ]
            })
            .collect();
        let notes = self.notes.iter().map(|note| format!("note: {note}\n"));
        let download = match download {
            0 => String::new(),
            size => format!(" ({} to download)", bytes(size)),
        };
        format!(
            "{}{}\n{} in store, {} in a cache{download}, {} to build\n",
            notes.collect::<String>(),
            table(["output", "state", "download", "cache"], &rows),
            self.count(|place| *place == Place::Store),
            self.count(|place| matches!(place, Place::Cache { .. })),
            self.count(|place| matches!(place, Place::Nowhere { .. })),
        )
    }
}
