//! `gantry doctor` with real Nix: the flake's outputs and what a cache has of them.
//!
//! Run with `cargo test --test doctor_with_nix -- --ignored` where Nix is installed.

mod support;

use std::fs;

use serde_json::Value;
use support::cache::Key;
use support::git::git;
use support::http::Server;
use support::nix::nix;
use support::{Workspace, text};

/// A workspace whose flake has a layer of dependencies, built with `toolchain` of the folder `source`.
fn workspace(toolchain: &str, source: &str) -> Workspace {
    let workspace = Workspace::new();
    let salt = workspace.path().file_name().unwrap().to_string_lossy();
    workspace.write(
        "flake.nix",
        &format!(
            "{{ outputs = {{ self }}: {{ packages = builtins.listToAttrs (map (system: {{ name = system; value = let\n\
             make = name: script: inputs: derivation ({{ inherit name system; builder = \"/bin/sh\"; args = [ \"-c\" script ]; }} // inputs);\n\
             in {{ deps-native-dev = make \"deps-native-dev\" \"echo deps > $out\" {{ salt = \"{salt}\"; source = {source};\n\
             toolchain = make \"{toolchain}\" \"echo rust > $out\" {{ }}; }}; }}; }}) [ \"x86_64-linux\" \"aarch64-linux\" \"aarch64-darwin\" ]); }}; }}\n"
        ),
    );
    git(workspace.path(), &["init", "--quiet"]);
    git(workspace.path(), &["add", "--all"]);
    workspace
}

fn declare(workspace: &Workspace, url: &str, key: &str) {
    let manifest = workspace.read("Cargo.toml");
    let manifest = manifest.split("\n[workspace.metadata").next().unwrap();
    let cache = format!("\n[workspace.metadata.cache]\nurl = \"{url}\"\npublic-key = \"{key}\"\n");
    workspace.write("Cargo.toml", &(manifest.to_owned() + &cache));
}

/// The codes of what is found about the flake and the cache, and the report.
fn doctor(workspace: &Workspace, arguments: &[&str]) -> (Vec<String>, Value) {
    let output = workspace
        .command(&[&["doctor", "--json"], arguments].concat())
        .env("XDG_CACHE_HOME", workspace.path().join("target/cache"))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    let findings = report["findings"].as_array().unwrap().iter();
    let codes = findings.map(|finding| finding["code"].as_str().unwrap().to_owned());
    let mut codes: Vec<_> = codes.collect();
    // How this machine is set up, and that nixConfig does not name a cache on loopback.
    codes.retain(|code| {
        !["disk-nearly-full", "sandbox-off", "cache-not-in-flake"].contains(&&**code)
    });
    (codes, report)
}

#[test]
#[ignore = "needs Nix"]
fn what_the_cache_has_is_told() {
    let workspace = workspace("tools", "./core");
    let (trusted, stranger) = (
        Key::new(&workspace, "test-1"),
        Key::new(&workspace, "stranger-1"),
    );
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(cache.path());
    declare(&workspace, &server.url, &trusted.public);
    let (codes, report) = doctor(&workspace, &[]);
    assert_eq!(codes, ["cache-without-deps"], "{report:#}");

    nix(&workspace, &["build", "--no-link", ".#deps-native-dev"]);
    let signed = format!(
        "file://{}?secret-key={}",
        cache.path().display(),
        trusted.secret.display()
    );
    nix(&workspace, &["copy", "--to", &signed, ".#deps-native-dev"]);
    let (codes, report) = doctor(&workspace, &[]);
    assert!(codes.is_empty(), "{report:#}");

    declare(&workspace, &server.url, &stranger.public);
    let (codes, report) = doctor(&workspace, &[]);
    assert_eq!(codes, ["cache-signed-by-another-key"], "{report:#}");

    declare(&workspace, "http://127.0.0.1:9", &trusted.public);
    let (codes, report) = doctor(&workspace, &[]);
    assert_eq!(codes, ["cache-unreachable"], "{report:#}");
    let (codes, report) = doctor(&workspace, &["--offline"]);
    assert!(codes.is_empty(), "{report:#}");
    assert!(
        report["unchecked"].to_string().contains("offline"),
        "{report:#}"
    );

    let folder = format!("file://{}", cache.path().display());
    declare(&workspace, &folder, &trusted.public);
    let (codes, report) = doctor(&workspace, &["--offline"]);
    assert!(codes.is_empty(), "{report:#}");
}

#[test]
#[ignore = "needs Nix"]
fn the_flakes_outputs_are_looked_at() {
    let (codes, report) = doctor(&workspace("tools", "./."), &[]);
    assert_eq!(codes, ["unrelated-files"], "{report:#}");
    assert!(
        report["findings"][0]["problem"]
            .as_str()
            .unwrap()
            .contains("flake.nix"),
        "{report:#}"
    );

    let (codes, report) = doctor(&workspace("rust-minimal-1.0.1", "./core"), &[]);
    assert_eq!(codes, ["toolchain-mismatch"], "{report:#}");

    let broken = workspace("tools", "./core");
    fs::write(
        broken.path().join("flake.nix"),
        "{ outputs = { self }: throw \"out of order\"; }",
    )
    .unwrap();
    let (codes, report) = doctor(&broken, &[]);
    assert_eq!(codes, ["flake-broken"], "{report:#}");
    assert!(
        report["findings"][0]["problem"]
            .as_str()
            .unwrap()
            .contains("out of order"),
        "{report:#}"
    );
}

/// Nix in all that it does, except for what it says of its settings and of its user.
#[test]
#[ignore = "needs Nix"]
fn settings_that_are_in_the_way_are_found() {
    use std::os::unix::fs::PermissionsExt as _;

    let workspace = workspace("tools", "./core");
    let key = Key::new(&workspace, "test-1");
    let cache = tempfile::tempdir().unwrap();
    let server = Server::start(cache.path());
    declare(&workspace, &server.url, &key.public);
    nix(&workspace, &["build", "--no-link", ".#deps-native-dev"]);
    let signed = format!(
        "file://{}?secret-key={}",
        cache.path().display(),
        key.secret.display()
    );
    nix(&workspace, &["copy", "--to", &signed, ".#deps-native-dev"]);

    let real = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("nix"))
        .find(|path| path.exists())
        .unwrap();
    let programs = tempfile::tempdir().unwrap();
    let script = format!(
        "#!/bin/sh\ncase \"$1 $2 $3\" in\n'store info --json') echo '{{\"trusted\":false}}';;\n\
         *) NIX_CONFIG='sandbox = false' exec {} \"$@\";;\nesac\n",
        real.display()
    );
    let program = programs.path().join("nix");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        programs.path().display(),
        std::env::var("PATH").unwrap()
    );
    let output = workspace
        .command(&["doctor", "--json"])
        .env("PATH", path)
        .output()
        .unwrap();
    let shown = text(&output.stdout);
    for code in ["user-not-trusted", "sandbox-off"] {
        assert!(shown.contains(code), "{shown}{}", text(&output.stderr));
    }
}
