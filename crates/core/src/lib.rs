//! Lists of SHA-256 checksums, such as `SHA256SUMS`, as coreutils' `sha256sum` writes and reads them.
//!
//! A line is `DIGEST  NAME`, or `DIGEST *NAME` for a file read in binary mode; `sha256sum --tag` writes
//! `SHA256 (NAME) = DIGEST`. A line that begins with a backslash has backslashes and line breaks of its
//! name escaped. Lines that are empty or begin with `#` say nothing.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use displaydoc::Display;

/// How a file compares with its entry, in the words of `sha256sum --check`.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq)]
pub enum Verdict {
    /// OK
    Matches,
    /// FAILED
    Differs,
    /// FAILED open or read
    Missing,
}

/// What a list says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The SHA-256 checksum that the file ought to have.
    pub digest: [u8; 32],
    /// The file's name, in any encoding.
    pub name: Vec<u8>,
}

impl Entry {
    /// Compares the file's digest, or none if the file cannot be read.
    pub fn compare(&self, actual: Option<[u8; 32]>) -> Verdict {
        match actual {
            Some(digest) if digest == self.digest => Verdict::Matches,
            Some(_) => Verdict::Differs,
            None => Verdict::Missing,
        }
    }

    /// The entry as a line of a list.
    pub fn line(&self) -> Vec<u8> {
        let digest = HEXLOWER.encode(&self.digest);
        line(&format!("{digest}  "), &self.name, "\n")
    }

    /// The verdict as a line of `sha256sum --check`.
    pub fn report(&self, verdict: Verdict) -> Vec<u8> {
        line("", &self.name, &format!(": {verdict}\n"))
    }
}

/// Reads a list: its entries, and of each line that is none the number, from 1. `sha256sum --check` warns
/// of those and goes on.
pub fn parse(text: &[u8]) -> impl Iterator<Item = Result<Entry, usize>> {
    (1..)
        .zip(text.split(|&byte| byte == b'\n'))
        .map(|(number, line)| (number, line.strip_suffix(b"\r").unwrap_or(line)))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#"))
        .map(|(number, line)| parse_line(line).ok_or(number))
}

fn parse_line(line: &[u8]) -> Option<Entry> {
    let line = line.trim_ascii_start();
    let escaped = line.starts_with(b"\\");
    let line = &line[usize::from(escaped)..];
    let (digest, name) = if let Some(line) = line.strip_prefix(b"SHA256") {
        let line = line.strip_prefix(b" ").unwrap_or(line).strip_prefix(b"(")?;
        let end = line.iter().rposition(|&byte| byte == b')')?;
        let digest = line[end + 1..].trim_ascii_start().strip_prefix(b"=")?;
        (digest.trim_ascii_start(), &line[..end])
    } else {
        let (digest, line) = line.split_at_checked(64)?;
        let [b' ' | b'\t', b' ' | b'*', name @ ..] = line else {
            return None;
        };
        (digest, name)
    };
    let digest = HEXLOWER_PERMISSIVE.decode(digest).ok()?.try_into().ok()?;
    let name = read_name(name, escaped).filter(|name| !name.is_empty())?;
    Some(Entry { digest, name })
}

fn read_name(name: &[u8], escaped: bool) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(&byte) = bytes.next() {
        plain.push(match byte {
            b'\\' if escaped => match bytes.next()? {
                b'\\' => b'\\',
                b'n' => b'\n',
                b'r' => b'\r',
                _ => return None,
            },
            _ => byte,
        });
    }
    Some(plain)
}

/// A line with a name in it, escaped if it has to be.
fn line(before: &str, name: &[u8], after: &str) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(name.len());
    for byte in name {
        match byte {
            b'\\' => escaped.extend(b"\\\\"),
            b'\n' => escaped.extend(b"\\n"),
            b'\r' => escaped.extend(b"\\r"),
            _ => escaped.push(*byte),
        }
    }
    let start = if escaped == name { "" } else { "\\" };
    let start = format!("{start}{before}").into_bytes();
    [start, escaped, after.into()].concat()
}
