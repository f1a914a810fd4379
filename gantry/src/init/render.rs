//! What is handed out becomes a project, in memory: files and answers to files.

use std::path::Path;
use std::process::Command;
use std::str;

use anyhow::{Context as _, Result};

use crate::process;

use super::answers::{Answers, WEB};
use super::folder::{Files, text};
use super::lock::Lock;
use super::{flake, manifest, template};

/// Dependencies that no feature turns on without these, each named after the package that has it.
const LOCKED_FOR_WEB: [(&str, &str); 1] = [("num-traits", "libm")];

/// The texts of licences, each with its name in an SPDX expression.
const LICENSES: [(&str, &str); 2] = [("LICENSE-MIT", "MIT"), ("LICENSE-APACHE", "Apache-2.0")];

/// What is rendered.
pub(crate) struct Rendered {
    pub(crate) files: Files,
    /// Why Rust's files are not formatted, where they are not.
    pub(crate) unformatted: Option<String>,
}

/// The project that `files` become. Of an engine among them nothing changes.
///
/// # Errors
/// The files are not those that are handed out.
pub(crate) fn render(files: &Files, answers: &Answers) -> Result<Rendered> {
    let is_left_out =
        |path: &str| answers.leaves_out(path) || is_unused_license(path, &answers.license);
    let root = manifest::parse(text(files, "Cargo.toml")?)?;
    let edition = manifest::text(&root, &["workspace", "package", "edition"]).unwrap_or("2024");

    let mut rendered = Rendered {
        files: Files::new(),
        unformatted: None,
    };
    for (path, content) in files.iter().filter(|(path, _)| !is_left_out(path)) {
        let is_rust = Path::new(path).extension().is_some_and(|it| it == "rs");
        let rename = |text: &str| {
            if is_rust {
                answers.name.replace_in_rust(text)
            } else {
                answers.name.replace_in(text)
            }
        };
        let text = match str::from_utf8(content) {
            // What is no text names nothing, and hashes that Nix writes may happen to look like a name.
            Ok(text) if path != "flake.lock" && !template::is_below(path, template::ENGINE) => text,
            _ => {
                rendered.files.insert(path.clone(), content.clone());
                continue;
            }
        };
        let changed = match &**path {
            "Cargo.lock" => lock(text, files, answers, rename),
            "Cargo.toml" => manifest::fill(&rename(text), answers),
            "flake.nix" => adapt_flake(&rename(text), answers),
            "LICENSE-MIT" => Ok(with_holder(text, answers)),
            _ => Ok(rename(text)),
        };
        let mut changed = changed.with_context(|| format!("cannot adapt {path}"))?;
        if is_rust && changed != text && rendered.unformatted.is_none() {
            match format(&changed, edition) {
                Ok(formatted) => changed = formatted,
                Err(error) => rendered.unformatted = Some(format!("{error:#}")),
            }
        }
        let path = answers.name.replace_in(path);
        rendered.files.insert(path, changed.into_bytes());
    }
    // It pins what the input was.
    let input = |files: &Files| {
        text(files, "flake.nix")
            .ok()
            .and_then(flake::gantry)
            .map(str::to_owned)
    };
    if input(files) != input(&rendered.files) {
        rendered.files.remove("flake.lock");
    }
    Ok(rendered)
}

fn lock(
    text: &str,
    files: &Files,
    answers: &Answers,
    rename: impl Fn(&str) -> String,
) -> Result<String> {
    let mut lock = Lock::parse(text)?;
    if answers.without_web {
        let mut members = Vec::new();
        for folder in WEB {
            if let Ok(manifest) = self::text(files, &format!("{folder}/Cargo.toml")) {
                let manifest = manifest::parse(manifest)?;
                members.extend(manifest::text(&manifest, &["package", "name"]).map(str::to_owned));
            }
        }
        lock.remove(&members, &LOCKED_FOR_WEB);
    }
    Ok(Lock::parse(&rename(&lock.print()))?.print())
}

fn adapt_flake(flake: &str, answers: &Answers) -> Result<String> {
    let flake = match &answers.gantry {
        Some(url) => flake::with_gantry(flake, url)?,
        None => flake.to_owned(),
    };
    match &answers.cache {
        Some(cache) => flake::with_cache(&flake, cache),
        None => Ok(flake),
    }
}

fn is_unused_license(path: &str, expression: &str) -> bool {
    let mut words = expression.split([' ', '(', ')']);
    LICENSES
        .iter()
        .any(|(file, name)| *file == path && !words.any(|word| word == *name))
}

/// A licence's text with who holds the copyright: the author, or all of the project's.
fn with_holder(text: &str, answers: &Answers) -> String {
    let all = format!("The {} authors", answers.name.package());
    let author = answers.author.as_deref().unwrap_or(&all);
    let holder = author.split(" <").next().unwrap_or(author);
    let lines = text.split_inclusive('\n').map(|line| {
        let is_year = |word: &&str| word.len() == 4 && word.parse::<u16>().is_ok();
        match line
            .strip_prefix("Copyright (c) ")
            .and_then(|rest| rest.split(' ').next())
        {
            Some(year) if is_year(&year) => format!("Copyright (c) {year} {holder}\n"),
            _ => line.to_owned(),
        }
    });
    lines.collect()
}

/// Formats a file anew whose lines another name has made longer, shorter, or come later in the alphabet.
fn format(text: &str, edition: &str) -> Result<String> {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--edition", edition]);
    let formatted = process::read_with(rustfmt, text)?;
    Ok(formatted + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_the_copyright_is_the_author_or_all_of_them() {
        let mut answers = Answers {
            name: super::super::name::Name::new("app", &[]).unwrap(),
            cache: None,
            repository: None,
            author: Some("Jane Doe <jane@example.org>".into()),
            license: "MIT".into(),
            without_web: false,
            gantry: None,
        };
        let text = "MIT License\n\nCopyright (c) 2026 The acme authors\n\nThe above copyright\n";
        let held =
            |holder| format!("MIT License\n\nCopyright (c) 2026 {holder}\n\nThe above copyright\n");
        assert_eq!(with_holder(text, &answers), held("Jane Doe"));
        answers.author = None;
        assert_eq!(with_holder(text, &answers), held("The app authors"));
    }

    #[test]
    fn a_licence_that_is_not_chosen_is_left_out() {
        assert!(is_unused_license("LICENSE-APACHE", "MIT"));
        assert!(!is_unused_license("LICENSE-MIT", "(MIT OR Apache-2.0)"));
        assert!(is_unused_license("LICENSE-MIT", "MPL-2.0"));
        assert!(!is_unused_license("README.md", "MPL-2.0"));
    }
}
