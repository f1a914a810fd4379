//! What the project was made of, and with which answers: the root Cargo.toml says so.

use anyhow::{Context as _, Result};
use toml_edit::{DocumentMut, Item};

/// What `cargo xtask init` is to be told for the same project once more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answers {
    /// Where the template is.
    pub(crate) template: String,
    /// The commit of the template that the project has, if it is known.
    pub(crate) revision: Option<String>,
    /// The arguments of `cargo xtask init`.
    pub(crate) arguments: Vec<String>,
}

impl Answers {
    /// # Errors
    /// The manifest is no TOML, or not that of a project that was made of a template.
    pub(crate) fn read(manifest: &str) -> Result<Self> {
        let manifest: DocumentMut = manifest.parse().context("Cargo.toml is no TOML")?;
        let item = |keys: &[&str]| {
            let workspace = manifest.get("workspace")?;
            keys.iter().try_fold(workspace, |item, key| item.get(key))
        };
        let text = |keys: &[&str]| item(keys).and_then(Item::as_str).map(str::to_owned);
        let required = |key| {
            text(&["metadata", "template", key]).with_context(|| {
                format!(
                    "Cargo.toml has no `{key}` in [workspace.metadata.template]: \
                     `cargo xtask init` writes it when it makes a project"
                )
            })
        };
        let first = |keys: &[&str]| text_of(item(keys)?.as_array()?.get(0)?);

        let mut arguments = vec![("--name", required("name")?)];
        // An empty answer keeps it from looking for one.
        arguments.push((
            "--author",
            first(&["package", "authors"]).unwrap_or_default(),
        ));
        arguments.push((
            "--repository",
            text(&["package", "repository"]).unwrap_or_default(),
        ));
        arguments.extend(text(&["package", "license"]).map(|license| ("--license", license)));
        let cache = |key| text(&["metadata", "cache", key]);
        if let (Some(cache), Some(key)) =
            (cache("name").or_else(|| cache("url")), cache("public-key"))
        {
            arguments.push(("--cache", cache));
            arguments.push(("--public-key", key));
        }
        let without = item(&["metadata", "template", "without"]).and_then(Item::as_array);
        for part in without.into_iter().flatten().filter_map(text_of) {
            arguments.push(("--without", part));
        }
        Ok(Self {
            template: required("repository")?,
            revision: text(&["metadata", "template", "revision"]),
            arguments: arguments
                .into_iter()
                .map(|(flag, value)| format!("{flag}={value}"))
                .collect(),
        })
    }
}

fn text_of(value: &toml_edit::Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_those_of_the_manifest() {
        let answers = Answers::read(
            r#"
            [workspace.package]
            license = "MIT"
            repository = "https://github.com/acme/app"
            authors = ["Jane Doe <jane@example.org>"]
            [workspace.metadata.cache]
            name = "acme"
            public-key = "acme.cachix.org-1:key"
            [workspace.metadata.template]
            repository = "https://example.org/template"
            revision = "0f"
            name = "app"
            without = ["web"]
            "#,
        );
        let arguments = [
            "--name=app",
            "--author=Jane Doe <jane@example.org>",
            "--repository=https://github.com/acme/app",
            "--license=MIT",
            "--cache=acme",
            "--public-key=acme.cachix.org-1:key",
            "--without=web",
        ];
        assert_eq!(
            answers.unwrap(),
            Answers {
                template: "https://example.org/template".into(),
                revision: Some("0f".into()),
                arguments: arguments.map(str::to_owned).into(),
            }
        );
    }

    #[test]
    fn a_workspace_that_no_template_made_is_told_how_one_does() {
        let error = Answers::read("[workspace]\nmembers = []\n").unwrap_err();
        assert!(
            error.to_string().contains("`cargo xtask init` writes it"),
            "{error}"
        );
    }
}
