//! Which changed files are part of the sources that derivations were given.

use std::fs;
use std::path::{Path, PathBuf};

use crate::nix::common_files;

/// Whether `file` of the folder `tree` is part of one of these files and folders of the store.
///
/// A path in the store says only what is in it. So a folder is taken for the one around `file` where
/// all that it holds is there, with the same content.
pub(super) fn contain(sources: &[PathBuf], tree: &Path, file: &str) -> bool {
    let Ok(content) = fs::read(tree.join(file)) else {
        return false;
    };
    sources.iter().any(|source| {
        if source.is_dir() {
            let parts: Vec<&str> = file.split('/').collect();
            (0..parts.len()).any(|split| {
                let (folder, inside) = parts.split_at(split);
                fs::read(source.join(inside.join("/"))).is_ok_and(|bytes| bytes == content)
                    && common_files(source, &tree.join(folder.join("/"))).is_some()
            })
        } else {
            fs::read(source).is_ok_and(|bytes| bytes == content)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_told_from_another_with_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for (file, text) in [
            ("tree/a/src/new.rs", ""),
            ("tree/a/src/lib.rs", "a"),
            ("tree/b/src/new.rs", ""),
            ("tree/b/src/lib.rs", "b"),
            ("store/source/src/new.rs", ""),
            ("store/source/src/lib.rs", "b"),
            ("store/layer.sh", "echo"),
            ("tree/nix/layer.sh", "echo"),
        ] {
            write(file, text);
        }
        let tree = folder.path().join("tree");
        let sources = ["store/source", "store/layer.sh"].map(|file| folder.path().join(file));
        let holds = |file: &str| contain(&sources, &tree, file);
        assert!(holds("b/src/new.rs") && holds("nix/layer.sh"));
        assert!(!holds("a/src/new.rs") && !holds("absent"));
    }
}
