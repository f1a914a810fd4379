//! What ran when: the activities in lanes, and the path that decided how long it all took.

use super::{Activity, Report};

/// An activity of the report in its place.
pub(super) struct Bar {
    pub(super) activity: usize,
    /// Activities in one lane do not overlap.
    pub(super) lane: usize,
    /// Whether the whole run would have been shorter had this been shorter.
    pub(super) is_critical: bool,
}

impl Activity {
    fn end(&self) -> f64 {
        self.start + self.seconds
    }
}

impl Report {
    /// The activities, in the order of their start.
    pub(super) fn timeline(&self) -> Vec<Bar> {
        let critical = self.critical_path();
        let mut ends: Vec<f64> = Vec::new();
        self.activities
            .iter()
            .enumerate()
            .map(|(activity, Activity { start, .. })| {
                let end = self.activities[activity].end();
                let lane = ends.iter().position(|end| end <= start);
                let lane = lane.unwrap_or_else(|| {
                    ends.push(0.0);
                    ends.len() - 1
                });
                ends[lane] = end;
                Bar {
                    activity,
                    lane,
                    is_critical: critical.contains(&activity),
                }
            })
            .collect()
    }

    /// From the activity that ended last, back over what each one had to wait for the longest.
    fn critical_path(&self) -> Vec<usize> {
        let last_of = |candidates: &mut dyn Iterator<Item = usize>| {
            candidates.max_by(|&one, &other| {
                self.activities[one]
                    .end()
                    .total_cmp(&self.activities[other].end())
            })
        };
        let mut path = Vec::new();
        let mut next = last_of(&mut (0..self.activities.len()));
        while let Some(activity) = next {
            path.push(activity);
            // What it needs started before it, so that this ends.
            let needs = self.activities[activity].needs.iter().copied();
            next = last_of(&mut needs.filter(|&needed| needed < activity));
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Work;

    fn report(activities: &[(f64, f64, &[usize])]) -> Report {
        let mut report = Report::new(&[]);
        report.activities = activities
            .iter()
            .map(|&(start, seconds, needs)| Activity {
                work: Work::Build {
                    derivation: String::new(),
                    machine: None,
                    log_command: String::new(),
                },
                start,
                seconds,
                failed: false,
                needs: needs.to_vec(),
                compiled: Vec::new(),
                bytes: 0,
                output: Vec::new(),
            })
            .collect();
        report
    }

    #[test]
    fn what_overlaps_is_in_lanes_of_its_own() {
        let report = report(&[(0.0, 2.0, &[]), (1.0, 2.0, &[]), (2.5, 1.0, &[])]);
        let lanes: Vec<_> = report.timeline().iter().map(|bar| bar.lane).collect();
        assert_eq!(lanes, [0, 1, 0]);
    }

    #[test]
    fn the_critical_path_follows_what_was_waited_for() {
        let report = report(&[
            (0.0, 1.0, &[]),
            (0.0, 5.0, &[]),
            (5.0, 1.0, &[0, 1]),
            (1.0, 2.0, &[0]),
        ]);
        let critical: Vec<_> = report
            .timeline()
            .iter()
            .map(|bar| bar.is_critical)
            .collect();
        assert_eq!(critical, [false, true, true, false]);
    }
}
