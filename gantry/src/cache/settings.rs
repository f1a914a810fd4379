//! `[workspace.metadata.cache]` of the root manifest: the one place that names the binary cache.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::workspace::{CACHE_SCHEMES, Workspace};

/// The binary cache of the workspace.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(try_from = "Table")]
pub(crate) struct Settings {
    /// Its name, where it is at cachix.org.
    pub(crate) cachix: Option<String>,
    /// Where Nix reads it.
    pub(crate) url: String,
    /// The key that its paths are signed with, `NAME:BASE64`.
    pub(crate) public_key: String,
    /// The caches that everybody reads who reads this one.
    pub(crate) upstream: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    name: Option<String>,
    url: Option<String>,
    public_key: String,
    #[serde(default = "upstream")]
    upstream_caches: Vec<String>,
}

/// The cache of nixpkgs, which Nix reads unless it is told not to.
pub(crate) fn upstream() -> Vec<String> {
    vec!["https://cache.nixos.org".to_owned()]
}

impl Settings {
    /// What the root manifest says.
    ///
    /// # Errors
    /// The table is incomplete, or has entries that mean nothing.
    pub(crate) fn of(workspace: &Workspace) -> Result<Option<Self>> {
        let table = workspace.cache().map(Self::deserialize);
        table.transpose().with_context(|| {
            let manifest = workspace.root.join("Cargo.toml");
            format!("{}: workspace.metadata.cache", manifest.display())
        })
    }
}

impl TryFrom<Table> for Settings {
    type Error = anyhow::Error;

    fn try_from(table: Table) -> Result<Self> {
        let is_known = |url: &str| CACHE_SCHEMES.iter().any(|scheme| url.starts_with(scheme));
        let url = match (&table.name, table.url) {
            (Some(name), None) => format!("https://{name}.cachix.org"),
            (None, Some(url)) if is_known(&url) => url,
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
            cachix: table.name,
            url,
            public_key: table.public_key,
            upstream: table.upstream_caches,
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
                cachix: Some("acme".into()),
                url: "https://acme.cachix.org".into(),
                public_key: "acme.cachix.org-1:AA==".into(),
                upstream: upstream(),
            })
        );
        let table = json!({ "name": "acme", "public-key": "k:AA==", "upstream-caches": [] });
        assert_eq!(read(&table).unwrap().upstream, [""; 0]);
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
