//! What of the template a project goes without: files that a list names, and marked lines.
//!
//! A list, `parts/PART.txt`, holds a path a line, or `Cargo.lock PACKAGE DEPENDENCY`: an entry of the
//! lock file that this part's dependencies are the reason for. A line that ends in the comment
//! `only PART` belongs to that part, as do the lines from a comment `begin PART` to one that says
//! `end PART`. `templates/project.nix` reads both in the same way.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// A part of the template that a project may be without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What only the template itself needs.
    Template,
    /// What is needed until the project has been made.
    Init,
    /// The wasm crate and its page.
    Web,
}

impl Part {
    pub(crate) const ALL: [Self; 3] = [Self::Template, Self::Init, Self::Web];

    fn name(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Init => "init",
            Self::Web => "web",
        }
    }

    fn list(self) -> impl Iterator<Item = &'static str> {
        match self {
            Self::Template => include_str!("../parts/template.txt"),
            Self::Init => include_str!("../parts/init.txt"),
            Self::Web => include_str!("../parts/web.txt"),
        }
        .lines()
    }

    /// The files and folders that are this part's, relative to the root.
    fn paths(self) -> impl Iterator<Item = &'static str> {
        self.list().filter(|line| !line.contains(' '))
    }

    /// Dependencies of packages that nobody else needs, each with its package.
    pub(crate) fn locked(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.list()
            .filter_map(|line| line.strip_prefix("Cargo.lock ")?.split_once(' '))
    }

    /// Removes this part's files and folders below `root`.
    ///
    /// # Errors
    /// One of them cannot be removed.
    pub(crate) fn remove_from(self, root: &Path) -> Result<()> {
        for path in self.paths().map(|path| root.join(path)) {
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else if path.exists() {
                fs::remove_file(&path)
            } else {
                Ok(())
            };
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }
}

/// The comment that a line ends in, where it is a mark: its word and its part.
fn mark(line: &str) -> Option<(&str, Part)> {
    let line = line.trim_end();
    let line = line.strip_suffix(" -->").unwrap_or(line);
    let (rest, name) = line.rsplit_once(' ')?;
    let part = Part::ALL.into_iter().find(|part| part.name() == name)?;
    let (rest, word) = rest.rsplit_once(' ')?;
    let opens = ["#", "//", "<!--"];
    let is_comment = opens.contains(&rest.rsplit(' ').next()?);
    (is_comment && ["begin", "end", "only"].contains(&word)).then_some((word, part))
}

/// The line without its mark.
fn unmarked(line: &str) -> &str {
    let start = ["#", "//", "<!--"]
        .iter()
        .filter_map(|open| line.rfind(&format!("{open} only ")))
        .max();
    line[..start.unwrap_or(line.len())].trim_end()
}

/// `text` without the lines of the parts that are left out. The marks of the parts that `stay` for
/// good are taken out, too, and their lines kept.
///
/// # Errors
/// A part begins or ends where it should not.
pub(crate) fn strip(text: &str, left_out: &[Part], stay: &[Part]) -> Result<String> {
    let mut stripped = String::with_capacity(text.len());
    let mut inside: Option<Part> = None;
    for line in text.split_inclusive('\n') {
        let mark = mark(line);
        match (mark, inside) {
            (Some(("begin", part)), None) => inside = Some(part),
            (Some(("end", part)), Some(begun)) if part == begun => inside = None,
            (Some((word @ ("begin" | "end"), part)), _) => {
                bail!("`{word} {}` is out of place", part.name())
            }
            _ => {}
        }
        let part = mark.map(|(_, part)| part).or(inside);
        let Some(part) = part else {
            stripped += line;
            continue;
        };
        if left_out.contains(&part) {
            continue;
        }
        match mark {
            Some((word, part)) if stay.contains(&part) => {
                if word == "only" {
                    stripped += unmarked(line);
                    stripped.push('\n');
                }
            }
            _ => stripped += line,
        }
    }
    if let Some(part) = inside {
        bail!("`begin {}` has no end", part.name());
    }
    Ok(stripped)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text with marks, which this file itself must not have.
    fn text() -> String {
        "one\ntwo # only @web\n<!-- begin @template -->\nthree\n<!-- end @template -->\n\
         // begin @web\nfour\n// end @web\n| five | <!-- only @template -->\n\
         not a mark: only web\n"
            .replace('@', "")
    }

    #[test]
    fn lines_of_a_part_go_with_it() {
        let stripped = strip(&text(), &[Part::Template, Part::Web], &[]).unwrap();
        assert_eq!(stripped, "one\nnot a mark: only web\n");
    }

    #[test]
    fn marks_of_a_part_that_stays_go() {
        let stripped = strip(&text(), &[Part::Template], &[Part::Web]).unwrap();
        assert_eq!(stripped, "one\ntwo\nfour\nnot a mark: only web\n");
    }

    #[test]
    fn other_parts_keep_their_marks() {
        let stripped = strip(&text(), &[Part::Web], &[]).unwrap();
        assert!(stripped.contains("<!-- begin template -->\nthree\n<!-- end template -->\n"));
        assert_eq!(strip(&text(), &[], &[]).unwrap(), text());
    }

    #[test]
    fn a_part_ends_where_it_began() {
        for text in [
            "# begin web\n",
            "# end web\n",
            "# begin web\n# end template\n",
        ] {
            assert!(strip(text, &[], &[]).is_err(), "{text}");
        }
    }
}
