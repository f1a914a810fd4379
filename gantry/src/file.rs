//! Writing files that nobody sees half-written.

use std::env;
use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tempfile::{Builder, NamedTempFile};

/// Writes `text` as the whole of `file`: at a failure the file is as it was.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write(file: &Path, text: &str) -> Result<()> {
    let write = || -> io::Result<()> {
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let mut partial = partial(folder.unwrap_or(Path::new(".")))?;
        partial.write_all(text.as_bytes())?;
        partial.persist(file)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", file.display()))
}

/// A file to be given its name when it is written to its end, and as readable as any; else it goes.
///
/// # Errors
/// The folder cannot be written.
pub(crate) fn partial(folder: &Path) -> io::Result<NamedTempFile> {
    let permissions = Permissions::from_mode(0o666);
    Builder::new().permissions(permissions).tempfile_in(folder)
}

/// This program's folder among the user's caches, which may not exist yet.
///
/// # Errors
/// The user has no home folder.
pub(crate) fn user_cache() -> Result<PathBuf> {
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
    Ok(folder.join("gantry"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_replaced_and_as_readable_as_any() {
        let folder = tempfile::tempdir().unwrap();
        let [file, other] = ["file", "other"].map(|name| folder.path().join(name));
        fs::write(&other, "old").unwrap();
        fs::write(&file, "a longer text").unwrap();
        write(&file, "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        let mode = |file: &Path| fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode(&file), mode(&other));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir_all(taken.join("full")).unwrap();
        let error = write(&taken, "text").unwrap_err().to_string();
        assert!(
            error.contains("cannot write") && error.contains("taken"),
            "{error}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
