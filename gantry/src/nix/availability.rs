//! Where outputs are before anything is built: in the store, in a binary cache, or nowhere.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::program::Program;
use super::store::{ask_all, path_infos, unanswered};

/// What stores were asked for, and what they answered.
pub(crate) struct Lookup {
    found: BTreeMap<String, Availability>,
    /// What to say of the caches that gave no answer.
    pub(crate) warnings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "place", rename_all = "lowercase")]
pub(crate) enum Availability {
    Store,
    /// A binary cache has it, signed by a trusted key.
    Cache {
        url: String,
        /// The size of its archive.
        bytes: u64,
    },
    Nowhere {
        /// The cache that has it, signed by no trusted key.
        #[serde(skip_serializing_if = "Option::is_none")]
        untrusted: Option<String>,
    },
}

const NOWHERE: Availability = Availability::Nowhere { untrusted: None };

impl Lookup {
    /// Looks for `paths` in the store alone.
    ///
    /// # Errors
    /// Nix cannot be asked.
    pub(crate) fn in_store(program: &Program, paths: &[String]) -> Result<Self> {
        let stored = path_infos(program, None, paths)?.into_keys();
        Ok(Self {
            found: stored.map(|path| (path, Availability::Store)).collect(),
            warnings: Vec::new(),
        })
    }

    /// Looks for `paths` in the store, and for those that it lacks in all caches at once.
    ///
    /// # Errors
    /// Nix cannot be asked; a cache that cannot be asked is no error.
    pub(crate) fn of(program: &Program, paths: &[String]) -> Result<Self> {
        let Self {
            mut found,
            mut warnings,
        } = Self::in_store(program, paths)?;
        let missing: Vec<String> = paths
            .iter()
            .filter(|path| !found.contains_key(*path))
            .cloned()
            .collect();
        if missing.is_empty() {
            return Ok(Self { found, warnings });
        }
        let settings = program.settings()?;
        let urls = if settings.substitute.value {
            settings.substituters.value
        } else {
            Vec::new()
        };
        for (url, answer) in ask_all(program, urls, &missing) {
            let needs_signature = settings.require_sigs.value && !trusts_all(&url);
            let answer = answer.unwrap_or_else(|error| {
                warnings.push(unanswered(&url, &error));
                BTreeMap::new()
            });
            for (path, cached) in answer {
                let availability = found.entry(path).or_insert(NOWHERE);
                if let Availability::Nowhere { untrusted } = availability {
                    if cached.is_trusted || !needs_signature {
                        *availability = Availability::Cache {
                            url: url.clone(),
                            bytes: cached.bytes,
                        };
                    } else {
                        untrusted.get_or_insert_with(|| url.clone());
                    }
                }
            }
        }
        Ok(Self { found, warnings })
    }

    pub(crate) fn availability(&self, path: &str) -> Availability {
        self.found.get(path).cloned().unwrap_or(NOWHERE)
    }
}

/// Whether Nix is told to take everything from this store, signed or not.
fn trusts_all(url: &str) -> bool {
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters);
    parameters
        .split('&')
        .any(|parameter| ["trusted=true", "trusted=1"].contains(&parameter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_store_that_says_so_is_trusted_without_signatures() {
        assert!(trusts_all("file:///x?trusted=true"));
        assert!(trusts_all("s3://x?region=eu&trusted=1"));
        assert!(!trusts_all("file:///trusted=true"));
        assert!(!trusts_all("https://x?untrusted=true"));
    }
}
