//! The cache of a workspace that names none: a folder under the user's cache directory, with a key
//! that is made for it.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use xtask::process;

use super::key::SecretKey;
use crate::url;

/// The name of the key; only this machine trusts it.
const KEY_NAME: &str = "xtask-local-1";

pub(crate) struct Local {
    /// Holds the cache and, beside it, the key.
    folder: PathBuf,
}

impl Local {
    /// # Errors
    /// The user has no home folder.
    pub(crate) fn find() -> Result<Self> {
        // A relative path is invalid there:
        // https://specifications.freedesktop.org/basedir-spec/latest/
        let configured = env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute());
        let folder = configured
            .or_else(|| {
                let caches = if cfg!(target_os = "macos") {
                    "Library/Caches"
                } else {
                    ".cache"
                };
                Some(env::home_dir()?.join(caches))
            })
            .context("there is no folder for the cache: set HOME or XDG_CACHE_HOME")?;
        Ok(Self {
            folder: folder.join("xtask"),
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("file://{}", url::encode(&self.folder.join("nix-cache")))
    }

    /// The key that the cache's paths are signed with; none before the first push.
    ///
    /// # Errors
    /// The key's file cannot be read.
    pub(crate) fn secret_key(&self) -> Result<Option<SecretKey>> {
        let file = self.key_file();
        if file.exists() {
            SecretKey::read(&file).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The same, made if it does not exist yet.
    pub(crate) fn make_secret_key(&self) -> Result<SecretKey> {
        let file = self.key_file();
        if !file.exists() {
            let mut generate = Command::new("nix");
            generate.args(["key", "generate-secret", "--key-name", KEY_NAME]);
            let key = process::read(&mut generate).context("cannot make a key for the cache")?;
            self.write_key(&file, &key)
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        SecretKey::read(&file)
    }

    fn key_file(&self) -> PathBuf {
        self.folder.join("nix-cache.secret-key")
    }

    /// Writes a file that nobody else may read, and that no other process sees half-written.
    fn write_key(&self, file: &Path, key: &str) -> Result<()> {
        fs::create_dir_all(&self.folder)?;
        let temporary = file.with_extension(std::process::id().to_string());
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?
            .write_all(key.as_bytes())?;
        // Unlike a rename, a link does not replace the key that another push has made meanwhile.
        let linked = fs::hard_link(&temporary, file);
        fs::remove_file(&temporary)?;
        match linked {
            Err(_) if file.exists() => Ok(()),
            linked => Ok(linked?),
        }
    }
}
