//! The audit's cryptography, without a line of C.

use std::convert::Infallible;

use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use gantry_core::{
    Crypto,
    signature::{PUBLIC_KEY_LEN, SIGNATURE_LEN},
};
use sha2::{Digest as _, Sha256};

/// Ed25519 and SHA-256 in Rust.
pub(crate) struct PureRust;

impl Crypto for PureRust {
    type Error = Infallible;

    fn sha256(&self, message: &[u8]) -> [u8; 32] {
        Sha256::digest(message).into()
    }

    fn verify_ed25519(
        &self,
        key: &[u8; PUBLIC_KEY_LEN],
        message: &[u8],
        signature: &[u8; SIGNATURE_LEN],
    ) -> Result<bool, Infallible> {
        let signature = Signature::from_bytes(signature);
        Ok(VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify(message, &signature).is_ok()))
    }
}
