//! The workspace, as `cargo metadata` describes it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use serde::Deserialize;
use serde_json::Value;
use xshell::{Shell, cmd};

/// The machine's own platform, as `package.metadata.ci.targets` names it.
pub(crate) const NATIVE: &str = "native";

/// Format: <https://doc.rust-lang.org/cargo/commands/cargo-metadata.html#json-format>.
#[derive(Deserialize)]
pub(crate) struct Workspace {
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    pub(crate) target_directory: PathBuf,
    pub(crate) packages: Vec<Member>,
    #[serde(rename = "workspace_default_members")]
    pub(crate) default_members: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) features: BTreeMap<String, Value>,
    dependencies: Vec<Dependency>,
    metadata: Value,
    /// What cargo calls targets too: its library, binaries, tests, …
    #[serde(rename = "targets")]
    artifacts: Vec<Artifact>,
}

#[derive(Deserialize)]
pub(crate) struct Artifact {
    pub(crate) name: String,
    kind: Vec<String>,
    doctest: bool,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
}

impl Workspace {
    pub(crate) fn load(sh: &Shell) -> Result<Self> {
        let metadata = cmd!(sh, "cargo metadata --no-deps --format-version 1").read()?;
        Ok(serde_json::from_str(&metadata)?)
    }

    /// The members of these names; all of them where none is named.
    pub(crate) fn select(&self, names: &[String]) -> Result<Vec<&Member>> {
        let all: Vec<_> = self.packages.iter().map(|it| &it.name).collect();
        for name in names {
            ensure!(all.contains(&name), "no member is called `{name}`: there are {all:?}");
        }
        let is_asked = |it: &&Member| names.is_empty() || names.contains(&it.name);
        Ok(self.packages.iter().filter(is_asked).collect())
    }
}

impl Member {
    /// The platforms that it is for.
    pub(crate) fn targets(&self) -> Vec<&str> {
        let named = self.metadata.pointer("/ci/targets");
        let named = named.and_then(Value::as_array).map(|it| it.iter());
        named.map_or(vec![NATIVE], |it| it.filter_map(Value::as_str).collect())
    }

    pub(crate) fn is_for(&self, target: &str) -> bool {
        self.targets().contains(&target)
    }

    /// What it makes of this kind, such as `bin` or `cdylib`.
    pub(crate) fn artifact(&self, kind: &str) -> Option<&Artifact> {
        self.artifacts.iter().find(|it| it.kind.iter().any(|own| own == kind))
    }

    pub(crate) fn has_doctests(&self) -> bool {
        self.artifacts.iter().any(|it| it.doctest)
    }

    pub(crate) fn depends_on(&self, name: &str) -> bool {
        self.dependencies.iter().any(|it| it.name == name)
    }
}
