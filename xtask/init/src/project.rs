//! A copy of the template becomes the project.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use xtask::{cargo, output, process};

use crate::answers::{Answers, LICENSE, Repository};
use crate::flake;
use crate::lock::Lock;
use crate::manifest::{self, Template};
use crate::name::TEMPLATE;
use crate::parts::{self, Part};
use crate::repository;

/// Makes the project of the template in `folder`, which git must know as a repository.
///
/// # Errors
/// A file cannot be read, understood or written.
pub(crate) fn make(folder: &Path, answers: &Answers, template: &Template) -> Result<()> {
    let mut left_out = vec![Part::Template, Part::Init];
    let mut stay = Vec::new();
    if answers.without_web {
        &mut left_out
    } else {
        &mut stay
    }
    .push(Part::Web);
    for part in &left_out {
        part.remove_from(folder)?;
    }
    remove_unused_licenses(folder, &answers.license)?;
    write(folder, "README.md", &readme(folder, &answers.license))?;

    let files = repository::files(folder)?;
    let files: Vec<&str> = files
        .iter()
        .map(String::as_str)
        .filter(|file| is_file(&folder.join(file)))
        .collect();
    let members = packages(folder, &files)?;
    let addresses = Addresses::new(answers, template)?;
    for file in files {
        // What is no text names nothing.
        let Ok(text) = fs::read_to_string(folder.join(file)) else {
            continue;
        };
        let rename = |text: &str| answers.name.replace_in(&addresses.replace_in(text));
        let changed = match file {
            "Cargo.lock" => {
                let mut lock = Lock::parse(&text)?;
                let locked: Vec<_> = left_out.iter().flat_map(|part| part.locked()).collect();
                lock.remove(&locked);
                lock.keep(&members);
                lock.print(rename)
            }
            _ if file.ends_with("/Cargo.lock") => Lock::parse(&text)?.print(rename),
            "Cargo.toml" => parts::strip(&text, &left_out, &stay)
                .and_then(|text| manifest::fill(&rename(&text), answers, template)),
            "flake.nix" => {
                parts::strip(&text, &left_out, &stay).and_then(|text| match &answers.cache {
                    Some(cache) => flake::with_cache(&rename(&text), cache),
                    None => Ok(rename(&text)),
                })
            }
            "LICENSE-MIT" => Ok(rename(&with_author(&text, answers))),
            _ => parts::strip(&text, &left_out, &stay).map(|text| rename(&text)),
        };
        let changed = changed.with_context(|| format!("cannot adapt {file}"))?;
        if changed != text {
            write(folder, file, &changed)?;
        }
        let renamed = answers.name.replace_in(file);
        if renamed != file {
            move_file(folder, file, &renamed)?;
        }
    }
    format(folder);
    Ok(())
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
}

fn write(folder: &Path, file: &str, text: &str) -> Result<()> {
    let path = folder.join(file);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn move_file(folder: &Path, from: &str, to: &str) -> Result<()> {
    let (from, to) = (folder.join(from), folder.join(to));
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    fs::rename(&from, &to).with_context(|| format!("cannot rename {}", from.display()))?;
    // The folders that are empty now.
    let mut parent = from.parent();
    while let Some(folder) = parent.filter(|folder| fs::remove_dir(folder).is_ok()) {
        parent = folder.parent();
    }
    Ok(())
}

/// The names of the packages whose manifests are among `files`.
fn packages(folder: &Path, files: &[&str]) -> Result<Vec<String>> {
    let manifests = files
        .iter()
        .filter(|file| **file == "Cargo.toml" || file.ends_with("/Cargo.toml"));
    let mut names = Vec::new();
    for file in manifests {
        let text =
            fs::read_to_string(folder.join(file)).with_context(|| format!("cannot read {file}"))?;
        names.extend(manifest::package_name(&text).with_context(|| (*file).to_owned())?);
    }
    Ok(names)
}

/// The template's addresses, each with what the project has instead.
struct Addresses([(String, String); 3]);

impl Addresses {
    fn new(answers: &Answers, template: &Template) -> Result<Self> {
        let old = Repository::new(&template.repository)?;
        // A project that is nowhere yet has a placeholder.
        let unknown = Repository::new(&format!("ORG/{}", answers.name.package()))?;
        let new = answers.repository.as_ref().unwrap_or(&unknown);
        let short =
            |repository: &Repository| repository.slug.clone().unwrap_or(repository.url.clone());
        Ok(Self([
            (old.flake.clone(), new.flake.clone()),
            (old.url.clone(), new.url.clone()),
            (short(&old), short(new)),
        ]))
    }

    fn replace_in(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (old, new) in &self.0 {
            text = text.replace(old, new);
        }
        text
    }
}

/// The project's README, which the template brings along.
fn readme(folder: &Path, license: &str) -> String {
    let files: Vec<String> = license_files()
        .into_iter()
        .filter(|(file, _)| folder.join(file).exists())
        .map(|(file, _)| format!("[{file}]({file})"))
        .collect();
    let terms = match license {
        LICENSE => "MIT or Apache-2.0, at your option".into(),
        _ => license.replace(" OR ", " or ").replace(" AND ", " and "),
    };
    let license = if files.is_empty() {
        format!("{terms}.")
    } else {
        format!("{terms}: {}.", files.join(", "))
    };
    include_str!("../project/README").replace("@license@", &license)
}

/// The texts that the template has, each with the licence's name.
fn license_files() -> [(&'static str, &'static str); 2] {
    [("LICENSE-MIT", "MIT"), ("LICENSE-APACHE", "Apache-2.0")]
}

fn remove_unused_licenses(folder: &Path, license: &str) -> Result<()> {
    for (file, name) in license_files() {
        let is_used = license.split([' ', '(', ')']).any(|word| word == name);
        let path = folder.join(file);
        if !is_used && path.exists() {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// A licence's text with the author as the copyright's holder.
fn with_author(text: &str, answers: &Answers) -> String {
    match &answers.author {
        Some(author) => {
            let name = author.split(" <").next().unwrap_or(author);
            text.replace(&format!("The {TEMPLATE} authors"), name)
        }
        None => text.to_owned(),
    }
}

/// Formats anew what another name has made longer, shorter, or come later in the alphabet.
fn format(folder: &Path) {
    let manifests = ["Cargo.toml", "fuzz/Cargo.toml"].map(|manifest| folder.join(manifest));
    for manifest in manifests.iter().filter(|manifest| manifest.exists()) {
        let mut format = cargo::command("fmt");
        format
            .args(["--all", "--manifest-path"])
            .arg(manifest)
            .current_dir(folder);
        if let Err(error) = process::read(&mut format) {
            output::print_error(&format!(
                "note: run `cargo fmt --all` later, it cannot be run now: {error:#}\n"
            ));
            return;
        }
    }
}
