//! What holds of all lists; the cases are what holds of some.
#![cfg(not(target_family = "wasm"))]

use acme_core::Entry;
use proptest::{collection::vec, prelude::*};

proptest! {
    #[test]
    fn what_is_printed_is_read_again(
        digest: [u8; 32],
        name in vec(1..=u8::MAX, 1..99),
        other_line in "[^#\r\n][^\n]{0,64}",
    ) {
        let entry = Entry { digest, name };
        let list = [other_line.as_bytes(), b"\n", &entry.line()].concat();
        let lines: Vec<_> = acme_core::parse(&list).collect();
        prop_assert_eq!(lines, [Err(1), Ok(entry)]);
    }
}
