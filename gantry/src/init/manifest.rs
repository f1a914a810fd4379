//! The root Cargo.toml: what an answer sets in it.

use anyhow::{Context as _, Result};
use toml_edit::{Array, DocumentMut, Item, Table, TableLike, value};

use super::answers::{Answers, Cache};

/// # Errors
/// It is no TOML.
pub(crate) fn parse(manifest: &str) -> Result<DocumentMut> {
    manifest.parse().context("Cargo.toml is no TOML")
}

/// What stands at this place of a manifest.
pub(crate) fn item<'a>(manifest: &'a DocumentMut, keys: &[&str]) -> Option<&'a Item> {
    let mut keys = keys.iter();
    keys.try_fold(manifest.as_item(), |item, key| item.get(key))
}

/// The string that stands at this place of a manifest.
pub(crate) fn text<'a>(manifest: &'a DocumentMut, keys: &[&str]) -> Option<&'a str> {
    item(manifest, keys)?.as_str()
}

/// The root manifest with the answers in it.
///
/// # Errors
/// It is not that of a workspace.
pub(crate) fn fill(manifest: &str, answers: &Answers) -> Result<String> {
    let manifest = match &answers.cache {
        Some(_) => without_example_of_cache(manifest),
        None => manifest.to_owned(),
    };
    let mut manifest = parse(&manifest)?;
    let workspace = manifest
        .get_mut("workspace")
        .and_then(Item::as_table_mut)
        .context("Cargo.toml has no [workspace]")?;

    // Globs find what is there; a folder that is named must be.
    if let Some(members) = workspace.get_mut("members").and_then(Item::as_array_mut) {
        members.retain(|member| !answers.leaves_out(member.as_str().unwrap_or_default()));
    }
    let package = workspace
        .get_mut("package")
        .and_then(Item::as_table_like_mut)
        .context("Cargo.toml has no [workspace.package]")?;
    set(package, "license", &answers.license);
    if let Some(repository) = &answers.repository {
        set(package, "repository", repository);
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
    metadata.insert("template", Item::Table(template_table(answers)));
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
    let mut table = commented("The binary cache. flake.nix names it, too.");
    match &cache.name {
        Some(name) => table.insert("name", value(name)),
        None => table.insert("url", value(&cache.url)),
    };
    table.insert("public-key", value(&cache.public_key));
    table
}

fn template_table(answers: &Answers) -> Table {
    let mut table = commented("How this project was made, which `gantry update` has to know.");
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
    use crate::init::name::Name;

    const MANIFEST: &str = "\
[workspace]
members = [\"crates/*\"]

[workspace.package]
version = \"0.1.0\"
license = \"MIT OR Apache-2.0\"
repository = \"https://github.com/ORG/acme\" # for now

# The binary cache.
# [workspace.metadata.cache]
# name = \"example\"

[workspace.lints.rust]
unsafe_code = \"deny\"
";

    fn filled(cache: Option<Cache>) -> String {
        let answers = Answers {
            name: Name::new("app", &[]).unwrap(),
            cache,
            repository: Some("https://github.com/acme/app".into()),
            author: Some("A \"B\" C".into()),
            license: "MIT".into(),
            without_web: true,
            gantry: None,
        };
        fill(MANIFEST, &answers).unwrap()
    }

    #[test]
    fn answers_take_their_places() {
        let text = filled(None);
        for line in [
            "license = \"MIT\"",
            "repository = \"https://github.com/acme/app\" # for now",
            "authors = ['A \"B\" C']",
            "# [workspace.metadata.cache]",
            "[workspace.metadata.template]",
            "name = \"app\"",
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
