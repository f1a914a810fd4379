//! What came of a run: events folded into one value, and its printed forms.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::event::{Event, Outcome};
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
    invocations: Vec<Invocation>,
    steps: Vec<StepReport>,
}

/// One program that ran, for one step or for several.
#[derive(Serialize)]
struct Invocation {
    command: String,
    seconds: f64,
    /// Names and versions of the crates that it compiled.
    compiled: Vec<String>,
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
    /// Which of the report's invocations ran it.
    invocation: Option<usize>,
}

impl Report {
    pub(crate) fn new(backend: &'static str, plan: &[Step]) -> Self {
        Self {
            version: 1,
            backend,
            seconds: 0.0,
            notes: Vec::new(),
            invocations: Vec::new(),
            steps: plan
                .iter()
                .map(|step| StepReport {
                    step: step.clone(),
                    outcome: None,
                    invocation: None,
                })
                .collect(),
        }
    }

    pub(crate) fn fold(&mut self, event: &Event) {
        match event {
            Event::Started { steps, command } => {
                for &step in steps {
                    self.steps[step].invocation = Some(self.invocations.len());
                }
                self.invocations.push(Invocation {
                    command: command.clone(),
                    seconds: 0.0,
                    compiled: Vec::new(),
                    output: Vec::new(),
                });
            }
            Event::NotRun { steps, outcome } => {
                for &step in steps {
                    self.steps[step].outcome = Some(outcome.clone());
                }
            }
            Event::Note(note) => self.notes.push(note.clone()),
            Event::Line(line) => self.last(|invocation| invocation.output.push(line.clone())),
            // A crate is compiled once for each of its libraries, programs and tests.
            Event::Compiled(name) => self.last(|invocation| {
                if !invocation.compiled.contains(name) {
                    invocation.compiled.push(name.clone());
                }
            }),
            Event::Finished { seconds, outcomes } => {
                self.last(|invocation| invocation.seconds = *seconds);
                for (step, outcome) in outcomes {
                    self.steps[*step].outcome = Some(outcome.clone());
                }
            }
            Event::Tick => {}
        }
    }

    /// Changes the invocation that runs, if one does.
    fn last(&mut self, change: impl FnOnce(&mut Invocation)) {
        if let Some(invocation) = self.invocations.last_mut() {
            change(invocation);
        }
    }

    /// Whether nothing failed; under `strict`, also whether nothing was skipped.
    pub(crate) fn passed(&self, strict: bool) -> bool {
        self.steps.iter().all(|step| match step.outcome {
            Some(Outcome::Passed) => true,
            Some(Outcome::Skipped(_)) => !strict,
            _ => false,
        })
    }

    /// These steps of the plan, in words: `clippy native dev: gantry-core, gantry`.
    pub(crate) fn title(&self, steps: &[usize]) -> String {
        let steps: Vec<_> = steps.iter().map(|&step| &self.steps[step]).collect();
        title(&steps)
    }

    /// What the last program runs, in words.
    pub(crate) fn running(&self) -> String {
        let last = self.invocations.len().checked_sub(1);
        let steps: Vec<_> = self
            .steps
            .iter()
            .filter(|step| step.invocation == last)
            .collect();
        title(&steps)
    }

    /// What came of the last program: a line for each outcome of its steps.
    pub(crate) fn finished(&self) -> Vec<(&Outcome, String)> {
        let last = self.invocations.len().checked_sub(1);
        let Some(invocation) = self.invocations.last() else {
            return Vec::new();
        };
        self.rows()
            .into_iter()
            .filter(|row| row[0].invocation == last)
            .filter_map(|row| {
                let work = format!(
                    "{}, {} compiled",
                    seconds(invocation.seconds),
                    crates(invocation.compiled.len())
                );
                Some((
                    row[0].outcome.as_ref()?,
                    format!("{} ({work})", title(&row)),
                ))
            })
            .collect()
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
                        first.invocation,
                        &first.outcome,
                    ) == (
                        other.what,
                        other.target,
                        other.profile,
                        step.invocation,
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
        for (index, invocation) in self.invocations.iter().enumerate() {
            let failed: Vec<_> = self
                .steps
                .iter()
                .filter(|step| step.invocation == Some(index))
                .filter(|step| step.outcome == Some(Outcome::Failed))
                .collect();
            if failed.is_empty() {
                continue;
            }
            let red = color(&Outcome::Failed);
            let _ = writeln!(text, "\n{red}failed{red:#} {}", title(&failed));
            let _ = writeln!(text, "  $ {}", invocation.command);
            let hidden = invocation.output.len().saturating_sub(REPEATED_LINES);
            if hidden > 0 {
                let _ = writeln!(text, "  … {hidden} lines before");
            }
            for line in &invocation.output[hidden..] {
                let _ = writeln!(text, "  {line}");
            }
        }
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
            let invocation = row[0].invocation.map(|index| &self.invocations[index]);
            cells.push([
                step.what.to_string(),
                step.target
                    .map_or_else(String::new, |target| target.to_string()),
                step.profile
                    .map_or_else(String::new, |profile| profile.to_string()),
                members(row),
                row[0].outcome.as_ref().map_or("", Outcome::name).to_owned(),
                invocation.map_or_else(String::new, |invocation| crates(invocation.compiled.len())),
                invocation.map_or_else(String::new, |invocation| seconds(invocation.seconds)),
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
        let counts: Vec<String> = ["passed", "failed", "blocked", "skipped", "interrupted"]
            .into_iter()
            .filter(|name| count(name) > 0)
            .map(|name| format!("{} {name}", count(name)))
            .collect();
        let compiled: usize = self
            .invocations
            .iter()
            .map(|invocation| invocation.compiled.len())
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
    let names: Vec<_> = steps.iter().map(|step| &*step.step.member).collect();
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

pub(crate) fn seconds(seconds: f64) -> String {
    format!("{seconds:.1} s")
}

pub(crate) fn color(outcome: &Outcome) -> Style {
    match outcome {
        Outcome::Passed => AnsiColor::Green,
        Outcome::Failed | Outcome::Interrupted => AnsiColor::Red,
        Outcome::Blocked(_) | Outcome::Skipped(_) => AnsiColor::Yellow,
    }
    .on_default()
}
