//! `completions`: what a shell needs to complete the commands.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::args::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Print completions for a shell: bash, zsh, fish, elvish or powershell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    #[expect(clippy::unused_async, reason = "every command is run alike")]
    pub(super) async fn run(self, _session: &Session) -> Result<Exit, Failure> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), NAME, &mut text);
        output::write(&text)?;
        Ok(Exit::DONE)
    }
}

const NAME: &str = "agentchatctl";
