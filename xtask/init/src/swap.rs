//! All or nothing: the project is made in a copy, which takes the folder's place in one step.
//!
//! The copy stands beside the folder, on the same file system. Both are exchanged, which the system
//! does at once. Then the folder itself, in which a shell may stand, is given the copy's content, and
//! they are exchanged again. Whenever this ends, what is at the folder's path is either untouched or
//! done; what may remain is the copy, which the next run removes.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rustix::fs::{CWD, RenameFlags, renameat_with};

/// What cargo writes into a target folder, so that backups leave it out.
const CACHE_MARK: &str = "CACHEDIR.TAG";

/// A folder, and the copy beside it that is to take its place.
pub(crate) struct Copy {
    original: PathBuf,
    copy: PathBuf,
}

impl Copy {
    /// Copies `folder` without what cargo has built in it.
    ///
    /// # Errors
    /// The copy cannot be made beside it.
    pub(crate) fn of(folder: &Path) -> Result<Self> {
        let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
            bail!(
                "{} has no folder around it to work in: move the project into one",
                folder.display()
            );
        };
        let mut copy_name = OsString::from(".");
        copy_name.push(name);
        copy_name.push(".init");
        let copy = Self {
            original: folder.to_owned(),
            copy: parent.join(copy_name),
        };
        copy.remove()?;
        copy_folder(folder, &copy.copy).with_context(|| {
            format!(
                "the project is made in a copy beside it, {}",
                copy.copy.display()
            )
        })?;
        Ok(copy)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.copy
    }

    /// Puts the copy in the folder's place.
    ///
    /// # Errors
    /// The file system cannot exchange folders, or the folder's content cannot be replaced.
    pub(crate) fn take_its_place(self) -> Result<()> {
        self.exchange()?;
        // Now the copy's path leads to the folder itself, and the other way round.
        replace_content(&self.copy, &self.original)?;
        self.exchange()
    }

    fn exchange(&self) -> Result<()> {
        renameat_with(CWD, &self.original, CWD, &self.copy, RenameFlags::EXCHANGE).with_context(|| {
            format!(
                "cannot exchange {} with the copy beside it: move the project to a local file system, \
                 below its root",
                self.original.display()
            )
        })
    }

    fn remove(&self) -> Result<()> {
        if fs::symlink_metadata(&self.copy).is_err() {
            return Ok(());
        }
        fs::remove_dir_all(&self.copy)
            .with_context(|| format!("cannot remove {}", self.copy.display()))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // The next run removes what is left.
        let _ = self.remove();
    }
}

fn is_built(path: &Path) -> bool {
    path.join(CACHE_MARK).exists()
}

/// Copies a folder, without what is built.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to).with_context(|| format!("cannot make {}", to.display()))?;
    for (source, target) in entries(from, to)? {
        let kind = fs::symlink_metadata(&source)
            .with_context(|| format!("cannot read {}", source.display()))?
            .file_type();
        if kind.is_dir() {
            if !is_built(&source) {
                copy_folder(&source, &target)?;
            }
        } else if kind.is_symlink() {
            copy_link(&source, &target)?;
        } else if kind.is_file() {
            fs::copy(&source, &target)
                .with_context(|| format!("cannot copy {}", source.display()))?;
        } else {
            bail!(
                "{} is neither a file nor a folder: remove it",
                source.display()
            );
        }
    }
    set_permissions(from, to)
}

/// Makes the content of `folder` that of `new`, by links to its files. What is built stays.
fn replace_content(folder: &Path, new: &Path) -> Result<()> {
    for (old, wanted) in entries(folder, new)? {
        let kind = fs::symlink_metadata(&old)?.file_type();
        let removed = if !kind.is_dir() {
            fs::remove_file(&old)
        } else if is_built(&old) {
            Ok(())
        } else if wanted.is_dir() {
            replace_content(&old, &wanted)?;
            continue;
        } else {
            fs::remove_dir_all(&old)
        };
        removed.with_context(|| format!("cannot remove {}", old.display()))?;
    }
    for (wanted, place) in entries(new, folder)? {
        let kind = fs::symlink_metadata(&wanted)?.file_type();
        if kind.is_dir() {
            if fs::symlink_metadata(&place).is_err() {
                fs::create_dir(&place)
                    .with_context(|| format!("cannot make {}", place.display()))?;
                replace_content(&place, &wanted)?;
            }
        } else if kind.is_symlink() {
            copy_link(&wanted, &place)?;
        } else if fs::hard_link(&wanted, &place).is_err() {
            fs::copy(&wanted, &place)
                .with_context(|| format!("cannot copy {}", wanted.display()))?;
        }
    }
    set_permissions(new, folder)
}

/// What is in `folder`, each with the path that it would have in `other`.
fn entries(folder: &Path, other: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    entries
        .map(|entry| {
            let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
            Ok((entry.path(), other.join(entry.file_name())))
        })
        .collect()
}

fn copy_link(from: &Path, to: &Path) -> Result<()> {
    fs::read_link(from)
        .and_then(|target| symlink(target, to))
        .with_context(|| format!("cannot copy {}", from.display()))
}

fn set_permissions(from: &Path, to: &Path) -> Result<()> {
    fs::metadata(from)
        .and_then(|metadata| fs::set_permissions(to, metadata.permissions()))
        .with_context(|| format!("cannot set the permissions of {}", to.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn the_folder_itself_gets_the_content_of_the_copy() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a b");
        fs::create_dir_all(folder.join("old/deep")).unwrap();
        fs::create_dir_all(folder.join("target/debug")).unwrap();
        fs::write(folder.join("target").join(CACHE_MARK), "").unwrap();
        fs::write(folder.join("target/debug/app"), "built").unwrap();
        fs::write(folder.join("old/deep/file"), "old").unwrap();
        fs::write(folder.join("stays"), "1").unwrap();
        symlink("stays", folder.join("link")).unwrap();
        let itself = fs::metadata(&folder).unwrap().ino();

        let copy = Copy::of(&folder).unwrap();
        assert!(!copy.path().join("target").exists());
        fs::remove_dir_all(copy.path().join("old")).unwrap();
        fs::create_dir(copy.path().join("new")).unwrap();
        fs::write(copy.path().join("new/file"), "new").unwrap();
        fs::write(copy.path().join("stays"), "2").unwrap();
        assert_eq!(fs::read_to_string(folder.join("stays")).unwrap(), "1");
        copy.take_its_place().unwrap();

        assert_eq!(fs::metadata(&folder).unwrap().ino(), itself);
        assert!(!folder.join("old").exists());
        assert_eq!(fs::read_to_string(folder.join("new/file")).unwrap(), "new");
        assert_eq!(fs::read_to_string(folder.join("link")).unwrap(), "2");
        assert_eq!(
            fs::read_to_string(folder.join("target/debug/app")).unwrap(),
            "built"
        );
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_copy_that_is_given_up_leaves_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("project");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("file"), "").unwrap();
        drop(Copy::of(&folder).unwrap());
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
        // What an interrupted run left behind is no hindrance.
        fs::create_dir(parent.path().join(".project.init")).unwrap();
        drop(Copy::of(&folder).unwrap());
        assert!(folder.join("file").exists());
    }
}
