//! Sums over a run, in words.

use super::Report;
use crate::event::{Outcome, Work};
use crate::units::{bytes, crates};

impl Report {
    /// How many steps came out how, in words: `2 cached, 1 built`.
    pub(super) fn counts(&self) -> String {
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
    pub(super) fn compiled(&self) -> String {
        crates(
            self.activities
                .iter()
                .map(|activity| activity.compiled.len())
                .sum(),
        )
    }

    /// Caches, how many store paths came from each, and their bytes.
    pub(super) fn downloads(&self) -> Vec<(&str, usize, u64)> {
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
}
