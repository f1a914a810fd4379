//! The kinds of findings. Their names do not change: people look them up in docs/troubleshooting.md.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Code {
    CacheMalformed,
    CacheUndeclared,
    CacheNotInFlake,
    CacheNotInWorkflow,
    KeyMalformed,
    KeyOfAnotherCache,
    WorkflowUnreadable,
    CachixAfterBuild,
    TokenMissing,
    TokenInPullRequests,
    LockUntracked,
    LockOutdated,
    MemberUntracked,
    FileUntracked,
    ToolchainMismatch,
    DiskNearlyFull,
    NixTooOld,
    FlakesOff,
    SandboxOff,
    UserNotTrusted,
    FlakeBroken,
    UnrelatedFiles,
    CacheUnreachable,
    CacheWithoutDeps,
    CacheSignedByAnotherKey,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Something does not work, or is not safe.
    Error,
    /// Something is slower than it need be, or surprising.
    Warning,
}

impl Code {
    pub(crate) fn severity(self) -> Severity {
        match self {
            Self::CacheNotInFlake
            | Self::TokenMissing
            | Self::FileUntracked
            | Self::ToolchainMismatch
            | Self::DiskNearlyFull
            | Self::SandboxOff
            | Self::UserNotTrusted
            | Self::UnrelatedFiles
            | Self::CacheUnreachable
            | Self::CacheWithoutDeps => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        formatter.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}
