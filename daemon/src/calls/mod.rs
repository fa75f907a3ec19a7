//! What each method that the platform answers asks of it: parameters in, one HTTP request out.
//!
//! Pure functions, one file a namespace. They are held against the requests that the official SDK
//! makes for the same calls, byte by byte. Who runs a request, and for how long, is the local
//! API's business; how it travels is [`crate::upstream`]'s.

mod agents;
mod attachments;
mod avatars;
mod body;
mod call;
mod contacts;
mod conversations;
mod directory;
mod groups;
mod keys;
mod list;
mod messages;
mod mutes;
mod paging;
mod presence;
mod sync;
mod webhooks;

pub(crate) use attachments::slot;
pub(crate) use avatars::Picture;
use body::Body;
pub use call::PlatformCall;
pub(crate) use list::for_each_call;
pub use paging::{All, Page, Walk, Window};

pub use crate::upstream::Request;
