//! A `nix build` while it runs: Nix's log becomes events.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::event::{Event, Outcome, Work};
use crate::nix::{Entry, Output, Program, path_infos};

pub(crate) struct BuildLog<'run> {
    program: &'run Program,
    /// What is built, by step.
    checks: &'run BTreeMap<usize, &'run Output>,
    emit: &'run mut dyn FnMut(Event),
    /// Nix's activities that are this run's, by Nix's id.
    running: BTreeMap<u64, Activity>,
    /// How many activities have started.
    started: usize,
    /// The activities that build derivations.
    builds: BTreeMap<String, usize>,
    /// Derivations that failed themselves.
    failed: BTreeSet<String>,
    /// Derivations of which a dependency failed.
    blocked: BTreeSet<String>,
    /// Steps whose outcome is known.
    settled: BTreeSet<usize>,
    warnings: BTreeSet<String>,
}

struct Activity {
    index: usize,
    started: Instant,
    steps: Vec<usize>,
    success: Outcome,
}

impl<'run> BuildLog<'run> {
    pub(crate) fn new(
        program: &'run Program,
        checks: &'run BTreeMap<usize, &'run Output>,
        emit: &'run mut dyn FnMut(Event),
    ) -> Self {
        Self {
            program,
            checks,
            emit,
            running: BTreeMap::new(),
            started: 0,
            builds: BTreeMap::new(),
            failed: BTreeSet::new(),
            blocked: BTreeSet::new(),
            settled: BTreeSet::new(),
            warnings: BTreeSet::new(),
        }
    }

    pub(crate) fn tick(&mut self) {
        (self.emit)(Event::Tick);
    }

    /// Takes a line of Nix's log.
    pub(crate) fn line(&mut self, line: &str) {
        match Entry::parse(line) {
            Entry::BuildStarted { id, derivation } => {
                let steps = self.steps(|check| check.derivation == derivation);
                self.builds.insert(derivation.clone(), self.started);
                self.start(id, Work::Build { derivation }, steps, Outcome::Built);
            }
            Entry::SubstitutionStarted { id, path, from } => {
                let steps = self.steps(|check| check.path == path);
                self.start(
                    id,
                    Work::Substitution { path, from },
                    steps,
                    Outcome::Substituted,
                );
            }
            Entry::CopyStarted { id, parent } => {
                // Its progress is that of the substitution that it is part of.
                if let Some(activity) = self.running.get(&parent) {
                    let copy = Activity {
                        steps: Vec::new(),
                        success: activity.success.clone(),
                        ..*activity
                    };
                    self.running.insert(id, copy);
                }
            }
            Entry::Stopped { id } => self.stop(id),
            Entry::Line { id, text } => self.print(id, text),
            Entry::Progress { id, bytes } => {
                if let Some(activity) = self.running.get(&id) {
                    (self.emit)(Event::Transferred {
                        activity: activity.index,
                        bytes,
                    });
                }
            }
            Entry::CannotBuild { derivation, reason } if reason.contains("dependenc") => {
                self.blocked.insert(derivation);
            }
            Entry::CannotBuild { derivation, reason } => self.fail(derivation, reason),
            Entry::Warning(text) => {
                self.note_full_disk(&text);
                self.note(text);
            }
            // That the whole build failed is said by its steps.
            Entry::Error(text) if text.starts_with("build of ") => {}
            Entry::Error(text) => {
                self.note_full_disk(&text);
                self.note(format!("error: {text}"));
            }
            Entry::Untrusted { .. } | Entry::Other => {}
        }
    }

    /// A derivation failed itself; Nix says so once, and a daemon twice.
    fn fail(&mut self, derivation: String, reason: String) {
        self.note_full_disk(&reason);
        let activity = self.builds.get(&derivation).copied();
        if self.failed.insert(derivation)
            && let Some(activity) = activity
        {
            // A builder that was killed has no last words of its own.
            (self.emit)(Event::Line {
                activity,
                text: reason,
            });
        }
    }

    /// Says what to do where Nix says that the disk is full.
    fn note_full_disk(&mut self, text: &str) {
        // Nix's own words, the system's, and SQLite's.
        const SIGNS: [&str; 3] = [
            "lack of free disk space",
            "No space left on device",
            "database or disk is full",
        ];
        if SIGNS.iter().any(|sign| text.contains(sign)) {
            self.note(
                "a disk that Nix writes to is full: `nix store gc` deletes what nothing refers to"
                    .into(),
            );
        }
    }

    /// The steps whose checks are so.
    fn steps(&self, predicate: impl Fn(&Output) -> bool) -> Vec<usize> {
        let checks = self.checks.iter().filter(|(_, check)| predicate(check));
        checks.map(|(step, _)| *step).collect()
    }

    fn start(&mut self, id: u64, work: Work, steps: Vec<usize>, success: Outcome) {
        (self.emit)(Event::Started {
            activity: self.started,
            work,
            steps: steps.clone(),
        });
        let activity = Activity {
            index: self.started,
            started: Instant::now(),
            steps,
            success,
        };
        self.running.insert(id, activity);
        self.started += 1;
    }

    fn stop(&mut self, id: u64) {
        let Some(activity) = self.running.remove(&id) else {
            return;
        };
        if self
            .running
            .values()
            .any(|other| other.index == activity.index)
        {
            // A copy; the substitution goes on.
            return;
        }
        let seconds = activity.started.elapsed().as_secs_f64();
        let done = self.done(|step| activity.steps.contains(&step));
        self.settled.extend(&done);
        let outcomes = done
            .into_iter()
            .map(|step| (step, activity.success.clone()));
        (self.emit)(Event::Finished {
            activity: activity.index,
            seconds,
            outcomes: outcomes.collect(),
        });
    }

    /// Those of these steps whose results are in the store.
    ///
    /// Nix is asked: a build that failed may have left there what it had written by then.
    fn done(&self, predicate: impl Fn(usize) -> bool) -> BTreeSet<usize> {
        let checks = self.checks.iter().filter(|(step, _)| predicate(**step));
        let checks: Vec<_> = checks.collect();
        let paths: Vec<String> = checks.iter().map(|(_, check)| check.path.clone()).collect();
        // Where it does not answer, as after an interrupt, nothing is known to be there.
        let valid = path_infos(self.program, None, &paths).unwrap_or_default();
        let done = checks
            .into_iter()
            .filter(|(_, check)| valid.contains_key(&check.path));
        done.map(|(step, _)| *step).collect()
    }

    fn print(&mut self, id: u64, text: String) {
        let Some(activity) = self.running.get(&id).map(|activity| activity.index) else {
            return;
        };
        if let Some(name) = compiled_crate(&text) {
            (self.emit)(Event::Compiled { activity, name });
        }
        if let Some(finding) = compiled_again(&text) {
            let mut builds = self.builds.iter();
            let layer = builds.find(|(_, build)| **build == activity);
            let layer = layer.map_or("a layer", |(derivation, _)| layer_name(derivation));
            self.note(format!(
                "{layer} compiled more than its own crate: {finding}"
            ));
        }
        (self.emit)(Event::Line { activity, text });
    }

    /// Says something once, however often Nix does.
    fn note(&mut self, text: String) {
        if self.warnings.insert(text.clone()) {
            (self.emit)(Event::Note(text));
        }
    }

    /// Says what became of all steps that the log did not tell of.
    pub(crate) fn settle(self, interrupted: bool) {
        for (derivation, &activity) in &self.builds {
            if self.failed.contains(derivation) {
                (self.emit)(Event::Failed { activity });
            }
            let needs = self.needs(derivation);
            (self.emit)(Event::Needs { activity, needs });
        }
        let done = self.done(|step| !self.settled.contains(&step));
        let mut by_outcome: Vec<(Outcome, Vec<usize>)> = Vec::new();
        for (&step, check) in self.checks {
            if self.settled.contains(&step) {
                continue;
            }
            // What another process has built meanwhile is done too.
            let outcome = if done.contains(&step) {
                Outcome::Cached
            } else if interrupted {
                Outcome::Interrupted
            } else if self.blocked.contains(&check.derivation) {
                Outcome::Blocked(self.blockers(&check.derivation))
            } else {
                Outcome::Failed
            };
            match by_outcome.iter_mut().find(|(other, _)| *other == outcome) {
                Some((_, steps)) => steps.push(step),
                None => by_outcome.push((outcome, vec![step])),
            }
        }
        for (outcome, steps) in by_outcome {
            (self.emit)(Event::Settled { steps, outcome });
        }
    }

    /// The builds that `derivation` waited for.
    fn needs(&self, derivation: &str) -> Vec<usize> {
        let references = self
            .program
            .query(&["--references"], [derivation])
            .unwrap_or_default();
        references
            .iter()
            .filter_map(|path| self.builds.get(path))
            .copied()
            .collect()
    }

    /// Which failed derivations `derivation` waits for.
    fn blockers(&self, derivation: &str) -> String {
        let closure = self
            .program
            .read(&["path-info", "--recursive", derivation])
            .unwrap_or_default();
        let names: Vec<_> = closure
            .lines()
            .filter(|path| self.failed.contains(*path))
            .filter_map(|path| path.rsplit('/').next()?.split_once('-'))
            .map(|(_hash, name)| name.trim_end_matches(".drv"))
            .collect();
        format!("after {} failed", names.join(", "))
    }
}

/// What a layer of mkWorkspace says of a crate that it should have inherited: its name and version, and
/// cargo's reason.
fn compiled_again(line: &str) -> Option<&str> {
    line.strip_prefix("gantry: compiled again: ")
}

/// `/nix/store/HASH-NAME.drv`
fn layer_name(derivation: &str) -> &str {
    let name = derivation.rsplit('/').next().unwrap_or(derivation);
    let name = name.split_once('-').map_or(name, |(_hash, name)| name);
    name.trim_end_matches(".drv")
}

/// The name and version of the crate that cargo says to compile on this line of a build's log.
fn compiled_crate(line: &str) -> Option<String> {
    let line = anstream::adapter::strip_str(line).to_string();
    let mut words = line.split_whitespace();
    let verb = words.next()?;
    if !["Compiling", "Checking", "Documenting"].contains(&verb) {
        return None;
    }
    let name = words.next()?;
    let version = words.next()?.strip_prefix('v')?;
    Some(format!("{name} {version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_says_what_it_compiled_again() {
        let line = "gantry: compiled again: zlib-sys 1.0.2: the env variable CC changed";
        assert_eq!(
            compiled_again(line),
            Some("zlib-sys 1.0.2: the env variable CC changed")
        );
        assert_eq!(compiled_again("   Compiling zlib-sys v1.0.2"), None);
        assert_eq!(
            layer_name("/nix/store/0c-cargo-test-app-dev.drv"),
            "cargo-test-app-dev"
        );
    }

    #[test]
    fn cargos_lines_name_the_compiled_crate() {
        let compiled = |line| compiled_crate(line);
        assert_eq!(
            compiled("   Compiling serde v1.0.2"),
            Some("serde 1.0.2".into())
        );
        assert_eq!(
            compiled("    Checking core v0.1.0 (/build/source/core)"),
            Some("core 0.1.0".into())
        );
        assert_eq!(compiled("    Finished `dev` profile"), None);
        assert_eq!(compiled("Compiling is slow"), None);
    }
}
