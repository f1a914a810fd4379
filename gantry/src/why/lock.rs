//! What moved in Cargo.lock.

use std::collections::{BTreeMap, BTreeSet};

use toml_edit::{DocumentMut, Item};

use super::cause::Cause;

/// Versions by package, of the packages that are not the workspace's own.
#[derive(Default)]
pub(crate) struct Packages(BTreeMap<String, BTreeSet<String>>);

impl Packages {
    /// Adds the packages of a lock file, whole or in part; of one that is broken, none.
    ///
    /// Format: <https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html>.
    pub(crate) fn add(&mut self, lock: &str) {
        let lock: DocumentMut = lock.parse().unwrap_or_default();
        let packages = lock.get("package").and_then(Item::as_array_of_tables);
        for package in packages.into_iter().flatten() {
            let value = |key: &str| package.get(key)?.as_str();
            let (Some(name), Some(version), Some(source)) =
                (value("name"), value("version"), value("source"))
            else {
                continue;
            };
            let version = match source
                .strip_prefix("git+")
                .and_then(|url| url.rsplit_once('#'))
            {
                Some((_, commit)) => format!("{version} ({})", commit.get(..7).unwrap_or(commit)),
                None => version.to_owned(),
            };
            self.0.entry(name.to_owned()).or_default().insert(version);
        }
    }

    /// The packages that are in one of both alone, the versions of one package in pairs.
    pub(crate) fn moves(&self, new: &Self) -> Vec<Cause> {
        let names: BTreeSet<_> = self.0.keys().chain(new.0.keys()).collect();
        let mut causes = Vec::new();
        for name in names {
            let versions = |packages: &Self| packages.0.get(name).cloned().unwrap_or_default();
            let (old, new) = (versions(self), versions(new));
            let mut removed = old.difference(&new).cloned();
            let mut added = new.difference(&old).cloned();
            loop {
                let (from, to) = (removed.next(), added.next());
                if from.is_none() && to.is_none() {
                    break;
                }
                causes.push(Cause::Dependency {
                    name: name.clone(),
                    from,
                    to,
                });
            }
        }
        causes
    }
}

/// Whether two moves are of the same package, from or to the same version.
pub(super) fn is_same(one: &Cause, other: &Cause) -> bool {
    match (one, other) {
        (
            Cause::Dependency { name, from, to },
            Cause::Dependency {
                name: other_name,
                from: other_from,
                to: other_to,
            },
        ) => {
            name == other_name
                && (from.is_some() && from == other_from || to.is_some() && to == other_to)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(entries: &[(&str, &str)]) -> Packages {
        let mut packages = Packages::default();
        for (name, version) in entries {
            packages.add(&format!(
                "version = 4\n\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry+x\"\n"
            ));
        }
        packages.add("[[package]]\nname = \"member\"\nversion = \"0.1.0\"\n");
        packages
    }

    #[test]
    fn versions_of_a_package_move_in_pairs() {
        let old = packages(&[
            ("a", "1.0.0"),
            ("b", "1.0.0"),
            ("b", "2.0.0"),
            ("c", "1.0.0"),
        ]);
        let new = packages(&[
            ("a", "1.0.1"),
            ("b", "1.0.0"),
            ("b", "2.1.0"),
            ("d", "0.1.0"),
        ]);
        let texts: Vec<_> = old.moves(&new).iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "a 1.0.0 → 1.0.1 (Cargo.lock)",
                "b 2.0.0 → 2.1.0 (Cargo.lock)",
                "c 1.0.0 was removed (Cargo.lock)",
                "d 0.1.0 is new (Cargo.lock)",
            ]
        );
    }
}
