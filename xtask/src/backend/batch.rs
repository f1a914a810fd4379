//! Steps that one cargo command runs together.
//!
//! Cargo resolves features over the packages that a command selects, and compiles a dependency
//! once more for every set of features. So the commands select what people select by hand: the
//! default members together, as `cargo build` does, and every other member alone, as `-p` does.
//! Then `cargo build` after `cargo xtask ci` compiles nothing.

use std::env;
use std::process::Command;

use crate::cargo;
use crate::environment::Environment;
use crate::plan::{Profile, Step, Target, What};
use crate::workspace::{Member, Workspace};

pub(crate) struct Batch<'a> {
    pub(crate) what: What,
    pub(crate) target: Option<Target>,
    pub(crate) profile: Option<Profile>,
    /// Indices of the plan.
    pub(crate) steps: Vec<usize>,
    /// The steps' members, in the same order.
    pub(crate) members: Vec<&'a Member>,
    /// What the command selects: also members that have no such step, so that every command
    /// resolves the same features.
    packages: Vec<&'a Member>,
}

impl<'a> Batch<'a> {
    /// The plan's steps in batches, in the plan's order.
    pub(crate) fn of_plan(workspace: &'a Workspace, plan: &[Step]) -> Vec<Self> {
        let mut batches: Vec<Self> = Vec::new();
        for (index, step) in plan.iter().enumerate() {
            let Some(member) = workspace.member(&step.member) else {
                continue;
            };
            match batches.iter_mut().find(|batch| batch.takes(step, member)) {
                Some(batch) => {
                    batch.steps.push(index);
                    batch.members.push(member);
                }
                None => batches.push(Self {
                    what: step.what,
                    target: step.target,
                    profile: step.profile,
                    steps: vec![index],
                    members: vec![member],
                    packages: selected_with(workspace, plan, step, member),
                }),
            }
        }
        batches
    }

    fn takes(&self, step: &Step, member: &Member) -> bool {
        (self.what, self.target, self.profile) == step.kind()
            && self
                .members
                .iter()
                .all(|other| are_selected_together(self.target, member, other))
    }

    pub(crate) fn runs_tests(&self) -> bool {
        matches!(self.what, What::Test | What::Browser | What::Doctest)
    }

    pub(crate) fn uses_nextest(&self, environment: &Environment) -> bool {
        environment.has_nextest && self.what == What::Test && self.target == Some(Target::Native)
    }

    /// The cargo command that runs the batch.
    pub(crate) fn command(&self, environment: Option<&Environment>, keep_going: bool) -> Command {
        let uses_nextest = environment.is_some_and(|environment| self.uses_nextest(environment));
        let mut command = match (self.what, self.target) {
            (What::Fmt, _) => {
                let mut command = cargo::command("fmt");
                command.arg("--check");
                self.select_members(&mut command);
                return command;
            }
            (What::Clippy, _) => self.compile("clippy", &["--all-targets"]),
            (What::Build | What::Bindgen, _) => self.compile("build", &[]),
            (What::Test, _) if uses_nextest => {
                // A member without tests is no failure.
                let mut command = cargo::command("nextest");
                command.args(["run", "--locked", "--tests", "--no-tests", "pass"]);
                command
            }
            (What::Test | What::Browser, _) => self.compile("test", &["--tests"]),
            (What::Doctest, _) => self.compile("test", &["--doc"]),
            (What::Doc, _) => {
                let mut command = self.compile("doc", &["--no-deps"]);
                let flags = env::var("RUSTDOCFLAGS").unwrap_or_default();
                command.env("RUSTDOCFLAGS", format!("{flags} -D warnings").trim_start());
                command
            }
        };
        if keep_going {
            command.arg(if self.runs_tests() {
                "--no-fail-fast"
            } else {
                "--keep-going"
            });
        }
        if let Some(profile) = self.profile {
            let option = if uses_nextest {
                "--cargo-profile"
            } else {
                "--profile"
            };
            command.args([option, &profile.to_string()]);
        }
        self.select_members(&mut command);
        self.configure(&mut command, environment);
        if self.what == What::Clippy {
            command.args(["--", "-D", "warnings"]);
        }
        command
    }

    /// Compiles the tests that nextest will run, to learn what was compiled and what failed to.
    pub(crate) fn compile_tests(&self, environment: &Environment) -> Command {
        let mut command = self.compile("test", &["--tests", "--no-run"]);
        if let Some(profile) = self.profile {
            command.args(["--profile", &profile.to_string()]);
        }
        self.select_members(&mut command);
        self.configure(&mut command, Some(environment));
        command
    }

    fn compile(&self, subcommand: &str, arguments: &[&str]) -> Command {
        let mut command = cargo::command(subcommand);
        command
            .args([
                "--locked",
                "--message-format",
                "json-diagnostic-rendered-ansi",
            ])
            .args(arguments);
        if let Some(triple) = self.target.and_then(Target::triple) {
            command.args(["--target", &triple]);
        }
        command
    }

    fn select_members(&self, command: &mut Command) {
        for member in &self.packages {
            command.args(["--package", &member.name]);
        }
    }

    fn configure(&self, command: &mut Command, environment: Option<&Environment>) {
        let Some(environment) = environment else {
            return;
        };
        if self.target == Some(Target::Wasm) {
            if let Some(sysroot) = environment.wasm_sysroot() {
                cargo::use_sysroot(command, Target::Wasm, sysroot);
            }
            if let Some(linker) = environment.wasm_linker() {
                cargo::configure(command, &format!("target.{}.linker", Target::Wasm), linker);
            }
        } else if environment.vendor_openssl {
            for member in self
                .members
                .iter()
                .filter(|member| member.can_vendor_openssl)
            {
                command.args(["--features", &format!("{}/vendored-openssl", member.name)]);
            }
        }
    }
}

/// The members that a command for `step` selects.
fn selected_with<'a>(
    workspace: &'a Workspace,
    plan: &[Step],
    step: &Step,
    member: &Member,
) -> Vec<&'a Member> {
    // What tests another member has cannot run on wasm.
    let must_have_step =
        step.target == Some(Target::Wasm) && matches!(step.what, What::Test | What::Browser);
    let is_planned = |other: &Member| {
        plan.iter().any(|planned| {
            planned.member == other.name
                && planned.target == step.target
                && (planned.what == step.what || !must_have_step)
        })
    };
    workspace
        .members
        .iter()
        .filter(|other| are_selected_together(step.target, member, other) && is_planned(other))
        .collect()
}

fn are_selected_together(target: Option<Target>, member: &Member, other: &Member) -> bool {
    target != Some(Target::Native)
        || member.name == other.name
        || (member.is_default && other.is_default)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    fn member(name: &str, is_default: bool) -> Member {
        Member {
            name: name.into(),
            is_default,
            ..Member::default()
        }
    }

    fn step(what: What, member: &str, target: Target) -> Step {
        Step {
            what,
            member: member.into(),
            target: Some(target),
            profile: Some(Profile::Dev),
        }
    }

    #[test]
    fn members_are_selected_as_people_select_them() {
        let workspace = Workspace {
            members: vec![
                member("core", true),
                member("app", true),
                member("tool", false),
                member("helper", false),
            ],
            ..Workspace::default()
        };
        let plan: Vec<_> = [Target::Native, Target::Wasm]
            .into_iter()
            .flat_map(|target| {
                ["core", "tool", "app", "helper"].map(|name| step(What::Build, name, target))
            })
            .collect();
        let batches: Vec<_> = Batch::of_plan(&workspace, &plan)
            .into_iter()
            .map(|batch| batch.steps)
            .collect();
        assert_eq!(batches, [vec![0, 2], vec![1], vec![3], vec![4, 5, 6, 7]]);
    }

    #[test]
    fn cargo_is_told_every_target_but_the_machines_own() {
        let workspace = Workspace {
            members: vec![member("core", true)],
            ..Workspace::default()
        };
        for &target in Target::value_variants() {
            let batch = Batch::of_plan(&workspace, &[step(What::Build, "core", target)]).remove(0);
            let command = crate::process::describe(&batch.command(None, false));
            let option = format!(" --target {target} ");
            assert_eq!(
                command.contains(&option),
                target != Target::Native,
                "{command}"
            );
        }
    }

    #[test]
    fn a_command_selects_members_without_such_a_step_too() {
        let workspace = Workspace {
            members: vec![
                member("core", true),
                member("app", true),
                member("unplanned", true),
            ],
            ..Workspace::default()
        };
        let plan = [
            step(What::Build, "core", Target::Native),
            step(What::Build, "app", Target::Native),
            step(What::Doctest, "core", Target::Native),
        ];
        let doctest = Batch::of_plan(&workspace, &plan).pop().unwrap();
        let packages: Vec<_> = doctest
            .packages
            .iter()
            .map(|member| &*member.name)
            .collect();
        assert_eq!((doctest.steps, packages), (vec![2], vec!["core", "app"]));
    }
}
