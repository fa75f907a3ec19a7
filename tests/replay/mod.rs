//! The pieces of the replay test: fixtures are read, each step is performed against a sandbox over
//! real HTTP and WebSocket, and what comes back is compared with the template of the recording.

pub(crate) mod at_once;
mod compare;
pub(crate) mod differences;
pub(crate) mod exchange;
pub(crate) mod fixture;
pub(crate) mod run;
pub(crate) mod setup;
pub(crate) mod socket;
