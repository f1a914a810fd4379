//! narinfo files: what a binary cache says about one store path.
//!
//! One `Field: value` a line, in any order. Fields that this module does not know are left out, as
//! Nix does. Specified by Nix's `src/libstore/nar-info.cc`.

use std::{
    collections::BTreeSet,
    fmt,
    num::{NonZeroU64, ParseIntError},
    str::FromStr,
};

use crate::{
    content_address::{self, ContentAddress},
    hash::{self, Algorithm, Hash},
    signature::{self, Signature},
    store_path::{self, StorePath},
};

/// The compression of an archive whose narinfo names none.
const DEFAULT_COMPRESSION: &str = "bzip2";

/// What old versions of Nix wrote where no deriver is known.
const UNKNOWN_DERIVER: &str = "unknown-deriver";

/// A parsed narinfo file. It is displayed as Nix writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NarInfo {
    /// The path that all this is about.
    pub store_path: StorePath,
    /// Where the archive is, relative to the cache.
    pub url: String,
    /// The archive's compression, such as `zstd`; `none` for none.
    pub compression: String,
    /// The hash of the compressed archive.
    pub file_hash: Option<Hash>,
    /// The length of the compressed archive in bytes.
    pub file_size: Option<u64>,
    /// The SHA-256 hash of the uncompressed archive.
    pub nar_hash: Hash,
    /// The length of the uncompressed archive in bytes.
    pub nar_size: u64,
    /// The paths that the contents mention, maybe the path itself among them.
    pub references: BTreeSet<StorePath>,
    /// The derivation that the path was built from.
    pub deriver: Option<StorePath>,
    /// Who vouches for the [fingerprint](Self::fingerprint).
    pub signatures: Vec<Signature>,
    /// How the path follows from its contents, if it does.
    pub content_address: Option<ContentAddress>,
}

/// The text is not a narinfo file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// A line without a colon.
    #[error("line {line}: expected `Field: value`")]
    NotAField {
        /// Counted from 1.
        line: usize,
    },
    /// A field's value is wrong.
    #[error("line {line}: {field}: {error}")]
    Value {
        /// Counted from 1.
        line: usize,
        /// The field's name.
        field: &'static str,
        /// What is wrong with the value.
        error: ValueError,
    },
    /// A field other than `Sig` stands twice.
    #[error("line {line}: {field} is already given above")]
    Repeated {
        /// The later line, counted from 1.
        line: usize,
        /// The field's name.
        field: &'static str,
    },
    /// A field that no narinfo is without.
    #[error("{0} is missing")]
    Missing(&'static str),
}

/// What is wrong with a field's value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not a store path.
    #[error(transparent)]
    StorePath(#[from] store_path::ParseError),
    /// One of several references is not a store path.
    #[error("reference {position}: {error}")]
    Reference {
        /// Counted from 1.
        position: usize,
        /// What is wrong with it.
        error: store_path::ParseError,
    },
    /// Not a hash.
    #[error(transparent)]
    Hash(#[from] hash::ParseError),
    /// The hash of the archive is always SHA-256.
    #[error("expected a sha256 hash, found {0}")]
    NarHashAlgorithm(Algorithm),
    /// Not a number of bytes.
    #[error("not a number of bytes: {0}")]
    Size(#[from] ParseIntError),
    /// Not a signature.
    #[error(transparent)]
    Signature(#[from] signature::ParseError),
    /// Not a content address.
    #[error(transparent)]
    ContentAddress(#[from] content_address::ParseError),
    /// No value at all.
    #[error("the value is empty")]
    Empty,
    /// A character that a terminal would obey, such as the `\r` of a file with Windows' line ends.
    #[error("the value has the control character {0:?}")]
    Control(char),
}

impl NarInfo {
    /// What signatures are made of: the path, what its contents hash to, their length, and what they
    /// refer to. It says nothing about the URL, the compression or the deriver.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let references: Vec<String> = self.references.iter().map(ToString::to_string).collect();
        format!(
            "1;{};{};{};{}",
            self.store_path,
            self.nar_hash,
            self.nar_size,
            references.join(",")
        )
    }
}

impl fmt::Display for NarInfo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "StorePath: {}", self.store_path)?;
        writeln!(formatter, "URL: {}", self.url)?;
        writeln!(formatter, "Compression: {}", self.compression)?;
        if let Some(hash) = &self.file_hash {
            writeln!(formatter, "FileHash: {hash}")?;
        }
        if let Some(size) = self.file_size {
            writeln!(formatter, "FileSize: {size}")?;
        }
        writeln!(formatter, "NarHash: {}", self.nar_hash)?;
        writeln!(formatter, "NarSize: {}", self.nar_size)?;
        let references: Vec<&str> = self.references.iter().map(StorePath::base_name).collect();
        writeln!(formatter, "References: {}", references.join(" "))?;
        if let Some(deriver) = &self.deriver {
            writeln!(formatter, "Deriver: {}", deriver.base_name())?;
        }
        for signature in &self.signatures {
            writeln!(formatter, "Sig: {signature}")?;
        }
        if let Some(address) = &self.content_address {
            writeln!(formatter, "CA: {address}")?;
        }
        Ok(())
    }
}

impl FromStr for NarInfo {
    type Err = ParseError;

    /// Parses a whole file; the last line need not end.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut fields = Fields::default();
        for (index, text) in text.trim_end_matches('\n').split('\n').enumerate() {
            let line = index + 1;
            let (name, value) = text.split_once(':').ok_or(ParseError::NotAField { line })?;
            let value = value.strip_prefix(' ').unwrap_or(value);
            fields.read(line, name, value)?;
        }
        fields.finish()
    }
}

/// The fields read so far.
#[derive(Default)]
struct Fields {
    store_path: Option<StorePath>,
    url: Option<String>,
    compression: Option<String>,
    file_hash: Option<Hash>,
    file_size: Option<u64>,
    nar_hash: Option<Hash>,
    nar_size: Option<u64>,
    references: Option<BTreeSet<StorePath>>,
    deriver: Option<StorePath>,
    signatures: Vec<Signature>,
    content_address: Option<ContentAddress>,
}

impl Fields {
    fn read(&mut self, line: usize, name: &str, value: &str) -> Result<(), ParseError> {
        /// Fills a field that may stand only once.
        fn once<T>(
            slot: &mut Option<T>,
            line: usize,
            field: &'static str,
            value: Result<T, impl Into<ValueError>>,
        ) -> Result<(), ParseError> {
            let value = value.map_err(|error| ParseError::Value {
                line,
                field,
                error: error.into(),
            })?;
            match slot.replace(value) {
                None => Ok(()),
                Some(_) => Err(ParseError::Repeated { line, field }),
            }
        }

        match name {
            "StorePath" => once(&mut self.store_path, line, "StorePath", value.parse()),
            "URL" => once(&mut self.url, line, "URL", printable(value)),
            "Compression" => {
                let value = if value.is_empty() {
                    DEFAULT_COMPRESSION
                } else {
                    value
                };
                once(&mut self.compression, line, "Compression", printable(value))
            }
            "FileHash" => once(&mut self.file_hash, line, "FileHash", value.parse()),
            "FileSize" => once(&mut self.file_size, line, "FileSize", value.parse()),
            "NarHash" => once(&mut self.nar_hash, line, "NarHash", nar_hash(value)),
            "NarSize" => {
                let size = value.parse().map(NonZeroU64::get);
                once(&mut self.nar_size, line, "NarSize", size)
            }
            "References" => once(&mut self.references, line, "References", references(value)),
            "Deriver" if value == UNKNOWN_DERIVER => Ok(()),
            "Deriver" => {
                let deriver = StorePath::from_base_name(value);
                once(&mut self.deriver, line, "Deriver", deriver)
            }
            "Sig" => {
                let mut signature = None;
                once(&mut signature, line, "Sig", value.parse())?;
                self.signatures.extend(signature);
                Ok(())
            }
            "CA" => once(&mut self.content_address, line, "CA", value.parse()),
            _ => Ok(()),
        }
    }

    fn finish(self) -> Result<NarInfo, ParseError> {
        Ok(NarInfo {
            store_path: self.store_path.ok_or(ParseError::Missing("StorePath"))?,
            url: self.url.ok_or(ParseError::Missing("URL"))?,
            compression: self
                .compression
                .unwrap_or_else(|| DEFAULT_COMPRESSION.into()),
            file_hash: self.file_hash,
            file_size: self.file_size,
            nar_hash: self.nar_hash.ok_or(ParseError::Missing("NarHash"))?,
            nar_size: self.nar_size.ok_or(ParseError::Missing("NarSize"))?,
            references: self.references.unwrap_or_default(),
            deriver: self.deriver,
            signatures: self.signatures,
            content_address: self.content_address,
        })
    }
}

fn printable(value: &str) -> Result<String, ValueError> {
    if value.is_empty() {
        return Err(ValueError::Empty);
    }
    if let Some(character) = value.chars().find(|character| character.is_control()) {
        return Err(ValueError::Control(character));
    }
    Ok(value.into())
}

fn nar_hash(value: &str) -> Result<Hash, ValueError> {
    let hash: Hash = value.parse()?;
    match hash.algorithm() {
        Algorithm::Sha256 => Ok(hash),
        algorithm => Err(ValueError::NarHashAlgorithm(algorithm)),
    }
}

fn references(value: &str) -> Result<BTreeSet<StorePath>, ValueError> {
    value
        .split(' ')
        .filter(|reference| !reference.is_empty())
        .enumerate()
        .map(|(index, reference)| {
            StorePath::from_base_name(reference).map_err(|error| ValueError::Reference {
                position: index + 1,
                error,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str = "\
StorePath: /nix/store/w9yy7v61ipb5rx6i35zq1mvc2iqfmps1-hello-2.10
URL: nar/15zk4zszw9lgkdkkwy7w11m5vag11n5dhv2i6hj308qpxczvdddx.nar.bz2
NarHash: sha256:1mi14cqk363wv368ffiiy01knardmnlyphi6h9xv6dkjz44hk30i
NarSize: 205968
";

    fn error(text: &str) -> String {
        text.parse::<NarInfo>().unwrap_err().to_string()
    }

    #[test]
    fn the_rest_is_optional() {
        let narinfo: NarInfo = SMALLEST.parse().unwrap();
        assert_eq!(narinfo.compression, "bzip2");
        assert_eq!(narinfo.file_hash, None);
        assert!(narinfo.references.is_empty());
        assert_eq!(SMALLEST.trim_end().parse(), Ok(narinfo.clone()));
        for more in [
            "Deriver: unknown-deriver\n",
            "Compression: \n",
            "Later: x\n",
        ] {
            assert_eq!(format!("{SMALLEST}{more}").parse(), Ok(narinfo.clone()));
        }
    }

    #[test]
    fn every_required_field_is_missed() {
        for field in ["StorePath", "URL", "NarHash", "NarSize"] {
            let without: String = SMALLEST
                .split_inclusive('\n')
                .filter(|line| !line.starts_with(field))
                .collect();
            assert_eq!(error(&without), format!("{field} is missing"));
        }
    }

    #[test]
    fn errors_say_where_and_what() {
        let with = |line: &str| error(&format!("{SMALLEST}{line}"));
        assert_eq!(error(""), "line 1: expected `Field: value`");
        assert_eq!(with("\nSig: x:AA=="), "line 5: expected `Field: value`");
        assert_eq!(with("NarSize: 1"), "line 5: NarSize is already given above");
        assert_eq!(
            error(&SMALLEST.replace("bz2", "bz2\r")),
            "line 2: URL: the value has the control character '\\r'"
        );
        assert_eq!(
            with("FileSize: -1"),
            "line 5: FileSize: not a number of bytes: invalid digit found in string"
        );
        assert_eq!(
            error(&SMALLEST.replace("205968", "0")),
            "line 4: NarSize: not a number of bytes: number would be zero for non-zero type"
        );
        assert_eq!(
            with("References: w9yy7v61ipb5rx6i35zq1mvc2iqfmps1-hello-2.10 glibc"),
            "line 5: References: reference 2: expected 32 nix-base32 digits, a dash and a name"
        );
        assert_eq!(
            with("Sig: cache.example.org"),
            "line 5: Sig: expected `NAME:BASE64`, found no colon"
        );
        assert_eq!(
            error(&SMALLEST.replace(
                "NarHash: sha256:1mi14cqk363wv368ffiiy01knardmnlyphi6h9xv6dkjz44hk30i",
                "NarHash: md5:00000000000000000000000000"
            )),
            "line 3: NarHash: expected a sha256 hash, found md5"
        );
    }
}
