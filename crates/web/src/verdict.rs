//! The verdict as a union of strings, `"valid" | "invalid" | "unknown key"` in TypeScript.
#![expect(
    missing_docs,
    reason = "wasm_bindgen generates a variant and a function without any"
)]

use wasm_bindgen::prelude::*;

/// Whether a claim holds.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The claim holds.
    Valid = "valid",
    /// The claim does not hold.
    Invalid = "invalid",
    /// A signature by a key that is not trusted, which says nothing.
    UnknownKey = "unknown key",
}

impl From<gantry_core::Verdict> for Verdict {
    fn from(verdict: gantry_core::Verdict) -> Self {
        match verdict {
            gantry_core::Verdict::Valid => Self::Valid,
            gantry_core::Verdict::Invalid => Self::Invalid,
            gantry_core::Verdict::UnknownKey => Self::UnknownKey,
        }
    }
}
