//! What came of a run: events folded into one value. Its forms are text, Markdown, HTML, and JSON,
//! which `docs/report.md` specifies.

mod annotations;
mod html;
mod markdown;
mod rows;
mod text;
mod timeline;
mod totals;

use std::time::Instant;

use serde::Serialize;

pub(crate) use self::rows::color;
use crate::event::{Event, Outcome, Work};
use crate::plan::Step;

#[derive(Serialize)]
pub(crate) struct Report {
    /// The version of this format.
    version: u32,
    result: RunResult,
    /// Seconds from start to end.
    seconds: f64,
    notes: Vec<String>,
    activities: Vec<Activity>,
    steps: Vec<StepReport>,
    #[serde(skip)]
    clock: Instant,
}

/// What came of the whole run.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RunResult {
    Passed,
    Failed,
    Interrupted,
}

/// A program that ran, a derivation that was built, a path that was downloaded.
#[derive(Serialize)]
struct Activity {
    #[serde(flatten)]
    work: Work,
    /// Seconds from the start of the run.
    start: f64,
    seconds: f64,
    failed: bool,
    /// The activities that had to end before this one could start.
    needs: Vec<usize>,
    /// Names and versions of the crates that it compiled.
    compiled: Vec<String>,
    /// How much it downloaded.
    bytes: u64,
    #[serde(skip)]
    output: Vec<String>,
}

#[derive(Serialize)]
struct StepReport {
    #[serde(flatten)]
    step: Step,
    /// Nothing before the step ended.
    #[serde(flatten)]
    outcome: Option<Outcome>,
    /// Which of the report's activities ran it.
    activity: Option<usize>,
}

impl Report {
    pub(crate) fn new(plan: &[Step]) -> Self {
        Self {
            version: 2,
            result: RunResult::Passed,
            seconds: 0.0,
            notes: Vec::new(),
            activities: Vec::new(),
            steps: plan
                .iter()
                .map(|step| StepReport {
                    step: step.clone(),
                    outcome: None,
                    activity: None,
                })
                .collect(),
            clock: Instant::now(),
        }
    }

    pub(crate) fn fold(&mut self, event: &Event) {
        match event {
            Event::Started {
                activity,
                work,
                steps,
            } => {
                for &step in steps {
                    self.steps[step].activity = Some(*activity);
                }
                self.activities.push(Activity {
                    work: work.clone(),
                    start: self.clock.elapsed().as_secs_f64(),
                    seconds: 0.0,
                    failed: false,
                    needs: Vec::new(),
                    compiled: Vec::new(),
                    bytes: 0,
                    output: Vec::new(),
                });
            }
            Event::Line { activity, text } => self.activities[*activity].output.push(text.clone()),
            Event::Compiled { activity, name } => {
                // A crate is compiled once for each of its libraries, programs and tests.
                let compiled = &mut self.activities[*activity].compiled;
                if !compiled.contains(name) {
                    compiled.push(name.clone());
                }
            }
            Event::Transferred { activity, bytes } => self.activities[*activity].bytes = *bytes,
            Event::Finished {
                activity,
                seconds,
                outcomes,
            } => {
                self.activities[*activity].seconds = *seconds;
                for (step, outcome) in outcomes {
                    self.activities[*activity].failed |= *outcome == Outcome::Failed;
                    self.steps[*step].outcome = Some(outcome.clone());
                }
            }
            Event::Failed { activity } => self.activities[*activity].failed = true,
            Event::Needs { activity, needs } => self.activities[*activity].needs.clone_from(needs),
            Event::Settled { steps, outcome } => {
                for &step in steps {
                    self.steps[step].outcome = Some(outcome.clone());
                }
            }
            Event::Note(note) => self.notes.push(note.clone()),
            Event::Tick => {}
        }
    }

    /// Ends the report. Under `strict` a skipped step is a failed one.
    pub(crate) fn finish(&mut self, strict: bool, interrupted: bool) -> RunResult {
        self.seconds = self.clock.elapsed().as_secs_f64();
        let passed = self.steps.iter().all(|step| match &step.outcome {
            Some(Outcome::Skipped(_)) => !strict,
            Some(outcome) => outcome.is_success(),
            None => false,
        });
        self.result = match (interrupted, passed) {
            (true, _) => RunResult::Interrupted,
            (false, true) => RunResult::Passed,
            (false, false) => RunResult::Failed,
        };
        self.result
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::nix::Facts;

    fn step(kind: &str, member: &str) -> Step {
        Step {
            name: format!("{kind}-{member}"),
            facts: Facts {
                kind: kind.into(),
                member: Some(member.into()),
                target: Some("native".into()),
                profile: Some("dev".into()),
            },
            output: None,
        }
    }

    /// A run with one of everything.
    fn report() -> Report {
        let mut report = Report::new(&["a", "b", "c", "d"].map(|member| step("build", member)));
        let built = Work::Build {
            derivation: "/nix/store/x-build-a.drv".into(),
            machine: None,
            log_command: String::new(),
        };
        let failing = Work::Build {
            derivation: "/nix/store/x-build-<b>.drv".into(),
            machine: Some("ssh-ng://one".into()),
            log_command: "nix log it".into(),
        };
        let substitution = Work::Substitution {
            path: "/nix/store/x-c".into(),
            from: "file:///cache".into(),
        };
        for (activity, (work, outcome)) in [
            (built, Outcome::Built),
            (failing, Outcome::Failed),
            (substitution, Outcome::Substituted),
        ]
        .into_iter()
        .enumerate()
        {
            let events = [
                Event::Started {
                    activity,
                    work,
                    steps: vec![activity],
                },
                Event::Line {
                    activity,
                    text: "<script>".into(),
                },
                Event::Finished {
                    activity,
                    seconds: 1.0,
                    outcomes: vec![(activity, outcome)],
                },
            ];
            for event in &events {
                report.fold(event);
            }
        }
        report.fold(&Event::Settled {
            steps: vec![3],
            outcome: Outcome::Blocked("after b failed".into()),
        });
        report.finish(false, false);
        report
    }

    /// The paths of all fields in `value`, in the notation of the document.
    fn fields(value: &Value, prefix: &str, fields_of: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    let field = format!("{prefix}{key}");
                    fields(value, &field, fields_of);
                    fields_of.insert(field);
                }
            }
            Value::Array(array) => {
                for value in array.iter().filter(|value| value.is_object()) {
                    fields(value, &format!("{prefix}[]."), fields_of);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn the_document_names_exactly_the_fields_of_the_json() {
        let mut printed = BTreeSet::new();
        let json = serde_json::to_value(report()).unwrap();
        fields(&json, "", &mut printed);
        let documented: BTreeSet<String> = include_str!("../../docs/report.md")
            .lines()
            .filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned()))
            .collect();
        assert_eq!(printed, documented);
        assert_eq!(json["version"], 2);
    }

    #[test]
    fn a_run_with_a_failed_step_has_failed() {
        assert!(report().result == RunResult::Failed);
        let text = anstream::adapter::strip_str(&report().to_text()).to_string();
        assert!(text.contains("failed build native dev: b"), "{text}");
        assert!(
            text.contains("1 substituted, 1 built, 1 failed, 1 blocked"),
            "{text}"
        );
    }

    #[test]
    fn a_failed_step_is_an_annotation() {
        assert_eq!(
            report().to_annotations(),
            "::error title=build-b::<script>\n"
        );
    }

    #[test]
    fn steps_of_several_kinds_are_each_named() {
        let audit = Step {
            name: "audit".into(),
            facts: Facts {
                kind: "audit".into(),
                ..Facts::default()
            },
            output: None,
        };
        let plan = [
            step("build", "a"),
            step("build", "b"),
            step("test", "a"),
            audit,
        ];
        assert_eq!(
            Report::new(&plan).titles(&[0, 1, 2, 3]),
            ["build native dev: a, b", "test native dev: a", "audit"]
        );
    }

    #[test]
    fn what_a_program_prints_is_text_in_the_page_and_in_the_summary() {
        let folder = tempfile::tempdir().unwrap();
        report().write(folder.path()).unwrap();
        let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"));
        assert!(page.contains("build native dev: b") && !page.contains("http"));

        let summary = folder.path().join("summary.md");
        std::fs::write(&summary, "before\n").unwrap();
        report().append_markdown(&summary).unwrap();
        let summary = std::fs::read_to_string(summary).unwrap();
        assert!(summary.starts_with("before\n### ❌ failed"), "{summary}");
        assert!(
            summary.contains("``````text\n<script>\n``````"),
            "{summary}"
        );
    }
}
