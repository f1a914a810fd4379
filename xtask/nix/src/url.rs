//! Paths in URLs.

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

/// The path that a part of a URL is.
pub(crate) fn decode(text: &str) -> PathBuf {
    PathBuf::from(percent_decode_str(text).decode_utf8_lossy().into_owned())
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
}
