//! Comparing what derivations were given with what a folder holds.

use std::fs;
use std::path::Path;

/// How many files `source`, a file or folder, holds, where each of them is in `other` too, with the same
/// content; nothing where one is not.
pub(crate) fn common_files(source: &Path, other: &Path) -> Option<usize> {
    if source.is_symlink() {
        let (target, other) = (fs::read_link(source).ok()?, fs::read_link(other).ok()?);
        (target == other).then_some(1)
    } else if source.is_dir() {
        let entries = fs::read_dir(source).ok()?;
        entries
            .map(|entry| {
                let entry = entry.ok()?;
                common_files(&entry.path(), &other.join(entry.file_name()))
            })
            .sum()
    } else {
        let (content, other) = (fs::read(source).ok()?, fs::read(other).ok()?);
        (content == other).then_some(1)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_count_where_all_of_them_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["source/nested", "other/nested", "empty/nested"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        for name in [
            "source/a",
            "source/nested/b",
            "other/a",
            "other/nested/b",
            "other/c",
        ] {
            fs::write(path(name), "text").unwrap();
        }
        // Where it leads is not looked at.
        for name in ["source/link", "other/link"] {
            symlink("nowhere", path(name)).unwrap();
        }
        let common = |one: &str, other: &str| common_files(&path(one), &path(other));
        assert_eq!(common("source", "other"), Some(3));
        assert_eq!(common("source/a", "other/a"), Some(1));
        assert_eq!(common("empty", "other"), Some(0));
        assert_eq!(common("other", "source"), None);
        assert_eq!(common("absent", "other"), None);
        fs::remove_file(path("other/link")).unwrap();
        symlink("elsewhere", path("other/link")).unwrap();
        assert_eq!(common("source", "other"), None);
    }
}
