//! `gantry update`: moves the input on, and merges into the project what has changed in what gantry hands
//! out.

mod merge;
mod revision;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::init::{self, Answers, Files, Folder, files_below, read};
use crate::{interrupt, output};

use merge::Merged;
use revision::Revision;

/// What says to which revision.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gantry update                 to the newest revision
  gantry update --to v1.2.0     to this commit, tag or branch

What gantry hands out is rendered twice with the project's own answers, as it was at the revision in
flake.lock and as it is at the new one. What differs is merged as `git cherry-pick` would, together with
flake.lock, and nothing is committed. Nix evaluates both revisions; nothing else of them is run.

Exit codes: 0 merged, 1 merged with conflicts, 2 wrong usage or environment, 130 interrupted")]
pub(crate) struct UpdateArguments {
    /// The commit, tag or branch of gantry to come to [default: the newest that flake.nix allows]
    #[arg(long, value_name = "REVISION")]
    to: Option<String>,
}

/// # Errors
/// The project is not committed, or a revision of gantry cannot be had or rendered.
pub(crate) fn run(arguments: &UpdateArguments) -> Result<ExitCode> {
    let folder = Folder::open()?;
    let root = &folder.root;
    let mut project = Files::new();
    for file in ["Cargo.toml", "flake.nix"] {
        project.insert(file.into(), read(&root.join(file))?);
    }
    let lock = read(&root.join("flake.lock")).context("run `nix flake lock`")?;
    project.insert("flake.lock".into(), lock);
    let answers = Answers::of_project(&project)?;
    let old = Revision::locked(&project["flake.lock"])?;
    merge::require_clean(root)?;

    let new_lock = revision::move_on(&project, &old, arguments.to.as_deref())?;
    let new = Revision::locked(&new_lock)?;
    if old.locked == new.locked {
        output::print(&format!("The project has gantry at {new} already.\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let render = |revision: &Revision, lock: &[u8]| {
        let mut template = files_below(&revision.template()?)?;
        template.remove("flake.lock");
        let mut files = init::render(&template, &answers)
            .with_context(|| format!("cannot render what gantry hands out at {revision}"))?
            .files;
        // It is the project's own, and moves on together with the rest.
        files.insert("flake.lock".into(), lock.to_vec());
        anyhow::Ok(files)
    };
    let before = render(&old, &project["flake.lock"])?;
    let after = render(&new, &new_lock)?;
    if interrupt::requested() {
        bail!("interrupted");
    }
    let merged = merge::merge(root, &before, &after, &format!("gantry at {new}"))?;
    output::print(&describe(&merged, &old, &new))?;
    Ok(ExitCode::from(u8::from(!merged.conflicts.is_empty())))
}

fn describe(merged: &Merged, old: &Revision, new: &Revision) -> String {
    let changed = match merged.changed.len() {
        1 => "1 file changed".to_owned(),
        count => format!("{count} files changed"),
    };
    let mut lines = vec![format!("gantry from {old} to {new}: {changed}.")];
    if merged.conflicts.is_empty() {
        lines.push(
            "Look at them with `git diff --cached`, run `cargo xtask ci`, and commit.".into(),
        );
    } else {
        lines.push("The project and gantry changed the same lines here:".into());
        lines.extend(merged.conflicts.iter().map(|file| format!("  {file}")));
        lines.push(
            "Choose between the conflict markers, `git add` these files, run `cargo xtask ci`,"
                .into(),
        );
        lines.push("and commit; or give the update up with `git reset --hard`.".into());
    }
    if merged
        .conflicts
        .iter()
        .any(|file| file.ends_with("Cargo.lock"))
    {
        lines.push(
            "Of Cargo.lock take yours, `git checkout --ours Cargo.lock`, and have cargo bring it"
                .into(),
        );
        lines.push("up to date: `cargo update --workspace`.".into());
    }
    lines.join("\n") + "\n"
}
