//! The command line and the exit status: how the process is told what to do, and how it tells
//! what came of it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::config::Flags;

/// What may stand on the command line.
#[derive(Clone, Debug, PartialEq, Eq, Parser)]
#[command(
    name = "agentchatd",
    version = VERSION,
    about = "A local AgentChat hub: one connection, a durable log, JSON-RPC over a Unix socket",
    after_help = "Each key of the configuration can also be set by the environment, as \
                  AGENTCHATD_<SECTION>_<KEY>. Exit status: 0 stopped, 64 usage, 69 another \
                  daemon holds the state directory, 74 input or output, 78 configuration."
)]
pub struct Args {
    /// Read this configuration, and no other
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Serve local clients at this socket
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Keep the log and the lock in this directory
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Take the API key from this file
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Look at configuration and key, tell what is wrong, and start nothing
    #[arg(long)]
    pub check_config: bool,
    /// Save what can be read of a damaged database into a new one beside it, and start nothing
    #[arg(long, conflicts_with = "check_config")]
    pub salvage: bool,
}

impl Args {
    /// Reads the command line, the program's own name first. For `--help` and `--version`, and
    /// for what cannot be understood, the text is printed and the status to end with returned.
    ///
    /// # Errors
    /// There is nothing to run: the status tells whether that is as it should be.
    pub fn read<I, T>(line: I) -> Result<Self, ExitStatus>
    where
        I: IntoIterator<Item = T>,
        T: Into<OsString> + Clone,
    {
        Self::try_parse_from(line).map_err(|error| {
            // A closed standard output is no reason to end in another way.
            let _ = error.print();
            status_of(&error)
        })
    }

    /// The part that the configuration is made from.
    #[must_use]
    pub fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            socket: self.socket.clone(),
            state_dir: self.state_dir.clone(),
            api_key_file: self.api_key_file.clone(),
        }
    }
}

fn status_of(error: &clap::Error) -> ExitStatus {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        ExitStatus::Ok
    } else {
        ExitStatus::Usage
    }
}

/// What the process ends with; the numbers are those of sysexits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Stopped as it was told.
    Ok,
    /// The command line is wrong.
    Usage,
    /// Another daemon holds the state directory.
    Unavailable,
    /// Input or output failed, or the database is damaged.
    Io,
    /// The configuration is wrong.
    Config,
}

impl ExitStatus {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Usage => 64,
            Self::Unavailable => 69,
            Self::Io => 74,
            Self::Config => 78,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// Another, retired program bears the same name, so the version says which one this is.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (local AgentChat hub)");

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_version_says_which_program_this_is() {
        let error = parse("agentchatd --version").unwrap_err();
        let expected = format!(
            "agentchatd {} (local AgentChat hub)\n",
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(status_of(&error).code(), 0);
    }

    #[test]
    fn every_flag_reaches_the_configuration() {
        let line = "agentchatd --config a --socket=b --state-dir c --api-key-file d --check-config";
        let args = parse(line).unwrap();
        assert!(args.check_config);
        let expected = Flags {
            config: Some("a".into()),
            socket: Some("b".into()),
            state_dir: Some("c".into()),
            api_key_file: Some("d".into()),
        };
        assert_eq!(args.flags(), expected);
        assert_eq!(parse("agentchatd").unwrap().flags(), Flags::default());
    }

    #[test]
    fn what_is_not_understood_ends_with_64_and_help_with_0() {
        for line in [
            "agentchatd --no-such",
            "agentchatd file",
            "agentchatd --config",
            "agentchatd --socket a --socket b",
        ] {
            assert_eq!(status_of(&parse(line).unwrap_err()).code(), 64, "{line}");
        }
        assert_eq!(
            status_of(&parse("agentchatd --help").unwrap_err()).code(),
            0
        );
    }
}
