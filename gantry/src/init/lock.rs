//! Cargo.lock, changed as cargo would change it, on a machine that may have no cargo.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value};

/// A lock file.
pub(crate) struct Lock {
    document: DocumentMut,
    packages: Vec<Table>,
}

impl Lock {
    /// # Errors
    /// It is not what cargo writes.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut document: DocumentMut = text.parse().context("Cargo.lock is no TOML")?;
        let packages = document.remove("package").map(Item::into_array_of_tables);
        let packages = packages
            .and_then(Result::ok)
            .context("Cargo.lock has no packages")?;
        Ok(Self {
            document,
            packages: packages.into_iter().collect(),
        })
    }

    /// The names of the packages that are no members.
    pub(crate) fn third_party(&self) -> Vec<String> {
        let others = self.packages.iter().filter(|package| !is_member(package));
        others
            .map(|package| text(package, "name").to_owned())
            .collect()
    }

    /// Takes out these members, these dependencies, each named after the package that has it, and what
    /// nothing needs any more.
    pub(crate) fn remove(&mut self, members: &[String], dependencies: &[(&str, &str)]) {
        for package in &mut self.packages {
            let package_name = text(package, "name").to_owned();
            if let Some(list) = dependencies_mut(package) {
                list.retain(|dependency| {
                    !dependencies.contains(&(&package_name, name(string(dependency))))
                });
                // cargo writes no empty list.
                if list.is_empty() {
                    package.remove("dependencies");
                }
            }
        }
        self.keep_what_is_needed(|member| !members.iter().any(|removed| removed == member));
        self.shorten_dependencies();
    }

    /// Keeps these members, and what they need, however indirectly.
    fn keep_what_is_needed(&mut self, is_kept: impl Fn(&str) -> bool) {
        let indices_of = |packages: &[Table], is_wanted: &dyn Fn(&Table) -> bool| {
            let indices = 0..packages.len();
            let wanted = indices.filter(|&index| is_wanted(&packages[index]));
            wanted.collect::<Vec<_>>()
        };
        let mut needed = BTreeSet::new();
        let mut next = indices_of(&self.packages, &|package| {
            is_member(package) && is_kept(text(package, "name"))
        });
        while let Some(index) = next.pop() {
            if needed.insert(index) {
                for dependency in dependencies(&self.packages[index]) {
                    next.extend(indices_of(&self.packages, &|package| {
                        means(dependency, package)
                    }));
                }
            }
        }
        let mut indices = 0..;
        self.packages
            .retain(|_| indices.next().is_some_and(|index| needed.contains(&index)));
    }

    /// Has dependencies say no more than tells packages of the same name apart: the version, and where
    /// that is the same, too, the source.
    fn shorten_dependencies(&mut self) {
        let all = self.packages.clone();
        let is_ambiguous =
            |words: &str| all.iter().filter(|package| means(words, package)).count() > 1;
        for package in &mut self.packages {
            for dependency in dependencies_mut(package)
                .into_iter()
                .flat_map(Array::iter_mut)
            {
                let long = string(dependency).to_owned();
                let ends = long.match_indices(' ').map(|(end, _)| end);
                let mut shorter = ends.map(|end| &long[..end]);
                let shortest = shorter.find(|words| !is_ambiguous(words)).unwrap_or(&long);
                let decor = dependency.decor().clone();
                *dependency = Value::from(shortest);
                *dependency.decor_mut() = decor;
            }
        }
    }

    /// The text, with packages and dependencies in order.
    pub(crate) fn print(mut self) -> String {
        self.packages
            .sort_by(|one, other| text(one, "name").cmp(text(other, "name")));
        let mut tables = ArrayOfTables::new();
        for (mut package, position) in self.packages.into_iter().zip(0..) {
            if let Some(list) = dependencies_mut(&mut package) {
                list.sort_by(|one, other| name(string(one)).cmp(name(string(other))));
            }
            package.set_position(Some(position));
            tables.push(package);
        }
        self.document.insert("package", Item::ArrayOfTables(tables));
        self.document.to_string()
    }
}

/// A package of the workspace has no source.
fn is_member(package: &Table) -> bool {
    !package.contains_key("source")
}

fn text<'a>(package: &'a Table, key: &str) -> &'a str {
    package.get(key).and_then(Item::as_str).unwrap_or_default()
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn dependencies(package: &Table) -> impl Iterator<Item = &str> {
    let list = package.get("dependencies").and_then(Item::as_array);
    list.into_iter().flatten().map(string)
}

fn dependencies_mut(package: &mut Table) -> Option<&mut Array> {
    package.get_mut("dependencies")?.as_array_mut()
}

/// The name in a dependency, which is `NAME`, `NAME VERSION` or `NAME VERSION (SOURCE)`.
fn name(dependency: &str) -> &str {
    dependency.split(' ').next().unwrap_or_default()
}

fn means(dependency: &str, package: &Table) -> bool {
    let mut words = dependency.splitn(3, ' ');
    let is = |word: Option<&str>, key| word.is_none_or(|word| word == text(package, key));
    is(words.next(), "name") && is(words.next(), "version")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"# generated
version = 4

[[package]]
name = "app"
version = "0.1.0"
dependencies = [
 "app-core",
 "openssl",
 "rand 2.0.0",
]

[[package]]
name = "app-core"
version = "0.1.0"

[[package]]
name = "openssl"
version = "0.10.0"
source = "registry"
checksum = "0f"

[[package]]
name = "page"
version = "0.1.0"
dependencies = [
 "rand 1.0.0",
]

[[package]]
name = "rand"
version = "1.0.0"
source = "registry"

[[package]]
name = "rand"
version = "2.0.0"
source = "registry"
"#;

    fn without(members: &[&str], dependencies: &[(&str, &str)]) -> String {
        let members: Vec<String> = members.iter().map(|&member| member.into()).collect();
        let mut lock = Lock::parse(LOCK).unwrap();
        lock.remove(&members, dependencies);
        lock.print()
    }

    #[test]
    fn a_lock_is_printed_as_it_was_read() {
        assert_eq!(Lock::parse(LOCK).unwrap().print(), LOCK);
        assert_eq!(without(&[], &[]), LOCK);
    }

    #[test]
    fn what_a_removed_member_alone_needed_goes_with_it() {
        let printed = without(&["page"], &[]);
        assert!(!printed.contains("page") && !printed.contains("1.0.0"));
        // One version is left, which the name alone means.
        assert!(printed.contains(" \"rand\",\n") && printed.contains("checksum"));
    }

    #[test]
    fn a_dependency_that_nobody_asks_for_any_more_is_taken_out() {
        let printed = without(&[], &[("page", "rand"), ("app", "rand")]);
        assert!(!printed.contains("rand") && printed.contains("openssl"));
        assert!(printed.ends_with("name = \"page\"\nversion = \"0.1.0\"\n"));
    }

    #[test]
    fn renamed_packages_and_dependencies_are_sorted_anew() {
        let printed = Lock::parse(&LOCK.replace("app", "zed")).unwrap().print();
        assert!(printed.contains(" \"openssl\",\n \"rand 2.0.0\",\n \"zed-core\",\n]"));
        assert!(printed.find("name = \"rand\"") < printed.find("name = \"zed\""));
        assert!(printed.find("name = \"zed\"") < printed.find("name = \"zed-core\""));
    }
}
