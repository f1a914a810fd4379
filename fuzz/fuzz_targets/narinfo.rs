//! No text panics the narinfo parser, and what it accepts prints as something it reads the same.
//!
//! ```sh
//! mkdir -p fuzz/corpus/narinfo
//! cargo +nightly fuzz run narinfo fuzz/corpus/narinfo crates/core/tests/narinfos
//! ```
#![no_main]

use gantry_core::NarInfo;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(narinfo) = text.parse::<NarInfo>() {
        assert_eq!(narinfo.to_string().parse(), Ok(narinfo));
    }
});
