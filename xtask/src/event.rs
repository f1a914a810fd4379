//! What a backend says while it runs a plan.

use serde::Serialize;

/// Steps are named by their index in the plan, activities by the order of their start. Each step
/// ends in exactly one [`Event::Finished`] or [`Event::Settled`].
pub(crate) enum Event {
    /// An activity starts; it runs these steps, or something that steps need.
    Started {
        activity: usize,
        work: Work,
        steps: Vec<usize>,
    },
    /// An activity printed a line.
    Line { activity: usize, text: String },
    /// A tenth of a second passed without a line.
    Tick,
    /// An activity compiled this crate.
    Compiled { activity: usize, name: String },
    /// An activity has transferred so many bytes by now.
    Transferred { activity: usize, bytes: u64 },
    /// An activity ended.
    Finished {
        activity: usize,
        seconds: f64,
        outcomes: Vec<(usize, Outcome)>,
    },
    /// An activity failed, whether or not it ran a step.
    Failed { activity: usize },
    /// An activity could not start before these ended.
    Needs { activity: usize, needs: Vec<usize> },
    /// What became of these steps is known without an activity of their own.
    Settled { steps: Vec<usize>, outcome: Outcome },
    /// A remark on how the plan is run.
    Note(String),
}

/// What an activity does.
#[derive(Clone, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Work {
    /// Runs a program.
    Command { command: String },
    /// Builds a derivation.
    Build { derivation: String },
    /// Takes a store path from a binary cache.
    Substitution { path: String, from: String },
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "reason", rename_all = "lowercase")]
pub(crate) enum Outcome {
    Passed,
    /// Passed before: its result was in the Nix store.
    Cached,
    /// Passed elsewhere: a trusted binary cache has its result, and it was left there.
    #[serde(rename = "cached")]
    CachedIn(String),
    /// Passed elsewhere: its result came from a binary cache.
    Substituted,
    /// Passed: Nix built it.
    Built,
    Failed,
    /// Not run, because of the failed step that is named.
    Blocked(String),
    /// Not run, because this machine lacks something: what, and the command that mends it.
    Skipped(String),
    /// Ended, or never begun, because the user asked for the end.
    Interrupted,
}

impl Outcome {
    pub(crate) const NAMES: [&'static str; 8] = [
        "passed",
        "cached",
        "substituted",
        "built",
        "failed",
        "blocked",
        "skipped",
        "interrupted",
    ];

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Cached | Self::CachedIn(_) => "cached",
            Self::Substituted => "substituted",
            Self::Built => "built",
            Self::Failed => "failed",
            Self::Blocked(_) => "blocked",
            Self::Skipped(_) => "skipped",
            Self::Interrupted => "interrupted",
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        matches!(
            self,
            Self::Passed | Self::Cached | Self::CachedIn(_) | Self::Substituted | Self::Built
        )
    }

    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::CachedIn(reason) | Self::Blocked(reason) | Self::Skipped(reason) => Some(reason),
            _ => None,
        }
    }
}
