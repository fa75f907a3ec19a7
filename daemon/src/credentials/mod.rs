//! The API key: where it may come from, what is refused, and a type that keeps it to itself.
//!
//! [`load()`] is called at start and for every reload. It walks the sources in the order of the
//! contract and stops at the first that is there: a source that is there and cannot be used is
//! *refused*, never passed over, so that a wrong mode does not silently bring another key into
//! play. The daemon then runs parked and says why.
//!
//! [`Fingerprint`] tells whether a file of these changed.
//!
//! [`variable`] takes a key that came by the environment out of it.
//!
//! [`save()`] keeps a new key where loading finds it again.
//!
//! Invariant: no text that leaves this module, be it `Debug`, an error or a warning, holds any
//! part of a key.

mod key;
mod load;
mod save;
mod sources;
pub mod variable;
mod watch;

#[cfg(test)]
mod tests;

pub use key::{ApiKey, MalformedKey};
pub use load::load;
pub use save::{Agent, Kept, NotKept, Reserved, reserve, save, sweep};
pub use sources::{Credential, KeySource, KeyState, Refusal, RefusalReason, Sources};
pub use watch::Fingerprint;
