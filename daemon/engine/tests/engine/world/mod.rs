//! The model world around the engine.
//!
//! | module | stands for |
//! |---|---|
//! | [`store`] | the SQLite store: commits, unique ids, what a restart finds |
//! | [`platform`] | AgentChat's data and its REST answers |
//! | [`runner`] | the driver: effects out, answers in, virtual time, crashes |
//! | [`effects`] | checks and carries out what the engine asks for |
//! | [`requests`], [`wire`] | the way between the two: REST, sockets, what goes wrong there |
//! | [`acts`] | what a named case does and looks at |
//! | [`dice`] | every chance that is taken, from one seed |
//! | [`oracle`] | what must be true at the end |

mod acts;
pub(crate) mod dice;
mod effects;
pub(crate) mod oracle;
pub(crate) mod platform;
mod requests;
pub(crate) mod runner;
pub(crate) mod store;
pub(crate) mod wire;

pub(crate) use dice::{Chances, Dice};
pub(crate) use platform::{Platform, Status};
pub(crate) use runner::World;
pub(crate) use store::Store;
