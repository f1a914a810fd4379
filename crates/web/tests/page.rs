//! The cases in the page; in Node.js, which has no documents, in what the page calls.
#![cfg(target_family = "wasm")]

#[path = "../../core/cases.rs"]
mod cases;

use cases::{CASES, FILES, with_digests};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Document, File, js_sys::Array};

#[wasm_bindgen_test]
async fn every_entry_gets_its_verdict() {
    let files = FILES.map(|(name, contents)| file(name, contents));
    let document = web_sys::window().and_then(|window| window.document());
    for (list, _, expected) in CASES {
        let list = with_digests(list);
        let results = match &document {
            Some(document) => shown(document, &list, &files).await,
            None => computed(&list, &files).await,
        };
        assert_eq!(results, expected, "{list}");
    }
}

async fn shown(document: &Document, list: &str, files: &[File]) -> String {
    let body = document.body().unwrap();
    let page = include_str!("../www/index.html");
    body.insert_adjacent_html("afterbegin", page).unwrap();
    let results = document.query_selector("ul").unwrap().unwrap();
    let list = file("SHA256SUMS", list);
    _ = acme_web::compare(list, files.to_vec(), results.clone()).await;
    results.text_content().unwrap()
}

async fn computed(list: &str, files: &[File]) -> String {
    let mut results = Vec::new();
    for entry in acme_core::parse(list.as_bytes()).flatten() {
        results.extend(entry.report(acme_web::verdict(&entry, files).await));
    }
    String::from_utf8(results).unwrap()
}

fn file(name: &str, contents: &str) -> File {
    File::new_with_str_sequence(&Array::of1(&contents.into()), name).unwrap()
}
