//! What several commands show alike: messages, events, times. Values in, lines out.
//!
//! Reading is lenient: a member that is missing or of another type is left out of the line, never an
//! error. The daemon and AgentChat may be newer than this program.

mod event;
mod message;
mod moment;
mod read;

pub(crate) use event::event;
pub(crate) use message::{body, history};
pub(crate) use moment::{length, moment};
pub(crate) use read::{flag, handle, list, number, text};
