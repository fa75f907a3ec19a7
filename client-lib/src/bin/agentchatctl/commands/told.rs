//! The line of a command that changed something and has nothing else to show.

use std::fmt::Display;

use crate::output::{Page, good, name, plain};

/// `added @bob`.
pub(super) fn done(word: &str, what: impl Display) -> Page {
    Page::of(vec![good(word), plain(" "), name(what.to_string())])
}
