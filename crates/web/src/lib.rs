//! `gantry` for JavaScript: prints and audits the narinfo files of Nix binary caches.
//!
//! wasm-bindgen makes the TypeScript declarations of what is exported here. The names are those that
//! `nix path-info --json` has, as in the command's JSON.

mod crypto;
mod verdict;

use gantry_core::{Audit, Hash, NarInfo, PublicKey};
use wasm_bindgen::prelude::*;

pub use crate::verdict::Verdict;

use crate::crypto::PureRust;

/// What a narinfo says.
#[wasm_bindgen(getter_with_clone)]
pub struct Inspection {
    /// The store path.
    #[wasm_bindgen(readonly)]
    pub path: String,
    /// Where the archive is, relative to the cache.
    #[wasm_bindgen(readonly)]
    pub url: String,
    /// The archive's compression, such as `zstd`; `none` for none.
    #[wasm_bindgen(readonly)]
    pub compression: String,
    /// The hash of the compressed archive, as SRI.
    #[wasm_bindgen(readonly, js_name = downloadHash)]
    pub download_hash: Option<String>,
    /// The length of the compressed archive in bytes.
    #[wasm_bindgen(readonly, js_name = downloadSize)]
    pub download_size: Option<u64>,
    /// The hash of the uncompressed archive, as SRI.
    #[wasm_bindgen(readonly, js_name = narHash)]
    pub nar_hash: String,
    /// The length of the uncompressed archive in bytes.
    #[wasm_bindgen(readonly, js_name = narSize)]
    pub nar_size: u64,
    /// The store paths that the contents mention.
    #[wasm_bindgen(readonly)]
    pub references: Vec<String>,
    /// The derivation that the path was built from.
    #[wasm_bindgen(readonly)]
    pub deriver: Option<String>,
    /// The signatures, `NAME:BASE64`.
    #[wasm_bindgen(readonly)]
    pub signatures: Vec<String>,
    /// The content address.
    #[wasm_bindgen(readonly)]
    pub ca: Option<String>,
}

/// Reads a narinfo.
///
/// # Errors
///
/// Throws an `Error` that names the line and the field where the text is not a narinfo.
#[wasm_bindgen]
pub fn inspect(narinfo: &str) -> Result<Inspection, JsError> {
    let narinfo: NarInfo = narinfo.parse()?;
    Ok(Inspection {
        path: narinfo.store_path.to_string(),
        url: narinfo.url,
        compression: narinfo.compression,
        download_hash: narinfo.file_hash.as_ref().map(Hash::to_sri),
        download_size: narinfo.file_size,
        nar_hash: narinfo.nar_hash.to_sri(),
        nar_size: narinfo.nar_size,
        references: texts(&narinfo.references),
        deriver: narinfo.deriver.as_ref().map(ToString::to_string),
        signatures: texts(&narinfo.signatures),
        ca: narinfo.content_address.as_ref().map(ToString::to_string),
    })
}

/// One signature and whether it holds.
#[wasm_bindgen(getter_with_clone, inspectable)]
#[derive(Clone)]
pub struct SignatureVerdict {
    /// The name of the key.
    #[wasm_bindgen(readonly)]
    pub key: String,
    /// Whether the signature holds.
    #[wasm_bindgen(readonly)]
    pub verdict: Verdict,
}

/// What an audit of a narinfo found.
#[wasm_bindgen(getter_with_clone, inspectable)]
pub struct Report {
    /// Whether something vouches for the path and nothing contradicts it.
    #[wasm_bindgen(readonly)]
    pub passed: bool,
    /// The signatures, in the narinfo's order.
    #[wasm_bindgen(readonly)]
    pub signatures: Vec<SignatureVerdict>,
    /// Whether the store path follows from its content address, if it has one.
    #[wasm_bindgen(readonly, js_name = contentAddress)]
    pub content_address: Option<Verdict>,
}

/// Audits a narinfo, trusting these public keys, each `NAME:BASE64`.
///
/// # Errors
///
/// Throws an `Error` that names the line and the field where the text is not a narinfo, or the key
/// that is none.
#[wasm_bindgen]
pub fn verify(narinfo: &str, keys: Vec<String>) -> Result<Report, JsError> {
    let narinfo: NarInfo = narinfo.parse()?;
    let keys = keys
        .into_iter()
        .map(|key| {
            key.parse()
                .map_err(|error| JsError::new(&format!("{key:?} is not a public key: {error}")))
        })
        .collect::<Result<Vec<PublicKey>, JsError>>()?;
    let Ok(audit) = Audit::of(&narinfo, &keys, &PureRust);
    Ok(Report {
        passed: audit.passed(),
        signatures: audit
            .signatures
            .into_iter()
            .map(|signature| SignatureVerdict {
                key: signature.key,
                verdict: signature.verdict.into(),
            })
            .collect(),
        content_address: audit.content_address.map(Verdict::from),
    })
}

fn texts(values: impl IntoIterator<Item = impl ToString>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}
