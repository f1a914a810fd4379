//! Makes a project of the template: `cargo xtask init --help`.
//!
//! The project has no use for this package: it is removed with the rest of [`parts::Part::Init`].

mod answers;
mod flake;
mod lock;
mod manifest;
mod name;
mod parts;
mod project;
mod repository;
mod swap;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use answers::{Answers, Arguments};
use anyhow::{Context as _, Result, ensure};
use clap::Parser as _;
use lock::Lock;
use manifest::Template;
use swap::Copy;
use xtask::{cargo, git, interrupt, output, process};

fn main() -> ExitCode {
    xtask::exit(run(Arguments::parse()).map(|()| ExitCode::SUCCESS))
}

fn run(arguments: Arguments) -> Result<()> {
    let root = root()?;
    let packages = Lock::parse(&read(&root, "Cargo.lock")?)?.third_party();
    let has_web = root.join("crates/web").exists();
    let answers = arguments.answers(&root, &packages, has_web)?;
    // Not before: a question would go on waiting.
    interrupt::install()?;
    let mut template = Template::read(&read(&root, "Cargo.toml")?)?;
    if let Some(revision) = &answers.revision {
        template.revision = Some(revision.clone()).filter(|revision| !revision.is_empty());
    } else if root.join("templates").exists() {
        template.revision = repository::answer(&root, &["rev-parse", "HEAD"]);
    }

    let copy = Copy::of(&root)?;
    let folder = copy.path();
    if repository::answer(&root, &["rev-parse", "--show-toplevel"]).is_none() {
        git::read(folder, &["init", "--quiet", "--initial-branch", "main"])?;
    }
    project::make(folder, &answers, &template)?;
    // The index of a repository around the project knows the folder, not the copy.
    let is_top = folder.join(".git").exists();
    if is_top {
        repository::add_all(folder)?;
    }
    ensure!(!interrupt::requested(), "interrupted");
    copy.take_its_place()?;
    if !is_top {
        repository::add_all(&root)?;
    }
    output::print(&what_is_next(&answers))
}

/// The folder of the workspace around the current directory.
fn root() -> Result<PathBuf> {
    let mut locate = cargo::command("locate-project");
    locate.args(["--workspace", "--message-format", "plain"]);
    let manifest = process::read(&mut locate)?;
    let root = Path::new(&manifest)
        .parent()
        .context("Cargo.toml has no folder")?;
    fs::canonicalize(root).with_context(|| format!("cannot read {}", root.display()))
}

fn read(root: &Path, file: &str) -> Result<String> {
    fs::read_to_string(root.join(file)).with_context(|| format!("cannot read {file}"))
}

fn what_is_next(answers: &Answers) -> String {
    let mut text = format!(
        "This is {} now. All files are added to git, and nothing is committed.\n",
        answers.name.package()
    );
    if answers.repository.is_none() {
        text +=
            "In Cargo.toml the repository's address is a placeholder: write where it will be.\n";
    }
    text + "Next: cargo xtask ci\n"
}
