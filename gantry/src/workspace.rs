//! The workspace, as far as its flake does not describe it.

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::toml;

/// What the URL of a binary cache in `workspace.metadata.cache` can start with.
pub(crate) const CACHE_SCHEMES: [&str; 4] = ["file:///", "s3://", "https://", "http://"];

/// The folder of a flake, and what the Cargo.toml in it says.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    manifest: Value,
}

impl Workspace {
    /// The workspace around the current folder.
    ///
    /// # Errors
    /// There is no flake here, or its Cargo.toml cannot be read.
    pub(crate) fn find() -> Result<Self> {
        let here = env::current_dir().context("the current folder cannot be read")?;
        let root = here
            .ancestors()
            .find(|folder| folder.join("flake.nix").is_file())
            .with_context(|| {
                format!(
                    "there is no flake.nix in {} or a folder above it: run the command in a project that has one",
                    here.display()
                )
            })?;
        Ok(Self {
            manifest: toml::read(&root.join("Cargo.toml"))?,
            root: root.to_owned(),
        })
    }

    /// `workspace.metadata.cache`.
    pub(crate) fn cache(&self) -> Option<&Value> {
        self.manifest.pointer("/workspace/metadata/cache")
    }

    /// The last part of the repository's URL; without one, the folder's name.
    pub(crate) fn repository_name(&self) -> String {
        let url = ["/workspace/package/repository", "/package/repository"]
            .into_iter()
            .find_map(|key| Some(self.manifest.pointer(key)?.as_str()?.to_owned()))
            .unwrap_or_else(|| self.root.to_string_lossy().into_owned());
        let name = url.trim_end_matches('/').trim_end_matches(".git");
        name.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// Where files go that can be made again, such as those of a release.
    pub(crate) fn target_folder(&self) -> PathBuf {
        self.root
            .join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_repository_is_called_by_its_url_or_its_folder() {
        let name = |manifest: Value| {
            let root = Path::new("/projects/folder").to_owned();
            Workspace { root, manifest }.repository_name()
        };
        for url in [
            "https://github.com/ORG/acme",
            "https://example.org/ORG/acme.git/",
        ] {
            let package = json!({ "package": { "repository": url } });
            assert_eq!(name(json!({ "workspace": package })), "acme");
            assert_eq!(name(package), "acme");
        }
        assert_eq!(name(json!({})), "folder");
    }
}
