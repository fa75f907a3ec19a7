//! The platform's JSON, read leniently (`wire.md` 2.5, 3, 4).
//!
//! Only the members that the rules need are looked at; the rest of a message stays the bytes that
//! came. A member of an unexpected type counts as absent, an unknown one is passed over, the last
//! of two equal names wins. What cannot be read is said so and never taken for an empty answer.

mod cursor;
mod fields;
mod frame;
mod list;
mod row;
mod sync;

#[cfg(test)]
mod tests;

pub use cursor::Cursor;
pub use frame::{Event, Frame, frame};
pub use list::{ConversationItem, Page, conversations, history};
pub use row::{Unreadable, row, row_from_json};
pub use sync::{SyncPage, acked, sync_page};

pub(in crate::upstream) use fields::{handle_text, members, number, text};
