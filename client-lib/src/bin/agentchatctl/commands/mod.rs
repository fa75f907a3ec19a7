//! The commands, one file each: its arguments, its calls, and how its result is shown.
//!
//! A new command is a file here and a line in [`registry`]. Its `run` gets the [`Session`] and gives
//! the exit status, or a [`Failure`] with its sentence. What it shows is made by a pure function from
//! the daemon's JSON, so that it can be tested without a daemon; `--json` passes the daemon's answer on.
//!
//! [`Session`]: crate::session::Session
//! [`Failure`]: crate::failure::Failure

mod attach;
mod call;
mod completions;
mod confirm;
mod consumers;
mod contacts;
mod conversations;
mod dashboard;
mod doctor;
mod fetch;
mod group_pages;
mod groups;
mod health;
mod history;
mod inbox;
mod login;
mod man;
mod mutes;
mod outbox;
mod paging;
mod presence;
mod progress;
mod registry;
mod search;
mod send;
mod status;
mod tail;
mod told;
mod whoami;

pub(crate) use registry::Command;
