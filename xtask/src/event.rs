//! What a backend says while it runs a plan.

use serde::Serialize;

/// Steps are named by their index in the plan, activities by the order of their start. Each step
/// ends in exactly one [`Event::Finished`] or [`Event::Settled`].
pub enum Event {
    /// An activity starts.
    Started {
        /// Which.
        activity: usize,
        /// What it does.
        work: Work,
        /// The steps that it runs, or that need it.
        steps: Vec<usize>,
    },
    /// An activity printed a line.
    Line {
        /// Which.
        activity: usize,
        /// Without the line's end.
        text: String,
    },
    /// A tenth of a second passed without a line.
    Tick,
    /// An activity compiled a crate.
    Compiled {
        /// Which.
        activity: usize,
        /// The crate's name and version.
        name: String,
    },
    /// An activity has transferred something.
    Transferred {
        /// Which.
        activity: usize,
        /// How much by now.
        bytes: u64,
    },
    /// An activity ended.
    Finished {
        /// Which.
        activity: usize,
        /// Since its start.
        seconds: f64,
        /// Of the steps that it ran.
        outcomes: Vec<(usize, Outcome)>,
    },
    /// An activity failed, whether or not it ran a step.
    Failed {
        /// Which.
        activity: usize,
    },
    /// An activity could not start before others ended.
    Needs {
        /// Which.
        activity: usize,
        /// The others.
        needs: Vec<usize>,
    },
    /// What became of steps is known without an activity of their own.
    Settled {
        /// Which.
        steps: Vec<usize>,
        /// The same for all of them.
        outcome: Outcome,
    },
    /// A remark on how the plan is run.
    Note(String),
}

/// What an activity does.
#[derive(Clone, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Work {
    /// Runs a program.
    Command {
        /// As one would type it.
        command: String,
    },
    /// Builds a derivation.
    Build {
        /// Its store path.
        derivation: String,
    },
    /// Takes a store path from a binary cache.
    Substitution {
        /// The store path.
        path: String,
        /// The cache's URL.
        from: String,
    },
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "reason", rename_all = "lowercase")]
pub enum Outcome {
    /// Its command exited with 0.
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
    /// Run, and not passed.
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
