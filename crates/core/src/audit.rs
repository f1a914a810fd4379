//! Whether a narinfo's claims hold.

use crate::{
    content_address::{ContentAddress, Method, References},
    narinfo::NarInfo,
    signature::{PUBLIC_KEY_LEN, PublicKey, SIGNATURE_LEN},
};

/// The cryptography that an audit needs.
pub trait Crypto {
    /// Why a signature could not be checked at all. A wrong one is no error.
    type Error;

    /// The SHA-256 digest of a message.
    fn sha256(&self, message: &[u8]) -> [u8; 32];

    /// Whether this Ed25519 signature of the message was made with this key
    /// ([RFC 8032](https://www.rfc-editor.org/rfc/rfc8032)).
    ///
    /// # Errors
    ///
    /// When the answer cannot be known.
    fn verify_ed25519(
        &self,
        key: &[u8; PUBLIC_KEY_LEN],
        message: &[u8],
        signature: &[u8; SIGNATURE_LEN],
    ) -> Result<bool, Self::Error>;
}

/// What a check of one claim found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The claim holds.
    Valid,
    /// The claim does not hold.
    Invalid,
    /// A signature by a key that is not trusted, which says nothing.
    UnknownKey,
}

impl Verdict {
    /// The verdict in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::UnknownKey => "unknown key",
        }
    }
}

/// One signature and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureVerdict {
    /// The name of the key.
    pub key: String,
    /// Whether the signature holds.
    pub verdict: Verdict,
}

/// What an audit of a narinfo found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// The signatures, in the narinfo's order.
    pub signatures: Vec<SignatureVerdict>,
    /// Whether the store path follows from its content address; `None` where the narinfo has none.
    pub content_address: Option<Verdict>,
}

impl Audit {
    /// Checks every signature and the content address.
    ///
    /// # Errors
    ///
    /// When the cryptography fails. A signature that does not hold is a [`Verdict::Invalid`].
    pub fn of<C: Crypto>(
        narinfo: &NarInfo,
        trusted: &[PublicKey],
        crypto: &C,
    ) -> Result<Self, C::Error> {
        let fingerprint = narinfo.fingerprint();
        let mut signatures = Vec::new();
        for signature in &narinfo.signatures {
            let mut verdict = Verdict::UnknownKey;
            for key in trusted.iter().filter(|key| key.name() == signature.name()) {
                let message = fingerprint.as_bytes();
                if crypto.verify_ed25519(key.bytes(), message, signature.bytes())? {
                    verdict = Verdict::Valid;
                    break;
                }
                verdict = Verdict::Invalid;
            }
            signatures.push(SignatureVerdict {
                key: signature.name().to_owned(),
                verdict,
            });
        }
        let content_address = narinfo
            .content_address
            .as_ref()
            .map(|address| check_address(narinfo, address, crypto));
        Ok(Self {
            signatures,
            content_address,
        })
    }

    /// Whether something vouches for the path and nothing contradicts it.
    ///
    /// This is stricter than Nix, which takes one valid signature and does not look at the others: an
    /// invalid one means that somebody changed something.
    #[must_use]
    pub fn passed(&self) -> bool {
        let verdicts = || {
            self.signatures
                .iter()
                .map(|signature| signature.verdict)
                .chain(self.content_address)
        };
        verdicts().any(|verdict| verdict == Verdict::Valid)
            && verdicts().all(|verdict| verdict != Verdict::Invalid)
    }
}

fn check_address(narinfo: &NarInfo, address: &ContentAddress, crypto: &impl Crypto) -> Verdict {
    let path = &narinfo.store_path;
    let references = References::of(path, &narinfo.references);
    // The address of an archive is the archive's hash, unless it mentions its own path: then it is
    // hashed with that path blanked out.
    let same_hash = address.method != Method::NixArchive
        || address.hash.algorithm() != narinfo.nar_hash.algorithm()
        || narinfo.references.contains(path)
        || address.hash == narinfo.nar_hash;
    match address.store_path(path.name(), &references, crypto) {
        Ok(expected) if expected == *path && same_hash => Verdict::Valid,
        _ => Verdict::Invalid,
    }
}
