//! `gantry init`: makes a project of what is handed out, or of a copy of the repository that does so.

mod answers;
mod flake;
mod folder;
mod lock;
mod manifest;
mod name;
mod render;
mod stage;
mod template;

use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::{interrupt, output};

use answers::{Optional, repository_url};
use lock::Lock;
use stage::Stage;

pub(crate) use answers::Answers;
pub(crate) use folder::{Files, Folder, files_below, read};
pub(crate) use render::render;
pub(crate) use stage::write_with_parents;

/// What says how a project is to be.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gantry init --name my-app
  gantry init --name my-app --without web --repository ORG/my-app
  gantry init --name my-app --cache my-cache --public-key my-cache.cachix.org-1:…

What is missing is asked for on a terminal; without one only --name is needed. All files are added to
git, which flakes need, and nothing is committed. In a fork or clone of gantry's repository the project
is taken out of it. Interrupted at any point, it is finished by another run.

Exit codes: 0 done, 2 wrong usage or environment, 130 interrupted")]
pub(crate) struct InitArguments {
    /// The name of the program, which all packages are called after
    #[arg(long)]
    name: Option<String>,

    /// The binary cache: a name at cachix.org or a URL
    #[arg(long, value_name = "NAME|URL", requires = "public_key")]
    cache: Option<String>,

    /// The cache's public key
    #[arg(long, value_name = "KEY", requires = "cache")]
    public_key: Option<String>,

    /// Where the project will be: ORG/NAME at GitHub, or a URL [default: the remote `origin`]
    #[arg(long, value_name = "ORG/NAME|URL")]
    repository: Option<String>,

    /// Who holds the copyright [default: git's user.name and user.email]
    #[arg(long)]
    author: Option<String>,

    /// An SPDX expression [default: MIT OR Apache-2.0]
    #[arg(long)]
    license: Option<String>,

    /// Leave out what not every project has
    #[arg(long, value_enum)]
    without: Vec<Optional>,

    /// The flake that gantry comes from, such as `github:ORG/NAME` or `path:/FOLDER`
    #[arg(long, value_name = "URL", conflicts_with = "keep_engine")]
    gantry: Option<String>,

    /// In a fork: use gantry from its folder here, not as an input
    #[arg(long)]
    keep_engine: bool,
}

/// # Errors
/// The folder is no project that can be made, an answer cannot be one, or a file cannot be written.
pub(crate) fn run(arguments: InitArguments) -> Result<ExitCode> {
    let folder = Folder::open()?;
    if let Some(stage) = Stage::find(&folder.root)? {
        output::print_error(
            "note: an earlier run was interrupted: this one finishes it as it was decided\n",
        );
        return finish(&folder, stage);
    }
    let file = |path: &str| {
        let content = read(&folder.root.join(path))?;
        String::from_utf8(content).with_context(|| format!("{path} is not UTF-8"))
    };
    let manifest = manifest::parse(&file("Cargo.toml")?)?;
    if let Some(name) = project_name(&manifest) {
        output::print(&format!("This is {name} already.\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let core = file("crates/core/Cargo.toml").unwrap_or_default();
    ensure!(
        manifest::text(&manifest::parse(&core)?, &["package", "name"]) == Some("acme-core"),
        "{} is not what gantry hands out, which has a package `acme-core`: begin with \
         `nix flake init --template github:ORG/gantry` in an empty folder",
        folder.root.display()
    );

    let keep_engine = arguments.keep_engine;
    let hands_out = folder.root.join(template::LIST).exists();
    ensure!(
        hands_out || !keep_engine,
        "there is no engine here that --keep-engine could keep: only a copy of gantry's repository has it"
    );

    // A clone of the repository that hands projects out is not where the project will be.
    let gantry = file("templates/project/flake.nix").or_else(|_| file("flake.nix"))?;
    let own = flake::gantry(&gantry).and_then(|url| repository_url(url).ok());
    let origin = folder.ask_git(&["remote", "get-url", "origin"]);
    let origin = origin.filter(|url| own.is_none() || repository_url(url).ok() != own);
    let packages = Lock::parse(&file("Cargo.lock")?)?.third_party();
    let has_web = folder.root.join("crates/web").exists();
    let answers = arguments.answers(&folder, &packages, origin, has_web)?;

    // Not before: a question would go on waiting after Ctrl-C.
    interrupt::install()?;
    folder.require_repository()?;
    let files = folder.files()?;
    let rendered = if hands_out {
        render(&template::take_out(&files, keep_engine)?, &answers)?
    } else {
        render(&files, &answers)?
    };
    ensure!(!interrupt::requested(), "interrupted");
    let stage = Stage::write(&folder.root, &files, &rendered.files)?;
    if let Some(why) = rendered.unformatted {
        output::print_error(&format!(
            "note: run `cargo fmt --all`, in the shell of `nix develop` where there is no Rust; rustfmt does not run here: {why}\n"
        ));
    }
    finish(&folder, stage)
}

/// Does what is decided, and says what comes next.
fn finish(folder: &Folder, stage: Stage) -> Result<ExitCode> {
    for note in stage.apply()? {
        output::print_error(&format!("warning: {note}\n"));
    }
    folder.add_all()?;
    stage.remove()?;
    let content = read(&folder.root.join("Cargo.toml"))?;
    let manifest = manifest::parse(&String::from_utf8_lossy(&content))?;
    let name = project_name(&manifest).context("Cargo.toml has no name of the project")?;
    let mut text =
        format!("This is {name} now. All files are added to git, and nothing is committed.\n");
    let repository = manifest::text(&manifest, &["workspace", "package", "repository"]);
    if repository.is_some_and(|url| url.contains("/ORG/")) {
        text +=
            "In Cargo.toml the repository's address is a placeholder: write where it will be.\n";
    }
    output::print(&(text + "Next: cargo xtask ci\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// The name of a project that has been made.
fn project_name(manifest: &toml_edit::DocumentMut) -> Option<&str> {
    manifest::text(manifest, &["workspace", "metadata", "template", "name"])
}
