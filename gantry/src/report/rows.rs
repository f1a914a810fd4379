//! Steps and activities in words: rows of a table, and titles.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{Report, StepReport};
use crate::event::{Outcome, Work};
use crate::units::{bytes, crates, seconds};

/// What a row of steps says, each cell in words; empty where there is nothing to say.
pub(super) struct Cells {
    pub(super) step: String,
    pub(super) target: String,
    pub(super) profile: String,
    pub(super) members: String,
    pub(super) result: &'static str,
    /// Why it is that result.
    pub(super) reason: String,
    /// Where it ran, of a run on several machines.
    pub(super) machine: String,
    pub(super) compiled: String,
    pub(super) time: String,
}

impl Report {
    /// These steps of the plan in words, those of one kind together:
    /// `clippy native dev: gantry-core, gantry`.
    pub(crate) fn titles(&self, steps: &[usize]) -> Vec<String> {
        titles(steps.iter().map(|&step| &self.steps[step]))
    }

    /// What an activity does, in words.
    pub(crate) fn activity_title(&self, activity: usize) -> String {
        let titles = titles(self.steps_of(activity));
        let work = &self.activities[activity].work;
        if !titles.is_empty() {
            return titles.join(", ") + &on_machine(work);
        }
        match work {
            Work::Build { derivation, .. } => {
                let name = store_path_name(derivation);
                name.trim_end_matches(".drv").to_owned() + &on_machine(work)
            }
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
                    format!("{}{} ({work})", title(&row), on_machine(&done.work)),
                ))
            })
            .collect();
        if lines.is_empty() {
            let line = format!("{} ({work})", self.activity_title(activity));
            // Whether it failed, or its machine went away, Nix says later.
            lines.push(("ended", AnsiColor::Cyan.on_default(), line));
        }
        lines
    }

    /// The steps that an activity ran.
    pub(super) fn steps_of(&self, activity: usize) -> impl Iterator<Item = &StepReport> {
        self.steps
            .iter()
            .filter(move |step| step.activity == Some(activity))
    }

    /// One row for the steps of one activity that came out alike.
    pub(super) fn rows(&self) -> Vec<Vec<&StepReport>> {
        grouped(self.steps.iter(), |one, other| {
            is_alike(one, other) && (one.activity, &one.outcome) == (other.activity, &other.outcome)
        })
    }

    /// Whether a builder, or a store on another machine, built something.
    pub(super) fn is_distributed(&self) -> bool {
        let mut activities = self.activities.iter();
        activities.any(|activity| activity.work.machine().is_some())
    }

    /// Whether an activity built what was built again later, since its machine went away.
    pub(super) fn was_in_vain(&self, activity: usize) -> bool {
        let (before, after) = self.activities.split_at(activity + 1);
        let derivation = before.last().and_then(|this| this.work.derivation());
        derivation.is_some()
            && after
                .iter()
                .any(|other| other.work.derivation() == derivation)
    }

    pub(super) fn cells(&self, row: &[&StepReport]) -> Cells {
        let StepReport {
            step,
            outcome,
            activity,
        } = row[0];
        let outcome = outcome.as_ref();
        let reason = outcome.and_then(Outcome::reason);
        let activity = activity.map(|index| &self.activities[index]);
        let or_empty = Option::unwrap_or_default;
        let machine = activity.and_then(|activity| match &activity.work {
            Work::Build { machine, .. } => Some(machine.as_deref().unwrap_or("here")),
            Work::Substitution { .. } => None,
        });
        Cells {
            step: step.facts.kind.clone(),
            target: or_empty(step.facts.target.clone()),
            profile: or_empty(step.facts.profile.clone()),
            members: members(row),
            result: outcome.map_or("", Outcome::name),
            reason: reason.unwrap_or_default().to_owned(),
            machine: machine.unwrap_or_default().to_owned(),
            compiled: or_empty(activity.map(|activity| crates(activity.compiled.len()))),
            time: or_empty(activity.map(|activity| seconds(activity.seconds))),
        }
    }
}

/// ` on MACHINE`, or nothing of what was done here.
pub(super) fn on_machine(work: &Work) -> String {
    work.machine()
        .map_or_else(String::new, |machine| format!(" on {machine}"))
}

/// The title of the steps of each kind.
fn titles<'a>(steps: impl Iterator<Item = &'a StepReport>) -> Vec<String> {
    let kinds = grouped(steps, is_alike);
    kinds.iter().map(|steps| title(steps)).collect()
}

/// Lists of the steps that belong together, in the order of the first of each.
fn grouped<'a>(
    steps: impl Iterator<Item = &'a StepReport>,
    belong_together: impl Fn(&StepReport, &StepReport) -> bool,
) -> Vec<Vec<&'a StepReport>> {
    let mut groups: Vec<Vec<&StepReport>> = Vec::new();
    for step in steps {
        match groups
            .iter_mut()
            .find(|group| belong_together(group[0], step))
        {
            Some(group) => group.push(step),
            None => groups.push(vec![step]),
        }
    }
    groups
}

/// Steps of one kind, of which there is one at least, in words.
pub(super) fn title(steps: &[&StepReport]) -> String {
    let facts = &steps[0].step.facts;
    let mut title = facts.kind.clone();
    for part in [&facts.target, &facts.profile].into_iter().flatten() {
        title.push(' ');
        title.push_str(part);
    }
    match &*members(steps) {
        "" => title,
        members => format!("{title}: {members}"),
    }
}

/// Whether two steps differ by their members alone.
fn is_alike(one: &StepReport, other: &StepReport) -> bool {
    let (one, other) = (&one.step.facts, &other.step.facts);
    (&one.kind, &one.target, &one.profile) == (&other.kind, &other.target, &other.profile)
}

fn members(steps: &[&StepReport]) -> String {
    const NAMED: usize = 4;
    let names: Vec<_> = steps
        .iter()
        .filter_map(|step| step.step.facts.member.as_deref())
        .collect();
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

/// The part of a store path behind its hash.
fn store_path_name(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split_once('-').map_or(name, |(_hash, name)| name)
}

pub(crate) fn color(outcome: &Outcome) -> Style {
    match outcome {
        Outcome::Cached | Outcome::CachedIn(_) | Outcome::Substituted | Outcome::Built => {
            AnsiColor::Green
        }
        Outcome::Failed | Outcome::Interrupted => AnsiColor::Red,
        Outcome::Blocked(_) | Outcome::Skipped(_) => AnsiColor::Yellow,
    }
    .on_default()
}
