//! The workspace, as `cargo metadata` describes it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use crate::cargo;
use crate::plan::Target;
use crate::suggestion::nearest;

/// What the URL of a binary cache in `workspace.metadata.cache` can start with.
pub const CACHE_SCHEMES: [&str; 4] = ["file:///", "s3://", "https://", "http://"];

/// The workspace, reduced to what its plans are made of.
#[derive(Default)]
pub struct Workspace {
    /// Its folder.
    pub root: PathBuf,
    /// Where cargo puts what it makes.
    pub target_directory: PathBuf,
    /// Sorted by name.
    pub members: Vec<Member>,
    /// `workspace.metadata.cache`, which only Nix has a use for.
    pub cache: Option<Value>,
    /// `workspace.metadata.template.name`: what the template became.
    pub project: Option<String>,
}

/// A member, reduced to what decides its steps.
#[derive(Default)]
pub struct Member {
    /// The package's.
    pub name: String,
    /// The package's.
    pub version: String,
    /// The URL of its repository.
    pub repository: Option<String>,
    /// Its folder.
    pub directory: PathBuf,
    /// From `package.metadata.ci.targets`; native alone where a manifest says nothing.
    pub(crate) targets: Vec<Target>,
    /// Whether `cargo build` without arguments takes it.
    pub is_default: bool,
    pub(crate) is_cdylib: bool,
    pub(crate) has_doctests: bool,
    /// Whether it tests with wasm-bindgen-test.
    pub(crate) has_wasm_tests: bool,
    /// Whether it can compile OpenSSL itself, by its feature `vendored-openssl`.
    pub(crate) can_vendor_openssl: bool,
    /// The names of the members it depends on directly, in whatever way.
    pub(crate) dependencies: Vec<String>,
    /// How cargo's messages call it.
    pub(crate) id: String,
}

impl Workspace {
    /// The workspace around the current directory.
    ///
    /// # Errors
    /// No workspace here, a manifest that cargo cannot read, or an unknown name in
    /// `package.metadata.ci`.
    pub fn load() -> Result<Self> {
        let output = cargo::command("metadata")
            .args(["--no-deps", "--format-version", "1"])
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            bail!(
                "cargo cannot read the workspace\n{}",
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .context("cannot read the output of `cargo metadata`")?;
        metadata.try_into()
    }

    /// The members of these names, in the workspace's order; all of them where none is named.
    ///
    /// # Errors
    /// A name that no member has.
    pub(crate) fn select(&self, names: &[String]) -> Result<Vec<&Member>> {
        if let Some(unknown) = names.iter().find(|&name| self.member(name).is_none()) {
            let all: Vec<_> = self.members.iter().map(|member| &*member.name).collect();
            if let Some(name) = nearest(unknown, all.iter().copied()) {
                bail!("no member is called `{unknown}`: did you mean `{name}`?");
            }
            bail!(
                "no member is called `{unknown}`: there are {}",
                all.join(", ")
            );
        }
        Ok(self
            .members
            .iter()
            .filter(|member| names.is_empty() || names.contains(&member.name))
            .collect())
    }

    /// The member of this name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Whether a member needs `target` to be built for: makes a module for it, tests on it, or is not
    /// for native at all. A library that names it beside native only can be built for it.
    pub(crate) fn needs(&self, target: Target) -> bool {
        target == Target::Native
            || self.members.iter().any(|member| {
                member.targets.contains(&target)
                    && (member.is_cdylib
                        || member.is_tested_on(target)
                        || !member.targets.contains(&Target::Native))
            })
    }

    /// Whether `member` needs one of `others` to be built first, however indirectly.
    pub(crate) fn depends_on(&self, member: &str, others: &[&str]) -> bool {
        let mut seen = vec![member];
        let mut next = 0;
        while let Some(&name) = seen.get(next) {
            next += 1;
            for dependency in self
                .member(name)
                .into_iter()
                .flat_map(|member| &member.dependencies)
            {
                if others.contains(&&**dependency) {
                    return true;
                }
                if !seen.contains(&&**dependency) {
                    seen.push(dependency);
                }
            }
        }
        false
    }
}

impl Member {
    /// Whether its tests can run on `target`, if it is for that one.
    pub(crate) fn is_tested_on(&self, target: Target) -> bool {
        match target {
            Target::Native => true,
            // The standard test harness cannot run there; wasm-bindgen's can.
            Target::Wasm => self.has_wasm_tests,
        }
    }
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    packages: Vec<Package>,
    workspace_default_members: Vec<String>,
    target_directory: PathBuf,
    #[serde(rename = "metadata")]
    workspace: Option<Value>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    repository: Option<String>,
    id: String,
    manifest_path: PathBuf,
    targets: Vec<CargoTarget>,
    features: BTreeMap<String, Vec<String>>,
    dependencies: Vec<Dependency>,
    metadata: Option<Value>,
}

/// A library, binary, test, …: what cargo calls a target besides platforms.
#[derive(Deserialize)]
struct CargoTarget {
    /// A library's are its crate types, those of an example are not.
    kind: Vec<String>,
    doctest: bool,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    path: Option<PathBuf>,
}

impl TryFrom<Metadata> for Workspace {
    type Error = anyhow::Error;

    fn try_from(metadata: Metadata) -> Result<Self> {
        let names: BTreeMap<PathBuf, String> = metadata
            .packages
            .iter()
            .filter_map(|package| Some((package.directory()?.to_owned(), package.name.clone())))
            .collect();
        let mut members: Vec<Member> = metadata
            .packages
            .iter()
            .map(|package| package.to_member(&names, &metadata.workspace_default_members))
            .collect::<Result<_>>()?;
        members.sort_by(|one, other| one.name.cmp(&other.name));
        let metadata_of_all = metadata.workspace.unwrap_or_default();
        Ok(Self {
            root: metadata.workspace_root,
            target_directory: metadata.target_directory,
            members,
            cache: metadata_of_all.get("cache").cloned(),
            project: metadata_of_all["template"]["name"]
                .as_str()
                .map(str::to_owned),
        })
    }
}

impl Package {
    fn directory(&self) -> Option<&Path> {
        self.manifest_path.parent()
    }

    fn to_member(&self, names: &BTreeMap<PathBuf, String>, default: &[String]) -> Result<Member> {
        let targets = self
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.get("ci")?.get("targets"))
            .map_or(Ok(vec![Target::Native]), Vec::<Target>::deserialize)
            .with_context(|| {
                format!(
                    "{}: package.metadata.ci.targets",
                    self.manifest_path.display()
                )
            })?;
        Ok(Member {
            name: self.name.clone(),
            version: self.version.clone(),
            repository: self.repository.clone(),
            directory: self.directory().unwrap_or(Path::new("")).to_owned(),
            targets,
            is_default: default.contains(&self.id),
            is_cdylib: self
                .targets
                .iter()
                .any(|target| target.kind.iter().any(|kind| kind == "cdylib")),
            has_doctests: self.targets.iter().any(|target| target.doctest),
            has_wasm_tests: self.dependencies.iter().any(|dependency| {
                dependency.name == "wasm-bindgen-test" && dependency.kind.as_deref() == Some("dev")
            }),
            can_vendor_openssl: self.features.contains_key("vendored-openssl"),
            dependencies: self
                .dependencies
                .iter()
                .filter_map(|dependency| names.get(dependency.path.as_ref()?).cloned())
                .collect(),
            id: self.id.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(edges: &[(&str, &[&str])]) -> Workspace {
        let members = edges.iter().map(|(name, dependencies)| Member {
            name: (*name).into(),
            dependencies: dependencies.iter().map(|&name| name.into()).collect(),
            ..Member::default()
        });
        Workspace {
            members: members.collect(),
            ..Workspace::default()
        }
    }

    #[test]
    fn a_dependency_is_followed_through_members_and_cycles() {
        let workspace = workspace(&[
            ("app", &["middle"]),
            ("middle", &["core", "app"]),
            ("core", &[]),
        ]);
        assert!(workspace.depends_on("app", &["core"]));
        assert!(!workspace.depends_on("core", &["app"]));
    }

    #[test]
    fn a_target_is_needed_as_long_as_a_member_makes_something_for_it() {
        let mut workspace = workspace(&[("core", &[]), ("page", &["core"])]);
        workspace.members[0].targets = vec![Target::Native, Target::Wasm];
        workspace.members[1].targets = vec![Target::Wasm];
        assert!(workspace.needs(Target::Wasm));
        workspace.members.pop();
        assert!(workspace.needs(Target::Native) && !workspace.needs(Target::Wasm));
        workspace.members[0].is_cdylib = true;
        assert!(workspace.needs(Target::Wasm));
    }

    #[test]
    fn an_unknown_member_is_answered_with_the_nearest() {
        let workspace = workspace(&[("gantry-core", &[]), ("gantry-web", &[])]);
        let message = |name: &str| workspace.select(&[name.into()]).err().unwrap().to_string();
        assert!(message("gantry-coer").contains("did you mean `gantry-core`?"));
        assert!(message("zzz").contains("there are gantry-core, gantry-web"));
    }
}
