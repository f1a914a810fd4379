//! What came of a run: events folded into one value. Its forms are text, Markdown, HTML, and JSON,
//! which `docs/report.md` specifies.

mod html;
mod markdown;
mod text;
mod timeline;

use std::fmt::Write as _;
use std::time::Instant;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::event::{Event, Outcome, Work};
use crate::plan::Step;

#[derive(Serialize)]
pub(crate) struct Report {
    /// The version of this format.
    version: u32,
    backend: &'static str,
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

/// What a row of steps says, each cell in words; empty where there is nothing to say.
struct Cells {
    step: String,
    target: String,
    profile: String,
    members: String,
    result: &'static str,
    /// Why it is that result.
    reason: String,
    compiled: String,
    time: String,
}

impl Report {
    pub(crate) fn new(backend: &'static str, plan: &[Step]) -> Self {
        Self {
            version: 1,
            backend,
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

    /// These steps of the plan in words, those of one kind together:
    /// `clippy native dev: gantry-core, gantry`.
    pub(crate) fn titles(&self, steps: &[usize]) -> Vec<String> {
        titles(steps.iter().map(|&step| &self.steps[step]))
    }

    /// What an activity does, in words.
    pub(crate) fn activity_title(&self, activity: usize) -> String {
        let titles = titles(self.steps_of(activity));
        if !titles.is_empty() {
            return titles.join(", ");
        }
        match &self.activities[activity].work {
            Work::Command { command } => command.clone(),
            Work::Build { derivation } => store_path_name(derivation)
                .trim_end_matches(".drv")
                .to_owned(),
            Work::Substitution { path, from } => format!("{} from {from}", store_path_name(path)),
        }
    }

    /// What came of an activity: a line for each outcome of its steps.
    pub(crate) fn finished(&self, activity: usize) -> Vec<(&'static str, Style, String)> {
        let done = &self.activities[activity];
        let mut work = seconds(done.seconds);
        if let Work::Substitution { .. } = done.work {
            let _ = write!(work, ", {}", bytes(done.bytes));
        } else {
            let _ = write!(work, ", {} compiled", crates(done.compiled.len()));
        }
        let mut lines: Vec<_> = self
            .rows()
            .into_iter()
            .filter(|row| row[0].activity == Some(activity))
            .filter_map(|row| {
                let outcome = row[0].outcome.as_ref()?;
                Some((
                    outcome.name(),
                    color(outcome),
                    format!("{} ({work})", title(&row)),
                ))
            })
            .collect();
        if lines.is_empty() {
            let line = format!("{} ({work})", self.activity_title(activity));
            lines.push(("finished", AnsiColor::Cyan.on_default(), line));
        }
        lines
    }

    /// How many steps came out how, in words: `2 cached, 1 built`.
    fn counts(&self) -> String {
        let count = |name: &str| {
            let outcomes = self.steps.iter().filter_map(|step| step.outcome.as_ref());
            outcomes.filter(|outcome| outcome.name() == name).count()
        };
        let counts: Vec<String> = Outcome::NAMES
            .into_iter()
            .filter(|name| count(name) > 0)
            .map(|name| format!("{} {name}", count(name)))
            .collect();
        counts.join(", ")
    }

    /// How many crates were compiled, in words.
    fn compiled(&self) -> String {
        crates(
            self.activities
                .iter()
                .map(|activity| activity.compiled.len())
                .sum(),
        )
    }

    /// Caches, how many store paths came from each, and their bytes.
    fn downloads(&self) -> Vec<(&str, usize, u64)> {
        let mut downloads: Vec<(&str, usize, u64)> = Vec::new();
        for activity in &self.activities {
            if let Work::Substitution { from, .. } = &activity.work {
                match downloads.iter_mut().find(|(cache, ..)| cache == from) {
                    Some((_, paths, size)) => {
                        *paths += 1;
                        *size += activity.bytes;
                    }
                    None => downloads.push((from, 1, activity.bytes)),
                }
            }
        }
        downloads
    }

    /// How much came from which cache by now, in words.
    pub(crate) fn downloaded(&self) -> String {
        let downloads = self.downloads().into_iter();
        let words = downloads.map(|(cache, _, size)| format!("{} from {cache}", bytes(size)));
        words.collect::<Vec<_>>().join(", ")
    }

    fn steps_of(&self, activity: usize) -> impl Iterator<Item = &StepReport> {
        self.steps
            .iter()
            .filter(move |step| step.activity == Some(activity))
    }

    /// One row for the steps of one program that came out alike.
    fn rows(&self) -> Vec<Vec<&StepReport>> {
        let mut rows: Vec<Vec<&StepReport>> = Vec::new();
        for step in &self.steps {
            let alike = |row: &&mut Vec<&StepReport>| {
                row.first().is_some_and(|first| {
                    (first.step.kind(), first.activity, &first.outcome)
                        == (step.step.kind(), step.activity, &step.outcome)
                })
            };
            match rows.iter_mut().find(alike) {
                Some(row) => row.push(step),
                None => rows.push(vec![step]),
            }
        }
        rows
    }

    fn cells(&self, row: &[&StepReport]) -> Cells {
        let StepReport {
            step,
            outcome,
            activity,
        } = row[0];
        let outcome = outcome.as_ref();
        let reason = outcome.and_then(Outcome::reason);
        let activity = activity.map(|index| &self.activities[index]);
        let or_empty = Option::unwrap_or_default;
        Cells {
            step: step.what.to_string(),
            target: or_empty(step.target.map(|target| target.to_string())),
            profile: or_empty(step.profile.map(|profile| profile.to_string())),
            members: members(row),
            result: outcome.map_or("", Outcome::name),
            reason: reason.unwrap_or_default().to_owned(),
            compiled: or_empty(activity.map(|activity| crates(activity.compiled.len()))),
            time: or_empty(activity.map(|activity| seconds(activity.seconds))),
        }
    }
}

fn titles<'a>(steps: impl Iterator<Item = &'a StepReport>) -> Vec<String> {
    let mut kinds: Vec<Vec<&StepReport>> = Vec::new();
    for step in steps {
        let same = |kind: &&mut Vec<&StepReport>| kind[0].step.kind() == step.step.kind();
        match kinds.iter_mut().find(same) {
            Some(kind) => kind.push(step),
            None => kinds.push(vec![step]),
        }
    }
    kinds.iter().map(|steps| title(steps)).collect()
}

/// Steps of one kind in words.
fn title(steps: &[&StepReport]) -> String {
    let Some(first) = steps.first() else {
        return String::new();
    };
    let step = &first.step;
    let mut title = step.what.to_string();
    let parts = [
        step.target.map(|target| target.to_string()),
        step.profile.map(|profile| profile.to_string()),
    ];
    for part in parts.into_iter().flatten() {
        title.push(' ');
        title.push_str(&part);
    }
    format!("{title}: {}", members(steps))
}

fn members(steps: &[&StepReport]) -> String {
    const NAMED: usize = 4;
    let mut names: Vec<_> = steps.iter().map(|step| &*step.step.member).collect();
    // One activity may run several steps of a member.
    names.dedup();
    if names.len() > NAMED {
        format!(
            "{} and {} more",
            names[..NAMED - 1].join(", "),
            names.len() + 1 - NAMED
        )
    } else {
        names.join(", ")
    }
}

fn crates(count: usize) -> String {
    match count {
        0 => "nothing".into(),
        1 => "1 crate".into(),
        _ => format!("{count} crates"),
    }
}

/// A number of bytes in the decimal unit that suits it.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut number = bytes as f64;
    for unit in ["B", "kB", "MB"] {
        if number < 1000.0 {
            return format!("{number:.1} {unit}");
        }
        number /= 1000.0;
    }
    format!("{number:.1} GB")
}

/// The part of a store path behind its hash.
fn store_path_name(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split_once('-').map_or(name, |(_hash, name)| name)
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.1} s")
}

pub(crate) fn color(outcome: &Outcome) -> Style {
    match outcome {
        Outcome::Passed
        | Outcome::Cached
        | Outcome::CachedIn(_)
        | Outcome::Substituted
        | Outcome::Built => AnsiColor::Green,
        Outcome::Failed | Outcome::Interrupted => AnsiColor::Red,
        Outcome::Blocked(_) | Outcome::Skipped(_) => AnsiColor::Yellow,
    }
    .on_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::plan::{Profile, Target, What};

    /// A run with one of everything.
    fn report() -> Report {
        let step = |member: &str| Step {
            what: What::Build,
            member: member.into(),
            target: Some(Target::Native),
            profile: Some(Profile::Dev),
        };
        let mut report = Report::new("nix", &["a", "b", "c", "d"].map(step));
        let command = Work::Command {
            command: "cargo build".into(),
        };
        let build = Work::Build {
            derivation: "/nix/store/x-build-<b>.drv".into(),
        };
        let substitution = Work::Substitution {
            path: "/nix/store/x-c".into(),
            from: "file:///cache".into(),
        };
        for (activity, (work, outcome)) in [
            (command, Outcome::Passed),
            (build, Outcome::Failed),
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
        let json = serde_json::from_str(&report().to_json().unwrap()).unwrap();
        fields(&json, "", &mut printed);
        let documented: BTreeSet<String> = include_str!("../../../docs/report.md")
            .lines()
            .filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned()))
            .collect();
        assert_eq!(printed, documented);
        assert_eq!(json["version"], 1);
    }

    #[test]
    fn a_run_with_a_failed_step_has_failed() {
        assert!(report().result == RunResult::Failed);
        let text = anstream::adapter::strip_str(&report().to_text()).to_string();
        assert!(text.contains("failed build native dev: b"), "{text}");
        assert!(
            text.contains("1 passed, 1 substituted, 1 failed, 1 blocked"),
            "{text}"
        );
    }

    #[test]
    fn steps_of_several_kinds_are_each_named() {
        let step = |what, member: &str| Step {
            what,
            member: member.into(),
            target: Some(Target::Native),
            profile: Some(Profile::Dev),
        };
        let plan = [
            step(What::Build, "a"),
            step(What::Build, "b"),
            step(What::Test, "a"),
        ];
        assert_eq!(
            Report::new("nix", &plan).titles(&[0, 1, 2]),
            ["build native dev: a, b", "test native dev: a"]
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
