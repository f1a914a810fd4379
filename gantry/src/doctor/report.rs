//! What the doctor has found, and what it could not look at.

use std::fmt::Write as _;

use anstyle::AnsiColor;
use serde::Serialize;

use super::code::{Code, Severity};

/// The form of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The version of this format.
    version: u32,
    pub(super) findings: Vec<Finding>,
    unchecked: Vec<Unchecked>,
}

#[derive(Debug, Serialize)]
pub(super) struct Finding {
    severity: Severity,
    code: Code,
    /// A file, a step of a workflow, a URL.
    place: String,
    problem: String,
    /// The command to run, or the line to write.
    pub(super) fix: String,
}

/// Something that could not be looked at.
#[derive(Debug, Serialize)]
struct Unchecked {
    what: String,
    why: String,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            version: 1,
            findings: Vec::new(),
            unchecked: Vec::new(),
        }
    }

    pub(super) fn find(
        &mut self,
        code: Code,
        place: impl Into<String>,
        problem: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.findings.push(Finding {
            severity: code.severity(),
            code,
            place: place.into(),
            problem: problem.into(),
            fix: fix.into(),
        });
    }

    pub(super) fn skip(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.unchecked.push(Unchecked {
            what: what.into(),
            why: why.into(),
        });
    }

    pub(super) fn to_text(&self) -> String {
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
                fix,
                ..
            } = finding;
            let _ = writeln!(
                text,
                "{style}{word:>11}{style:#} {place} [{code}]\n{:>12}{}\n{:>12}fix: {}",
                "",
                indented(problem),
                "",
                indented(fix)
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

    /// The codes of what was found, for tests.
    #[cfg(test)]
    pub(super) fn codes(&self) -> Vec<String> {
        let findings = self.findings.iter();
        findings.map(|finding| finding.code.to_string()).collect()
    }
}

fn indented(text: &str) -> String {
    text.replace('\n', &format!("\n{:>12}", ""))
}
