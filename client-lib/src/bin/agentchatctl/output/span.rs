//! A piece of text in one style. Making one is where text of others is cleaned.

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr as _;

use super::text::{Lines, clean};

/// A piece of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    text: String,
    style: Style,
}

/// Pieces beside each other.
pub(crate) type Line = Vec<Span>;

impl Span {
    fn new(text: impl AsRef<str>, style: Style) -> Self {
        Self {
            text: clean(text.as_ref(), Lines::Fold),
            style,
        }
    }

    /// How many columns it takes on a terminal.
    pub(crate) fn width(&self) -> usize {
        self.text.width()
    }

    /// The text as it stands, without colours.
    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The same in at most so many columns, with an ellipsis where something is cut off.
    pub(crate) fn cut(mut self, columns: usize) -> Self {
        if self.width() <= columns {
            return self;
        }
        while self.text.width() + 1 > columns && self.text.pop().is_some() {}
        if columns > 0 {
            self.text.push('…');
        }
        self
    }

    /// Adds the text to a line, with its colours where they are wanted.
    pub(crate) fn paint(&self, out: &mut String, colour: bool) {
        let styled = colour && self.style != Style::new() && !self.text.is_empty();
        if styled {
            out.push_str(&self.style.render().to_string());
        }
        out.push_str(&self.text);
        if styled {
            out.push_str(&self.style.render_reset().to_string());
        }
    }
}

/// Text with no style.
pub(crate) fn plain(text: impl AsRef<str>) -> Span {
    Span::new(text, Style::new())
}

/// What matters less.
pub(crate) fn dim(text: impl AsRef<str>) -> Span {
    Span::new(text, Style::new().dimmed())
}

/// Heads of columns.
pub(crate) fn bold(text: impl AsRef<str>) -> Span {
    Span::new(text, Style::new().bold())
}

/// The left side of a list of fields.
pub(crate) fn key(text: impl AsRef<str>) -> Span {
    Span::new(text, colour(AnsiColor::Blue))
}

/// Handles and names.
pub(crate) fn name(text: impl AsRef<str>) -> Span {
    Span::new(text, colour(AnsiColor::Cyan).bold())
}

/// What is as it should be.
pub(crate) fn good(text: impl AsRef<str>) -> Span {
    Span::new(text, colour(AnsiColor::Green))
}

/// What someone should look at.
pub(crate) fn warn(text: impl AsRef<str>) -> Span {
    Span::new(text, colour(AnsiColor::Yellow))
}

/// What went wrong.
pub(crate) fn bad(text: impl AsRef<str>) -> Span {
    Span::new(text, colour(AnsiColor::Red).bold())
}

fn colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(colour.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_count_double_and_are_never_cut_in_half() {
        assert_eq!(plain("日本語").width(), 6);
        assert_eq!(plain("日本語").cut(6).text(), "日本語");
        assert_eq!(plain("日本語").cut(5).text(), "日本…");
        assert_eq!(plain("日本語").cut(4).text(), "日…");
        assert_eq!(plain("日本語").cut(0).text(), "");
    }

    #[test]
    fn every_span_is_clean_whatever_it_was_given() {
        assert_eq!(name("bo\u{1b}[2Jb\nx\u{202e}").text(), "bob x");
    }

    #[test]
    fn colours_are_there_only_where_they_are_wanted() {
        let (mut with, mut without) = (String::new(), String::new());
        good("ok").paint(&mut with, true);
        good("ok").paint(&mut without, false);
        assert_eq!(with, "\u{1b}[32mok\u{1b}[0m");
        assert_eq!(without, "ok");
    }
}
