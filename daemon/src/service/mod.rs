//! The process from its start to its end: configuration, lock, store, socket, tasks, signals.
//!
//! The order matters. The lock on the state dir comes before the database is opened and before a
//! leftover socket is touched; the socket serves before the service manager is told so; at the
//! end the local API finishes what is under way while the driver still runs, and the database is
//! folded last.

mod access;
mod keyring;
mod open_files;
mod retention;
mod run;
mod running;
mod start;
mod watch;

pub use run::run;
