//! Nix's log in its form for programs, `--log-format internal-json`: lines `@nix {…}`.
//!
//! Types of activities and results:
//! <https://github.com/NixOS/nix/blob/master/src/libutil/include/nix/util/logging.hh>.

use serde::Deserialize;
use serde_json::Value;

const COPY_PATH: u64 = 100;
const BUILD: u64 = 105;
const SUBSTITUTE: u64 = 108;
const BUILD_LOG_LINE: u64 = 101;
const UNTRUSTED_PATH: u64 = 102;
const POST_BUILD_LOG_LINE: u64 = 107;
const PROGRESS: u64 = 105;

/// What a line of the log says, as far as a run cares. Ids are Nix's.
#[derive(Debug, PartialEq)]
pub enum Entry {
    /// The build of a derivation starts.
    BuildStarted {
        /// Of the build.
        id: u64,
        /// Its store path.
        derivation: String,
        /// The URL of the builder that it is handed to, without parameters; none where Nix builds it itself.
        machine: Option<String>,
    },
    /// A store path is taken from a binary cache.
    SubstitutionStarted {
        /// Of the substitution.
        id: u64,
        /// The store path.
        path: String,
        /// The cache's URL.
        from: String,
    },
    /// The transfer of a path.
    CopyStarted {
        /// Of the transfer.
        id: u64,
        /// The substitution that it is for.
        parent: u64,
    },
    /// Something that was started ended.
    Stopped {
        /// Of what ended.
        id: u64,
    },
    /// A builder printed a line.
    Line {
        /// Of the build.
        id: u64,
        /// Without the line's end.
        text: String,
    },
    /// Something was transferred.
    Progress {
        /// Of the transfer.
        id: u64,
        /// How much by now.
        bytes: u64,
    },
    /// A path of which no signature is by a trusted key.
    Untrusted {
        /// The store path.
        path: String,
    },
    /// A remark.
    Warning(String),
    /// A derivation cannot be built.
    CannotBuild {
        /// Its store path.
        derivation: String,
        /// In Nix's words.
        reason: String,
        /// Whether the builder that it was handed to says so.
        on_builder: bool,
    },
    /// The connection to a builder, or to a store on another machine, has ended, in Nix's words.
    Disconnected(String),
    /// Another error.
    Error(String),
    /// What a run does not care about.
    Other,
}

#[derive(Deserialize)]
struct Line {
    action: String,
    #[serde(default)]
    id: u64,
    #[serde(default)]
    parent: u64,
    #[serde(default, rename = "type")]
    kind: u64,
    #[serde(default)]
    fields: Vec<Value>,
    #[serde(default)]
    level: u64,
    #[serde(default)]
    msg: String,
}

impl Entry {
    /// What this line says; lines that are not Nix's own are warnings.
    #[must_use]
    pub fn parse(line: &str) -> Self {
        let Some(json) = line.strip_prefix("@nix ") else {
            return Self::Warning(line.to_owned());
        };
        serde_json::from_str(json).map_or(Self::Other, |line: Line| line.into_entry())
    }
}

impl Line {
    fn into_entry(self) -> Entry {
        let text = |index: usize| {
            self.fields
                .get(index)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let id = self.id;
        match (&*self.action, self.kind) {
            ("start", BUILD) => Entry::BuildStarted {
                id,
                derivation: text(0),
                machine: Some(without_parameters(&text(1)).to_owned())
                    .filter(|machine| !machine.is_empty()),
            },
            ("start", SUBSTITUTE) => Entry::SubstitutionStarted {
                id,
                path: text(0),
                from: text(1),
            },
            ("start", COPY_PATH) => Entry::CopyStarted {
                id,
                parent: self.parent,
            },
            ("stop", _) => Entry::Stopped { id },
            ("result", BUILD_LOG_LINE | POST_BUILD_LOG_LINE) => Entry::Line { id, text: text(0) },
            ("result", UNTRUSTED_PATH) => Entry::Untrusted { path: text(0) },
            ("result", PROGRESS) => Entry::Progress {
                id,
                bytes: self
                    .fields
                    .first()
                    .and_then(Value::as_u64)
                    .unwrap_or_default(),
            },
            ("msg", _) if self.level <= 1 => {
                let message = anstream::adapter::strip_str(&self.msg).to_string();
                // What a daemon says has the level of errors, whatever it is.
                match message.strip_prefix("error:") {
                    Some(text) => error(text.trim_start()),
                    None => Entry::Warning(message.trim_start_matches("warning: ").to_owned()),
                }
            }
            _ => Entry::Other,
        }
    }
}

/// The URL of a store without its parameters, which say how to reach it.
pub(super) fn without_parameters(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

/// `Cannot build 'DERIVATION'.`, then `Reason: REASON.` on the next line, and a line `note: REMARK`
/// where the disk is full; or another error. What a builder says comes after
/// `build of 'DERIVATION' on 'MACHINE' failed: `.
fn error(message: &str) -> Entry {
    // What Nix says of a pipe to ssh, for ssh-ng:// and ssh://, when it reads and when it writes.
    const DISCONNECTED: [&str; 3] = [
        "Nix daemon disconnected unexpectedly",
        "unexpected end-of-file",
        "writing to file: Broken pipe",
    ];
    if DISCONNECTED.iter().any(|words| message.starts_with(words)) {
        return Entry::Disconnected(message.to_owned());
    }
    let on_builder = || {
        let rest = message.strip_prefix("build of '")?;
        let (derivation, rest) = rest.split_once("' on '")?;
        let (_machine, text) = rest.split_once("' failed: ")?;
        Some((derivation, text))
    };
    if let Some((derivation, text)) = on_builder() {
        let reason = match error(text) {
            Entry::CannotBuild { reason, .. } => reason,
            _ => text.to_owned(),
        };
        return Entry::CannotBuild {
            derivation: derivation.to_owned(),
            reason,
            on_builder: true,
        };
    }
    let cannot_build = || {
        let rest = message.strip_prefix("Cannot build '")?;
        let (derivation, rest) = rest.split_once('\'')?;
        let (_, rest) = rest.split_once("Reason: ")?;
        let mut lines = rest.lines().map(str::trim);
        let mut reason = lines
            .next()
            .unwrap_or_default()
            .trim_end_matches('.')
            .to_owned();
        // Lines of the build's own log, which are in there too, start with `>`.
        if let Some(remark) = lines.find_map(|line| line.strip_prefix("note: ")) {
            reason = format!("{reason}: {remark}");
        }
        Some(Entry::CannotBuild {
            derivation: derivation.to_owned(),
            reason,
            on_builder: false,
        })
    };
    cannot_build().unwrap_or_else(|| Entry::Error(message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_build_are_read() {
        let derivation = "/nix/store/fm1dxa4bs3qi15hnzcajyyn4isr312yk-test-a.drv";
        for (line, entry) in [
            (
                format!(r#"@nix {{"action":"start","fields":["{derivation}","",1,1],"id":5,"level":3,"parent":0,"text":"building","type":105}}"#),
                Entry::BuildStarted { id: 5, derivation: derivation.into(), machine: None },
            ),
            (
                format!(r#"@nix {{"action":"start","fields":["{derivation}","ssh-ng://root@one:2222?ssh-key=/key",1,1],"id":5,"level":3,"parent":0,"text":"building","type":105}}"#),
                Entry::BuildStarted { id: 5, derivation: derivation.into(), machine: Some("ssh-ng://root@one:2222".into()) },
            ),
            (
                r#"@nix {"action":"result","fields":["a line"],"id":5,"type":101}"#.into(),
                Entry::Line { id: 5, text: "a line".into() },
            ),
            (r#"@nix {"action":"stop","id":5}"#.into(), Entry::Stopped { id: 5 }),
            (
                r#"@nix {"action":"start","fields":["/nix/store/x-y","file:///cache"],"id":6,"level":3,"parent":0,"text":"","type":108}"#.into(),
                Entry::SubstitutionStarted { id: 6, path: "/nix/store/x-y".into(), from: "file:///cache".into() },
            ),
            (
                r#"@nix {"action":"result","fields":[1024,4096,0,0],"id":7,"type":105}"#.into(),
                Entry::Progress { id: 7, bytes: 1024 },
            ),
        ] {
            assert_eq!(Entry::parse(&line), entry);
        }
    }

    #[test]
    fn a_failed_build_is_told_from_one_that_waits_for_it() {
        let message = |reason: &str| {
            let line = serde_json::json!({
                "action": "msg",
                "level": 0,
                "msg": format!("\u{1b}[31;1merror:\u{1b}[0m Cannot build '\u{1b}[35;1m/nix/store/a-b.drv\u{1b}[0m'.\n       Reason: \u{1b}[31;1m{reason}\u{1b}[0m.\n       Output paths:\n         /nix/store/c-b"),
            });
            Entry::parse(&format!("@nix {line}"))
        };
        for reason in ["builder failed with exit code 1", "1 dependency failed"] {
            let entry = Entry::CannotBuild {
                derivation: "/nix/store/a-b.drv".into(),
                reason: reason.into(),
                on_builder: false,
            };
            assert_eq!(message(reason), entry);
        }
    }

    #[test]
    fn what_failed_on_a_builder_is_told_from_a_builder_that_went_away() {
        let message = |text: &str| {
            let line =
                serde_json::json!({ "action": "msg", "level": 0, "msg": format!("error: {text}") });
            Entry::parse(&format!("@nix {line}"))
        };
        let on_builder = "build of '/nix/store/a-b.drv' on 'ssh-ng://one?ssh-key=/key' failed: ";
        let cannot_build = |reason: &str| Entry::CannotBuild {
            derivation: "/nix/store/a-b.drv".into(),
            reason: reason.into(),
            on_builder: true,
        };
        assert_eq!(
            message(&format!(
                "{on_builder}Cannot build '/nix/store/a-b.drv'.\n       Reason: builder failed with exit code 3.\n       Output paths:\n         /nix/store/c-b"
            )),
            cannot_build("builder failed with exit code 3")
        );
        assert_eq!(
            message(&format!("{on_builder}some other\nwords")),
            cannot_build("some other\nwords")
        );
        assert_eq!(
            message(&format!("{on_builder}unexpected end-of-file")),
            cannot_build("unexpected end-of-file")
        );
        for text in [
            "Nix daemon disconnected unexpectedly (maybe it crashed?)",
            "unexpected end-of-file",
        ] {
            assert_eq!(message(text), Entry::Disconnected(text.into()));
        }
    }

    #[test]
    fn a_remark_on_a_failed_build_is_told_from_the_lines_of_its_log() {
        let line = serde_json::json!({
            "action": "msg",
            "level": 0,
            "msg": "error: Cannot build '/nix/store/a-b.drv'.\n       Reason: builder failed with exit code 1.\n       Last 1 log lines:\n       > note: out of ideas\n       note: build failure may have been caused by lack of free disk space",
        });
        let entry = Entry::CannotBuild {
            derivation: "/nix/store/a-b.drv".into(),
            reason: "builder failed with exit code 1: build failure may have been caused by lack of free disk space".into(),
            on_builder: false,
        };
        assert_eq!(Entry::parse(&format!("@nix {line}")), entry);
    }

    #[test]
    fn what_a_daemon_says_at_the_level_of_errors_need_not_be_one() {
        let message = |text: &str| {
            let line = serde_json::json!({ "action": "msg", "level": 0, "msg": text });
            Entry::parse(&format!("@nix {line}"))
        };
        assert_eq!(
            message("\u{1b}[35;1mwarning:\u{1b}[0m you are not a trusted user"),
            Entry::Warning("you are not a trusted user".into())
        );
        assert_eq!(message("waiting"), Entry::Warning("waiting".into()));
    }

    #[test]
    fn what_is_not_nixs_is_kept_and_what_is_broken_does_no_harm() {
        assert_eq!(Entry::parse("hello"), Entry::Warning("hello".into()));
        assert_eq!(Entry::parse("@nix {\"action\":"), Entry::Other);
        assert_eq!(
            Entry::parse(r#"@nix {"action":"msg","level":0,"msg":"error: disk full"}"#),
            Entry::Error("disk full".into())
        );
    }
}
