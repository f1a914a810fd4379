//! The report as text: a table, the output of what failed, a summary.

use std::fmt::Write as _;

use anstyle::Style;

use super::rows::{color, on_machine, title};
use super::{Activity, Report, RunResult};
use crate::event::{Outcome, Work};
use crate::table::table;
use crate::units::{bytes, crates, seconds};

/// How many of a failed program's last lines are repeated.
const REPEATED_LINES: usize = 60;

/// The column that says where steps ran.
const MACHINE: usize = 5;

impl Report {
    /// A table of steps, times and results; then the last output of what failed; then a summary.
    pub(crate) fn to_text(&self) -> String {
        let mut text = self.table();
        text.push_str(&self.shared_work());
        for (index, activity) in self.activities.iter().enumerate() {
            if activity.failed {
                self.write_failure(&mut text, index, activity);
            }
        }
        let _ = writeln!(text, "\n{}", self.summary());
        text
    }

    fn write_failure(&self, text: &mut String, index: usize, activity: &Activity) {
        let failed: Vec<_> = self
            .steps_of(index)
            .filter(|step| step.outcome == Some(Outcome::Failed))
            .collect();
        let title = if failed.is_empty() {
            self.activity_title(index)
        } else {
            title(&failed) + &on_machine(&activity.work)
        };
        let red = color(&Outcome::Failed);
        let _ = writeln!(text, "\n{red}failed{red:#} {title}");
        let _ = match &activity.work {
            Work::Build { log_command, .. } => writeln!(text, "  $ {log_command}"),
            Work::Substitution { .. } => Ok(()),
        };
        let hidden = activity.output.len().saturating_sub(REPEATED_LINES);
        if hidden > 0 {
            let _ = writeln!(text, "  … {hidden} lines before");
        }
        for line in &activity.output[hidden..] {
            let _ = writeln!(text, "  {line}");
        }
    }

    fn table(&self) -> String {
        let is_distributed = self.is_distributed();
        let rows: Vec<_> = self
            .rows()
            .iter()
            .map(|steps| {
                let cells = self.cells(steps);
                let plain = |cell| (cell, Style::new());
                let mut row = vec![
                    plain(cells.step),
                    plain(cells.target),
                    plain(cells.profile),
                    plain(cells.members),
                    (
                        cells.result.to_owned(),
                        steps[0].outcome.as_ref().map_or(Style::new(), color),
                    ),
                    plain(cells.compiled),
                    plain(cells.time),
                    plain(cells.reason),
                ];
                if is_distributed {
                    row.insert(MACHINE, plain(cells.machine));
                }
                row
            })
            .collect();
        let mut heading = vec![
            "step", "target", "profile", "members", "result", "compiled", "time", "",
        ];
        if is_distributed {
            heading.insert(MACHINE, "machine");
        }
        format!("\n{}", table(&heading, &rows))
    }

    /// What was done for several steps at once, such as the layers that they share.
    fn shared_work(&self) -> String {
        let mut text = String::new();
        for (index, activity) in self.activities.iter().enumerate() {
            if let Work::Build { .. } = activity.work
                && self.steps_of(index).next().is_none()
                && !self.was_in_vain(index)
            {
                let _ = writeln!(
                    text,
                    "  {} ({}, {} compiled)",
                    self.activity_title(index),
                    seconds(activity.seconds),
                    crates(activity.compiled.len())
                );
            }
        }
        if !text.is_empty() {
            text.insert_str(0, "\nbuilt for several steps:\n");
        }
        for (cache, paths, size) in self.downloads() {
            let _ = writeln!(
                text,
                "\ndownloaded {paths} store paths, {}, from {cache}",
                bytes(size)
            );
        }
        text
    }

    fn summary(&self) -> String {
        let (word, outcome) = match self.result {
            RunResult::Passed => ("passed", Outcome::Built),
            RunResult::Failed => ("failed", Outcome::Failed),
            RunResult::Interrupted => ("interrupted", Outcome::Interrupted),
        };
        let style = color(&outcome);
        let only_skipped = self
            .steps
            .iter()
            .filter_map(|step| step.outcome.as_ref())
            .all(|outcome| outcome.is_success() || matches!(outcome, Outcome::Skipped(_)));
        let why = if self.result == RunResult::Failed && only_skipped {
            " (--strict: a skipped step is a failed one)"
        } else {
            ""
        };
        format!(
            "{style}{word}{style:#}: {}{why}; {} compiled; {}",
            self.counts(),
            self.compiled(),
            seconds(self.seconds)
        )
    }
}
