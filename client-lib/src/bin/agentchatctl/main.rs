//! `agentchatctl`, the command line of agentchatd: everything that a local program can do over the
//! daemon's socket, for a shell and for a person.
//!
//! It uses nothing but the public API of the client library. A command goes: arguments ([`args`],
//! [`values`]) → one of [`commands`] → calls ([`session`]) → a page of lines or the daemon's JSON
//! ([`output`], [`render`]). What goes wrong becomes one sentence on standard error ([`failure`],
//! [`sentences`]) and an exit status ([`exit`]).

mod args;
mod commands;
mod exit;
mod failure;
mod output;
mod render;
mod sentences;
mod session;
mod values;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    session::run(args::Cli::parse()).into()
}
