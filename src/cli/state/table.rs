//! Columns of text.

use crate::report::terminal::escape_lines;
use console::measure_text_width;
use std::fmt::Write as _;

/// Rows below a heading, each column as wide as its longest cell; `right` columns are set to
/// the right.
pub(super) fn table(heading: &[&str], rows: &[Vec<String>], right: &[usize]) -> String {
    let heading = heading.iter().map(|&text| text.to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(heading)
        .chain(
            rows.iter()
                .map(|row| row.iter().map(|cell| escape_lines(cell)).collect()),
        )
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| measure_text_width(cell))
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let gap = widths[column].saturating_sub(measure_text_width(cell));
            let (before, after) = match right.contains(&column) {
                true => (gap, 0),
                false => (0, gap),
            };
            let _ = write!(line, "{:before$}{cell}{:after$}  ", "", "");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let rows = [
            vec!["a".to_owned(), "10".to_owned(), "x".to_owned()],
            vec!["long".to_owned(), "9".to_owned(), String::new()],
        ];
        insta::assert_snapshot!(table(&["NAME", "N", "END"], &rows, &[1]), @"
        NAME   N  END
        a     10  x
        long   9
        ");
    }
}
