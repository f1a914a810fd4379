//! Hashes as Nix writes them: `sha256:` with nix-base32, hex or base64, and SRI (`sha256-` with
//! base64).

use std::{fmt, str::FromStr};

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};

use crate::base32;

/// A hash function that Nix knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `md5`, only in old content addresses.
    Md5,
    /// `sha1`, only in old content addresses.
    Sha1,
    /// `sha256`, what Nix uses throughout.
    Sha256,
    /// `sha512`.
    Sha512,
    /// `blake3`.
    Blake3,
}

impl Algorithm {
    const ALL: [Self; 5] = [
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
        Self::Blake3,
    ];

    /// The name before the digest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Blake3 => "blake3",
        }
    }

    /// The length of a digest in bytes.
    #[must_use]
    pub fn digest_len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 | Self::Blake3 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = ParseError;

    fn from_str(name: &str) -> Result<Self, ParseError> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
            .ok_or(ParseError::Algorithm)
    }
}

/// A digest and the function that made it.
///
/// Displayed as narinfo files have it: `sha256:` and nix-base32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash {
    algorithm: Algorithm,
    digest: Vec<u8>,
}

/// The text is not a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Neither a colon nor a dash ends the algorithm's name.
    #[error("no algorithm: expected `sha256:` or `sha256-` before the digest")]
    NoAlgorithm,
    /// Nix has no such algorithm.
    #[error("the algorithm is none of md5, sha1, sha256, sha512, blake3")]
    Algorithm,
    /// The digest's length fits none of the encodings.
    #[error(
        "a {algorithm} digest has {} characters in hex, {} in nix-base32, {} in base64, not {found}",
        HEXLOWER.encode_len(.algorithm.digest_len()),
        base32::encoded_len(.algorithm.digest_len()),
        BASE64.encode_len(.algorithm.digest_len()),
    )]
    Length {
        /// The algorithm named before the digest.
        algorithm: Algorithm,
        /// The digest's length in bytes of text.
        found: usize,
    },
    /// By its length the digest is nix-base32, but it is not.
    #[error("the digest is not nix-base32: {0}")]
    Base32(#[from] base32::DecodeError),
    /// By its length the digest is hex, but it is not.
    #[error("the digest is not hex")]
    Hex,
    /// The digest has base64's length or stands after a dash, but is not base64 of a digest.
    #[error("the digest is not base64, or not of the right length")]
    Base64,
}

impl Hash {
    /// The SHA-256 hash with this digest.
    #[must_use]
    pub fn sha256(digest: [u8; 32]) -> Self {
        Self {
            algorithm: Algorithm::Sha256,
            digest: digest.into(),
        }
    }

    /// The function that made the digest.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest's bytes, as many as [`Algorithm::digest_len`].
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// `sha256:` and lower-case hex.
    #[must_use]
    pub fn to_hex(&self) -> String {
        format!("{}:{}", self.algorithm, HEXLOWER.encode(&self.digest))
    }

    /// `sha256-` and base64, as in [Subresource Integrity](https://www.w3.org/TR/sri/).
    #[must_use]
    pub fn to_sri(&self) -> String {
        format!("{}-{}", self.algorithm, BASE64.encode(&self.digest))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}",
            self.algorithm,
            base32::encode(&self.digest)
        )
    }
}

impl FromStr for Hash {
    type Err = ParseError;

    /// Reads every form that this type can print; after a colon the digest's length tells which.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let separator = text.find([':', '-']).ok_or(ParseError::NoAlgorithm)?;
        let algorithm: Algorithm = text[..separator].parse()?;
        let length = algorithm.digest_len();
        let digest = match text[separator..].split_at(1) {
            ("-", sri) => decode_base64(sri)?,
            (_, text) if text.len() == BASE64.encode_len(length) => decode_base64(text)?,
            (_, text) if text.len() == base32::encoded_len(length) => base32::decode(text)?,
            (_, text) if text.len() == HEXLOWER.encode_len(length) => HEXLOWER_PERMISSIVE
                .decode(text.as_bytes())
                .map_err(|_| ParseError::Hex)?,
            (_, text) => {
                return Err(ParseError::Length {
                    algorithm,
                    found: text.len(),
                });
            }
        };
        // Base64 of one length can stand for digests of several.
        if digest.len() != length {
            return Err(ParseError::Base64);
        }
        Ok(Self { algorithm, digest })
    }
}

fn decode_base64(text: &str) -> Result<Vec<u8>, ParseError> {
    BASE64
        .decode(text.as_bytes())
        .map_err(|_| ParseError::Base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_is_the_same_hash() {
        let hash = Hash::sha256(*b"an arbitrary digest of 32 bytes.");
        let texts = [hash.to_string(), hash.to_hex(), hash.to_sri()];
        for text in texts {
            assert_eq!(text.parse(), Ok(hash.clone()), "{text}");
        }
        let colon_base64 = hash.to_sri().replacen('-', ":", 1);
        assert_eq!(colon_base64.parse(), Ok(hash));
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let error = |text: &str| text.parse::<Hash>().unwrap_err();
        assert_eq!(error(""), ParseError::NoAlgorithm);
        assert_eq!(error("sha3:00"), ParseError::Algorithm);
        assert_eq!(
            error("sha256:00").to_string(),
            "a sha256 digest has 64 characters in hex, 52 in nix-base32, 44 in base64, not 2"
        );
        assert_eq!(
            error("sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c7e").to_string(),
            "the digest is not nix-base32: character 52 is none of nix-base32's \
             `0123456789abcdfghijklmnpqrsvwxyz`"
        );
        assert_eq!(
            error("md5:zz112233445566778899aabbccddeeff"),
            ParseError::Hex
        );
        assert_eq!(error("sha256-00"), ParseError::Base64);
        // 44 characters, but of 33 bytes.
        assert_eq!(
            error(&format!("sha256-{}", "A".repeat(44))),
            ParseError::Base64
        );
    }
}
