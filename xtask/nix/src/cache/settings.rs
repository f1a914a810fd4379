//! `[workspace.metadata.cache]` of the root manifest: the one place that names the binary cache.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use xtask::workspace::{CACHE_SCHEMES, Workspace};

/// The binary cache of the workspace.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(try_from = "Table")]
pub(crate) struct Settings {
    pub(crate) address: Address,
    /// The key that its paths are signed with, `NAME:BASE64`.
    pub(crate) public_key: String,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Address {
    /// The name of a cache at cachix.org.
    Cachix(String),
    /// The URL of a cache that Nix itself writes to.
    Url(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    name: Option<String>,
    url: Option<String>,
    public_key: String,
}

impl Settings {
    /// What the root manifest says.
    ///
    /// # Errors
    /// The table is incomplete, or has entries that mean nothing.
    pub(crate) fn of(workspace: &Workspace) -> Result<Option<Self>> {
        let table = workspace.cache.as_ref().map(Self::deserialize);
        table.transpose().with_context(|| {
            let manifest = workspace.root.join("Cargo.toml");
            format!("{}: workspace.metadata.cache", manifest.display())
        })
    }

    /// Where Nix reads it.
    pub(crate) fn url(&self) -> String {
        match &self.address {
            Address::Cachix(name) => format!("https://{name}.cachix.org"),
            Address::Url(url) => url.clone(),
        }
    }
}

impl TryFrom<Table> for Settings {
    type Error = anyhow::Error;

    fn try_from(table: Table) -> Result<Self> {
        let address = match (table.name, table.url) {
            (Some(name), None) => Address::Cachix(name),
            (None, Some(url)) if CACHE_SCHEMES.iter().any(|scheme| url.starts_with(scheme)) => {
                Address::Url(url)
            }
            (None, Some(url)) => bail!(
                "`url = \"{url}\"` starts with none of {}",
                CACHE_SCHEMES.join(", ")
            ),
            _ => bail!("give either `name`, of a cache at cachix.org, or `url`"),
        };
        if !table.public_key.contains(':') {
            bail!("`public-key` is not of the form NAME:BASE64");
        }
        Ok(Self {
            address,
            public_key: table.public_key,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(table: &serde_json::Value) -> Result<Settings, String> {
        Settings::deserialize(table).map_err(|error| error.to_string())
    }

    #[test]
    fn a_cache_has_either_a_name_or_a_url() {
        assert_eq!(
            read(&json!({ "name": "acme", "public-key": "acme.cachix.org-1:AA==" })),
            Ok(Settings {
                address: Address::Cachix("acme".into()),
                public_key: "acme.cachix.org-1:AA==".into(),
            })
        );
        for (table, part) in [
            (json!({ "public-key": "k:AA==" }), "either"),
            (
                json!({ "name": "a", "url": "s3://a", "public-key": "k:AA==" }),
                "either",
            ),
            (
                json!({ "url": "cache", "public-key": "k:AA==" }),
                "file:///",
            ),
            (json!({ "name": "a" }), "public-key"),
            (json!({ "name": "a", "public-key": "AA==" }), "NAME:BASE64"),
            (json!({ "title": "a", "public-key": "k:AA==" }), "title"),
        ] {
            let error = read(&table).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
