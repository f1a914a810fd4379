//! The command beside `sha256sum` of coreutils.

#[path = "../../core/cases.rs"]
mod cases;

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, path::Path, process::Command};

use cases::{CASES, FILES, with_digests};

const ACME: &str = env!("CARGO_BIN_EXE_acme");

/// The exit status and standard output of a command in a folder.
fn run(folder: &Path, program: &str, arguments: &[&[u8]]) -> (Option<i32>, Vec<u8>) {
    let arguments = arguments.iter().map(|argument| OsStr::from_bytes(argument));
    let mut command = Command::new(program);
    let output = command.args(arguments).current_dir(folder).output().unwrap();
    (output.status.code(), output.stdout)
}

#[test]
fn both_agree() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    for (name, contents) in FILES {
        fs::write(folder.join(name), contents).unwrap();
    }
    let not_utf_8 = b"\xff".as_slice();
    fs::write(folder.join(OsStr::from_bytes(not_utf_8)), vec![7; 1 << 20]).unwrap();

    for (list, status, printed) in CASES {
        fs::write(folder.join("LIST"), with_digests(list)).unwrap();
        let printed = printed.as_bytes().to_vec();
        let sha256sum = run(folder, "sha256sum", &[b"--check", b"LIST"]);
        assert_eq!(sha256sum, (Some(status.min(1)), printed.clone()), "{list}");
        let acme = run(folder, ACME, &[b"check", b"LIST"]);
        assert_eq!(acme, (Some(status), printed), "{list}");
    }

    let names: [&[u8]; 7] = [b"sum", b"-", not_utf_8, b"hello", b" *", b"\n\\\r", b"gone"];
    let (status, list) = run(folder, ACME, &names);
    let sha256sum = run(folder, "sha256sum", &names[1..]);
    assert_eq!((status, list.clone()), sha256sum);
    fs::write(folder.join("LIST"), list).unwrap();
    let (status, json) = run(folder, ACME, &[b"check", b"--json", b"LIST"]);
    let names = [r#""-""#, "[255]", r#""hello""#, r#"" *""#, r#""\n\\\r""#];
    let expected = names.map(|name| format!("{{\"name\":{name},\"verdict\":\"OK\"}}\n"));
    assert_eq!((status, json), (Some(0), expected.concat().into_bytes()));
    assert_eq!(run(folder, ACME, &[b"check", b"gone"]).0, Some(2));
}
