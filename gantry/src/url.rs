//! Paths in URLs, and the URLs of stores.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// All that may mean something in a URL, but for what is between the parts of a path.
const ENCODED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A path as the part of a URL.
pub(crate) fn encode(path: &Path) -> String {
    percent_encode(path.as_os_str().as_encoded_bytes(), &ENCODED).to_string()
}

/// The flake in a folder, as it is there, with a date that does not depend on when it was written.
pub(crate) fn of_flake(folder: &Path) -> String {
    format!("path:{}?lastModified=1", encode(folder))
}

/// The path that a part of a URL is.
pub(crate) fn decode(text: &str) -> PathBuf {
    PathBuf::from(decode_text(text))
}

fn decode_text(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Whether two URLs are of the same store. Nix writes them otherwise than people do, and most of their
/// parameters say how it is used.
pub(crate) fn is_same_store(one: &str, other: &str) -> bool {
    identity(one) == identity(other)
}

/// Where a store is, and the server that a bucket is on.
///
/// Format: <https://nix.dev/manual/nix/latest/store/types/>.
fn identity(url: &str) -> (String, Option<String>) {
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let endpoint = parameters
        .split('&')
        .find_map(|parameter| parameter.strip_prefix("endpoint="));
    (
        decode_text(place.trim_end_matches('/')),
        endpoint.map(decode_text),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_url_whatever_is_in_it() {
        let path = Path::new("/a-b/c d/\u{fc}?");
        assert_eq!(encode(path), "/a-b/c%20d/%C3%BC%3F");
        assert_eq!(decode(&encode(path)), path);
        assert_eq!(decode("/100%/%zz%2"), Path::new("/100%/%zz%2"));
    }

    #[test]
    fn a_store_is_the_same_however_it_is_used() {
        for (one, other) in [
            (
                "https://acme.cachix.org",
                "https://acme.cachix.org/?priority=30",
            ),
            ("file:///a b?compression=none", "file:///a%20b"),
            (
                "s3://acme?region=x&endpoint=localhost:5000",
                "s3://acme?endpoint=localhost%3A5000&scheme=http",
            ),
        ] {
            assert!(is_same_store(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("https://acme.cachix.org", "https://acme.cachix.org/more"),
            ("s3://acme?endpoint=one", "s3://acme?endpoint=two"),
            ("s3://acme?endpoint=one", "s3://acme"),
        ] {
            assert!(!is_same_store(one, other), "{one} {other}");
        }
    }
}
