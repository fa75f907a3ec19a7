//! The pieces of the replay test: fixtures are read, each step is performed against a sandbox over
//! real HTTP and WebSocket, and what comes back is compared with the template of the recording.

pub mod compare;
pub mod differences;
pub mod exchange;
pub mod fixture;
pub mod run;
pub mod setup;
pub mod socket;
