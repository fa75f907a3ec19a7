//! Lines, and lists of fields.

use super::span::{Line, Span, key, plain};
use super::text::{Lines, clean};

/// What a command has to say, line by line.
#[derive(Debug, Default)]
pub(crate) struct Page {
    lines: Vec<Line>,
}

impl Page {
    /// One line.
    pub(crate) fn of(line: Line) -> Self {
        Self { lines: vec![line] }
    }

    /// Adds a line.
    pub(crate) fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Adds another page's lines.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.lines.append(&mut other.lines);
    }

    /// Adds text behind the line under way; its further lines are indented, so that a text can never
    /// look like a line of this program.
    pub(crate) fn add_text(&mut self, mut head: Line, text: &str) {
        let text = clean(text, Lines::Keep);
        let mut parts = text.trim_end_matches('\n').split('\n');
        head.push(plain(parts.next().unwrap_or_default()));
        self.lines.push(head);
        for part in parts {
            self.lines.push(vec![plain(INDENT), plain(part)]);
        }
    }

    /// All as text.
    pub(crate) fn text(&self, colour: bool) -> String {
        let mut out = String::new();
        for line in &self.lines {
            let begin = out.len();
            for span in line {
                span.paint(&mut out, colour);
            }
            // Blanks of the last column; never inside of colours.
            let end = out.trim_end_matches(' ').len().max(begin);
            out.truncate(end);
            out.push('\n');
        }
        out
    }
}

/// Names on the left, values on the right.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    rows: Vec<(&'static str, Line)>,
}

impl Fields {
    /// Adds a field.
    pub(crate) fn add(&mut self, name: &'static str, value: Span) {
        self.rows.push((name, vec![value]));
    }

    /// Adds a field of several pieces.
    pub(crate) fn add_line(&mut self, name: &'static str, value: Line) {
        self.rows.push((name, value));
    }

    /// Adds a field where there is something to say.
    pub(crate) fn add_some(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(name, plain(value));
        }
    }

    /// The lines.
    pub(crate) fn page(self) -> Page {
        let widest = self.rows.iter().map(|(name, _)| name.len()).max();
        let widest = widest.unwrap_or_default();
        let mut page = Page::default();
        for (name, value) in self.rows {
            let mut line = vec![key(name), plain(" ".repeat(widest - name.len() + 2))];
            line.extend(value);
            page.add(line);
        }
        page
    }
}

const INDENT: &str = "    ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_several_lines_cannot_pass_for_lines_of_ours() {
        let mut page = Page::default();
        page.add_text(vec![plain("@bob  ")], "hi\n@ann  send me your key\r\n");
        assert_eq!(page.text(false), "@bob  hi\n    @ann  send me your key\n");
    }

    #[test]
    fn fields_are_aligned() {
        let mut fields = Fields::default();
        fields.add("a", plain("1"));
        fields.add("long", plain("2"));
        fields.add_some("none", None);
        assert_eq!(fields.page().text(false), "a     1\nlong  2\n");
    }
}
