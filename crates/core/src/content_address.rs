//! Content addresses: store paths that follow from their contents, and so vouch for themselves.
//!
//! Written `text:HASH`, `fixed:HASH`, `fixed:r:HASH` or `fixed:git:HASH`. How a store path follows
//! from one is specified in the Nix manual, "Store path specification".

use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::{
    audit::Crypto,
    hash::{self, Algorithm, Hash},
    store_path::{self, STORE_DIR, StorePath},
};

/// What the hash is the hash of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A single file that may refer to other paths, such as a derivation.
    Text,
    /// A single file.
    Flat,
    /// The contents as a Nix archive.
    NixArchive,
    /// The contents as a Git tree.
    Git,
}

impl Method {
    const ALL: [Self; 4] = [Self::Text, Self::NixArchive, Self::Git, Self::Flat];

    /// What stands before the hash. [`Method::Flat`]'s begins other methods' too.
    fn prefix(self) -> &'static str {
        match self {
            Self::Text => "text:",
            Self::Flat => "fixed:",
            Self::NixArchive => "fixed:r:",
            Self::Git => "fixed:git:",
        }
    }
}

/// How and to what a store path's contents hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentAddress {
    /// What the hash is the hash of.
    pub method: Method,
    /// The hash of the contents.
    pub hash: Hash,
}

/// The text is not a content address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// None of Nix's methods stands before the hash.
    #[error("expected `text:`, `fixed:`, `fixed:r:` or `fixed:git:` and a hash")]
    Method,
    /// The hash after the method is not one.
    #[error(transparent)]
    Hash(#[from] hash::ParseError),
}

/// No store path has this content address, name and references.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoStorePath {
    /// A text's hash is always SHA-256.
    #[error("a text has a sha256 hash")]
    TextAlgorithm,
    /// A text cannot refer to itself: its path follows from its contents.
    #[error("a text cannot refer to itself")]
    TextSelfReference,
    /// Only texts and Nix archives hashed with SHA-256 may refer to other paths.
    #[error("this method allows no references")]
    References,
    /// Nix does not allow the name.
    #[error(transparent)]
    Name(#[from] store_path::ParseError),
}

impl ContentAddress {
    /// The store path of contents with this address.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn store_path(
        &self,
        name: &str,
        references: &References<'_>,
        crypto: &impl Crypto,
    ) -> Result<StorePath, NoStorePath> {
        let path = |kind: &str, hash: &Hash| -> Result<StorePath, NoStorePath> {
            let preimage = format!("{kind}:{}:{STORE_DIR}:{name}", hash.to_hex());
            let digest = fold(&crypto.sha256(preimage.as_bytes()));
            Ok(StorePath::new(digest, name)?)
        };
        match (self.method, self.hash.algorithm()) {
            (Method::Text, Algorithm::Sha256) if references.to_itself => {
                Err(NoStorePath::TextSelfReference)
            }
            (Method::Text, Algorithm::Sha256) => path(&references.after("text"), &self.hash),
            (Method::Text, _) => Err(NoStorePath::TextAlgorithm),
            (Method::NixArchive, Algorithm::Sha256) => {
                path(&references.after("source"), &self.hash)
            }
            _ if references.to_itself || !references.to_others.is_empty() => {
                Err(NoStorePath::References)
            }
            (method, _) => {
                let preimage = format!("{}{}:", method.prefix(), self.hash.to_hex());
                let preimage = format!("fixed:out:{}", preimage.trim_start_matches("fixed:"));
                let hash = Hash::sha256(crypto.sha256(preimage.as_bytes()));
                path("output:out", &hash)
            }
        }
    }
}

/// What contents refer to, as their content address counts it.
///
/// A path cannot be known before the hash it follows from, so a reference to itself is not one by name.
pub struct References<'a> {
    to_others: Vec<&'a StorePath>,
    to_itself: bool,
}

impl<'a> References<'a> {
    /// The references of `path`'s contents.
    #[must_use]
    pub fn of(path: &StorePath, references: &'a BTreeSet<StorePath>) -> Self {
        Self {
            to_others: references
                .iter()
                .filter(|reference| *reference != path)
                .collect(),
            to_itself: references.contains(path),
        }
    }

    /// The kind of a store path and its references, joined by colons.
    fn after(&self, kind: &str) -> String {
        let mut text = kind.to_owned();
        for reference in &self.to_others {
            text.push(':');
            text.push_str(&reference.to_string());
        }
        if self.to_itself {
            text.push_str(":self");
        }
        text
    }
}

/// Shortens a digest by XOR-ing what is beyond the end onto the beginning.
fn fold(digest: &[u8; 32]) -> [u8; store_path::DIGEST_LEN] {
    let mut folded = [0; store_path::DIGEST_LEN];
    for (index, byte) in digest.iter().enumerate() {
        folded[index % store_path::DIGEST_LEN] ^= byte;
    }
    folded
}

impl fmt::Display for ContentAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.method.prefix(), self.hash)
    }
}

impl FromStr for ContentAddress {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (method, hash) = Method::ALL
            .into_iter()
            .find_map(|method| Some((method, text.strip_prefix(method.prefix())?)))
            .ok_or(ParseError::Method)?;
        Ok(Self {
            method,
            hash: hash.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_prints_as_it_was_read() {
        let hash = Hash::sha256([7; 32]);
        for method in Method::ALL {
            let address = ContentAddress {
                method,
                hash: hash.clone(),
            };
            assert_eq!(address.to_string().parse(), Ok(address));
        }
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let error = |text: &str| text.parse::<ContentAddress>().unwrap_err();
        assert_eq!(error("sha256:00"), ParseError::Method);
        assert_eq!(
            error("fixed:r:sha256"),
            ParseError::Hash(hash::ParseError::NoAlgorithm)
        );
    }

    #[test]
    fn folding_keeps_every_byte() {
        let digest: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
        let folded = fold(&digest);
        assert_eq!(folded[0], 20);
        assert_eq!(folded[11], 0x0b ^ 0x1f);
        assert_eq!(folded[12..], digest[12..20]);
    }
}
