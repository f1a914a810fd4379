//! The JavaScript interface, in Node.js or, with `WASM_BINDGEN_USE_BROWSER=1`, in a browser.
#![cfg(target_family = "wasm")]

#[path = "../../core/tests/audit_cases/mod.rs"]
mod audit_cases;

use audit_cases::audit_cases;
use gantry_web::{Verdict, inspect, verify};
use js_sys::{Error, JSON, Reflect};
use wasm_bindgen::{JsError, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

const TARBALL: &str = include_str!("../../core/tests/narinfos/tarball.narinfo");

/// What JavaScript sees of a value.
fn json(value: impl Into<JsValue>) -> String {
    JSON::stringify(&value.into()).unwrap().into()
}

fn message(error: JsError) -> String {
    Error::from(JsValue::from(error)).message().into()
}

#[wasm_bindgen_test]
fn every_audit_case_gets_its_verdicts() {
    for case in audit_cases() {
        let keys = case.keys.iter().map(ToString::to_string).collect();
        let report = verify(&case.narinfo, keys).map_err(message).unwrap();
        let signatures: Vec<Verdict> = report
            .signatures
            .iter()
            .map(|signature| signature.verdict)
            .collect();
        let expected: Vec<Verdict> = case.signatures.iter().copied().map(Verdict::from).collect();
        assert_eq!(signatures, expected, "{}", case.name);
        assert_eq!(
            report.content_address,
            case.content_address.map(Verdict::from),
            "{}",
            case.name
        );
        assert_eq!(report.passed, case.passed, "{}", case.name);
    }
}

#[wasm_bindgen_test]
fn a_report_is_an_object_of_plain_values() {
    let source = include_str!("../../core/tests/narinfos/source.narinfo");
    let report = verify(source, vec![]).map_err(message).unwrap();
    assert_eq!(
        json(report),
        r#"{"contentAddress":"valid","passed":true,"signatures":[{"key":"cache.nixos.org-1","verdict":"unknown key"}]}"#
    );
}

#[wasm_bindgen_test]
fn an_inspection_has_the_names_of_nix() {
    let inspection = JsValue::from(inspect(TARBALL).map_err(message).unwrap());
    let get = |name: &str| Reflect::get(&inspection, &name.into()).unwrap();
    assert_eq!(
        get("path"),
        "/nix/store/wj7phsmi7ncidl8k00p489krqss7n9sd-hello-2.12.3.tar.gz"
    );
    assert_eq!(
        get("narHash"),
        "sha256-0d+Y1C+OWOd2/3poehDdui4hBeqFG44rF91G9pa4XTs="
    );
    assert_eq!(get("narSize"), 1_189_320_u64);
    assert_eq!(get("downloadSize"), 1_189_356_u64);
    assert_eq!(json(get("references")), "[]");
    assert_eq!(
        get("ca"),
        "fixed:sha256:183a6rxnhixiyykd7qis0y9g9cfqhpkk872a245y3zl28can0pqd"
    );
    let hello = include_str!("../../core/tests/narinfos/hello.narinfo");
    assert_eq!(inspect(hello).map_err(message).unwrap().deriver, None);
}

#[wasm_bindgen_test]
fn errors_say_where() {
    let error = inspect("StorePath: /etc/passwd")
        .map(|_| ())
        .map_err(message);
    assert_eq!(
        error,
        Err("line 1: StorePath: not a path in /nix/store".to_owned())
    );
    let error = verify(TARBALL, vec!["key".into()])
        .map(|_| ())
        .map_err(message);
    assert_eq!(
        error,
        Err(r#""key" is not a public key: expected `NAME:BASE64`, found no colon"#.to_owned())
    );
}
