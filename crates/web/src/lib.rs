//! The module of `www/index.html`, which compares files with a list of their checksums.

use std::path::Path;

use acme_core::{Entry, Verdict};
use sha2::{Digest, Sha256};
use wasm_bindgen::prelude::*;
use web_sys::{Blob, Element, File, js_sys::Uint8Array};

/// How many bytes of a file are in memory at a time.
const PIECE: f64 = 4_194_304.0;

/// Compares files with a list, and puts the verdicts into `results` as long as that is shown.
///
/// # Errors
/// The list cannot be read.
#[wasm_bindgen]
pub async fn compare(list: File, files: Vec<File>, results: Element) -> Result<(), JsValue> {
    let document = results.owner_document().ok_or("no document")?;
    for entry in acme_core::parse(&bytes(&list).await?).flatten() {
        let verdict = verdict(&entry, &files).await;
        if !results.is_connected() {
            break;
        }
        let result = document.create_element("li")?;
        let report = entry.report(verdict);
        result.set_text_content(Some(&String::from_utf8_lossy(&report)));
        if verdict == Verdict::Matches {
            result.set_class_name("matches");
        }
        results.append_child(&result)?;
    }
    Ok(())
}

/// Compares an entry with the files of its name. Browsers tell no folders: the last part must do.
pub async fn verdict(entry: &Entry, files: &[File]) -> Verdict {
    let name = String::from_utf8_lossy(&entry.name);
    let mut verdict = Verdict::Missing;
    for file in files {
        if verdict != Verdict::Matches && Path::new(&*name).ends_with(file.name()) {
            verdict = entry.compare(digest(file).await.ok());
        }
    }
    verdict
}

async fn digest(file: &Blob) -> Result<[u8; 32], JsValue> {
    let mut hash = Sha256::new();
    let mut start = 0.0;
    while start < file.size() {
        let piece = file.slice_with_f64_and_f64(start, start + PIECE)?;
        hash.update(bytes(&piece).await?);
        start += PIECE;
    }
    Ok(hash.finalize().into())
}

async fn bytes(file: &Blob) -> Result<Vec<u8>, JsValue> {
    Ok(Uint8Array::new(&file.array_buffer().await?).to_vec())
}
