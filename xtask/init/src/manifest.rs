//! The root Cargo.toml: what an answer sets in it.

use anyhow::{Context as _, Result};
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, value};

use crate::answers::{Answers, Cache};

/// What the template's own manifest says.
pub(crate) struct Template {
    pub(crate) repository: String,
    /// The commit that the project was made of, if it is known.
    pub(crate) revision: Option<String>,
}

impl Template {
    /// # Errors
    /// The manifest is not the template's.
    pub(crate) fn read(manifest: &str) -> Result<Self> {
        let manifest = parse(manifest)?;
        let at = |keys: &[&str]| {
            let item = keys
                .iter()
                .try_fold(manifest.as_item(), |item, key| item.get(key))?;
            item.as_str().map(str::to_owned)
        };
        Ok(Self {
            repository: at(&["workspace", "package", "repository"])
                .context("Cargo.toml: workspace.package has no repository")?,
            revision: at(&["workspace", "metadata", "template", "revision"]),
        })
    }
}

/// The name of the package that a manifest describes.
pub(crate) fn package_name(manifest: &str) -> Result<Option<String>> {
    let manifest = parse(manifest)?;
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name")?.as_str());
    Ok(name.map(str::to_owned))
}

fn parse(manifest: &str) -> Result<DocumentMut> {
    manifest.parse().context("Cargo.toml is no TOML")
}

/// The root manifest with the answers in it.
///
/// # Errors
/// It is not the template's.
pub(crate) fn fill(manifest: &str, answers: &Answers, template: &Template) -> Result<String> {
    let manifest = match &answers.cache {
        Some(_) => without_example_of_cache(manifest),
        None => manifest.to_owned(),
    };
    let mut manifest = parse(&manifest)?;
    let workspace = manifest["workspace"]
        .as_table_mut()
        .context("Cargo.toml has no [workspace]")?;

    let package = workspace
        .get_mut("package")
        .and_then(Item::as_table_like_mut)
        .context("Cargo.toml has no [workspace.package]")?;
    set(package, "license", &answers.license);
    if let Some(repository) = &answers.repository {
        set(package, "repository", &repository.url);
    }
    if let Some(author) = &answers.author {
        package.insert("authors", value(Array::from_iter([author])));
    }

    let metadata = workspace
        .entry("metadata")
        .or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        })
        .as_table_mut()
        .context("Cargo.toml: workspace.metadata is no table")?;
    if let Some(cache) = &answers.cache {
        metadata.insert("cache", Item::Table(cache_table(cache)));
    }
    metadata.insert("template", Item::Table(template_table(answers, template)));
    Ok(manifest.to_string())
}

/// Sets a value in place, with the comments around it.
fn set(table: &mut dyn TableLike, key: &str, text: &str) {
    let decor = table
        .get(key)
        .and_then(Item::as_value)
        .map(|old| old.decor().clone());
    let mut new = value(text);
    if let (Some(decor), Some(new)) = (decor, new.as_value_mut()) {
        *new.decor_mut() = decor;
    }
    table.insert(key, new);
}

fn cache_table(cache: &Cache) -> Table {
    let mut table = commented("The binary cache: docs/caches.md.");
    match &cache.name {
        Some(name) => table.insert("name", value(name)),
        None => table.insert("url", value(&cache.url)),
    };
    table.insert("public-key", value(&cache.public_key));
    table
}

fn template_table(answers: &Answers, template: &Template) -> Table {
    let mut table = commented(
        "What this project was made of: `cargo xtask template update` brings what changed there.",
    );
    table.insert("repository", value(&template.repository));
    if let Some(revision) = &template.revision {
        table.insert("revision", value(revision));
    }
    table.insert("name", value(answers.name.package()));
    if answers.without_web {
        table.insert("without", value(Array::from_iter(["web"])));
    }
    table
}

fn commented(comment: &str) -> Table {
    let mut table = Table::new();
    table.decor_mut().set_prefix(format!("\n# {comment}\n"));
    table
}

/// The template shows in comments how a cache is named.
fn without_example_of_cache(manifest: &str) -> String {
    let mut lines: Vec<&str> = manifest.lines().collect();
    if let Some(table) = lines
        .iter()
        .position(|line| *line == "# [workspace.metadata.cache]")
    {
        let is_comment = |line: &&&str| line.starts_with('#');
        let before = lines[..table].iter().rev().take_while(is_comment).count();
        let after = lines[table..].iter().take_while(is_comment).count();
        let blank = usize::from(lines.get(table + after).is_some_and(|line| line.is_empty()));
        lines.drain(table - before..table + after + blank);
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::Repository;
    use crate::name::Name;

    const MANIFEST: &str = "\
[workspace]
members = [\"crates/*\"]

[workspace.package]
version = \"0.1.0\"
license = \"MIT OR Apache-2.0\"
repository = \"https://github.com/ORG/gantry\" # for now

# The binary cache.
# [workspace.metadata.cache]
# name = \"example\"

[workspace.lints.rust]
unsafe_code = \"deny\"

[workspace.metadata.template]
revision = \"0f\"
";

    fn filled(cache: Option<Cache>) -> String {
        let answers = Answers {
            name: Name::new("acme", &[]).unwrap(),
            cache,
            repository: Some(Repository::new("acme/app").unwrap()),
            author: Some("A \"B\" C".into()),
            license: "MIT".into(),
            without_web: true,
            revision: None,
        };
        let template = Template::read(MANIFEST).unwrap();
        fill(MANIFEST, &answers, &template).unwrap()
    }

    #[test]
    fn answers_take_their_places() {
        let text = filled(None);
        for line in [
            "license = \"MIT\"",
            "repository = \"https://github.com/acme/app\" # for now",
            "authors = ['A \"B\" C']",
            "# [workspace.metadata.cache]",
            "repository = \"https://github.com/ORG/gantry\"",
            "revision = \"0f\"",
            "name = \"acme\"",
            "without = [\"web\"]",
        ] {
            assert!(
                text.lines().any(|other| other == line),
                "{line} is not in\n{text}"
            );
        }
    }

    #[test]
    fn the_example_of_a_cache_gives_way_to_the_cache() {
        let key = "acme.cachix.org-1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned();
        let text = filled(Some(Cache {
            name: Some("acme".into()),
            url: "https://acme.cachix.org".into(),
            public_key: key,
        }));
        assert!(!text.contains("example"), "{text}");
        assert!(text.contains(
            "\n[workspace.metadata.cache]\nname = \"acme\"\npublic-key = \"acme.cachix.org-1:"
        ));
    }
}
