//! Cargo.lock, as text: what cargo wrote stays as it is, and only what has to change does.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};

/// What stands before each package.
const HEADER: &str = "\n[[package]]\n";

/// A lock file: what stands before the packages, and these.
pub(crate) struct Lock {
    start: String,
    packages: Vec<Package>,
}

struct Package {
    name: String,
    version: String,
    /// A package of the workspace has no source.
    is_member: bool,
    lines: Vec<String>,
}

impl Package {
    fn parse(text: &str) -> Result<Self> {
        let value = |key: &str| {
            let value = |line: &'_ str| {
                let value = line.strip_prefix(key)?.strip_prefix(" = \"")?;
                value.strip_suffix('"').map(str::to_owned)
            };
            text.lines().find_map(value)
        };
        Ok(Self {
            name: value("name").context("Cargo.lock: a package without a name")?,
            version: value("version").context("Cargo.lock: a package without a version")?,
            is_member: value("source").is_none(),
            lines: text.lines().map(str::to_owned).collect(),
        })
    }

    fn dependencies(&self) -> impl Iterator<Item = Dependency<'_>> {
        self.lines.iter().filter_map(|line| Dependency::parse(line))
    }
}

/// An entry of a package's dependencies: a name, and of version and source what cargo needs to tell
/// packages of this name apart.
struct Dependency<'a> {
    name: &'a str,
    version: Option<&'a str>,
    source: Option<&'a str>,
}

impl<'a> Dependency<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut words = line
            .strip_prefix(" \"")?
            .strip_suffix("\",")?
            .splitn(3, ' ');
        Some(Self {
            name: words.next()?,
            version: words.next(),
            source: words.next(),
        })
    }

    fn means(&self, package: &Package) -> bool {
        self.name == package.name
            && self
                .version
                .is_none_or(|version| version == package.version)
    }
}

impl Lock {
    /// # Errors
    /// It is not what cargo writes.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut parts = text.split(HEADER);
        Ok(Self {
            start: parts.next().unwrap_or_default().to_owned(),
            packages: parts.map(Package::parse).collect::<Result<_>>()?,
        })
    }

    /// The names of the packages that are no members.
    pub(crate) fn third_party(&self) -> Vec<String> {
        let others = self.packages.iter().filter(|package| !package.is_member);
        others.map(|package| package.name.clone()).collect()
    }

    /// Removes dependencies, each named after the package that has it.
    pub(crate) fn remove(&mut self, dependencies: &[(&str, &str)]) {
        for package in &mut self.packages {
            let name = &package.name;
            package.lines.retain(|line| {
                Dependency::parse(line)
                    .is_none_or(|dependency| !dependencies.contains(&(name, dependency.name)))
            });
        }
    }

    /// Keeps these members, and what they need, however indirectly.
    pub(crate) fn keep(&mut self, members: &[String]) {
        let is_kept = |package: &Package| package.is_member && members.contains(&package.name);
        let packages = || self.packages.iter().enumerate();
        let mut next: Vec<usize> = packages()
            .filter(|(_, package)| is_kept(package))
            .map(|(index, _)| index)
            .collect();
        let mut needed = BTreeSet::new();
        while let Some(index) = next.pop() {
            if needed.insert(index) {
                for dependency in self.packages[index].dependencies() {
                    next.extend(
                        packages()
                            .filter(|(_, package)| dependency.means(package))
                            .map(|(index, _)| index),
                    );
                }
            }
        }
        let mut indices = 0..;
        self.packages
            .retain(|_| indices.next().is_some_and(|index| needed.contains(&index)));
    }

    /// The text, with `rename` applied to it, as cargo writes it: packages and dependencies in
    /// order, and of a dependency no more than tells it apart.
    ///
    /// # Errors
    /// What is renamed is no lock file any more.
    pub(crate) fn print(&self, rename: impl Fn(&str) -> String) -> Result<String> {
        let mut packages = self
            .packages
            .iter()
            .map(|package| Package::parse(&rename(&self.shortened(package))))
            .collect::<Result<Vec<_>>>()?;
        packages.sort_by(|one, other| one.name.cmp(&other.name));
        let mut lock = self.start.clone();
        for package in &mut packages {
            sort_dependencies(&mut package.lines);
            lock += HEADER;
            lock += package.lines.join("\n").trim_end();
            lock.push('\n');
        }
        Ok(lock)
    }

    /// A package's text whose dependencies say no more than tells them apart.
    fn shortened(&self, package: &Package) -> String {
        let lines = package.lines.iter().map(|line| {
            let Some(dependency) = Dependency::parse(line) else {
                return line.clone();
            };
            let same_name = |other: &&Package| other.name == dependency.name;
            let same_version = |other: &&Package| dependency.means(other);
            let mut words = vec![dependency.name];
            if self.packages.iter().filter(same_name).count() > 1 {
                words.extend(dependency.version);
            }
            if self.packages.iter().filter(same_version).count() > 1 {
                words.extend(dependency.source);
            }
            format!(" \"{}\",", words.join(" "))
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn sort_dependencies(lines: &mut Vec<String>) {
    let is_dependency = |line: &String| Dependency::parse(line).is_some();
    let first = lines.iter().position(is_dependency);
    let last = lines.iter().rposition(is_dependency);
    if let (Some(first), Some(last)) = (first, last) {
        lines[first..=last].sort_unstable();
    } else if let Some(start) = lines.iter().position(|line| line == "dependencies = [") {
        // cargo writes no empty list.
        lines.truncate(start);
    }
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

    #[test]
    fn a_lock_is_printed_as_it_was_read() {
        assert_eq!(
            Lock::parse(LOCK).unwrap().print(str::to_owned).unwrap(),
            LOCK
        );
    }

    #[test]
    fn what_a_removed_member_alone_needed_goes_with_it() {
        let mut lock = Lock::parse(LOCK).unwrap();
        lock.keep(&["app".into(), "app-core".into()]);
        let printed = lock.print(str::to_owned).unwrap();
        assert!(!printed.contains("page") && !printed.contains("1.0.0"));
        // One version is left, which the name alone means.
        assert!(printed.contains(" \"rand\",\n") && printed.contains("checksum"));
    }

    #[test]
    fn a_dependency_that_nobody_asks_for_any_more_is_taken_out() {
        let mut lock = Lock::parse(LOCK).unwrap();
        lock.remove(&[("page", "rand"), ("app", "rand")]);
        lock.keep(&["app".into(), "page".into()]);
        let printed = lock.print(str::to_owned).unwrap();
        assert!(!printed.contains("rand") && printed.contains("openssl"));
        assert!(printed.ends_with("name = \"page\"\nversion = \"0.1.0\"\n"));
    }

    #[test]
    fn renamed_packages_and_dependencies_are_sorted_anew() {
        let printed = Lock::parse(LOCK)
            .unwrap()
            .print(|text| text.replace("app", "zed"))
            .unwrap();
        assert!(printed.contains(" \"openssl\",\n \"rand 2.0.0\",\n \"zed-core\",\n]"));
        assert!(printed.find("name = \"rand\"") < printed.find("name = \"zed\""));
        assert!(printed.find("name = \"zed\"") < printed.find("name = \"zed-core\""));
    }
}
