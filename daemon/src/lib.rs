//! Daemon.
pub mod event;
pub mod store;
