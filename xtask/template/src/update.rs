//! `cargo xtask template update`.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;
use xtask::output;
use xtask::workspace::Workspace;

use crate::answers::Answers;
use crate::merge::{self, Merged};
use crate::render::Template;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The commit, tag or branch of the template to come to [default: its newest commit]
    #[arg(long, value_name = "REVISION")]
    to: Option<String>,

    /// The commit of the template that the project has, where Cargo.toml does not say
    #[arg(long, value_name = "REVISION")]
    from: Option<String>,
}

/// # Errors
/// The project is not committed, its template is not to be had, or cannot be rendered.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let root = &workspace.root;
    let manifest = fs::read_to_string(root.join("Cargo.toml")).context("cannot read Cargo.toml")?;
    let answers = Answers::read(&manifest)?;
    let from = arguments.from.as_deref().or(answers.revision.as_deref()).context(
        "Cargo.toml does not say which commit of the template the project has: name it with --from REVISION",
    )?;
    merge::require_clean(root)?;

    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let target = workspace.target_directory.join("template");
    let template = Template::clone(&answers.template, folder.path(), target)?;
    let (from, to) = (
        template.commit(Some(from))?,
        template.commit(arguments.to.as_deref())?,
    );
    if from == to {
        output::print(&format!("The project has the template at {to} already.\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    // What the project does not know cannot have changed there.
    let known = answers.revision.as_ref().map_or("", |_| &*from);
    let old = template.render(&from, known, &answers.arguments)?;
    let new = template.render(&to, &to, &answers.arguments)?;
    let subject = format!("The template at {to}");
    let merged = merge::merge(root, template.folder(), &old, &new, &subject)?;
    output::print(&describe(&merged, &from, &to))?;
    Ok(ExitCode::from(u8::from(!merged.conflicts.is_empty())))
}

fn describe(merged: &Merged, from: &str, to: &str) -> String {
    let changed = match merged.changed.len() {
        0 => "nothing that the project does not have".to_owned(),
        1 => "1 file changed".to_owned(),
        count => format!("{count} files changed"),
    };
    let mut lines = vec![format!(
        "The template's changes from {from} to {to}: {changed}."
    )];
    if merged.conflicts.is_empty() {
        lines.push(
            "Look at them with `git diff --cached`, run `cargo xtask ci`, and commit.".into(),
        );
    } else {
        lines.push("Both sides changed the same lines here:".into());
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
