//! Flakes whose checks are small derivations, for tests with real Nix.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{fs, io::Write as _};

use super::{Workspace, text};

/// Checks of `app` that pass.
pub(crate) const SOUND: [(&str, &str, &str); 3] = [
    (
        "build-app",
        "",
        "echo '   Compiling app v0.1.0'; echo built > $out",
    ),
    ("test-app", "build-app", "echo tested > $out"),
    ("doc-app", "build-app", "echo documented > $out"),
];

/// Writes a flake with these checks, and has git track the workspace.
///
/// A check is its name, the names of those that it needs, and a shell script.
pub(crate) fn flake(workspace: &Workspace, checks: &[(&str, &str, &str)]) {
    let salt = workspace.path().file_name().unwrap().to_string_lossy();
    let mut text = String::from(
        "{ outputs = { self }: { checks = builtins.listToAttrs (map (system: { name = system; value = let\n\
         check = name: needs: script: derivation { inherit name system needs; builder = \"/bin/sh\"; args = [ \"-c\" script ];",
    );
    writeln!(text, " salt = \"{salt}\"; }};\n in rec {{").unwrap();
    for (name, needs, script) in checks {
        write!(text, "{name} = check \"{name}\" [ {needs} ] ''{script}'';").unwrap();
    }
    text += "}; }) [ \"x86_64-linux\" \"aarch64-linux\" \"aarch64-darwin\" ]); }; }\n";
    workspace.write("flake.nix", &text);
    git(workspace, &["init", "--quiet"]);
    git(workspace, &["add", "--all"]);
}

pub(crate) fn git(workspace: &Workspace, arguments: &[&str]) {
    let status = Command::new("git")
        .args(arguments)
        .current_dir(workspace.path())
        .status();
    assert!(status.unwrap().success());
}

/// Standard output of a command of Nix that passes.
pub(crate) fn nix(workspace: &Workspace, arguments: &[&str]) -> String {
    let output = Command::new("nix")
        .args(arguments)
        .current_dir(workspace.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "nix {arguments:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout).trim().to_owned()
}

/// A key for signatures of this name.
pub(crate) struct Key {
    /// The file of the secret key.
    pub(crate) secret: PathBuf,
    pub(crate) public: String,
}

impl Key {
    pub(crate) fn new(workspace: &Workspace, name: &str) -> Self {
        let text_of_key = nix(workspace, &["key", "generate-secret", "--key-name", name]);
        let secret = workspace.path().join(format!("{name}.secret"));
        fs::write(&secret, &text_of_key).unwrap();
        let mut convert = Command::new("nix")
            .args(["key", "convert-secret-to-public"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = convert.stdin.take().unwrap();
        stdin.write_all(text_of_key.as_bytes()).unwrap();
        drop(stdin);
        let public = text(&convert.wait_with_output().unwrap().stdout);
        Self {
            secret,
            public: public.trim().to_owned(),
        }
    }
}

/// Builds the checks in [`SOUND`].
pub(crate) fn build(workspace: &Workspace) {
    let system = nix(workspace, &["config", "show", "system"]);
    for (check, ..) in SOUND {
        let check = format!(".#checks.{system}.{check}");
        nix(workspace, &["build", "--no-link", &check]);
    }
}

/// Copies these paths into a binary cache, signed with `key`.
pub(crate) fn copy(workspace: &Workspace, to: &str, key: Option<&Key>, paths: &[String]) {
    let url = key.map_or_else(
        || to.to_owned(),
        |key| format!("{to}?secret-key={}", key.secret.display()),
    );
    let paths = paths.iter().map(String::as_str);
    let arguments: Vec<&str> = ["copy", "--to", &url].into_iter().chain(paths).collect();
    nix(workspace, &arguments);
}

/// Flags that make Nix use this cache alone, and trust this key alone.
pub(crate) fn flags<'a>(cache: &'a str, key: &'a Key) -> [&'a str; 5] {
    [
        "--",
        "--substituters",
        cache,
        "--trusted-public-keys",
        &key.public,
    ]
}

/// The store path of a check.
pub(crate) fn path(workspace: &Workspace, check: &str) -> String {
    let system = nix(workspace, &["config", "show", "system"]);
    let attribute = format!(".#checks.{system}.{check}.outPath");
    nix(workspace, &["eval", "--raw", &attribute])
}

/// The store paths of the checks in [`SOUND`].
pub(crate) fn sound_paths(workspace: &Workspace) -> Vec<String> {
    SOUND
        .iter()
        .map(|(name, ..)| path(workspace, name))
        .collect()
}

/// Takes these paths out of the store.
pub(crate) fn delete(workspace: &Workspace, paths: &[String]) {
    let paths = paths.iter().map(String::as_str);
    let arguments: Vec<&str> = ["store", "delete"].into_iter().chain(paths).collect();
    nix(workspace, &arguments);
}
