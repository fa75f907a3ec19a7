//! From values to bytes on standard output: what may reach a terminal, how it is laid out, and how it
//! is written.
//!
//! Text of others enters through [`Span`] and is cleaned there ([`text`]); lines are pure values until
//! [`Output`] writes them. Nothing else in this program writes to standard output.

mod json;
mod page;
mod span;
mod table;
pub(crate) mod text;
mod writer;

pub(crate) use page::{Fields, Page};
pub(crate) use span::{Line, Span, bad, dim, good, name, plain, warn};
pub(crate) use table::Table;
pub(crate) use writer::{ColorWhen, Output, View, write};
