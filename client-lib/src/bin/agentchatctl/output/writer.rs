//! Standard output: what it can show, and writing to it so that a failure is known.

use std::io::{self, IsTerminal as _, Write as _};

use clap::ValueEnum;

use super::json::{one_line, pretty};
use super::page::Page;

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always, also into a pipe.
    Always,
    /// Never.
    Never,
}

/// What the reader of the output can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct View {
    /// Whether colours are wanted.
    pub(crate) colour: bool,
    /// The columns of the terminal; without one nothing is cut off.
    pub(crate) width: Option<usize>,
}

impl View {
    /// A pipe or a file.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self {
            colour: false,
            width: None,
        }
    }

    fn of_stdout(color: ColorWhen) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let auto = || {
            let choice = anstream::AutoStream::choice(&stdout);
            terminal && choice != anstream::ColorChoice::Never
        };
        let columns = || console::Term::stdout().size_checked();
        Self {
            colour: match color {
                ColorWhen::Auto => auto(),
                ColorWhen::Always => true,
                ColorWhen::Never => false,
            },
            width: columns()
                .filter(|_| terminal)
                .map(|(_, columns)| columns.into()),
        }
    }
}

/// Standard output, in one of the two forms.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// What can be seen.
    pub(crate) view: View,
    /// Whether JSON is wanted.
    pub(crate) json: bool,
}

impl Output {
    /// The output of this process.
    pub(crate) fn new(json: bool, color: ColorWhen) -> Self {
        Self {
            view: View::of_stdout(color),
            json,
        }
    }

    /// Writes lines for people.
    pub(crate) fn page(&self, page: &Page) -> io::Result<()> {
        write(page.text(self.view.colour).as_bytes())
    }

    /// Writes one JSON value on one line.
    pub(crate) fn json_line(&self, json: &str) -> io::Result<()> {
        write((one_line(json) + "\n").as_bytes())
    }

    /// Writes one JSON value for people: over several lines on a terminal, else on one.
    pub(crate) fn json_pretty(&self, json: &str) -> io::Result<()> {
        if self.json || !io::stdout().is_terminal() {
            return self.json_line(json);
        }
        write((pretty(json) + "\n").as_bytes())
    }
}

/// Writes and flushes: when it returns, the text is with the system.
pub(crate) fn write(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}
