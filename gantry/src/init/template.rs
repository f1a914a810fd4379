//! Taking the project out of the repository that hands it out, as `templates/templates.toml` says.

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::folder::{Files, text};

/// What says how it is handed out; a project has no such file.
pub(crate) const LIST: &str = "templates/templates.toml";

/// The engine's folder.
pub(crate) const ENGINE: &str = "gantry";

/// What stays as it is where the engine stays.
const WITH_ENGINE: [&str; 3] = [ENGINE, "flake.lock", "flake.nix"];

#[derive(Deserialize)]
struct List {
    default: Template,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Template {
    leave_out: Vec<String>,
    /// A folder, whose files are laid over the others.
    files: String,
}

/// The files of the project, with the engine or without.
///
/// # Errors
/// The repository's list cannot be understood.
pub(crate) fn take_out(files: &Files, keep_engine: bool) -> Result<Files> {
    let List { default: template } = toml_edit::de::from_str(text(files, LIST)?)
        .with_context(|| format!("cannot understand {LIST}"))?;
    let stays = |path: &str| keep_engine && WITH_ENGINE.iter().any(|kept| is_below(path, kept));
    let goes = |path: &str| {
        template
            .leave_out
            .iter()
            .any(|folder| is_below(path, folder))
    };
    let kept = files.iter().filter(|(path, _)| stays(path) || !goes(path));
    let mut taken: Files = kept
        .map(|(path, content)| (path.clone(), content.clone()))
        .collect();
    for (path, content) in files {
        if let Some(path) = path.strip_prefix(&format!("{}/", template.files))
            && !stays(path)
        {
            taken.insert(path.to_owned(), content.clone());
        }
    }
    Ok(taken)
}

/// Whether `path` is `folder`, or in it.
pub(crate) fn is_below(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(files: &Files) -> Vec<String> {
        let texts = files
            .iter()
            .map(|(path, content)| format!("{path} {}", String::from_utf8_lossy(content)));
        texts.collect()
    }

    #[test]
    fn the_project_is_taken_out_with_the_engine_or_without() {
        let list = "[default]\nleave-out = [\"gantry\", \"templates\", \"flake.lock\"]\nfiles = \"templates/project\"\n";
        let files: Files = [
            (LIST, list),
            ("README.md", "own"),
            ("flake.lock", "own"),
            ("flake.nix", "own"),
            ("gantry/Cargo.toml", "own"),
            ("gantry.txt", "own"),
            ("templates/project/README.md", "new"),
            ("templates/project/flake.nix", "new"),
        ]
        .map(|(path, content)| (path.to_owned(), content.into()))
        .into();
        let taken = take_out(&files, false).unwrap();
        assert_eq!(
            paths(&taken),
            ["README.md new", "flake.nix new", "gantry.txt own"]
        );
        let taken = take_out(&files, true).unwrap();
        assert_eq!(
            paths(&taken),
            [
                "README.md new",
                "flake.lock own",
                "flake.nix own",
                "gantry.txt own",
                "gantry/Cargo.toml own"
            ]
        );
    }
}
