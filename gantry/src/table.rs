//! Columns of text.

use std::fmt::Write as _;

use anstyle::Style;

/// A cell and how it is shown.
pub(crate) type Cell = (String, Style);

/// Rows of as many cells each, their columns aligned; the first row is the heading.
#[must_use]
pub(crate) fn table(heading: &[&str], rows: &[impl AsRef<[Cell]>]) -> String {
    let bold = Style::new().bold();
    let heading: Vec<Cell> = heading
        .iter()
        .map(|&cell| (cell.to_owned(), bold))
        .collect();
    let rows = || {
        [&*heading]
            .into_iter()
            .chain(rows.iter().map(AsRef::as_ref))
    };
    let width = |column: usize| {
        let widths = rows().map(|row| row[column].0.chars().count());
        widths.max().unwrap_or_default()
    };
    let mut text = String::new();
    for row in rows() {
        let mut line = String::new();
        for (column, (cell, style)) in row.iter().enumerate() {
            let padding = width(column) - cell.chars().count();
            // Nothing to show needs no style, which would end in more than spaces.
            let style = if cell.is_empty() {
                &Style::new()
            } else {
                style
            };
            let _ = write!(line, "{style}{cell}{style:#}{:1$}", "", padding + 2);
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let plain = |text: &str| (text.to_owned(), Style::new());
        let text = table(
            &["a", "b"],
            &[[plain("wide"), plain("1")], [plain("é"), plain("2")]],
        );
        let text = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(text, "a     b\nwide  1\né     2\n");
    }
}
