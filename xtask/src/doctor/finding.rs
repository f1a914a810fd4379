//! What the doctor can find: each kind has a code that does not change.

use std::fmt;

use serde::{Serialize, Serializer};

/// Declares the codes, each with its name and severity.
macro_rules! codes {
    ($($code:ident $name:literal $severity:ident,)*) => {
        /// A kind of finding; docs/troubleshooting.md says more of each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code {
            $($code,)*
        }

        impl Code {
            pub(crate) const ALL: &[Self] = &[$(Self::$code,)*];

            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                }
            }

            pub(crate) fn severity(self) -> Severity {
                match self {
                    $(Self::$code => Severity::$severity,)*
                }
            }
        }
    };
}

codes! {
    CacheUndeclared "cache-undeclared" Error,
    CacheNotInFlake "cache-not-in-flake" Warning,
    CacheNotInWorkflow "cache-not-in-workflow" Error,
    KeyMalformed "key-malformed" Error,
    KeyOfAnotherCache "key-of-another-cache" Error,
    WorkflowUnreadable "workflow-unreadable" Error,
    CachixAfterBuild "cachix-after-build" Error,
    TokenMissing "token-missing" Warning,
    TokenInPullRequests "token-in-pull-requests" Error,
    LockUntracked "lock-untracked" Error,
    LockOutdated "lock-outdated" Error,
    MemberUntracked "member-untracked" Error,
    FileUntracked "file-untracked" Warning,
    ToolchainMismatch "toolchain-mismatch" Warning,
    DiskNearlyFull "disk-nearly-full" Warning,
    NixTooOld "nix-too-old" Error,
    FlakesOff "flakes-off" Error,
    SandboxOff "sandbox-off" Warning,
    UserNotTrusted "user-not-trusted" Warning,
    FlakeBroken "flake-broken" Error,
    UnrelatedFiles "unrelated-files" Warning,
    CacheUnreachable "cache-unreachable" Warning,
    CacheWithoutDeps "cache-without-deps" Warning,
    CacheSignedByAnotherKey "cache-signed-by-another-key" Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Something does not work, or is not safe.
    Error,
    /// Something is slower than it need be, or surprising.
    Warning,
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

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
