//! The only loop that owns the engine: inputs go in, effects are carried out, in order.
//!
//! It knows the store, the platform's client and the feed, and decides nothing about order, holes,
//! acknowledgements or retries. Requests run as tasks and come back as inputs; commits go to the
//! writer thread and come back as reports; committed events go to the feed before anything that
//! depends on them is answered.
//!
//! After a failed commit the engine is ahead of the disk. It is thrown away and made anew from the
//! store, exactly as after a crash; until the disk takes writes again nothing is acknowledged and
//! no send is accepted.

mod clock;
mod commands;
mod compare;
mod effects;
mod failure;
mod link;
mod platform;
mod rebuild;
mod report;
mod requests;
mod run;
mod sends;
mod steering;

pub use clock::Clock;
pub use compare::means_the_same;
pub use run::{Driver, DriverConfig, Ends, Signal};
