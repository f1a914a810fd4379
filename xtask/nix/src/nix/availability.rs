//! Where outputs are before anything is built: in the store, in a binary cache, or nowhere.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::program::Program;
use super::store::{ask_all, path_infos, unanswered};

pub(crate) struct Availability {
    places: BTreeMap<String, Place>,
    /// What to say of the caches that gave no answer.
    pub(crate) warnings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "place", rename_all = "lowercase")]
pub(crate) enum Place {
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

impl Availability {
    /// Looks for `paths` in the store alone.
    ///
    /// # Errors
    /// Nix cannot be asked.
    pub(crate) fn in_store(program: &Program, paths: &[String]) -> Result<Self> {
        let stored = path_infos(program, None, paths)?.into_keys();
        Ok(Self {
            places: stored.map(|path| (path, Place::Store)).collect(),
            warnings: Vec::new(),
        })
    }

    /// Looks for `paths` in the store, and for those that it lacks in all caches at once.
    ///
    /// # Errors
    /// Nix cannot be asked; a cache that cannot be asked is no error.
    pub(crate) fn of(program: &Program, paths: &[String]) -> Result<Self> {
        let Self {
            mut places,
            mut warnings,
        } = Self::in_store(program, paths)?;
        let missing: Vec<String> = paths
            .iter()
            .filter(|path| !places.contains_key(*path))
            .cloned()
            .collect();
        let settings = program.settings()?;
        let urls = if settings.substitute.value && !missing.is_empty() {
            settings.substituters.value
        } else {
            Vec::new()
        };
        for (url, answer) in ask_all(program, urls, &missing) {
            let needs_signature = settings.require_sigs.value && !trusts_all(&url);
            let found = answer.unwrap_or_else(|error| {
                warnings.push(unanswered(&url, &error));
                BTreeMap::new()
            });
            for (path, found) in found {
                let place = places
                    .entry(path)
                    .or_insert(Place::Nowhere { untrusted: None });
                if let Place::Nowhere { untrusted } = place {
                    if found.is_trusted || !needs_signature {
                        *place = Place::Cache {
                            url: url.clone(),
                            bytes: found.bytes,
                        };
                    } else {
                        untrusted.get_or_insert_with(|| url.clone());
                    }
                }
            }
        }
        Ok(Self { places, warnings })
    }

    pub(crate) fn place(&self, path: &str) -> Place {
        let place = self.places.get(path).cloned();
        place.unwrap_or(Place::Nowhere { untrusted: None })
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
