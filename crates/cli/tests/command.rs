//! The command as a person or a script meets it.

#[path = "../../core/tests/audit_cases/mod.rs"]
mod audit_cases;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use audit_cases::audit_cases;
use gantry_core::Verdict;
use serde_json::{Value, json};
use tempfile::TempDir;

const NARINFOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/tests/narinfos");
const NIXOS: &str = "cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=";

fn narinfo(name: &str) -> PathBuf {
    Path::new(NARINFOS).join(name)
}

fn run(arguments: &[&str], files: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gantry"))
        .args(arguments)
        .args(files)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

fn parse_json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_audit_case_gets_its_verdicts() {
    let folder = TempDir::new().unwrap();
    // The command needs a key; nothing is signed by this one.
    let unused = "unused:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for case in audit_cases() {
        let file = folder.path().join("case.narinfo");
        fs::write(&file, &case.narinfo).unwrap();
        let mut arguments = vec!["verify", "--json", "--key", unused];
        for key in case.keys {
            arguments.extend(["--key", key]);
        }

        let output = run(&arguments, &[&file]);
        let report = &parse_json(&output)[0];
        let signatures: Vec<&str> = report["signatures"]
            .as_array()
            .unwrap()
            .iter()
            .map(|signature| signature["verdict"].as_str().unwrap())
            .collect();
        let expected: Vec<&str> = case.signatures.iter().copied().map(Verdict::name).collect();
        assert_eq!(signatures, expected, "{}", case.name);
        assert_eq!(
            report["contentAddress"],
            json!(case.content_address.map(Verdict::name)),
            "{}",
            case.name
        );
        assert_eq!(report["passed"], case.passed, "{}", case.name);
        assert_eq!(status(&output), i32::from(!case.passed), "{}", case.name);
    }
}

#[test]
fn verify_goes_on_after_a_failure() {
    let files = [
        narinfo("check-link-targets.narinfo"),
        narinfo("hello.narinfo"),
    ];
    let output = run(&["verify", "--key", NIXOS], &[&files[0], &files[1]]);
    assert_eq!(status(&output), 1);
    assert_eq!(
        stdout(&output),
        format!(
            "FAILED  {}\n        signature by nix-community.cachix.org-1: unknown key\n\
             passed  {}\n        signature by cache.nixos.org-1: valid\n",
            files[0].display(),
            files[1].display()
        )
    );
}

#[test]
fn what_is_no_narinfo_fails() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("broken.narinfo");
    fs::write(&file, b"StorePath: /nix/store/\xff\n").unwrap();

    let output = run(&["verify", "--key", NIXOS], &[&file]);
    assert_eq!(status(&output), 1);
    assert!(
        stdout(&output).contains("line 1: StorePath: "),
        "{}",
        stdout(&output)
    );

    let output = run(&["inspect"], &[&file]);
    assert_eq!(status(&output), 1);
    assert!(
        stderr(&output).contains("broken.narinfo: line 1: StorePath: "),
        "{}",
        stderr(&output)
    );
}

#[test]
fn what_cannot_be_read_is_no_verdict() {
    for arguments in [&["inspect"][..], &["verify", "--key", NIXOS]] {
        let output = run(arguments, &[Path::new("no such file")]);
        assert_eq!(status(&output), 2);
        assert!(
            stderr(&output).starts_with("gantry: no such file: "),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn wrong_usage_is_explained() {
    let hello = narinfo("hello.narinfo");
    let output = run(&["verify"], &[&hello]);
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("--key <NAME:BASE64>"));

    let secret = format!("cache:{}==", "A".repeat(86));
    let output = run(&["verify", "--key", &secret], &[&hello]);
    assert_eq!(status(&output), 2);
    assert!(
        stderr(&output).contains("found 64 (a signature or a secret key)"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn inspect_describes_every_field() {
    let output = run(&["inspect"], &[&narinfo("check-link-targets.narinfo")]);
    assert_eq!(status(&output), 0);
    assert_eq!(
        stdout(&output),
        "\
path        /nix/store/7k3i624w0rfrvcrbbdrw0zrvasywxmz4-check-link-targets.sh
contents    sha256:0v4mgmqzp5s7mscgad21nr49svk97y7pq0y49i11k1hii04syj74
            2312 bytes (2.2 KiB)
archive     nar/abf8c1a50684c2d706c991f0d332dec9eff89eb3a3c17687141ce1ddb795cc38.nar.zst (zstd)
            sha256:0f6cjnvxvq8w2j3pdhd3nfggivy9vqrd7w4ir43dghl40sjw3y5b
            1156 bytes (1.1 KiB)
deriver     /nix/store/2w91y8xfpfpamqjzy223i8ivhz4dviwz-check-link-targets.sh.drv
references  /nix/store/7m5x92fbfc3zxqmbkhl5fqqydsmdpggb-hm-modules-messages
            /nix/store/zhrjg6wxrxmdlpn6iapzpp2z2vylpvw5-home-manager.sh
signed by   nix-community.cachix.org-1
"
    );
}

#[test]
fn inspect_reads_standard_input() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gantry"))
        .args(["inspect", "--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let tarball = fs::read(narinfo("tarball.narinfo")).unwrap();
    child.stdin.take().unwrap().write_all(&tarball).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(status(&output), 0);
    assert_eq!(
        parse_json(&output),
        json!({
            "path": "/nix/store/wj7phsmi7ncidl8k00p489krqss7n9sd-hello-2.12.3.tar.gz",
            "url": "nar/0fsxp2bgcinx2wmqw6w5x82j2bmsvl87ls3szxvffn4f5za9ipyi.nar.zst",
            "compression": "zstd",
            "downloadHash": "sha256-qGJPoOb86urK8inodEuUZGDzl49DBioimwZjRBL4pUE=",
            "downloadSize": 1_189_356,
            "narHash": "sha256-0d+Y1C+OWOd2/3poehDdui4hBeqFG44rF91G9pa4XTs=",
            "narSize": 1_189_320,
            "references": [],
            "deriver": "/nix/store/9xj3yy4cw1irk4wypbdqrn2w8jpjyvnr-hello-2.12.3.tar.gz.drv",
            "signatures": [],
            "ca": "fixed:sha256:183a6rxnhixiyykd7qis0y9g9cfqhpkk872a245y3zl28can0pqd",
        })
    );
}

#[test]
fn help_has_examples_and_the_version_has_openssl() {
    for command in ["inspect", "verify"] {
        let help = run(&[command, "--help"], &[]);
        assert_eq!(status(&help), 0);
        assert!(stdout(&help).contains(&format!("Examples:\n  gantry {command} ")));
    }
    assert!(stdout(&run(&["--version"], &[])).contains("OpenSSL "));
}
