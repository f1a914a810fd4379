//! The report as a folder: JSON for programs, and one HTML page, complete in itself, with a picture
//! of what ran when.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Report, RunResult};
use crate::event::Work;
use crate::file;
use crate::units::{bytes, crates, seconds};

/// In the picture's units, which are pixels at its natural size.
const WIDTH: f64 = 1000.0;
const LANE: usize = 30;

impl Report {
    /// Writes `report.json` and `report.html` into `folder`.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for (name, text) in [
            ("report.json", serde_json::to_string_pretty(self)?),
            ("report.html", self.to_html()),
        ] {
            file::write(&folder.join(name), &text)?;
        }
        Ok(())
    }

    fn to_html(&self) -> String {
        let (class, result) = match self.result {
            RunResult::Passed => ("passed", "Passed"),
            RunResult::Failed => ("failed", "Failed"),
            RunResult::Interrupted => ("failed", "Interrupted"),
        };
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{result}</title>\n\
             <style>\n{}</style>\n<main>\n<h1><span class=\"{class}\">{result}</span> in {}</h1>\n\
             <p>{}; {} compiled.</p>\n",
            include_str!("report.css"),
            seconds(self.seconds),
            self.counts(),
            self.compiled(),
        );
        for (cache, paths, size) in self.downloads() {
            let _ = writeln!(
                page,
                "<p>Downloaded {paths} store paths, {}, from {}.</p>",
                bytes(size),
                escape(cache)
            );
        }
        if !self.activities.is_empty() {
            self.write_timeline(&mut page);
        }
        self.write_steps(&mut page);
        self.write_failures(&mut page);
        page.push_str("</main>\n</html>\n");
        page
    }

    fn write_timeline(&self, page: &mut String) {
        let bars = self.timeline();
        let lanes = bars
            .iter()
            .map(|bar| bar.lane + 1)
            .max()
            .unwrap_or_default();
        // A run of no length would divide by zero.
        let scale = WIDTH / self.seconds.max(0.001);
        let height = lanes * LANE;
        let _ = writeln!(
            page,
            "<h2>What ran when</h2>\n<p class=\"legend\"><i class=\"build\"></i>run here \
             <i class=\"substitution\"></i>downloaded <i class=\"failed\"></i>failed <i class=\"critical\"></i>critical path</p>\n\
             <svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"Timeline\">",
            height + 24
        );
        for fraction in 0..=4_u8 {
            let at = WIDTH * f64::from(fraction) / 4.0;
            let anchor = match fraction {
                0 => "start",
                4 => "end",
                _ => "middle",
            };
            let _ = writeln!(
                page,
                "<path class=\"grid\" d=\"M{at} 0V{height}\"/><text class=\"axis\" x=\"{at}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
                height + 18,
                seconds(self.seconds * f64::from(fraction) / 4.0)
            );
        }
        for bar in bars {
            let activity = &self.activities[bar.activity];
            let class = match &activity.work {
                _ if activity.failed => "failed",
                Work::Build { .. } => "build",
                Work::Substitution { .. } => "substitution",
            };
            let title = escape(&self.activity_title(bar.activity));
            let (left, width) = (activity.start * scale, (activity.seconds * scale).max(2.0));
            let top = bar.lane * LANE;
            let critical = if bar.is_critical { " critical" } else { "" };
            let _ = writeln!(
                page,
                "<svg x=\"{left:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{LANE}\"><title>{title} ({}, {} compiled)</title>\
                 <rect class=\"bar {class}{critical}\" x=\"1\" y=\"3\" width=\"{:.1}\" height=\"{}\" rx=\"3\"/><text class=\"label\" x=\"7\" y=\"19\">{title}</text></svg>",
                seconds(activity.seconds),
                crates(activity.compiled.len()),
                (width - 2.0).max(1.0),
                LANE - 6,
            );
        }
        page.push_str("</svg>\n");
    }

    fn write_steps(&self, page: &mut String) {
        let is_distributed = self.is_distributed();
        let machine = if is_distributed { "<th>machine" } else { "" };
        let _ = writeln!(
            page,
            "<h2>Steps</h2>\n<table>\n<thead><tr><th>step<th>target<th>profile<th>members<th>result{machine}<th>compiled<th>time</thead>\n<tbody>",
        );
        for row in self.rows() {
            let cells = self.cells(&row);
            let reason = match &*cells.reason {
                "" => String::new(),
                reason => format!("<br><small>{}</small>", escape(reason)),
            };
            let machine = if is_distributed {
                format!("<td>{}", escape(&cells.machine))
            } else {
                String::new()
            };
            let compiled = match row[0].activity.map(|index| &self.activities[index]) {
                Some(activity) => format!(
                    "<span title=\"{}\">{}</span>",
                    escape(&activity.compiled.join(", ")),
                    cells.compiled
                ),
                None => String::new(),
            };
            let _ = writeln!(
                page,
                "<tr><td>{}<td>{}<td>{}<td>{}<td class=\"{result}\">{result}{reason}{machine}<td>{compiled}<td class=\"number\">{}",
                cells.step,
                cells.target,
                cells.profile,
                escape(&cells.members),
                cells.time,
                result = cells.result,
            );
        }
        page.push_str("</tbody>\n</table>\n");
    }

    fn write_failures(&self, page: &mut String) {
        for (index, activity) in self
            .activities
            .iter()
            .enumerate()
            .filter(|(_, activity)| activity.failed)
        {
            let output = anstream::adapter::strip_str(&activity.output.join("\n")).to_string();
            let _ = writeln!(
                page,
                "<h2 class=\"failed\">{}</h2>\n<pre>{}</pre>",
                escape(&self.activity_title(index)),
                escape(&output)
            );
        }
    }
}

/// Text as it stands in HTML, attributes included.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
