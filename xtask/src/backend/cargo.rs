//! Runs a plan with plain cargo, where there is no Nix.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;

use super::attribution::{blocked_by, failed_test_member, outcomes, unformatted_member};
use super::batch::Batch;
use super::{Backend, Options, bindings};
use crate::cargo::{Message, package_name_and_version};
use crate::environment::Environment;
use crate::event::{Event, Outcome, Work};
use crate::interrupt;
use crate::plan::{Step, Target, What};
use crate::process::{self, Output};
use crate::workspace::Workspace;

/// Plain cargo.
pub struct Cargo;

impl Backend for Cargo {
    fn name(&self) -> &'static str {
        "cargo"
    }

    fn commands(&self, workspace: &Workspace, plan: &[Step]) -> Vec<(Vec<usize>, String)> {
        Batch::of_plan(workspace, plan)
            .into_iter()
            .map(|batch| {
                let command = process::describe(&batch.command(None, false));
                (batch.steps, command)
            })
            .collect()
    }

    fn run(
        &self,
        workspace: &Workspace,
        plan: &[Step],
        options: &Options,
        emit: &mut dyn FnMut(Event),
    ) -> Result<()> {
        let environment = Environment::prepare(workspace, plan, emit)?;
        let mut blocked = None;
        let mut activity = 0;
        for batch in Batch::of_plan(workspace, plan) {
            let not_run = if interrupt::requested() {
                Some(Outcome::Interrupted)
            } else if let Some(reason) = &blocked {
                Some(Outcome::Blocked(String::clone(reason)))
            } else {
                let reason = environment.skip_reason(&plan[batch.steps[0]]);
                reason.map(|reason| Outcome::Skipped(reason.into()))
            };
            if let Some(outcome) = not_run {
                emit(Event::Settled {
                    steps: batch.steps,
                    outcome,
                });
                continue;
            }
            let run = Run {
                activity,
                workspace,
                batch: &batch,
                environment: &environment,
                options,
                emit: &mut *emit,
                failed: Vec::new(),
                has_compile_error: false,
                files: Vec::new(),
            };
            let failed = run.run()?;
            activity += 1;
            if !failed.is_empty() && !options.keep_going {
                blocked = Some(blocked_by(batch.what, &failed));
            }
        }
        Ok(())
    }
}

/// The run of one batch.
pub(super) struct Run<'run> {
    activity: usize,
    pub(super) workspace: &'run Workspace,
    pub(super) batch: &'run Batch<'run>,
    pub(super) environment: &'run Environment,
    options: &'run Options,
    emit: &'run mut dyn FnMut(Event),
    /// Members whose code or tests failed.
    failed: Vec<&'run str>,
    has_compile_error: bool,
    /// Files that cargo made, or found made, with the id of the package that they are of.
    pub(super) files: Vec<(String, PathBuf)>,
}

impl<'run> Run<'run> {
    /// Runs the batch's commands; returns the names of the members that failed.
    fn run(mut self) -> Result<Vec<&'run str>> {
        let mut command = self
            .batch
            .command(Some(self.environment), self.options.keep_going);
        let started = Instant::now();
        (self.emit)(Event::Started {
            activity: self.activity,
            work: Work::Command {
                command: process::describe(&command),
            },
            steps: self.batch.steps.clone(),
        });
        // One after the other.
        if let Some(previous) = self.activity.checked_sub(1) {
            (self.emit)(Event::Needs {
                activity: self.activity,
                needs: vec![previous],
            });
        }
        let passed = match (self.batch.what, self.batch.target) {
            (What::Bindgen, _) => self.execute(&mut command)? && bindings::make(&mut self)?,
            (What::Test | What::Browser, Some(Target::Wasm)) => {
                bindings::use_runner(&mut self, &mut command)? && self.execute(&mut command)?
            }
            _ if self.batch.uses_nextest(self.environment) => {
                let mut compile = self.batch.compile_tests(self.environment);
                self.execute(&mut compile)? && self.execute(&mut command)?
            }
            _ => self.execute(&mut command)?,
        };
        let outcomes = if interrupt::requested() {
            vec![Outcome::Interrupted; self.batch.steps.len()]
        } else if passed {
            vec![Outcome::Passed; self.batch.steps.len()]
        } else {
            let others_ran = match self.batch.what {
                What::Fmt => {
                    self.line("`cargo fmt` mends it".into());
                    true
                }
                // Tests run only when all of them compiled.
                _ if self.batch.runs_tests() => self.options.keep_going && !self.has_compile_error,
                _ => self.options.keep_going,
            };
            self.failed.sort_unstable();
            self.failed.dedup();
            outcomes(self.workspace, self.batch, &self.failed, others_ran)
        };
        let failed = self
            .batch
            .members
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| **outcome == Outcome::Failed)
            .map(|(member, _)| &*member.name)
            .collect();
        (self.emit)(Event::Finished {
            activity: self.activity,
            seconds: started.elapsed().as_secs_f64(),
            outcomes: self.batch.steps.iter().copied().zip(outcomes).collect(),
        });
        Ok(failed)
    }

    fn line(&mut self, text: String) {
        (self.emit)(Event::Line {
            activity: self.activity,
            text,
        });
    }

    pub(super) fn note(&mut self, text: String) {
        (self.emit)(Event::Note(text));
    }

    /// Runs one command; whether it exited with 0.
    pub(super) fn execute(&mut self, command: &mut Command) -> Result<bool> {
        let color = if self.options.color {
            "always"
        } else {
            "never"
        };
        command.env("CARGO_TERM_COLOR", color);
        let status = process::run(command, |output| match output {
            Output::Tick => (self.emit)(Event::Tick),
            Output::Line(line) => match Message::parse(&line) {
                Some(message) => self.on_message(message),
                None => self.on_line(line),
            },
        })?;
        Ok(status.success())
    }

    fn on_message(&mut self, message: Message) {
        match message {
            Message::Diagnostic {
                package_id,
                message,
            } => {
                if message.level.starts_with("error") {
                    self.has_compile_error = true;
                    let members = &self.batch.members;
                    self.failed.extend(
                        members
                            .iter()
                            .filter(|member| member.id == package_id)
                            .map(|member| &*member.name),
                    );
                }
                for line in message.rendered.iter().flat_map(|text| text.lines()) {
                    self.line(line.to_owned());
                }
            }
            Message::Artifact {
                package_id,
                fresh,
                filenames,
                executable,
            } => {
                if !fresh {
                    (self.emit)(Event::Compiled {
                        activity: self.activity,
                        name: package_name_and_version(&package_id),
                    });
                }
                let files = filenames.into_iter().chain(executable);
                self.files
                    .extend(files.map(|file| (package_id.clone(), file)));
            }
            Message::Other => {}
        }
    }

    fn on_line(&mut self, line: String) {
        self.failed.extend(if self.batch.runs_tests() {
            failed_test_member(self.batch, &line)
        } else if self.batch.what == What::Fmt {
            unformatted_member(self.batch, &line)
        } else {
            None
        });
        self.line(line);
    }
}
