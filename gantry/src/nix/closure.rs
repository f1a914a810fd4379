//! A derivation with all that it is built from, as `nix derivation show` prints it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::Value;

use super::program::Program;
use crate::process;

/// Derivations by the names of their files in the store.
pub(crate) struct Closure {
    pub(crate) derivations: BTreeMap<String, Derivation>,
    store: PathBuf,
}

/// A derivation, in the forms of Nix 2.31 and of later ones.
///
/// Format: <https://nix.dev/manual/nix/latest/protocols/json/derivation.html>.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Derivation {
    pub(crate) name: String,
    #[serde(default)]
    env: BTreeMap<String, String>,
    structured_attrs: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    inputs: Inputs,
    #[serde(default)]
    input_drvs: BTreeMap<String, Value>,
    #[serde(default)]
    input_srcs: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Inputs {
    #[serde(default)]
    drvs: BTreeMap<String, Value>,
    #[serde(default)]
    srcs: Vec<String>,
}

impl Closure {
    /// Of these derivations together.
    ///
    /// # Errors
    /// A derivation is not in the store.
    pub(crate) fn read(program: &Program, derivations: &BTreeSet<&str>) -> Result<Self> {
        let show = program.evaluation_command(&["derivation", "show", "--recursive", "--stdin"]);
        let paths: Vec<&str> = derivations.iter().copied().collect();
        let text = process::read_with(show, &paths.join("\n"))?;
        let store = derivations
            .first()
            .and_then(|path| Path::new(*path).parent());
        Self::parse(&text, store.unwrap_or(Path::new("/nix/store")))
            .context("cannot read the output of `nix derivation show`")
    }

    fn parse(text: &str, store: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Shown {
            Versioned {
                derivations: BTreeMap<String, Derivation>,
            },
            Flat(BTreeMap<String, Derivation>),
        }
        let (Shown::Versioned { derivations } | Shown::Flat(derivations)) =
            serde_json::from_str(text)?;
        Ok(Self {
            derivations: derivations
                .into_iter()
                .map(|(path, derivation)| (file_name(&path).to_owned(), derivation))
                .collect(),
            store: store.to_owned(),
        })
    }

    /// The files and folders that its derivations take from outside the store, copied into it.
    pub(crate) fn sources(&self) -> BTreeSet<PathBuf> {
        let derivations = self.derivations.values();
        derivations
            .flat_map(Derivation::sources)
            .map(|name| self.store.join(name))
            .collect()
    }

    /// The names of the derivations that take this source directly.
    pub(crate) fn users(&self, source: &Path) -> Vec<&str> {
        let derivations = self.derivations.values();
        derivations
            .filter(|derivation| {
                derivation
                    .sources()
                    .any(|name| self.store.join(name) == source)
            })
            .map(|derivation| &*derivation.name)
            .collect()
    }
}

impl Derivation {
    /// The names of its direct inputs' files in the store.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &str> {
        let inputs = self.inputs.drvs.keys().chain(self.input_drvs.keys());
        inputs.map(|path| file_name(path))
    }

    fn sources(&self) -> impl Iterator<Item = &str> {
        let sources = self.inputs.srcs.iter().chain(&self.input_srcs);
        sources.map(|path| file_name(path))
    }

    /// The environment that its builder runs in.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let structured = self.structured_attrs.iter().flatten().map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), text)
        });
        self.env.clone().into_iter().chain(structured).collect()
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_forms_say_the_same() {
        let new = r#"{"version":4,"derivations":{"h-a.drv":{"name":"a","env":{"X":"1"},"inputs":{"drvs":{"h-b.drv":{}},"srcs":["h-source"]}}}}"#;
        let old = r#"{"/s/h-a.drv":{"name":"a","env":{"X":"1"},"inputDrvs":{"/s/h-b.drv":{}},"inputSrcs":["/s/h-source"]}}"#;
        for text in [new, old] {
            let closure = Closure::parse(text, Path::new("/s")).unwrap();
            assert_eq!(closure.sources(), ["/s/h-source".into()].into());
            let derivation = &closure.derivations["h-a.drv"];
            assert_eq!(derivation.inputs().collect::<Vec<_>>(), ["h-b.drv"]);
            assert_eq!(derivation.environment()["X"], "1");
        }
    }
}
