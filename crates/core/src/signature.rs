//! Ed25519 public keys and signatures as Nix writes them: a key's name, a colon, and base64.
//!
//! The name ties a signature to the key that made it; by convention it is the cache's host and a
//! number, such as `cache.nixos.org-1`.

use std::{fmt, str::FromStr};

use data_encoding::BASE64;

/// The length of an Ed25519 public key in bytes.
pub const PUBLIC_KEY_LEN: usize = 32;

/// The length of an Ed25519 signature in bytes.
pub const SIGNATURE_LEN: usize = 64;

/// A key that signatures are checked with.
pub type PublicKey = Named<PUBLIC_KEY_LEN>;

/// A signature of a narinfo's [fingerprint](crate::NarInfo::fingerprint).
pub type Signature = Named<SIGNATURE_LEN>;

/// `LENGTH` bytes and the name of the key they are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<const LENGTH: usize> {
    name: String,
    bytes: [u8; LENGTH],
}

/// The text is not a name and base64 of the right length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// No colon ends the name.
    #[error("expected `NAME:BASE64`, found no colon")]
    NoColon,
    /// The name is empty or has white space or control characters.
    #[error("the key's name is empty or has white space or control characters")]
    Name,
    /// What follows the colon is not base64.
    #[error("what follows the colon is not base64")]
    Base64,
    /// What follows the colon has another length.
    #[error("expected {expected} bytes after the colon, found {found}{}", secret_key_hint(*.expected, *.found))]
    Length {
        /// The length in bytes of a key or a signature.
        expected: usize,
        /// The length in bytes of what was there.
        found: usize,
    },
}

/// Nix's secret keys have the same form, and are too easily pasted where a public one belongs.
fn secret_key_hint(expected: usize, found: usize) -> &'static str {
    if (expected, found) == (PUBLIC_KEY_LEN, SIGNATURE_LEN) {
        " (a signature or a secret key)"
    } else {
        ""
    }
}

impl<const LENGTH: usize> Named<LENGTH> {
    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The bytes of the key or the signature.
    #[must_use]
    pub fn bytes(&self) -> &[u8; LENGTH] {
        &self.bytes
    }
}

impl<const LENGTH: usize> fmt::Display for Named<LENGTH> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.name, BASE64.encode(&self.bytes))
    }
}

impl<const LENGTH: usize> FromStr for Named<LENGTH> {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (name, encoded) = text.split_once(':').ok_or(ParseError::NoColon)?;
        let allowed = |character: char| !character.is_whitespace() && !character.is_control();
        if name.is_empty() || !name.chars().all(allowed) {
            return Err(ParseError::Name);
        }
        let decoded = BASE64
            .decode(encoded.as_bytes())
            .map_err(|_| ParseError::Base64)?;
        let bytes = <[u8; LENGTH]>::try_from(decoded).map_err(|decoded| ParseError::Length {
            expected: LENGTH,
            found: decoded.len(),
        })?;
        Ok(Self {
            name: name.into(),
            bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=";

    #[test]
    fn a_key_has_a_name_and_bytes() {
        let key: PublicKey = KEY.parse().unwrap();
        assert_eq!(key.name(), "cache.nixos.org-1");
        assert_eq!(key.bytes()[..3], [0xe8, 0xd0, 0x87]);
        assert_eq!(key.to_string(), KEY);
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let error = |text: &str| text.parse::<PublicKey>().unwrap_err();
        assert_eq!(error("cache"), ParseError::NoColon);
        assert_eq!(error(&format!(" {KEY}")), ParseError::Name);
        assert_eq!(error(":AAAA"), ParseError::Name);
        assert_eq!(error("cache:?"), ParseError::Base64);
        assert_eq!(error(&format!("{KEY}\n")), ParseError::Base64);
        assert_eq!(
            error(&format!("cache:{}", BASE64.encode(&[0; 64]))).to_string(),
            "expected 32 bytes after the colon, found 64 (a signature or a secret key)"
        );
    }
}
