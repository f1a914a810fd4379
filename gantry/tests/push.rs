//! What `cache push` hands to Nix, with a stand-in for Nix that tells.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use support::{Workspace, text};

/// A Nix whose store has the paths in the file `paths`, and which refuses arguments longer than macOS does.
/// A private cache of this user has all of them, and that of nixpkgs has what is called `public`.
const NIX: &str = r#"#!/bin/sh
words="$*"
[ ${#words} -lt 1000000 ] || { echo "argument list too long" >&2; exit 126; }
infos() {
  sed 's|.*|"&":{"narHash":"sha256-x","narSize":1,"references":[],"deriver":"/nix/store/x.drv"}|' |
    paste -sd, - | sed 's/^/{/; s/$/}/'
}
case "$words" in
  *--version*) echo "nix (Nix) 2.34.8" ;;
  "store info"*) echo '{"trusted":true}' ;;
  "config show"*) cat settings.json ;;
  "eval "*) cat outputs.json ;;
  "key convert-secret-to-public") echo key-1:public ;;
  "--query "*) cat paths ;;
  "path-info "*https://private*) infos ;;
  "path-info "*https://cache.nixos.org*) grep -- -public | infos ;;
  "path-info "*) infos ;;
  "store verify"*) cat >/dev/null ;;
  copy*) for word; do case "$word" in /nix/store/*) echo "$word" ;; esac; done >>copied ;;
  *) echo "unexpected: $words" >&2; exit 1 ;;
esac
"#;

/// Runs a command in a project with that Nix, whose store has these paths.
fn run(paths: &[String], arguments: &[&str]) -> (Output, Vec<String>) {
    let workspace = Workspace::empty("gantry-push-");
    let cache = workspace.path().join("cache");
    workspace.write("flake.nix", "{ outputs = _: { }; }\n");
    workspace.write(
        "Cargo.toml",
        &format!(
            "[workspace.metadata.cache]\nurl = \"file://{}\"\npublic-key = \"key-1:public\"\n",
            cache.display()
        ),
    );
    let setting = |value: &str| format!("{{ \"value\": {value} }}");
    let settings = [
        ("require-sigs", "true"),
        ("sandbox", "true"),
        ("store", "\"auto\""),
        ("substitute", "true"),
        (
            "substituters",
            "[\"https://private\", \"https://cache.nixos.org\"]",
        ),
        ("system", "\"x86_64-linux\""),
        ("trusted-public-keys", "[]"),
        ("trusted-substituters", "[]"),
    ]
    .map(|(name, value)| format!("\"{name}\": {}", setting(value)));
    workspace.write("settings.json", &format!("{{ {} }}", settings.join(", ")));
    workspace.write(
        "outputs.json",
        &format!(
            r#"{{ "checks": {{}}, "packages": {{ "default": {{ "derivation": "/nix/store/x.drv", "path": "{}", "version": null, "release": true }} }} }}"#,
            paths[0]
        ),
    );
    workspace.write("paths", &(paths.join("\n") + "\n"));
    let executable = fs::Permissions::from_mode(0o755);
    for name in ["nix", "nix-store"] {
        let file = format!("programs/{name}");
        workspace.write(&file, NIX);
        fs::set_permissions(workspace.path().join(file), executable.clone()).unwrap();
    }
    let programs = workspace.path().join("programs");
    let output = workspace
        .command(arguments)
        .env(
            "PATH",
            format!("{}:{}", programs.display(), std::env::var("PATH").unwrap()),
        )
        .env("GANTRY_CACHE_SECRET_KEY", "key-1:secret")
        .output()
        .unwrap();
    let copied = fs::read_to_string(workspace.path().join("copied")).unwrap_or_default();
    (output, copied.lines().map(str::to_owned).collect())
}

#[test]
fn only_what_a_cache_has_that_everybody_reads_is_left_out() {
    let paths = ["mine", "of-public-origin", "theirs"].map(|name| format!("/nix/store/x-{name}"));
    let (output, copied) = run(&paths, &["cache", "push"]);
    assert_eq!(copied, [&*paths[0], &*paths[2]], "{output:?}");
    let (output, _) = run(&paths, &["cache", "verify"]);
    let printed = text(&output.stdout);
    assert!(
        printed.contains(&format!("missing    {}", paths[2])),
        "{printed}"
    );
    assert!(!printed.contains("public"), "{printed}");
}

#[test]
fn more_paths_are_pushed_than_a_command_takes_as_arguments() {
    let paths: Vec<String> = (0..15_000)
        .map(|number| {
            format!("/nix/store/00000000000000000000000000000000-a-name-of-usual-length-{number}")
        })
        .collect();
    let (output, mut copied) = run(&paths, &["cache", "push"]);
    copied.sort_by_key(|path| (path.len(), path.clone()));
    assert!(copied == paths, "{}", text(&output.stderr));
}
