//! Store paths, such as `/nix/store/w9yy7v61ipb5rx6i35zq1mvc2iqfmps1-hello-2.10`.

use std::{fmt, str::FromStr};

use crate::base32;

/// The folder of all store paths. Binary caches for other folders exist, but share nothing with it.
pub const STORE_DIR: &str = "/nix/store";

/// The digits before the name, nix-base32 of [`DIGEST_LEN`] bytes.
const DIGITS: usize = 32;

/// The length in bytes of the digest in a store path.
pub const DIGEST_LEN: usize = 20;

/// The longest name that Nix allows, in bytes.
pub const MAX_NAME_LEN: usize = 211;

/// A path directly below [`STORE_DIR`]: a digest and a name.
///
/// Ordered and displayed by the absolute path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StorePath {
    base_name: String,
}

/// The text is not a store path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The path is not directly below the store.
    #[error("not a path in {STORE_DIR}")]
    Directory,
    /// No dash stands after the digest.
    #[error("expected {DIGITS} nix-base32 digits, a dash and a name")]
    Shape,
    /// What stands where the digest should be is not nix-base32.
    #[error("the digest is not nix-base32: {0}")]
    Digest(#[from] base32::DecodeError),
    /// The name is empty.
    #[error("the name is empty")]
    NoName,
    /// The name is longer than [`MAX_NAME_LEN`].
    #[error("the name has {0} characters, more than {MAX_NAME_LEN}")]
    LongName(usize),
    /// The name has a character that Nix forbids.
    #[error("{0:?} is not allowed in a name: expected letters, digits and any of `+-._?=`")]
    Character(char),
    /// The name reads as a relative path.
    #[error("the name's first part, up to a dash, is `.` or `..`")]
    Dots,
}

impl StorePath {
    /// Makes a path of its digest and its name.
    ///
    /// # Errors
    ///
    /// When Nix would not allow the name.
    pub fn new(digest: [u8; DIGEST_LEN], name: &str) -> Result<Self, ParseError> {
        check_name(name)?;
        Ok(Self {
            base_name: format!("{}-{name}", base32::encode(&digest)),
        })
    }

    /// Parses the part after [`STORE_DIR`], which is how narinfo files have references.
    ///
    /// # Errors
    ///
    /// When this is not a digest, a dash and a name.
    pub fn from_base_name(base_name: &str) -> Result<Self, ParseError> {
        let (digest, name) = base_name
            .split_at_checked(DIGITS)
            .and_then(|(digest, rest)| Some((digest, rest.strip_prefix('-')?)))
            .ok_or(ParseError::Shape)?;
        base32::decode(digest)?;
        check_name(name)?;
        Ok(Self {
            base_name: base_name.into(),
        })
    }

    /// The path without its folder.
    #[must_use]
    pub fn base_name(&self) -> &str {
        &self.base_name
    }

    /// The digest in nix-base32, by which a cache finds the path's narinfo.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.base_name[..DIGITS]
    }

    /// The name after the digest.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.base_name[DIGITS + 1..]
    }
}

fn check_name(name: &str) -> Result<(), ParseError> {
    if name.is_empty() {
        return Err(ParseError::NoName);
    }
    if name.len() > MAX_NAME_LEN {
        return Err(ParseError::LongName(name.len()));
    }
    let allowed =
        |character: char| character.is_ascii_alphanumeric() || "+-._?=".contains(character);
    if let Some(character) = name.chars().find(|character| !allowed(*character)) {
        return Err(ParseError::Character(character));
    }
    if let Some("." | "..") = name.split('-').next() {
        return Err(ParseError::Dots);
    }
    Ok(())
}

impl fmt::Display for StorePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{STORE_DIR}/{}", self.base_name)
    }
}

impl FromStr for StorePath {
    type Err = ParseError;

    /// Parses an absolute path.
    fn from_str(path: &str) -> Result<Self, ParseError> {
        let base_name = path
            .strip_prefix(STORE_DIR)
            .and_then(|rest| rest.strip_prefix('/'))
            .ok_or(ParseError::Directory)?;
        Self::from_base_name(base_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "/nix/store/w9yy7v61ipb5rx6i35zq1mvc2iqfmps1-hello-2.10";

    #[test]
    fn a_path_is_a_digest_and_a_name() {
        let path: StorePath = HELLO.parse().unwrap();
        assert_eq!(path.digest(), "w9yy7v61ipb5rx6i35zq1mvc2iqfmps1");
        assert_eq!(path.name(), "hello-2.10");
        assert_eq!(path.to_string(), HELLO);
        assert_eq!(StorePath::from_base_name(path.base_name()), Ok(path));
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let error = |path: &str| path.parse::<StorePath>().unwrap_err();
        let named = |name: &str| error(&format!("/nix/store/{}-{name}", "0".repeat(DIGITS)));
        assert_eq!(error("/etc/passwd"), ParseError::Directory);
        assert_eq!(error("/nix/storehello"), ParseError::Directory);
        assert_eq!(error("/nix/store/hello"), ParseError::Shape);
        assert_eq!(error(&HELLO.replace("-hello", "hello")), ParseError::Shape);
        assert_eq!(
            error(&HELLO.replace("/w9", "/e9")),
            ParseError::Digest(base32::DecodeError::Digit { position: 1 })
        );
        assert_eq!(named(""), ParseError::NoName);
        assert_eq!(named("a/b"), ParseError::Character('/'));
        assert_eq!(named("é"), ParseError::Character('é'));
        assert_eq!(named(&"x".repeat(212)), ParseError::LongName(212));
        for name in [".", "..", ".-a", "..-a"] {
            assert_eq!(named(name), ParseError::Dots, "{name}");
        }
    }

    #[test]
    fn dots_are_fine_elsewhere() {
        for name in [".a", "...", "a.-b", "-.", "a"] {
            assert_eq!(
                StorePath::new([0; DIGEST_LEN], name).map(|path| path.name().to_owned()),
                Ok(name.to_owned())
            );
        }
    }
}
