//! `cargo xtask why`: the edits that make an output be built again.
//!
//! The files that changed are laid over the old commit in stages: first all that is not Nix's, then the
//! toolchain, the flake's inputs, and the Nix code file by file. A stage after which the output is
//! another one holds a cause; which, the sources and manifests that the derivations were given say.

mod builds;
mod cause;
mod lock;
mod manifests;
mod revision;
mod sources;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstyle::AnsiColor;
use anyhow::{Context as _, Result, anyhow};
use serde::Serialize;
use serde_json::Value;
use xtask::arguments::WhyArguments;
use xtask::output;
use xtask::suggestion::nearest;
use xtask::workspace::Workspace;

use self::cause::Cause;
use self::lock::Packages;
use self::manifests::Given;
use self::revision::{Change, Revision, Scratch};
use crate::nix::{self, Check, Closure, Program};

/// The form of `--json`.
#[derive(Serialize)]
struct Report<'a> {
    /// The version of this format.
    version: u32,
    output: &'a str,
    since: Since<'a>,
    rebuilt: bool,
    causes: &'a [Cause],
}

#[derive(Serialize)]
struct Since<'a> {
    name: &'a str,
    commit: &'a str,
}

/// Says why an output is built again.
///
/// # Errors
/// Nix or git is missing, the flake does not evaluate, or there is no such output or revision.
pub(crate) fn run(arguments: &WhyArguments) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let program = Program::find(&workspace, &arguments.nix.flags)?;
    let since = Revision::find(&workspace.root, arguments.since.as_deref())?;
    for warning in nix::untracked_warnings(&workspace.root) {
        output::print_error(&format!("note: {warning}\n"));
    }
    let name = arguments.output.trim_start_matches(".#");
    let causes = Comparison::new(&workspace, &program, &since)?.causes(name)?;
    let text = if arguments.json {
        let report = Report {
            version: 1,
            output: name,
            since: Since {
                name: &since.name,
                commit: &since.commit,
            },
            rebuilt: !causes.is_empty(),
            causes: &causes,
        };
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        to_text(name, &since, &causes)
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn to_text(output: &str, since: &Revision<'_>, causes: &[Cause]) -> String {
    let commit = since.commit.get(..7).unwrap_or(&since.commit);
    let since = if since.name.starts_with(commit) {
        commit.to_owned()
    } else {
        format!("{} ({commit})", since.name)
    };
    if causes.is_empty() {
        return format!("nothing: {output} is what it was at {since}\n");
    }
    let mut text = format!("{output} is built again, because since {since}:\n");
    let style = AnsiColor::Cyan.on_default();
    for cause in causes {
        let _ = writeln!(text, "{style}{:>12}{style:#} {cause}", cause.topic());
    }
    text
}

/// What a file can change, in the order in which changes are laid over the old commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Files,
    Toolchain,
    Inputs,
    Code,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Files, Self::Toolchain, Self::Inputs, Self::Code];

    fn of(file: &str) -> Self {
        match file {
            "rust-toolchain.toml" | "rust-toolchain" => Self::Toolchain,
            "flake.lock" => Self::Inputs,
            _ if Path::new(file)
                .extension()
                .is_some_and(|extension| extension == "nix") =>
            {
                Self::Code
            }
            _ => Self::Files,
        }
    }
}

fn of_kind<'a>(changes: impl Iterator<Item = &'a Change>, kind: Kind) -> Vec<&'a Change> {
    changes
        .filter(|change| Kind::of(&change.file) == kind)
        .collect()
}

struct Comparison<'a> {
    workspace: &'a Workspace,
    program: &'a Program,
    since: &'a Revision<'a>,
    changes: Vec<Change>,
    /// The files of the old commit.
    before: PathBuf,
    /// The same with the changes that were laid over them so far.
    after: PathBuf,
    _scratch: Scratch,
}

impl<'a> Comparison<'a> {
    fn new(
        workspace: &'a Workspace,
        program: &'a Program,
        since: &'a Revision<'a>,
    ) -> Result<Self> {
        let folder = format!("why-{}", std::process::id());
        let scratch = Scratch::new(workspace.target_directory.join(folder))?;
        let (before, after) = (scratch.path().join("before"), scratch.path().join("after"));
        since.check_out(&before)?;
        since.check_out(&after)?;
        Ok(Self {
            workspace,
            program,
            since,
            changes: since.changes()?,
            before,
            after,
            _scratch: scratch,
        })
    }

    fn causes(&self, name: &str) -> Result<Vec<Cause>> {
        let here = self.program.output(".", name)?;
        let Some(here_output) = here.output else {
            return Err(unknown(name, &here.names));
        };
        let before = self
            .program
            .output(&nix::path_reference(&self.before), name)
            .with_context(|| format!("the flake of {} does not evaluate", self.since.name))?;
        let Some(mut last) = before.output else {
            return Ok(vec![Cause::New { name: name.into() }]);
        };

        let mut causes = Vec::new();
        // Those that are laid over since `last` was evaluated.
        let mut changes = Vec::new();
        let mut stages = self.stages().into_iter().peekable();
        while let Some(stage) = stages.next() {
            // What is left changes nothing.
            if here_output.path == last.path {
                break;
            }
            for change in &stage {
                change.apply(&self.workspace.root, &self.after)?;
            }
            changes.extend(stage);
            let evaluated = self.program.output(&nix::path_reference(&self.after), name);
            let next = match evaluated {
                Ok(found) => found.output,
                // Without the changes of the next stage it may well be inconsistent.
                Err(_) if stages.peek().is_some() => None,
                Err(error) => return Err(error),
            };
            let Some(next) = next else {
                continue;
            };
            if next.path != last.path {
                causes.extend(self.explain(&changes, &last, &next)?);
            }
            last = next;
            changes.clear();
        }
        if here_output.path != last.path && (!self.changes.is_empty() || self.since.is_behind()?) {
            causes.push(Cause::Revision);
        }
        Ok(causes)
    }

    /// The changes that are laid over the old commit together, in their order.
    fn stages(&self) -> Vec<Vec<&Change>> {
        let mut stages = Vec::new();
        for kind in Kind::ALL {
            let changes = of_kind(self.changes.iter(), kind);
            match kind {
                Kind::Code => stages.extend(changes.into_iter().map(|change| vec![change])),
                _ if changes.is_empty() => {}
                _ => stages.push(changes),
            }
        }
        stages
    }

    /// Why two evaluations differ between which these changes lie.
    fn explain(&self, changes: &[&Change], old: &Check, new: &Check) -> Result<Vec<Cause>> {
        let old = Closure::read(self.program, &[&*old.derivation].into())?;
        let new = Closure::read(self.program, &[&*new.derivation].into())?;
        let mut causes = Vec::new();
        for kind in Kind::ALL {
            let changes = of_kind(changes.iter().copied(), kind);
            if changes.is_empty() {
                continue;
            }
            causes.extend(match kind {
                Kind::Files => self.changed_files(&changes, &old, &new)?,
                Kind::Toolchain => self.toolchain()?,
                Kind::Inputs => self.inputs()?,
                Kind::Code => code(&changes, &old, &new),
            });
        }
        if causes.is_empty() {
            causes.push(Cause::Files {
                files: changes.iter().map(|change| change.file.clone()).collect(),
            });
        }
        Ok(causes)
    }

    fn changed_files(
        &self,
        changes: &[&Change],
        old: &Closure,
        new: &Closure,
    ) -> Result<Vec<Cause>> {
        let (old, new) = (old.sources(), new.sources());
        let gone: Vec<PathBuf> = old.difference(&new).cloned().collect();
        let come: Vec<PathBuf> = new.difference(&old).cloned().collect();
        let is_held = |file: &str| {
            sources::hold(&gone, &self.before, file) || sources::hold(&come, &self.after, file)
        };

        let mut causes = Vec::new();
        let mut settings: Vec<&str> = Vec::new();
        for Change { file, kind } in changes {
            let name = file.rsplit('/').next().unwrap_or(file);
            if name == "Cargo.toml" || file.starts_with(".cargo/config") {
                settings.push(file);
            } else if name != "Cargo.lock" && is_held(file) {
                causes.push(Cause::File {
                    file: file.clone(),
                    change: *kind,
                    member: self.member_around(file),
                });
            }
        }
        causes.extend(self.manifests(&settings, &gone, &come, &is_held)?);
        causes.extend(self.moved_packages(&gone, &come, is_held("Cargo.lock")));
        Ok(causes)
    }

    fn manifests(
        &self,
        files: &[&str],
        gone: &[PathBuf],
        come: &[PathBuf],
        is_held: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Cause>> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let given = |sources: &[PathBuf]| self.program.toml(&named(sources, ".toml"));
        let given = Given::new(&given(gone)?, &given(come)?);
        let read = |tree: &Path| {
            let files: Vec<_> = files.iter().map(|file| tree.join(file)).collect();
            self.program.toml(&files)
        };
        let (before, after) = (read(&self.before)?, read(&self.after)?);

        let package =
            |manifest: &Value| Some(manifest.pointer("/package/name")?.as_str()?.to_owned());
        let members: Vec<String> = self
            .workspace
            .members
            .iter()
            .map(|member| member.name.clone())
            .chain(before.iter().filter_map(package))
            .collect();
        let mut causes = Vec::new();
        for ((file, old), new) in files.iter().zip(&before).zip(&after) {
            let package = package(new).or_else(|| package(old));
            let is_held = is_held(file);
            for edit in manifests::edits(old, new) {
                if is_held || given.shows(&edit, package.as_deref(), &members) {
                    causes.push(edit.cause(file, package.as_deref()));
                }
            }
        }
        Ok(causes)
    }

    /// What moved in Cargo.lock, as far as the layers were given another lock file for it.
    fn moved_packages(&self, gone: &[PathBuf], come: &[PathBuf], is_held: bool) -> Vec<Cause> {
        let packages = |locks: &[PathBuf]| {
            let mut packages = Packages::default();
            for lock in locks {
                packages.add(&fs::read_to_string(lock).unwrap_or_default());
            }
            packages
        };
        let own = |tree: &Path| packages(&[tree.join("Cargo.lock")]);
        let given = |sources| packages(&named(sources, "Cargo.lock"));
        let given = given(gone).moves(&given(come));
        let mut moves = own(&self.before).moves(&own(&self.after));
        moves.retain(|cause| is_held || given.iter().any(|given| is_same_move(cause, given)));
        moves
    }

    fn toolchain(&self) -> Result<Vec<Cause>> {
        const FILE: &str = "rust-toolchain.toml";
        let both = self
            .program
            .toml(&[self.before.join(FILE), self.after.join(FILE)])?;
        let edits = manifests::edits(&both[0], &both[1]);
        Ok(edits
            .into_iter()
            .map(|edit| Cause::Toolchain {
                file: FILE.into(),
                key: edit.key(),
                from: edit.from,
                to: edit.to,
            })
            .collect())
    }

    fn inputs(&self) -> Result<Vec<Cause>> {
        let (old, new) = (locked_inputs(&self.before)?, locked_inputs(&self.after)?);
        let mut names: Vec<_> = old.keys().chain(new.keys()).collect();
        names.sort();
        names.dedup();
        Ok(names
            .into_iter()
            .filter(|name| old.get(*name) != new.get(*name))
            .map(|name| Cause::Input {
                name: name.clone(),
                from: old.get(name).cloned(),
                to: new.get(name).cloned(),
            })
            .collect())
    }

    /// The member in whose folder the file is.
    fn member_around(&self, file: &str) -> Option<String> {
        let path = self.workspace.root.join(file);
        let members = self.workspace.members.iter();
        members
            .filter(|member| {
                path.starts_with(&member.directory) && member.directory != self.workspace.root
            })
            .max_by_key(|member| member.directory.components().count())
            .map(|member| member.name.clone())
    }
}

/// What these changes of Nix code did.
fn code(changes: &[&Change], old: &Closure, new: &Closure) -> Vec<Cause> {
    let files: Vec<String> = changes.iter().map(|change| change.file.clone()).collect();
    let (plain, parts): (Vec<_>, Vec<_>) = builds::differences(old, new)
        .into_iter()
        .partition(builds::Difference::is_plain);
    let mut causes: Vec<Cause> = plain
        .into_iter()
        .map(|difference| Cause::Environment {
            variable: difference.variable,
            from: difference.from,
            to: difference.to,
            derivations: difference.derivations,
            files: files.clone(),
        })
        .collect();
    if causes.is_empty() || !parts.is_empty() {
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names.dedup();
            names
        };
        causes.push(Cause::Nix {
            files,
            parts: sorted(parts.iter().map(|part| part.variable.clone()).collect()),
            derivations: sorted(
                parts
                    .into_iter()
                    .flat_map(|part| part.derivations)
                    .collect(),
            ),
        });
    }
    causes
}

fn unknown(name: &str, names: &[String]) -> anyhow::Error {
    match nearest(name, names.iter().map(String::as_str)) {
        Some(nearest) => {
            anyhow!("the flake has no check or package `{name}`: did you mean `{nearest}`?")
        }
        None => anyhow!("the flake has no check or package `{name}`: `nix flake show` lists them"),
    }
}

/// The files of the store whose names, behind their hashes, end so.
fn named(sources: &[PathBuf], end: &str) -> Vec<PathBuf> {
    let sources = sources.iter();
    sources
        .filter(|source| source.to_string_lossy().ends_with(end) && source.is_file())
        .cloned()
        .collect()
}

fn is_same_move(one: &Cause, other: &Cause) -> bool {
    match (one, other) {
        (
            Cause::Dependency { name, from, to },
            Cause::Dependency {
                name: other_name,
                from: other_from,
                to: other_to,
            },
        ) => {
            name == other_name
                && (from.is_some() && from == other_from || to.is_some() && to == other_to)
        }
        _ => false,
    }
}

/// The commits of a flake's inputs, shortened; or other hashes.
fn locked_inputs(tree: &Path) -> Result<BTreeMap<String, String>> {
    let Ok(text) = fs::read_to_string(tree.join("flake.lock")) else {
        return Ok(BTreeMap::new());
    };
    let lock: Value = serde_json::from_str(&text).context("cannot read flake.lock")?;
    let nodes = lock["nodes"].as_object().into_iter().flatten();
    Ok(nodes
        .filter_map(|(name, node)| {
            let locked = &node["locked"];
            let commit = locked["rev"].as_str().or(locked["narHash"].as_str())?;
            let commit = if locked["rev"].is_string() {
                commit.get(..7)?
            } else {
                commit
            };
            Some((name.clone(), commit.to_owned()))
        })
        .collect())
}
