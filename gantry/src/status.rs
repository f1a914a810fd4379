//! `gantry status`: where the flake's checks are before anything is built.

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use serde::Serialize;

use crate::arguments::StatusArguments;
use crate::nix::{Availability, Lookup, Outputs, Program};
use crate::output;
use crate::plan::{self, Step};
use crate::table::table;
use crate::units::bytes;
use crate::workspace::Workspace;

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
    availability: Availability,
}

/// Says which checks are in the store, in a cache, or to be built.
///
/// # Errors
/// Wrong usage, no Nix, or a flake that does not evaluate.
pub(crate) fn run(arguments: &StatusArguments) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let program = Program::find(&workspace, &arguments.nix.flags)?;
    let all = Step::all(Outputs::checks(&program)?);
    let steps = plan::select(all, &arguments.steps, &arguments.selection)?;
    let status = Status::of(&program, &steps)?;
    if arguments.json {
        output::print(&format!("{}\n", serde_json::to_string_pretty(&status)?))?;
    } else {
        output::print(&status.to_text())?;
    }
    Ok(
        if status.count(|availability| matches!(availability, Availability::Nowhere { .. })) == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        },
    )
}

impl Status {
    fn of(program: &Program, steps: &[Step]) -> Result<Self> {
        let mut notes = program.warnings();
        notes.extend(steps.iter().filter_map(Step::obstacle));
        let checks = || {
            let steps = steps.iter();
            steps.filter_map(|step| Some((&step.name, &step.output.as_ref()?.path)))
        };
        let paths: Vec<String> = checks().map(|(_, path)| path.clone()).collect();
        let lookup = Lookup::of(program, &paths)?;
        notes.extend(lookup.warnings.iter().cloned());
        let outputs = checks()
            .map(|(name, path)| Output {
                name: name.clone(),
                path: path.clone(),
                availability: lookup.availability(path),
            })
            .collect();
        Ok(Self {
            version: 1,
            notes,
            outputs,
        })
    }

    fn count(&self, is_counted: impl Fn(&Availability) -> bool) -> usize {
        let outputs = self.outputs.iter();
        outputs
            .filter(|output| is_counted(&output.availability))
            .count()
    }

    fn to_text(&self) -> String {
        let plain = |text: &str| (text.to_owned(), Style::new());
        let mut download = 0;
        let rows: Vec<_> = self
            .outputs
            .iter()
            .map(|output| {
                let (word, color, remark, size) = match &output.availability {
                    Availability::Store => ("in store", AnsiColor::Green, String::new(), None),
                    Availability::Cache { url, bytes } => {
                        ("in cache", AnsiColor::Cyan, url.clone(), Some(*bytes))
                    }
                    Availability::Nowhere { untrusted } => {
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
                    plain(&remark),
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
            table(&["output", "state", "download", "cache"], &rows),
            self.count(|availability| *availability == Availability::Store),
            self.count(|availability| matches!(availability, Availability::Cache { .. })),
            self.count(|availability| matches!(availability, Availability::Nowhere { .. })),
        )
    }
}
