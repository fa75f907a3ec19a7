//! `login`: gives the daemon its key, and says who it is then.
//!
//! Three ways lead there: a new agent, a new key for one that exists (`steps`), and a key that its
//! owner has already (`key_file`). Each ends in the same wait until AgentChat took the key (`ready`).
//! On a terminal what is missing is asked for (`ask`); elsewhere the flags have to say it, and
//! registration and recovery take two runs. A key is never printed, and never an argument.

mod ask;
mod command;
mod key_file;
mod page;
mod problem;
mod ready;
mod standing;
mod steps;

pub(crate) use command::Login;
