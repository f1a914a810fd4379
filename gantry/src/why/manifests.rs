//! Which edits of the manifests reach an output.
//!
//! Layers do not hold the manifests as people write them: Nix leaves out what a layer does not need, and
//! writes them anew. So an edit is a cause where what it says differs in the manifests of layers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use super::cause::{Cause, Topic};
use crate::toml;

type Key = Vec<String>;

/// A manifest's settings, one by one; a dependency is one setting.
pub(crate) fn settings(manifest: &Value) -> BTreeMap<Key, Value> {
    fn walk(key: &mut Key, value: &Value, settings: &mut BTreeMap<Key, Value>) {
        match value {
            Value::Object(table) if !is_dependency(key) => {
                for (name, value) in table {
                    key.push(name.clone());
                    walk(key, value, settings);
                    key.pop();
                }
            }
            _ => {
                settings.insert(key.clone(), value.clone());
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(&mut Vec::new(), manifest, &mut all);
    all
}

fn is_dependency(key: &[String]) -> bool {
    matches!(key, [.., table, _] if table.ends_with("dependencies"))
}

/// A setting that differs between two manifests.
pub(crate) struct Edit {
    pub(crate) key: Key,
    pub(crate) from: Option<Value>,
    pub(crate) to: Option<Value>,
}

pub(crate) fn edits(old: &Value, new: &Value) -> Vec<Edit> {
    let (mut old, new) = (settings(old), settings(new));
    let mut edits: Vec<Edit> = new
        .into_iter()
        .map(|(key, to)| Edit {
            from: old.remove(&key),
            to: Some(to),
            key,
        })
        .filter(|edit| edit.from != edit.to)
        .collect();
    edits.extend(old.into_iter().map(|(key, from)| Edit {
        key,
        from: Some(from),
        to: None,
    }));
    edits
}

impl Edit {
    /// The key as one would write it in the file.
    pub(crate) fn key(&self) -> String {
        let words = self.key.iter().map(|word| {
            let bare = |character: char| character.is_alphanumeric() || "-_".contains(character);
            if word.chars().all(bare) {
                word.clone()
            } else {
                format!("'{word}'")
            }
        });
        words.collect::<Vec<_>>().join(".")
    }

    pub(crate) fn cause(&self, file: &str, member: Option<&str>) -> Cause {
        Cause::Manifest {
            topic: self.topic(file),
            file: file.to_owned(),
            key: self.key(),
            from: self.from.clone(),
            to: self.to.clone(),
            member: member.map(str::to_owned),
        }
    }

    fn topic(&self, file: &str) -> Topic {
        if !file.ends_with("Cargo.toml") {
            return Topic::Configuration;
        }
        let head = self.key.iter().find(|word| *word != "workspace");
        match head.map_or("", |word| &**word) {
            "features" => Topic::Feature,
            "profile" => Topic::Profile,
            "lints" => Topic::Lint,
            _ if is_dependency(&self.key) => self.dependency_topic(),
            _ => Topic::Package,
        }
    }

    /// Whether the features of a dependency are all that differs.
    fn dependency_topic(&self) -> Topic {
        let without_features = |value: &Option<Value>| match value {
            Some(Value::Object(table)) => {
                let mut table = table.clone();
                table.retain(|key, _| !["features", "default-features"].contains(&&**key));
                table
            }
            Some(version) => [("version".to_owned(), version.clone())]
                .into_iter()
                .collect(),
            None => serde_json::Map::new(),
        };
        let both = self.from.is_some() && self.to.is_some();
        if both && without_features(&self.from) == without_features(&self.to) {
            Topic::Feature
        } else {
            Topic::Dependency
        }
    }
}

/// The settings that differ between two states of rust-toolchain.toml.
///
/// # Errors
/// One cannot be read.
pub(crate) fn toolchain_causes(before: &Path, after: &Path) -> Result<Vec<Cause>> {
    const FILE: &str = "rust-toolchain.toml";
    let edits = edits(
        &toml::read(&before.join(FILE))?,
        &toml::read(&after.join(FILE))?,
    );
    Ok(edits
        .into_iter()
        .map(|edit| Cause::Toolchain {
            file: FILE.into(),
            key: edit.key(),
            from: edit.from,
            to: edit.to,
        })
        .collect())
}

/// What differs in the manifests of layers: keys, by the package that they are of.
#[derive(Default)]
pub(crate) struct LayerManifests {
    packages: BTreeMap<String, BTreeSet<Key>>,
    /// Root manifests and cargo's configuration.
    others: BTreeSet<Key>,
}

impl LayerManifests {
    pub(crate) fn new(old: &[Value], new: &[Value]) -> Self {
        let all = |manifests: &[Value]| -> BTreeSet<(Option<String>, Key, String)> {
            manifests
                .iter()
                .flat_map(|manifest| {
                    let name = manifest.pointer("/package/name").and_then(Value::as_str);
                    settings(manifest)
                        .into_iter()
                        .map(move |(key, value)| (name.map(str::to_owned), key, value.to_string()))
                })
                .collect()
        };
        let mut layers = Self::default();
        for (name, key, _) in all(old).symmetric_difference(&all(new)) {
            match name {
                Some(name) => layers.packages.entry(name.clone()).or_default(),
                None => &mut layers.others,
            }
            .insert(key.clone());
        }
        layers
    }

    /// Whether an edit of the manifest of `package`, or of the root manifest, shows in them.
    ///
    /// `members` are the workspace's own packages.
    pub(crate) fn show(&self, edit: &Edit, package: Option<&str>, members: &[String]) -> bool {
        let key: Vec<&str> = edit.key.iter().map(String::as_str).collect();
        if package.is_some_and(|package| self.show_in_member(edit, package)) {
            return true;
        }
        match &*key {
            ["workspace", "package", field] => self.any_package(|key| *key == ["package", field]),
            ["workspace", "dependencies", name] => {
                self.any_package(|key| is_of_dependency(key, name, edit))
            }
            ["workspace", "lints", ..] => self.any_package(|key| key[0] == "lints"),
            [
                "workspace",
                "members" | "exclude" | "default-members" | "metadata",
                ..,
            ] => false,
            [.., table, name] if table.ends_with("dependencies") => {
                self.any_other_package(members, |key| is_of_dependency(key, name, edit))
            }
            // A member's feature may turn on one of a dependency, or its targets may be others now.
            ["features", ..] => {
                let text = edit
                    .from
                    .iter()
                    .chain(&edit.to)
                    .map(Value::to_string)
                    .collect::<String>();
                self.any_other_package(members, |key| {
                    is_dependency(key) && key.last().is_some_and(|name| text.contains(&**name))
                })
            }
            ["package", "metadata", "ci", ..] => self.any_other_package(members, is_dependency),
            _ => self.others.contains(&edit.key),
        }
    }

    fn show_in_member(&self, edit: &Edit, package: &str) -> bool {
        self.packages.get(package).is_some_and(|keys| {
            keys.iter().any(|key| {
                key.starts_with(&edit.key)
                    || edit.key.starts_with(key)
                    || (key[0] == "lints" && edit.key[0] == "lints")
            })
        })
    }

    fn any_package(&self, test: impl Fn(&[String]) -> bool) -> bool {
        self.packages.values().flatten().any(|key| test(key))
    }

    /// The same of the packages that are no members. A layer of dependencies has one: it depends on all
    /// third-party crates that members depend on.
    fn any_other_package(&self, members: &[String], test: impl Fn(&[String]) -> bool) -> bool {
        let mut others = self
            .packages
            .iter()
            .filter(|(name, _)| !members.contains(name));
        others.any(|(_, keys)| keys.iter().any(|key| test(key)))
    }
}

/// Whether `key` is of the dependency that an edit calls `name`.
fn is_of_dependency(key: &[String], name: &str, edit: &Edit) -> bool {
    let renamed = edit
        .from
        .iter()
        .chain(&edit.to)
        .filter_map(|value| value.get("package")?.as_str());
    let mut names = renamed.chain([name]);
    is_dependency(key)
        && key.last().is_some_and(|key| {
            names.any(|name| {
                key.strip_prefix(name).is_some_and(|rest| {
                    rest.is_empty() || rest.strip_prefix('-').is_some_and(is_hash)
                })
            })
        })
}

/// Whether it is what nix/skeleton.nix puts behind the name of a crate that is there in two versions: the
/// beginning of a hash.
fn is_hash(text: &str) -> bool {
    text.len() == 8 && text.chars().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_edit_is_named_by_its_key() {
        let old = json!({ "dependencies": { "serde": "1" }, "profile": { "dev": { "debug": 1 } } });
        let new = json!({ "dependencies": { "serde": { "version": "1", "features": ["rc"] } }, "target": { "cfg(unix)": { "dependencies": { "nix": "1" } } } });
        let edits = edits(&old, &new);
        let shown: Vec<_> = edits
            .iter()
            .map(|edit| (edit.key(), edit.topic("Cargo.toml")))
            .collect();
        assert_eq!(
            shown,
            [
                ("dependencies.serde".to_owned(), Topic::Feature),
                (
                    "target.'cfg(unix)'.dependencies.nix".to_owned(),
                    Topic::Dependency
                ),
                ("profile.dev.debug".to_owned(), Topic::Profile),
            ]
        );
    }

    #[test]
    fn an_edit_counts_where_the_layers_see_it() {
        let members = ["core".to_owned(), "app".to_owned()];
        let layers = |old: Value, new: Value| LayerManifests::new(&[old], &[new]);
        let edit = |key: &[&str], to: Value| Edit {
            key: key.iter().map(|&word| word.to_owned()).collect(),
            from: None,
            to: Some(to),
        };
        let version = edit(&["package", "version"], json!("2"));
        let core = layers(
            json!({ "package": { "name": "core", "version": "1" } }),
            json!({ "package": { "name": "core", "version": "2" } }),
        );
        assert!(core.show(&version, Some("core"), &members));
        assert!(!core.show(&version, Some("app"), &members));
        assert!(core.show(
            &edit(&["workspace", "package", "version"], json!("2")),
            None,
            &members
        ));
        assert!(!core.show(&edit(&["workspace", "members"], json!([])), None, &members));

        let dependencies = layers(
            json!({ "package": { "name": "dependencies" }, "dependencies": {} }),
            json!({ "package": { "name": "dependencies" }, "dependencies": { "hex-c0ffee42": {}, "serde-json": {} } }),
        );
        assert!(dependencies.show(
            &edit(&["dependencies", "hex"], json!("0.4")),
            Some("app"),
            &members
        ));
        for other in ["he", "hex-c0ffee", "serde"] {
            let edit = edit(&["dependencies", other], json!("0.4"));
            assert!(!dependencies.show(&edit, Some("app"), &members), "{other}");
        }

        let profile = layers(json!({ "profile": { "dev": { "debug": 1 } } }), json!({}));
        assert!(profile.show(
            &edit(&["profile", "dev", "debug"], json!(0)),
            None,
            &members
        ));
        assert!(!profile.show(&edit(&["profile", "dev", "lto"], json!(0)), None, &members));
    }
}
