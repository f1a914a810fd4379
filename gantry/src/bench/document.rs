//! docs/benchmarks.md: figures between two lines, of which the first names the command that puts them
//! there.

use anyhow::{Context as _, Result};

use super::repository::Repository;
use crate::file;

const FILE: &str = "gantry/docs/benchmarks.md";
const END: &str = "<!-- end of figures -->";

/// Makes sure that the document has a place for the figures of `command`.
///
/// # Errors
/// It has none, or cannot be read.
pub(crate) fn find(repository: &Repository, command: &str) -> Result<()> {
    replace(&repository.read(FILE)?, command, "").map(drop)
}

/// Puts the figures of `command` in place of those that the document holds.
///
/// # Errors
/// It has no place for them, or cannot be written.
pub(crate) fn write(repository: &Repository, command: &str, figures: &str) -> Result<()> {
    let document = replace(&repository.read(FILE)?, command, figures)?;
    file::write(&repository.path(FILE), &document)
}

fn replace(document: &str, command: &str, figures: &str) -> Result<String> {
    let begin = format!("<!-- figures: {command} -->");
    let place = || {
        let (before, rest) = document.split_once(&begin)?;
        Some((before, rest.split_once(END)?.1))
    };
    let (before, after) =
        place().with_context(|| format!("{FILE} has no lines `{begin}` and `{END}`"))?;
    Ok(format!("{before}{begin}\n\n{figures}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn only_the_figures_of_the_command_are_replaced() {
        let document = "before\n<!-- figures: one -->\nold\n<!-- end of figures -->\nbetween\n\
                        <!-- figures: other -->\nkept\n<!-- end of figures -->\nafter\n";
        let replaced = replace(document, "one", "new\n").unwrap();
        assert_eq!(replaced, document.replace("-->\nold\n", "-->\n\nnew\n\n"));
        assert_eq!(replace(&replaced, "one", "new\n").unwrap(), replaced);
        assert!(replace(document, "third", "new\n").is_err());
    }
}
