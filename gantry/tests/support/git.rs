//! Calls of git, and copies of what it tracks.

use std::fs;
use std::path::Path;

use super::{isolated, repository, text};

/// Standard output of a command of git that passes.
#[track_caller]
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = isolated("git", folder).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Commits everything in a folder, which becomes a repository where it is none.
#[track_caller]
pub(crate) fn commit(folder: &Path, message: &str) {
    git(folder, &["init", "--quiet", "--initial-branch", "main"]);
    git(folder, &["add", "--all"]);
    let author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"];
    let commit = ["commit", "--quiet", "--message", message];
    git(folder, &[&author[..], &commit].concat());
}

/// Copies this repository, with what git does not track yet and without what it ignores.
pub(crate) fn copy_repository(to: &Path) {
    let list = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    for file in git(&repository(), &list).split_terminator('\0') {
        let from = repository().join(file);
        // A file that was removed is in git's list until that is committed.
        if from.exists() {
            let to = to.join(file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    }
}
