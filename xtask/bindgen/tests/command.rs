//! The command as xtask meets it. What it makes of a real module, xtask's own wasm steps show.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// The program under test. Not by `CARGO_BIN_EXE_xtask-bindgen`: where a shell script stands in for
/// rustc, it drops variables with a hyphen in their names.
fn program() -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    folder.join("xtask-bindgen")
}

/// The smallest WebAssembly module: its magic number and its version.
const EMPTY_MODULE: &[u8] = b"\0asm\x01\0\0\0";

fn bindgen(arguments: &[&OsStr]) -> Output {
    Command::new(program()).args(arguments).output().unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn empty_module(folder: &TempDir) -> PathBuf {
    let module = folder.path().join("a module.wasm");
    fs::write(&module, EMPTY_MODULE).unwrap();
    module
}

#[test]
fn wrong_usage_is_status_2() {
    for arguments in [
        &[][..],
        &["bundle"],
        &["build"],
        &["build", "module.wasm"],
        &["test"],
        &["test", "--bogus", "module.wasm"],
    ] {
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        let output = bindgen(&arguments);
        assert_eq!(status(&output), 2, "{arguments:?}");
        let message = str::from_utf8(&output.stderr).unwrap();
        assert!(message.contains("Usage:"), "{message}");
    }
}

#[test]
fn what_is_no_module_is_status_1() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("text.wasm");
    fs::write(&file, "text").unwrap();
    let out = folder.path().join("out");
    let outputs = [
        bindgen(&[
            "build".as_ref(),
            "--out-dir".as_ref(),
            out.as_ref(),
            file.as_ref(),
        ]),
        bindgen(&["test".as_ref(), file.as_ref()]),
    ];
    for output in outputs {
        assert_eq!(status(&output), 1);
        assert!(output.stderr.starts_with(b"xtask-bindgen: "));
    }
    assert!(!out.join("text.js").exists());
}

#[test]
fn a_module_without_tests_passes() {
    let folder = TempDir::new().unwrap();
    let output = bindgen(&["test".as_ref(), empty_module(&folder).as_ref()]);
    assert_eq!(status(&output), 0);
    assert_eq!(output.stdout, b"no tests to run!\n");
}

#[test]
fn bindings_are_made_for_a_page() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let output = bindgen(&[
        "build".as_ref(),
        "--target=web".as_ref(),
        "--out-name=page".as_ref(),
        "--out-dir".as_ref(),
        out.as_ref(),
        empty_module(&folder).as_ref(),
    ]);
    let message = str::from_utf8(&output.stderr).unwrap();
    assert_eq!(status(&output), 0, "{message}");
    for file in ["page.js", "page.d.ts", "page_bg.wasm"] {
        assert!(out.join(file).is_file(), "{file}");
    }
}

#[test]
fn help_is_no_error() {
    for arguments in [&["--help"][..], &["build", "--help"], &["test", "--help"]] {
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        let output = bindgen(&arguments);
        assert_eq!(status(&output), 0, "{arguments:?}");
        assert!(!output.stdout.is_empty());
    }
}
