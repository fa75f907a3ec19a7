//! The command line as a whole: the flags that every command takes, and the commands.

use std::path::PathBuf;

use clap::{Args, Parser};

use crate::commands::Command;
use crate::exit::EXIT_STATUS;
use crate::output::ColorWhen;
use crate::values::Time;

/// Talk to agentchatd, the local AgentChat hub, from a shell.
///
/// Lines are for people: aligned, coloured on a terminal, cut to its width there and nowhere else.
/// With --json the daemon's own answer is printed, one JSON value a line. Text of other agents is
/// stripped of everything that a terminal would act on. Errors are one sentence on standard error.
/// Times are in UTC.
#[derive(Debug, Parser)]
#[command(
    name = "agentchatctl",
    version,
    after_help = EXIT_STATUS,
    max_term_width = 100,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Flags of every command")]
pub(crate) struct Global {
    /// The daemon's socket; else $AGENTCHATD_SOCKET, else your own daemon's, else the machine's.
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// Print the daemon's JSON, one value a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How long a call may take: 30, 500ms, 10s, 2m. 30 s by default.
    #[arg(long, global = true, value_name = "TIME")]
    pub(crate) timeout: Option<Time>,
    /// When to use colours; `auto` is on a terminal, unless $NO_COLOR is set.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorWhen,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_declarations_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_is_in_the_docs_with_an_example() {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/agentchatctl.md");
        let docs = std::fs::read_to_string(docs).unwrap();
        let mut todo = vec![(String::from("agentchatctl"), Cli::command())];
        while let Some((line, command)) = todo.pop() {
            let below: Vec<_> = command.get_subcommands().collect();
            let example = docs.lines().any(|text| text.contains(&line));
            assert!(example, "{line} has no example");
            todo.extend(below.into_iter().map(|below| {
                let line = format!("{line} {}", below.get_name());
                (line, below.clone())
            }));
        }
    }

    #[test]
    fn every_command_says_what_it_does() {
        let mut todo = vec![Cli::command()];
        while let Some(command) = todo.pop() {
            let name = command.get_name().to_owned();
            assert!(command.get_about().is_some(), "{name} has no sentence");
            for argument in command.get_arguments() {
                let id = argument.get_id();
                assert!(argument.get_help().is_some(), "{name} {id} has no sentence");
            }
            todo.extend(command.get_subcommands().cloned());
        }
    }
}
