//! What a backend says while it runs a plan.

use serde::Serialize;

/// Steps are named by their index in the plan. Each step ends in exactly one
/// [`Event::Finished`] or [`Event::NotRun`].
pub(crate) enum Event {
    /// A program starts; it runs these steps.
    Started { steps: Vec<usize>, command: String },
    /// The running program printed a line.
    Line(String),
    /// A tenth of a second passed without a line.
    Tick,
    /// The running program compiled this crate.
    Compiled(String),
    /// The running program ended.
    Finished {
        seconds: f64,
        outcomes: Vec<(usize, Outcome)>,
    },
    /// These steps are not run.
    NotRun { steps: Vec<usize>, outcome: Outcome },
    /// A remark on how the plan is run.
    Note(String),
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "reason", rename_all = "lowercase")]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// Not run, because of the failed step that is named.
    Blocked(String),
    /// Not run, because this machine lacks something: what, and the command that mends it.
    Skipped(String),
    /// Ended, or never begun, because the user asked for the end.
    Interrupted,
}

impl Outcome {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Blocked(_) => "blocked",
            Self::Skipped(_) => "skipped",
            Self::Interrupted => "interrupted",
        }
    }

    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Blocked(reason) | Self::Skipped(reason) => Some(reason),
            Self::Passed | Self::Failed | Self::Interrupted => None,
        }
    }
}
