//! Aligned columns.

use super::page::Page;
use super::span::{Line, Span, bold, plain};
use super::writer::View;

/// Rows under heads. Columns are as wide as their widest cell; on a terminal that is too narrow the
/// widest ones give way, elsewhere nothing is ever cut.
#[derive(Debug)]
pub(crate) struct Table {
    heads: Vec<Span>,
    rows: Vec<Vec<Span>>,
}

impl Table {
    /// A table with these heads.
    pub(crate) fn new(heads: &[&str]) -> Self {
        Self {
            heads: heads.iter().map(bold).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row of as many cells as there are heads.
    pub(crate) fn row(&mut self, cells: Vec<Span>) {
        debug_assert_eq!(cells.len(), self.heads.len());
        self.rows.push(cells);
    }

    /// The lines; without rows, this sentence instead.
    pub(crate) fn page(self, view: View, when_empty: &str) -> Page {
        if self.rows.is_empty() {
            return Page::of(vec![plain(when_empty)]);
        }
        let widths = self.widths(view);
        let mut page = Page::default();
        page.add(lay_out(self.heads, &widths, view));
        for row in self.rows {
            page.add(lay_out(row, &widths, view));
        }
        page
    }

    fn widths(&self, view: View) -> Vec<usize> {
        let all = std::iter::once(&self.heads).chain(&self.rows);
        let mut widths = vec![0; self.heads.len()];
        for row in all {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        if let Some(columns) = view.width {
            shrink(&mut widths, columns);
        }
        widths
    }
}

/// Takes from the widest column until all fit, or none can give more.
fn shrink(widths: &mut [usize], columns: usize) {
    let gaps = GAP.len() * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > columns {
        match widths.iter_mut().max() {
            Some(widest) if *widest > LEAST_COLUMNS => *widest -= 1,
            _ => return,
        }
    }
}

fn lay_out(cells: Vec<Span>, widths: &[usize], view: View) -> Line {
    let last = cells.len().saturating_sub(1);
    let mut line = Vec::with_capacity(2 * cells.len());
    for (place, (cell, width)) in cells.into_iter().zip(widths).enumerate() {
        let cell = if view.width.is_some() {
            cell.cut(*width)
        } else {
            cell
        };
        let room = width.saturating_sub(cell.width());
        line.push(cell);
        if place < last {
            line.push(plain(" ".repeat(room) + GAP));
        }
    }
    line
}

const GAP: &str = "  ";
/// No column becomes narrower than this.
const LEAST_COLUMNS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::name;

    fn table() -> Table {
        let mut table = Table::new(&["HANDLE", "TEXT"]);
        table.row(vec![name("日本"), plain("one")]);
        table.row(vec![
            name("bob"),
            plain("a much longer text than the others"),
        ]);
        table
    }

    #[test]
    fn columns_stand_under_each_other_whatever_the_width_of_characters() {
        let page = table().page(View::plain(), "").text(false);
        let expected = "HANDLE  TEXT\n日本    one\nbob     a much longer text than the others\n";
        assert_eq!(page, expected);
    }

    #[test]
    fn a_narrow_terminal_cuts_the_widest_column() {
        let view = View {
            colour: false,
            width: Some(24),
        };
        let page = table().page(view, "").text(false);
        assert_eq!(
            page,
            "HANDLE  TEXT\n日本    one\nbob     a much longer t…\n"
        );
    }

    #[test]
    fn no_rows_are_told_in_a_sentence() {
        let page = Table::new(&["A"]).page(View::plain(), "nothing here");
        assert_eq!(page.text(false), "nothing here\n");
    }
}
