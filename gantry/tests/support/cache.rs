//! Binary caches: their keys, what is in them, and who is told of them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::nix::nix;
use super::{Workspace, text};

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

/// Names a cache in the root manifest.
pub(crate) fn configure(workspace: &Workspace, place: &str, key: &Key) {
    let manifest = workspace.read("Cargo.toml");
    let table = format!(
        "\n[workspace.metadata.cache]\n{place}\npublic-key = \"{}\"\n",
        key.public
    );
    workspace.write("Cargo.toml", &format!("{manifest}{table}"));
}

/// Copies these paths into a binary cache, signed with `key`.
pub(crate) fn copy(workspace: &Workspace, to: &str, key: Option<&Key>, paths: &[String]) {
    let url = key.map_or_else(
        || to.to_owned(),
        |key| {
            let separator = if to.contains('?') { '&' } else { '?' };
            format!("{to}{separator}secret-key={}", key.secret.display())
        },
    );
    let paths = paths.iter().map(String::as_str);
    let arguments: Vec<&str> = ["copy", "--to", &url].into_iter().chain(paths).collect();
    nix(workspace, &arguments);
}

/// Damages every archive of the binary cache in this folder.
pub(crate) fn corrupt(folder: &Path) {
    for entry in fs::read_dir(folder.join("nar")).unwrap() {
        let file = entry.unwrap().path();
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        fs::write(&file, bytes).unwrap();
    }
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
