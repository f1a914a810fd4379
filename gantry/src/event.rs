//! What is said of a plan while it runs.

use serde::Serialize;

/// Steps are named by their index in the plan, activities by the order of their start. Each step
/// ends in exactly one [`Event::Finished`] or [`Event::Settled`].
pub(crate) enum Event {
    /// An activity starts.
    Started {
        activity: usize,
        work: Work,
        /// The steps that it runs, or that need it.
        steps: Vec<usize>,
    },
    /// An activity printed a line.
    Line {
        activity: usize,
        /// Without the line's end.
        text: String,
    },
    /// A tenth of a second passed without a line.
    Tick,
    /// An activity compiled a crate.
    Compiled {
        activity: usize,
        /// The crate's name and version.
        name: String,
    },
    /// An activity has transferred something.
    Transferred {
        activity: usize,
        /// How much by now.
        bytes: u64,
    },
    /// An activity ended.
    Finished {
        activity: usize,
        /// Since its start.
        seconds: f64,
        /// Of the steps that it ran.
        outcomes: Vec<(usize, Outcome)>,
    },
    /// An activity failed, whether or not it ran a step.
    Failed { activity: usize },
    /// An activity could not start before others ended.
    Needs { activity: usize, needs: Vec<usize> },
    /// What became of steps is known without an activity of their own.
    Settled { steps: Vec<usize>, outcome: Outcome },
    /// A remark on how the plan is run.
    Note(String),
}

/// What an activity does.
#[derive(Clone, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Work {
    /// Builds a derivation.
    Build {
        derivation: String,
        /// Where, as Nix names it; nothing where that is this machine.
        machine: Option<String>,
        /// The command that shows what it printed.
        #[serde(skip)]
        log_command: String,
    },
    /// Takes a store path from a binary cache.
    Substitution {
        path: String,
        /// The URL of the cache.
        from: String,
    },
}

impl Work {
    /// What it builds, if it does.
    pub(crate) fn derivation(&self) -> Option<&str> {
        match self {
            Self::Build { derivation, .. } => Some(derivation),
            Self::Substitution { .. } => None,
        }
    }

    /// On which other machine it is done, if on one.
    pub(crate) fn machine(&self) -> Option<&str> {
        match self {
            Self::Build { machine, .. } => machine.as_deref(),
            Self::Substitution { .. } => None,
        }
    }
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "reason", rename_all = "lowercase")]
pub(crate) enum Outcome {
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
    pub(crate) const NAMES: [&'static str; 7] = [
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
            Self::Cached | Self::CachedIn(_) | Self::Substituted | Self::Built
        )
    }

    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::CachedIn(reason) | Self::Blocked(reason) | Self::Skipped(reason) => Some(reason),
            _ => None,
        }
    }
}
