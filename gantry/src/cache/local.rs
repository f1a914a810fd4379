//! The cache of a workspace that names none: a folder under the user's cache directory, with a key
//! that is made for it.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tempfile::NamedTempFile;
use xshell::{Shell, cmd};

use super::key::SecretKey;
use crate::{file, process, url};

/// The name of the key; only this machine trusts it.
const KEY_NAME: &str = "gantry-local-1";

pub(crate) struct Local {
    /// Holds the cache and, beside it, the key.
    folder: PathBuf,
}

impl Local {
    /// # Errors
    /// The user has no home folder.
    pub(crate) fn find() -> Result<Self> {
        let folder = file::user_cache()?;
        Ok(Self { folder })
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
            let shell = Shell::new()?;
            let generate = cmd!(shell, "nix key generate-secret --key-name {KEY_NAME}");
            let key = process::read(generate).context("cannot make a key for the cache")?;
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
        let mut partial = NamedTempFile::new_in(&self.folder)?;
        partial.write_all(key.as_bytes())?;
        match partial.persist_noclobber(file) {
            // Another push has made one meanwhile.
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
            written => written.map(drop).map_err(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_that_was_written_first_stays_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let local = Local {
            folder: folder.path().join("gantry"),
        };
        let file = local.key_file();
        for key in ["first", "second"] {
            local.write_key(&file, key).unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "first");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&local.folder).unwrap().count(), 1);
    }

    #[test]
    fn what_a_broken_off_write_left_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let local = Local {
            folder: folder.path().to_owned(),
        };
        let file = local.key_file();
        fs::write(file.with_extension(std::process::id().to_string()), "").unwrap();
        local.write_key(&file, "key").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "key");
    }
}
