//! What the doctor can find: each kind has a code that does not change.

use std::fmt;

use serde::{Serialize, Serializer};

/// Declares the codes, each with its name and severity.
macro_rules! codes {
    ($($code:ident $name:literal $severity:ident,)*) => {
        /// A kind of finding; docs/troubleshooting.md says more of each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = concat!("`", $name, "`")] $code,)*
        }

        impl Code {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$code,)*];

            /// How people and programs know it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                }
            }

            /// How bad it is.
            pub fn severity(self) -> Severity {
                match self {
                    $(Self::$code => Severity::$severity,)*
                }
            }
        }
    };
}

codes! {
    CacheMalformed "cache-malformed" Error,
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

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
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
