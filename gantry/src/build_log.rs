//! A `nix build` while it runs: Nix's log becomes events.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::time::Instant;

use crate::event::{Event, Outcome, Work};
use crate::nix::{Entry, Output, Program, path_infos};

/// How often a build is tried whose machine goes away.
const ATTEMPTS: usize = 3;

pub(crate) struct BuildLog<'run> {
    program: &'run Program,
    /// What is built, by step.
    checks: &'run BTreeMap<usize, &'run Output>,
    emit: &'run mut dyn FnMut(Event),
    /// Nix's activities that are this run's, by Nix's id.
    running: BTreeMap<u64, Activity>,
    /// How many activities have started.
    started: usize,
    /// The last build of each derivation.
    builds: BTreeMap<String, Build>,
    /// Derivations that failed themselves.
    failed: BTreeSet<String>,
    /// Derivations of which a dependency was not built in this run.
    blocked: BTreeSet<String>,
    /// Steps whose outcome is known.
    settled: BTreeSet<usize>,
    warnings: BTreeSet<String>,
    /// One more than how often machines have gone away that were building.
    attempt: usize,
    /// What Nix said in this run of connections that have ended, and of no build since.
    disconnected: Vec<String>,
    /// Derivations whose builder went away.
    lost: BTreeSet<String>,
    /// Derivations whose build could not begin in this run, and why.
    not_begun: BTreeMap<String, String>,
    /// How many derivations had failed when this run began.
    failed_before: usize,
}

struct Build {
    activity: usize,
    /// Where, if not here.
    machine: Option<String>,
}

#[derive(Clone)]
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
            attempt: 1,
            disconnected: Vec::new(),
            lost: BTreeSet::new(),
            not_begun: BTreeMap::new(),
            failed_before: 0,
        }
    }

    pub(crate) fn tick(&mut self) {
        (self.emit)(Event::Tick);
    }

    /// Takes a line of Nix's log.
    pub(crate) fn line(&mut self, line: &str) {
        match Entry::parse(line) {
            Entry::BuildStarted {
                id,
                derivation,
                machine,
            } => self.start_build(id, derivation, machine),
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
                    self.running.insert(id, activity.clone());
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
            Entry::CannotBuild {
                derivation, reason, ..
            } if reason.contains("dependenc") => {
                self.blocked.insert(derivation);
            }
            Entry::CannotBuild {
                derivation,
                reason,
                on_builder,
            } => {
                if !on_builder && self.is_lost(&derivation) {
                    self.lost.insert(derivation);
                } else if self.builds.contains_key(&derivation) {
                    self.fail(&derivation, &reason);
                } else {
                    self.not_begun.insert(derivation, reason);
                }
            }
            Entry::Disconnected(text) => self.disconnected.push(text),
            Entry::Warning(text) => {
                self.note_full_disk(&text);
                self.note(text);
            }
            // That the whole build failed is said by its steps.
            Entry::Error(text) if text.starts_with("build of ") => {}
            Entry::Error(text) => {
                // Such as of an output that is not what its hash promised.
                let mut builds = self.builds.keys();
                let derivation = builds.find(|path| text.contains(&format!("'{path}'")));
                if let Some(derivation) = derivation.cloned() {
                    self.fail(&derivation, &text);
                } else {
                    self.note_full_disk(&text);
                    self.note(format!("error: {text}"));
                }
            }
            Entry::Untrusted { .. } | Entry::Other => {}
        }
    }

    /// Whether a build that failed did so because its builder went away.
    ///
    /// Nix says then that a connection has ended, and later only that its own program failed which spoke
    /// to the builder. Of a failure on a builder, the builder speaks first.
    fn is_lost(&mut self, derivation: &str) -> bool {
        let was_on_builder =
            self.machine(derivation).is_some() && self.program.remote_machine().is_none();
        // A daemon says it twice.
        self.lost.contains(derivation)
            || was_on_builder
                && !self.failed.contains(derivation)
                && self.disconnected.pop().is_some()
    }

    /// A derivation failed itself; Nix says so once, and a daemon twice.
    fn fail(&mut self, derivation: &str, reason: &str) {
        self.note_full_disk(reason);
        if !self.failed.insert(derivation.to_owned()) {
            return;
        }
        match self.builds.get(derivation) {
            // What was killed has no last words of its own.
            Some(&Build { activity, .. }) => {
                for line in reason.lines() {
                    (self.emit)(Event::Line {
                        activity,
                        text: line.to_owned(),
                    });
                }
            }
            None => self.note(format!(
                "error: {} was not built: {reason}",
                layer_name(derivation)
            )),
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

    fn start_build(&mut self, id: u64, derivation: String, machine: Option<String>) {
        let build = self.builds.get(&derivation).map(|build| build.activity);
        let running = self.running.values();
        let running = build.and_then(|build| running.clone().find(|other| other.index == build));
        if let Some(activity) = running {
            // The builder says so of what was handed to it.
            self.running.insert(id, activity.clone());
            return;
        }
        let machine = machine.or_else(|| self.program.remote_machine().map(str::to_owned));
        let build = Build {
            activity: self.started,
            machine: machine.clone(),
        };
        self.builds.insert(derivation.clone(), build);
        let steps = self.steps(|check| check.derivation == derivation);
        let work = Work::Build {
            log_command: self.program.log_command(&derivation),
            derivation,
            machine,
        };
        self.start(id, work, steps, Outcome::Built);
    }

    /// Where a derivation was built last, if not here.
    fn machine(&self, derivation: &str) -> Option<&str> {
        self.builds.get(derivation)?.machine.as_deref()
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
            let layer = builds.find(|(_, build)| build.activity == activity);
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

    /// Ends a run of Nix: says what became of the steps that are done with, and gives the derivations of
    /// those that another run is to build.
    ///
    /// There are some where a machine went away that built them, and where Nix ended before it came to
    /// them: a store on another machine does not go on after a failure, whatever it is told.
    pub(crate) fn end_run(&mut self, interrupted: bool) -> BTreeSet<&'run String> {
        let mut goes_on = false;
        if !interrupted {
            let is_lost = self.lose_builds();
            for (derivation, reason) in mem::take(&mut self.not_begun) {
                // It may have waited for the machine that went away.
                if !is_lost {
                    self.fail(&derivation, &reason);
                }
            }
            let ends_early = self.program.remote_machine().is_some();
            goes_on = is_lost || ends_early && self.failed.len() > self.failed_before;
            self.failed_before = self.failed.len();
            let running: Vec<u64> = self.running.keys().copied().collect();
            for id in running {
                self.stop(id);
            }
        }
        let done = self.done(|step| !self.settled.contains(&step));
        let blocked = mem::take(&mut self.blocked);
        let obstacles = self.obstacles();
        let mut left = BTreeSet::new();
        let mut by_outcome: Vec<(Outcome, Vec<usize>)> = Vec::new();
        for (&step, check) in self.checks {
            if self.settled.contains(&step) {
                continue;
            }
            let derivation = &check.derivation;
            // What another process has built meanwhile is done too.
            let outcome = if done.contains(&step) {
                Outcome::Cached
            } else if interrupted {
                Outcome::Interrupted
            } else if self.failed.contains(derivation) {
                Outcome::Failed
            } else if let Some(reason) = obstacle(&obstacles, derivation) {
                Outcome::Blocked(reason)
            } else if goes_on {
                left.insert(derivation);
                continue;
            } else if blocked.contains(derivation) {
                Outcome::Blocked("after a derivation that it needs failed".into())
            } else {
                Outcome::Failed
            };
            match by_outcome.iter_mut().find(|(other, _)| *other == outcome) {
                Some((_, steps)) => steps.push(step),
                None => by_outcome.push((outcome, vec![step])),
            }
        }
        for (outcome, steps) in by_outcome {
            self.settled.extend(&steps);
            (self.emit)(Event::Settled { steps, outcome });
        }
        left
    }

    /// Says what is known of builds only when all have ended.
    pub(crate) fn finish(self) {
        let derivations: Vec<String> = self.builds.keys().cloned().collect();
        let store = self.program.evaluation_store();
        let infos = path_infos(self.program, store, &derivations).unwrap_or_default();
        for (derivation, &Build { activity, .. }) in &self.builds {
            if self.failed.contains(derivation) {
                (self.emit)(Event::Failed { activity });
            }
            let inputs = infos.get(derivation).map(|info| &info.references);
            let inputs = inputs.into_iter().flatten();
            let needs = inputs.filter_map(|path| Some(self.builds.get(path)?.activity));
            (self.emit)(Event::Needs {
                activity,
                needs: needs.collect(),
            });
        }
    }

    /// Says which machines have gone away; whether what they built is to be tried again.
    fn lose_builds(&mut self) -> bool {
        let mut lost = mem::take(&mut self.lost);
        let disconnected = mem::take(&mut self.disconnected);
        if !disconnected.is_empty() && self.program.remote_machine().is_some() {
            // Of a store on another machine Nix does not say what could not be built.
            let running: Vec<usize> = self.running.values().map(|other| other.index).collect();
            let running = |build: &Build| running.contains(&build.activity);
            let builds = self.builds.iter().filter(|(_, build)| running(build));
            lost.extend(builds.map(|(derivation, _)| derivation.clone()));
        }
        if lost.is_empty() {
            for text in disconnected {
                self.note(format!("error: {text}"));
            }
            return false;
        }
        let is_last = self.attempt == ATTEMPTS;
        self.attempt += 1;
        for derivation in lost {
            let machine = self.machine(&derivation).unwrap_or_default().to_owned();
            if is_last {
                self.fail(
                    &derivation,
                    &format!("{machine} went away, as in the attempts before"),
                );
            } else {
                self.note(format!(
                    "{machine} went away while it built {}: attempt {} of {ATTEMPTS} begins",
                    layer_name(&derivation),
                    self.attempt
                ));
            }
        }
        !is_last
    }

    /// The names of derivations that failed, each with all that need it.
    fn obstacles(&self) -> Vec<(&str, Vec<String>)> {
        let failed = self.failed.iter().map(|path| {
            let closure = self.program.query(&["--referrers-closure"], [&**path]);
            (layer_name(path), closure.unwrap_or_default())
        });
        failed.collect()
    }
}

/// Which of these `derivation` waits for, if it does.
fn obstacle(obstacles: &[(&str, Vec<String>)], derivation: &String) -> Option<String> {
    let obstacles = obstacles
        .iter()
        .filter(|(_, dependents)| dependents.contains(derivation));
    let names: Vec<_> = obstacles.map(|(name, _)| *name).collect();
    (!names.is_empty()).then(|| format!("after {} failed", names.join(", ")))
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
    use serde_json::{Value, json};

    use super::*;

    /// What is said of runs of Nix for `a` and `b` that log these lines, and what each leaves to another run.
    fn runs(store: &str, runs: &[&[Value]]) -> (Vec<String>, Vec<Vec<String>>) {
        let outputs = ["a", "b"].map(|name| Output {
            derivation: derivation(name),
            path: format!("/nix/store/0c-{name}"),
        });
        let checks = outputs.iter().enumerate().collect();
        let program = Program::with_store(store);
        let mut said = Vec::new();
        let mut emit = |event| match event {
            Event::Line { text, .. } | Event::Note(text) => said.push(text),
            Event::Settled { steps, outcome } => said.push(format!("{steps:?} {outcome:?}")),
            _ => {}
        };
        let mut log = BuildLog::new(&program, &checks, &mut emit);
        let mut left = Vec::new();
        for lines in runs {
            for line in *lines {
                log.line(&format!("@nix {line}"));
            }
            let derivations = log.end_run(false);
            left.push(
                derivations
                    .iter()
                    .map(|it| layer_name(it).to_owned())
                    .collect(),
            );
        }
        (said, left)
    }

    fn derivation(name: &str) -> String {
        format!("/nix/store/0c-{name}.drv")
    }

    fn start(id: u64, name: &str, machine: &str) -> Value {
        json!({ "action": "start", "type": 105, "id": id, "fields": [derivation(name), machine, 1, 1] })
    }

    fn stop(id: u64) -> Value {
        json!({ "action": "stop", "id": id })
    }

    fn error(text: &str) -> Value {
        json!({ "action": "msg", "level": 0, "msg": format!("error: {text}") })
    }

    fn cannot_build(name: &str, reason: &str) -> Value {
        let derivation = derivation(name);
        error(&format!(
            "Cannot build '{derivation}'.\n       Reason: {reason}."
        ))
    }

    fn failed_on(machine: &str, name: &str) -> Value {
        let derivation = derivation(name);
        error(&format!(
            "build of '{derivation}' on '{machine}' failed: Cannot build '{derivation}'.\n       Reason: builder failed with exit code 3."
        ))
    }

    const GONE: &str = "Nix daemon disconnected unexpectedly (maybe it crashed?)";
    const HOOK_FAILED: &str = "builder failed with exit code 1";

    #[test]
    fn a_failure_on_a_builder_is_no_builder_that_went_away() {
        let lines = [
            start(1, "a", "ssh-ng://one"),
            start(2, "b", "ssh-ng://two"),
            error(GONE),
            stop(1),
            failed_on("ssh-ng://two", "b"),
            stop(2),
            cannot_build("a", HOOK_FAILED),
            cannot_build("a", HOOK_FAILED),
            cannot_build("b", HOOK_FAILED),
        ];
        let (said, left) = runs("daemon", &[&lines]);
        assert_eq!(
            said,
            [
                "builder failed with exit code 3",
                "ssh-ng://one went away while it built a: attempt 2 of 3 begins",
                "[1] Failed",
            ]
        );
        assert_eq!(left, [["a"]]);
    }

    #[test]
    fn a_connection_that_ended_is_the_end_of_one_build() {
        let lines = [
            start(1, "a", "ssh-ng://one"),
            start(2, "b", "ssh-ng://two"),
            error(GONE),
            cannot_build("a", HOOK_FAILED),
            cannot_build("b", "local builds are disabled"),
        ];
        let (said, left) = runs("daemon", &[&lines]);
        assert!(said.contains(&"[1] Failed".to_owned()), "{said:?}");
        assert_eq!(left, [["a"]]);

        // Such as that of a cache, which is the end of none.
        let lines = [
            error("unexpected end-of-file"),
            start(1, "a", ""),
            cannot_build("a", "no"),
        ];
        let (said, left) = runs("daemon", &[&lines]);
        assert_eq!(
            said,
            ["no", "error: unexpected end-of-file", "[0, 1] Failed"]
        );
        assert_eq!(left, [[""; 0]]);
    }

    #[test]
    fn what_waited_for_a_builder_that_went_away_is_tried_again() {
        let lines = [
            cannot_build("b", "local builds are disabled"),
            start(1, "a", "ssh-ng://one"),
            error(GONE),
            cannot_build("a", HOOK_FAILED),
        ];
        let again = [
            cannot_build("a", "local builds are disabled"),
            cannot_build("b", "local builds are disabled"),
        ];
        let (said, left) = runs("daemon", &[&lines, &again]);
        assert_eq!(
            said,
            [
                "ssh-ng://one went away while it built a: attempt 2 of 3 begins",
                "local builds are disabled",
                "error: b was not built: local builds are disabled",
                "[0, 1] Failed",
            ]
        );
        assert_eq!(left, [vec!["a", "b"], vec![]]);
    }

    #[test]
    fn nix_goes_on_by_itself_here_and_not_in_a_store_on_another_machine() {
        let fails = [
            start(1, "a", ""),
            error(&format!(
                "hash mismatch in fixed-output derivation '{}':\n         specified: one\n            got:    two",
                derivation("a")
            )),
        ];
        let (said, left) = runs("daemon", &[&fails]);
        assert_eq!(said.last().unwrap(), "[0, 1] Failed");
        assert_eq!(left, [[""; 0]]);
        let (said, left) = runs("ssh-ng://one", &[&fails]);
        assert_eq!(said.last().unwrap(), "[0] Failed");
        assert_eq!(left, [["b"]]);
    }

    #[test]
    fn what_waits_for_something_that_failed_without_a_name_is_blocked() {
        let lines = [
            error("output '/nix/store/0c-c' is not allowed to refer to '/nix/store/0c-d'"),
            cannot_build("b", "1 dependency failed"),
        ];
        let (said, left) = runs("daemon", &[&lines]);
        assert_eq!(
            said[1..],
            [
                "[0] Failed",
                "[1] Blocked(\"after a derivation that it needs failed\")"
            ]
        );
        assert_eq!(left, [[""; 0]]);
    }

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
