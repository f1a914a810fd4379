//! Finding the edits that matter.
//!
//! The files that changed are laid over the old commit in stages: first all that is not Nix's, then the
//! toolchain, the flake's inputs, and the Nix code file by file. A stage after which the output is
//! another one holds a cause; which, the sources and manifests that the derivations were given say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use tempfile::TempDir;

use super::cause::Cause;
use super::files::Files;
use super::revision::{Change, Revision};
use super::{builds, inputs, manifests};
use crate::nix::{Closure, Output, Program};
use crate::suggestion::nearest;
use crate::url;
use crate::workspace::Workspace;

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

/// Two states of the repository: that of a commit, and that of the working tree.
pub(super) struct Comparison<'a> {
    workspace: &'a Workspace,
    program: &'a Program,
    since: &'a Revision,
    changes: Vec<Change>,
    /// The files of the old commit.
    before: PathBuf,
    /// The same with the changes that were laid over them so far.
    after: PathBuf,
    /// Holds both.
    _folder: TempDir,
}

impl<'a> Comparison<'a> {
    /// # Errors
    /// git cannot say what changed, or the files cannot be written.
    pub(super) fn new(
        workspace: &'a Workspace,
        program: &'a Program,
        since: &'a Revision,
    ) -> Result<Self> {
        let target = workspace.target_folder();
        let folder = fs::create_dir_all(&target)
            .and_then(|()| tempfile::Builder::new().prefix("why-").tempdir_in(&target))
            .with_context(|| format!("cannot make a folder in {}", target.display()))?;
        let (before, after) = (folder.path().join("before"), folder.path().join("after"));
        since.check_out(&before)?;
        since.check_out(&after)?;
        Ok(Self {
            workspace,
            program,
            since,
            changes: since.changes()?,
            before,
            after,
            _folder: folder,
        })
    }

    /// Why the output of this name is built again; nothing where it is not.
    ///
    /// # Errors
    /// A flake does not evaluate, or there is no such output.
    pub(super) fn causes(self, name: &str) -> Result<Vec<Cause>> {
        let here = self.program.output(".", name)?;
        let Some(here_output) = here.output else {
            return Err(unknown(name, &here.names));
        };
        let before = self
            .program
            .output(&url::of_flake(&self.before), name)
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
            let evaluated = self.program.output(&url::of_flake(&self.after), name);
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
                causes.extend(self.explain(&changes, &last, &next, &here.members)?);
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

    /// Why two evaluations differ between which these changes lie. `members` are the folders of the
    /// members, from the workspace's root, by the members' names.
    fn explain(
        &self,
        changes: &[&Change],
        old: &Output,
        new: &Output,
        members: &BTreeMap<String, String>,
    ) -> Result<Vec<Cause>> {
        let old = Closure::read(self.program, &[&*old.derivation].into())?;
        let new = Closure::read(self.program, &[&*new.derivation].into())?;
        let (before, after) = (&*self.before, &*self.after);
        let mut causes = Vec::new();
        for kind in Kind::ALL {
            let changes = of_kind(changes.iter().copied(), kind);
            if changes.is_empty() {
                continue;
            }
            causes.extend(match kind {
                Kind::Files => Files::new(before, after, members, &old, &new).causes(&changes)?,
                Kind::Toolchain => manifests::toolchain_causes(before, after)?,
                Kind::Inputs => inputs::causes(before, after)?,
                Kind::Code => builds::causes(&changes, &old, &new),
            });
        }
        if causes.is_empty() {
            causes.push(Cause::Files {
                files: changes.iter().map(|change| change.file.clone()).collect(),
            });
        }
        Ok(causes)
    }
}

fn unknown(name: &str, names: &[String]) -> anyhow::Error {
    match nearest(name, names.iter().map(String::as_str)) {
        Some(nearest) => {
            anyhow!("the flake has no check or package `{name}`: did you mean `{nearest}`?")
        }
        None => anyhow!("the flake has no check or package `{name}`: `nix flake show` lists them"),
    }
}
