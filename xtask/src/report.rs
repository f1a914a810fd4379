//! What came of a run: events folded into one value, and its printed forms.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::event::{Event, Outcome, Work};
use crate::plan::Step;

/// How many of a failed program's last lines are repeated.
const REPEATED_LINES: usize = 60;

#[derive(Serialize)]
pub(crate) struct Report {
    /// The version of this format.
    version: u32,
    backend: &'static str,
    /// Seconds from start to end.
    pub(crate) seconds: f64,
    notes: Vec<String>,
    activities: Vec<Activity>,
    steps: Vec<StepReport>,
}

/// A program that ran, a derivation that was built, a path that was downloaded.
#[derive(Serialize)]
struct Activity {
    #[serde(flatten)]
    work: Work,
    seconds: f64,
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
    pub(crate) fn new(backend: &'static str, plan: &[Step]) -> Self {
        Self {
            version: 1,
            backend,
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
                    seconds: 0.0,
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
                    self.steps[*step].outcome = Some(outcome.clone());
                }
            }
            Event::Settled { steps, outcome } => {
                for &step in steps {
                    self.steps[step].outcome = Some(outcome.clone());
                }
            }
            Event::Note(note) => self.notes.push(note.clone()),
            Event::Tick => {}
        }
    }

    /// Whether nothing failed; under `strict`, also whether nothing was skipped.
    pub(crate) fn passed(&self, strict: bool) -> bool {
        self.steps.iter().all(|step| match &step.outcome {
            Some(Outcome::Skipped(_)) => !strict,
            Some(outcome) => outcome.is_success(),
            None => false,
        })
    }

    /// These steps of the plan, in words: `clippy native dev: gantry-core, gantry`.
    pub(crate) fn title(&self, steps: &[usize]) -> String {
        let steps: Vec<_> = steps.iter().map(|&step| &self.steps[step]).collect();
        title(&steps)
    }

    /// What an activity does, in words.
    pub(crate) fn activity_title(&self, activity: usize) -> String {
        let steps: Vec<_> = self.steps_of(activity).collect();
        if !steps.is_empty() {
            return title(&steps);
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
                    let (one, other) = (&first.step, &step.step);
                    (
                        one.what,
                        one.target,
                        one.profile,
                        first.activity,
                        &first.outcome,
                    ) == (
                        other.what,
                        other.target,
                        other.profile,
                        step.activity,
                        &step.outcome,
                    )
                })
            };
            match rows.iter_mut().find(alike) {
                Some(row) => row.push(step),
                None => rows.push(vec![step]),
            }
        }
        rows
    }

    /// A table of steps, times and results; then the last output of what failed; then a summary.
    pub(crate) fn to_text(&self, strict: bool) -> String {
        let mut text = self.table();
        for (index, activity) in self.activities.iter().enumerate() {
            let failed: Vec<_> = self
                .steps
                .iter()
                .filter(|step| step.activity == Some(index))
                .filter(|step| step.outcome == Some(Outcome::Failed))
                .collect();
            if failed.is_empty() {
                continue;
            }
            let red = color(&Outcome::Failed);
            let _ = writeln!(text, "\n{red}failed{red:#} {}", title(&failed));
            let _ = match &activity.work {
                Work::Command { command } => writeln!(text, "  $ {command}"),
                Work::Build { derivation } => writeln!(text, "  $ nix log {derivation}"),
                Work::Substitution { .. } => Ok(()),
            };
            let hidden = activity.output.len().saturating_sub(REPEATED_LINES);
            if hidden > 0 {
                let _ = writeln!(text, "  … {hidden} lines before");
            }
            for line in &activity.output[hidden..] {
                let _ = writeln!(text, "  {line}");
            }
        }
        text.push_str(&self.shared_work());
        let _ = writeln!(text, "\n{}", self.summary(strict));
        text
    }

    fn table(&self) -> String {
        let mut cells = vec![
            [
                "step", "target", "profile", "members", "result", "compiled", "time",
            ]
            .map(str::to_owned),
        ];
        let rows = self.rows();
        for row in &rows {
            let step = &row[0].step;
            let activity = row[0].activity.map(|index| &self.activities[index]);
            cells.push([
                step.what.to_string(),
                step.target
                    .map_or_else(String::new, |target| target.to_string()),
                step.profile
                    .map_or_else(String::new, |profile| profile.to_string()),
                members(row),
                row[0].outcome.as_ref().map_or("", Outcome::name).to_owned(),
                activity.map_or_else(String::new, |activity| crates(activity.compiled.len())),
                activity.map_or_else(String::new, |activity| seconds(activity.seconds)),
            ]);
        }
        let mut widths = [0; 7];
        for row in &cells {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::from("\n");
        for (index, row) in cells.iter().enumerate() {
            let outcome = index
                .checked_sub(1)
                .and_then(|index| rows[index][0].outcome.as_ref());
            let mut line = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                let padding = width - cell.chars().count();
                let style = match (index, column, outcome) {
                    (0, _, _) => Style::new().bold(),
                    (_, 4, Some(outcome)) => color(outcome),
                    _ => Style::new(),
                };
                if column == 6 {
                    line.push_str(&" ".repeat(padding));
                }
                let _ = write!(line, "{style}{cell}{style:#}");
                if column < 6 {
                    line.push_str(&" ".repeat(padding + 2));
                }
            }
            let _ = writeln!(text, "{}", line.trim_end());
            if let Some(reason) = outcome.and_then(Outcome::reason) {
                let _ = writeln!(text, "  {reason}");
            }
        }
        text
    }

    /// What was done for several steps at once, such as the layers that they share.
    fn shared_work(&self) -> String {
        let mut text = String::new();
        for (index, activity) in self.activities.iter().enumerate() {
            if let Work::Build { .. } = activity.work
                && self.steps_of(index).next().is_none()
            {
                let _ = writeln!(
                    text,
                    "  {} ({}, {} compiled)",
                    self.activity_title(index),
                    seconds(activity.seconds),
                    crates(activity.compiled.len())
                );
            }
        }
        if !text.is_empty() {
            text.insert_str(0, "\nbuilt for several steps:\n");
        }
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
        for (cache, paths, size) in downloads {
            let _ = writeln!(
                text,
                "\ndownloaded {paths} store paths, {}, from {cache}",
                bytes(size)
            );
        }
        text
    }

    fn summary(&self, strict: bool) -> String {
        let count = |name: &str| {
            self.steps
                .iter()
                .filter(|step| {
                    step.outcome
                        .as_ref()
                        .is_some_and(|outcome| outcome.name() == name)
                })
                .count()
        };
        let counts: Vec<String> = Outcome::NAMES
            .into_iter()
            .filter(|name| count(name) > 0)
            .map(|name| format!("{} {name}", count(name)))
            .collect();
        let compiled: usize = self
            .activities
            .iter()
            .map(|activity| activity.compiled.len())
            .sum();
        let style = color(if self.passed(strict) {
            &Outcome::Passed
        } else {
            &Outcome::Failed
        });
        let strictly = if strict && count("skipped") > 0 {
            " (--strict: a skipped step is a failed one)"
        } else {
            ""
        };
        format!(
            "{style}{} {}{style:#}: {}{strictly}; {} compiled; {}",
            self.steps.len(),
            if self.steps.len() == 1 {
                "step"
            } else {
                "steps"
            },
            counts.join(", "),
            crates(compiled),
            seconds(self.seconds)
        )
    }
}

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

pub(crate) fn crates(count: usize) -> String {
    match count {
        0 => "nothing".into(),
        1 => "1 crate".into(),
        _ => format!("{count} crates"),
    }
}

/// A number of bytes in the decimal unit that suits it.
pub(crate) fn bytes(bytes: u64) -> String {
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

pub(crate) fn seconds(seconds: f64) -> String {
    format!("{seconds:.1} s")
}

pub(crate) fn color(outcome: &Outcome) -> Style {
    match outcome {
        Outcome::Passed | Outcome::Cached | Outcome::Substituted | Outcome::Built => {
            AnsiColor::Green
        }
        Outcome::Failed | Outcome::Interrupted => AnsiColor::Red,
        Outcome::Blocked(_) | Outcome::Skipped(_) => AnsiColor::Yellow,
    }
    .on_default()
}
