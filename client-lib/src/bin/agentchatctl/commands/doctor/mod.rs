//! `doctor`: looks at everything between this shell and AgentChat, and says what to do.
//!
//! One finding a check ([`finding`]), in the order in which things are needed: the socket and the files
//! ([`files`]), what the daemon says of itself ([`daemon`]), and the way to the platform
//! ([`network`]). What needs no daemon is looked at without one, too. Nothing is changed.

mod command;
mod daemon;
mod files;
mod finding;
mod network;

pub(crate) use command::Doctor;
