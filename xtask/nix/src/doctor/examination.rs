//! What the doctor has found, and what it could not look at.

use serde::Serialize;
use xtask::finding::{Code, Severity};

#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) code: Code,
    /// A file, a step of a workflow, a URL.
    pub(crate) place: String,
    pub(crate) problem: String,
    /// The command to run, or the line to write.
    pub(crate) cure: String,
}

/// Something that could not be looked at.
#[derive(Debug, Serialize)]
pub(crate) struct Unchecked {
    pub(crate) what: String,
    pub(crate) why: String,
}

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Examination {
    pub(crate) findings: Vec<Finding>,
    pub(crate) unchecked: Vec<Unchecked>,
}

impl Examination {
    pub(crate) fn find(
        &mut self,
        code: Code,
        place: impl Into<String>,
        problem: impl Into<String>,
        cure: impl Into<String>,
    ) {
        self.findings.push(Finding {
            severity: code.severity(),
            code,
            place: place.into(),
            problem: problem.into(),
            cure: cure.into(),
        });
    }

    pub(crate) fn skip(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.unchecked.push(Unchecked {
            what: what.into(),
            why: why.into(),
        });
    }
}

#[cfg(test)]
impl Examination {
    /// The codes of what was found, for tests.
    pub(crate) fn codes(&self) -> Vec<&str> {
        self.findings
            .iter()
            .map(|finding| finding.code.name())
            .collect()
    }
}
