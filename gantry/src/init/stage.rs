//! What is to change in a folder, written down before anything does: from then on it is decided, and a
//! run that was interrupted is finished by the next one.
//!
//! Below the folder stand in `.gantry-init`:
//! - `new/PATH`: what PATH is to be. It is moved there, so that it is gone once that is done.
//! - `old/PATH`: what PATH was when this was decided. Where it is another thing by now, somebody has
//!   edited it meanwhile, and both changes are merged.
//! - `removed/PATH`: what PATH was that is to go.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use xshell::cmd;

use crate::process;

use super::folder::{Files, files_below, read};

/// Where it stands. It is written below a longer name, and renamed when it is whole.
pub(crate) const FOLDER: &str = ".gantry-init";

pub(crate) struct Stage {
    root: PathBuf,
    folder: PathBuf,
}

impl Stage {
    /// What an earlier run decided and did not finish.
    ///
    /// # Errors
    /// What such a run left behind cannot be removed.
    pub(crate) fn find(root: &Path) -> Result<Option<Self>> {
        remove_folder(&partial(root))?;
        let folder = root.join(FOLDER);
        let root = root.to_owned();
        Ok(folder.exists().then_some(Self { root, folder }))
    }

    /// Decides that the files in `root`, which are `before`, become `after`.
    ///
    /// # Errors
    /// It cannot be written down; then nothing is decided.
    pub(crate) fn write(root: &Path, before: &Files, after: &Files) -> Result<Self> {
        let partial = partial(root);
        let put = |kind: &str, path: &str, content: &[u8]| {
            let file = partial.join(kind).join(path);
            write_with_parents(&file, content)?;
            // A program stays one that can be executed.
            match fs::metadata(root.join(path)) {
                Ok(metadata) => fs::set_permissions(&file, metadata.permissions())
                    .with_context(|| format!("cannot change {}", file.display())),
                Err(_) => Ok(()),
            }
        };
        for (path, content) in before {
            match after.get(path) {
                Some(same) if same == content => {}
                Some(_) => put("old", path, content)?,
                None => put("removed", path, content)?,
            }
        }
        for (path, content) in after
            .iter()
            .filter(|(path, content)| before.get(*path) != Some(content))
        {
            put("new", path, content)?;
        }
        let folder = root.join(FOLDER);
        fs::rename(&partial, &folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self {
            root: root.to_owned(),
            folder,
        })
    }

    /// Changes what is not changed yet, and gives what somebody has to look at, each in a sentence. What is
    /// to go stays until all that is to come is there.
    ///
    /// # Errors
    /// A file cannot be written or removed. The next call goes on from there.
    pub(crate) fn apply(&self) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        for path in self.paths("new")? {
            notes.extend(self.place(&path)?);
        }
        for path in self.paths("removed")? {
            notes.extend(self.remove_file(&path)?);
        }
        self.remove_emptied_folders()?;
        Ok(notes)
    }

    /// Forgets what was decided.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(crate) fn remove(self) -> Result<()> {
        let partial = partial(&self.root);
        fs::rename(&self.folder, &partial)
            .with_context(|| format!("cannot remove {}", self.folder.display()))?;
        remove_folder(&partial)
    }

    fn paths(&self, kind: &str) -> Result<Vec<String>> {
        let folder = self.folder.join(kind);
        if !folder.exists() {
            return Ok(Vec::new());
        }
        Ok(files_below(&folder)?.into_keys().collect())
    }

    fn place(&self, path: &str) -> Result<Option<String>> {
        let [new, old] = ["new", "old"].map(|kind| self.folder.join(kind).join(path));
        let target = self.root.join(path);
        let mut note = None;
        if target.exists() {
            let base = if old.exists() {
                read(&old)?
            } else {
                Vec::new()
            };
            if read(&target)? != base {
                note = merge(&target, &old, &new)?.then(|| {
                    format!("{path} has been edited meanwhile: choose between its conflict markers")
                });
            }
        }
        make_parent(&target)?;
        fs::rename(&new, &target).with_context(|| format!("cannot write {}", target.display()))?;
        Ok(note)
    }

    fn remove_file(&self, path: &str) -> Result<Option<String>> {
        let target = self.root.join(path);
        if !target.exists() {
            return Ok(None);
        }
        if read(&target)? != read(&self.folder.join("removed").join(path))? {
            return Ok(Some(format!(
                "{path} was to go, but has been edited meanwhile: it stays"
            )));
        }
        fs::remove_file(&target).with_context(|| format!("cannot remove {}", target.display()))?;
        Ok(None)
    }

    /// Removes the folders that hold nothing any more, or only what cargo built of a package that is gone.
    fn remove_emptied_folders(&self) -> Result<()> {
        for path in self.paths("removed")? {
            let target = self.root.join(&path);
            let folders = target.ancestors().skip(1);
            if path.ends_with("/Cargo.toml") && !target.exists() {
                let built = target.with_file_name("target");
                if built.join("CACHEDIR.TAG").exists() {
                    remove_folder(&built)?;
                }
            }
            for folder in folders.take_while(|folder| *folder != self.root) {
                if folder.exists() && fs::remove_dir(folder).is_err() {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn partial(root: &Path) -> PathBuf {
    root.join(format!("{FOLDER}.partial"))
}

fn remove_folder(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))
}

fn make_parent(file: &Path) -> Result<()> {
    let parent = file.parent().context("a file without a folder")?;
    fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))
}

/// Writes a file in a folder that may not be there yet.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write_with_parents(file: &Path, content: &[u8]) -> Result<()> {
    make_parent(file)?;
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}

/// Puts what was edited in `target` since it was `old` into `new`, and says whether there is a conflict.
fn merge(target: &Path, old: &Path, new: &Path) -> Result<bool> {
    let base = if old.exists() {
        old
    } else {
        Path::new("/dev/null")
    };
    let folder = target.parent().context("a file without a folder")?;
    let shell = process::shell(folder)?;
    let labels = ["-L", "edited", "-L", "before", "-L", "gantry init"];
    let merge = cmd!(
        shell,
        "git merge-file --stdout {labels...} {target} {base} {new}"
    );
    let output = process::output(merge, "")?;
    // The number of conflicts, or more where it cannot merge.
    let conflicts = output.status.code().unwrap_or(255);
    if conflicts > 127 {
        bail!(
            "cannot merge {}: {}",
            target.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    fs::write(new, output.stdout).with_context(|| format!("cannot write {}", new.display()))?;
    Ok(conflicts > 0)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
        list.iter().map(owned).collect()
    }

    fn before() -> Files {
        files(&[
            ("a", "1\n2\n3\n4\n"),
            ("b/c", "5"),
            ("b/d/e", "6"),
            ("same", "7"),
        ])
    }

    fn after() -> Files {
        files(&[("a", "1\n2\n3\nfour\n"), ("f/g", "8"), ("same", "7")])
    }

    /// A folder, and what is decided for it.
    fn staged() -> (TempDir, Stage) {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in before() {
            write_with_parents(&folder.path().join(path), &content).unwrap();
        }
        let stage = Stage::write(folder.path(), &before(), &after()).unwrap();
        (folder, stage)
    }

    /// What a run after an interrupted one makes of the folder, and what it says.
    fn finish(folder: &Path) -> (Files, Vec<String>) {
        let stage = Stage::find(folder).unwrap().expect("nothing was decided");
        let notes = stage.apply().unwrap();
        stage.remove().unwrap();
        assert!(Stage::find(folder).unwrap().is_none());
        (files_below(folder).unwrap(), notes)
    }

    #[test]
    fn a_run_that_ends_after_any_change_is_finished_by_the_next() {
        let changes: [fn(&Stage) -> _; 4] = [
            |stage| stage.place("a"),
            |stage| stage.place("f/g"),
            |stage| stage.remove_file("b/c"),
            |stage| stage.remove_file("b/d/e"),
        ];
        for done in 0..=changes.len() {
            let (folder, stage) = staged();
            for change in &changes[..done] {
                change(&stage).unwrap();
            }
            assert_eq!(
                finish(folder.path()),
                (after(), vec![]),
                "after {done} changes"
            );
            assert!(!folder.path().join("b").exists());
        }
    }

    #[test]
    fn what_is_edited_meanwhile_is_kept() {
        let (folder, _) = staged();
        let edit = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
        edit("a", "one\n2\n3\n4\n");
        edit("b/c", "edited");
        let (found, notes) = finish(folder.path());
        assert_eq!(found["a"], b"one\n2\n3\nfour\n");
        assert_eq!(found["b/c"], b"edited");
        assert!(
            notes.len() == 1 && notes[0].starts_with("b/c was to go"),
            "{notes:?}"
        );

        let (folder, _) = staged();
        fs::write(folder.path().join("a"), "1\n2\n3\nquattro\n").unwrap();
        let (found, notes) = finish(folder.path());
        let merged = String::from_utf8(found["a"].clone()).unwrap();
        assert!(
            merged.contains("quattro") && merged.contains("four"),
            "{merged}"
        );
        assert!(notes[0].starts_with("a has been edited"), "{notes:?}");
    }

    #[test]
    fn nothing_is_decided_before_it_is_written_down_whole() {
        let folder = tempfile::tempdir().unwrap();
        write_with_parents(&partial(folder.path()).join("new/a"), b"half").unwrap();
        assert!(Stage::find(folder.path()).unwrap().is_none());
        assert_eq!(files_below(folder.path()).unwrap(), Files::new());
    }

    #[test]
    fn a_program_can_be_executed_afterwards_and_what_cargo_built_of_the_removed_goes() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let before = files(&[("run", "1"), ("gone/Cargo.toml", "")]);
        for (path, content) in &before {
            write_with_parents(&root.join(path), content).unwrap();
        }
        for file in ["gone/target/CACHEDIR.TAG", "gone/target/debug/program"] {
            write_with_parents(&root.join(file), b"").unwrap();
        }
        fs::set_permissions(root.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
        Stage::write(root, &before, &files(&[("run", "2")])).unwrap();
        assert_eq!(finish(root).0, files(&[("run", "2")]));
        let mode = fs::metadata(root.join("run")).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0o111);
        assert!(!root.join("gone").exists());
    }
}
