//! nix-base32, the encoding of hashes in store paths and narinfo files.
//!
//! It differs from RFC 4648 in its alphabet (no `e`, `o`, `t`, `u`) and its order: the *last* digit
//! stands for the lowest five bits of the first byte. Specified in the Nix manual, "Store path
//! specification" and "Nix32 encoding".

use std::sync::LazyLock;

use data_encoding::{BitOrder, Encoding, Specification};

const ALPHABET: &str = "0123456789abcdfghijklmnpqrsvwxyz";

/// nix-base32 with its digits in reverse.
static REVERSED: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str(ALPHABET);
    specification.bit_order = BitOrder::LeastSignificantFirst;
    specification
        .encoding()
        .expect("32 distinct ASCII symbols are an alphabet")
});

/// The text is not nix-base32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A character outside the alphabet.
    #[error("character {position} is none of nix-base32's `{ALPHABET}`")]
    Digit {
        /// Counted from 1, in bytes.
        position: usize,
    },
    /// No whole number of bytes has this many digits.
    #[error("{0} digits are no whole number of bytes")]
    Length(usize),
    /// The first digit has bits beyond the last byte.
    #[error("the first digit is too large")]
    Overflow,
}

/// The number of digits that `length` bytes take.
#[must_use]
pub fn encoded_len(length: usize) -> usize {
    REVERSED.encode_len(length)
}

/// Encodes bytes of any length.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    REVERSED.encode(bytes).chars().rev().collect()
}

/// Decodes what [`encode`] returns, and nothing else.
///
/// # Errors
///
/// Says which character is wrong, or why the length is.
pub fn decode(text: &str) -> Result<Vec<u8>, DecodeError> {
    let digits: Vec<u8> = text.bytes().rev().collect();
    REVERSED.decode(&digits).map_err(|error| match error.kind {
        data_encoding::DecodeKind::Symbol => DecodeError::Digit {
            position: text.len() - error.position,
        },
        data_encoding::DecodeKind::Trailing => DecodeError::Overflow,
        data_encoding::DecodeKind::Length | data_encoding::DecodeKind::Padding => {
            DecodeError::Length(text.len())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digit_is_the_lowest() {
        assert_eq!(encode(&[0x1f]), "0z");
        assert_eq!(encode(&[0]), "00");
        assert_eq!(decode("0z"), Ok(vec![0x1f]));
    }

    /// The SHA-256 of the empty string, as `nix hash convert` prints it.
    #[test]
    fn agrees_with_nix() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
        let text = "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73";
        assert_eq!(encode(&bytes), text);
        assert_eq!(decode(text), Ok(bytes));
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(decode("0e"), Err(DecodeError::Digit { position: 2 }));
        assert_eq!(decode("e0"), Err(DecodeError::Digit { position: 1 }));
        assert_eq!(decode("0"), Err(DecodeError::Length(1)));
        assert_eq!(decode("zz"), Err(DecodeError::Overflow));
    }
}
