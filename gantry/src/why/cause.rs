//! Why an output is rebuilt, in the words of who edits the repository.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::revision::ChangeKind;

/// One cause. The form of `--json`, tagged by `kind`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Cause {
    /// A file that a layer is made of.
    File {
        file: String,
        change: ChangeKind,
        member: Option<String>,
    },
    /// A package of Cargo.lock; `from` and `to` are versions, and nothing where it was not there.
    Dependency {
        name: String,
        from: Option<String>,
        to: Option<String>,
    },
    /// A setting of a manifest or of cargo's configuration.
    Manifest {
        topic: Topic,
        file: String,
        key: String,
        from: Option<Value>,
        to: Option<Value>,
        member: Option<String>,
    },
    Toolchain {
        file: String,
        key: String,
        from: Option<Value>,
        to: Option<Value>,
    },
    /// An input of the flake; `from` and `to` are commits.
    Input {
        name: String,
        from: Option<String>,
        to: Option<String>,
    },
    /// A variable in the environment of a build.
    Environment {
        variable: String,
        from: Option<String>,
        to: Option<String>,
        derivations: Vec<String>,
        files: Vec<String>,
    },
    /// Nix code; `parts` are the scripts and inputs of builds that it changed.
    Nix {
        files: Vec<String>,
        parts: Vec<String>,
        derivations: Vec<String>,
    },
    /// The flake makes its outputs of its own revision or date.
    Revision,
    /// The output is new.
    New { name: String },
    /// One of these files, and it cannot be told which.
    Files { files: Vec<String> },
}

/// What a setting is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Topic {
    Dependency,
    Feature,
    Profile,
    Lint,
    Package,
    Configuration,
}

impl Cause {
    /// The word that it is listed under.
    pub(crate) fn topic(&self) -> &'static str {
        match self {
            Self::File { .. } | Self::Files { .. } => "file",
            Self::Dependency { .. } => "dependency",
            Self::Manifest { topic, .. } => match topic {
                Topic::Dependency => "dependency",
                Topic::Feature => "feature",
                Topic::Profile => "profile",
                Topic::Lint => "lint",
                Topic::Package => "manifest",
                Topic::Configuration => "cargo",
            },
            Self::Toolchain { .. } => "toolchain",
            Self::Input { .. } => "flake input",
            Self::Environment { .. } => "environment",
            Self::Nix { .. } => "nix",
            Self::Revision => "revision",
            Self::New { .. } => "output",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File {
                file,
                change,
                member,
            } => {
                let change = match change {
                    ChangeKind::Added => "is new",
                    ChangeKind::Changed => "changed",
                    ChangeKind::Removed => "was removed",
                };
                write!(formatter, "{file} {change}")?;
                of_member(formatter, member.as_deref())
            }
            Self::Dependency { name, from, to } => moved(formatter, name, from.as_deref(), to.as_deref(), "Cargo.lock"),
            Self::Input { name, from, to } => moved(formatter, name, from.as_deref(), to.as_deref(), "flake.lock"),
            Self::Manifest {
                file,
                key,
                from,
                to,
                member,
                ..
            } => {
                setting(formatter, file, key, from.as_ref(), to.as_ref())?;
                of_member(formatter, member.as_deref())
            }
            Self::Toolchain {
                file,
                key,
                from,
                to,
            } => setting(formatter, file, key, from.as_ref(), to.as_ref()),
            Self::Environment {
                variable,
                from,
                to,
                derivations,
                files,
            } => {
                let value = |value: &Option<String>| {
                    value.as_ref().map_or("unset".to_owned(), |text| format!("{text:?}"))
                };
                write!(
                    formatter,
                    "{variable}: {} → {} in {} ({})",
                    value(from),
                    value(to),
                    some_of(derivations),
                    files.join(", ")
                )
            }
            Self::Nix {
                files,
                parts,
                derivations,
            } => {
                write!(formatter, "{} changed", files.join(", "))?;
                if parts.is_empty() {
                    return Ok(());
                }
                write!(formatter, ": {} of {}", some_of(parts), some_of(derivations))
            }
            Self::Revision => formatter.write_str(
                "the flake makes it of its own revision or date (self.rev, self.lastModified), so that every commit rebuilds it",
            ),
            Self::New { name } => write!(formatter, "the flake had no output `{name}`"),
            Self::Files { files } => {
                write!(formatter, "one of these, and it cannot be told which: {}", files.join(", "))
            }
        }
    }
}

fn of_member(formatter: &mut fmt::Formatter<'_>, member: Option<&str>) -> fmt::Result {
    match member {
        Some(member) => write!(formatter, " ({member})"),
        None => Ok(()),
    }
}

fn moved(
    formatter: &mut fmt::Formatter<'_>,
    name: &str,
    from: Option<&str>,
    to: Option<&str>,
    lock: &str,
) -> fmt::Result {
    match (from, to) {
        (Some(from), Some(to)) => write!(formatter, "{name} {from} → {to} ({lock})"),
        (None, Some(to)) => write!(formatter, "{name} {to} is new ({lock})"),
        (Some(from), None) => write!(formatter, "{name} {from} was removed ({lock})"),
        (None, None) => write!(formatter, "{name} changed ({lock})"),
    }
}

fn setting(
    formatter: &mut fmt::Formatter<'_>,
    file: &str,
    key: &str,
    from: Option<&Value>,
    to: Option<&Value>,
) -> fmt::Result {
    let value = |value: Option<&Value>| value.map_or("unset".to_owned(), Value::to_string);
    write!(formatter, "{file}: {key}: {} → {}", value(from), value(to))
}

/// The first three, and how many more there are.
fn some_of(names: &[String]) -> String {
    if names.len() > 4 {
        format!("{} and {} more", names[..3].join(", "), names.len() - 3)
    } else {
        names.join(", ")
    }
}
