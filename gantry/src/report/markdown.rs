//! The report as Markdown, for the summary of a GitHub job.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Report, RunResult};
use crate::units::{bytes, seconds};

/// How many of a failed program's last lines are shown.
const SHOWN_LINES: usize = 30;

impl Report {
    /// Adds the report to the end of `file`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn append_markdown(&self, file: &Path) -> Result<()> {
        let mut options = OpenOptions::new();
        options
            .create(true)
            .append(true)
            .open(file)
            .and_then(|mut file| file.write_all(self.to_markdown().as_bytes()))
            .with_context(|| format!("cannot write {}", file.display()))
    }

    fn to_markdown(&self) -> String {
        let result = match self.result {
            RunResult::Passed => "✅ passed",
            RunResult::Failed => "❌ failed",
            RunResult::Interrupted => "⏹ interrupted",
        };
        let is_distributed = self.is_distributed();
        let (heading, line) = if is_distributed {
            (" machine |", " --- |")
        } else {
            ("", "")
        };
        let mut text = format!(
            "### {result}: {}; {} compiled; {}\n\n| step | target | members | result |{heading} compiled | time |\n| --- | --- | --- | --- |{line} --- | ---: |\n",
            self.counts(),
            self.compiled(),
            seconds(self.seconds)
        );
        for row in self.rows() {
            let cells = self.cells(&row);
            let reason = match &*cells.reason {
                "" => String::new(),
                reason => format!(": {}", reason.replace('|', "\\|")),
            };
            let machine = if is_distributed {
                format!(" {} |", cells.machine)
            } else {
                String::new()
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {}{reason} |{machine} {} | {} |",
                cells.step, cells.target, cells.members, cells.result, cells.compiled, cells.time
            );
        }
        for (cache, paths, size) in self.downloads() {
            let _ = writeln!(
                text,
                "\nDownloaded {paths} store paths, {}, from {cache}.",
                bytes(size)
            );
        }
        for (index, activity) in self
            .activities
            .iter()
            .enumerate()
            .filter(|(_, activity)| activity.failed)
        {
            let hidden = activity.output.len().saturating_sub(SHOWN_LINES);
            let output = activity.output[hidden..].join("\n");
            let output = anstream::adapter::strip_str(&output).to_string();
            // Longer than any fence within.
            let _ = writeln!(
                text,
                "\n**{}**\n\n``````text\n{output}\n``````",
                self.activity_title(index)
            );
        }
        text
    }
}
