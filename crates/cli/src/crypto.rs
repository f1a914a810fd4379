//! The audit's cryptography, by OpenSSL.

use std::sync::LazyLock;

use gantry_core::{
    Crypto,
    signature::{PUBLIC_KEY_LEN, SIGNATURE_LEN},
};
use openssl::{
    error::ErrorStack,
    pkey::{Id, PKey},
    sha,
    sign::Verifier,
    version,
};

/// OpenSSL's Ed25519 and SHA-256.
pub(crate) struct OpenSsl;

impl Crypto for OpenSsl {
    type Error = ErrorStack;

    fn sha256(&self, message: &[u8]) -> [u8; 32] {
        sha::sha256(message)
    }

    fn verify_ed25519(
        &self,
        key: &[u8; PUBLIC_KEY_LEN],
        message: &[u8],
        signature: &[u8; SIGNATURE_LEN],
    ) -> Result<bool, ErrorStack> {
        let key = PKey::public_key_from_raw_bytes(key, Id::ED25519)?;
        Verifier::new_without_digest(&key)?.verify_oneshot(signature, message)
    }
}

/// The version of this program and of the OpenSSL that it uses.
pub(crate) static LONG_VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{}\n{}", env!("CARGO_PKG_VERSION"), version::version()));
