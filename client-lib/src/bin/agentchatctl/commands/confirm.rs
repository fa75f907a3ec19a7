//! Asking before something is gone for good.

use std::io::{BufRead as _, IsTerminal as _};

use clap::Args;

use crate::failure::Failure;
use crate::output::text::{Lines, clean};
use crate::session::complain;

/// The flag of commands that destroy something.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Confirm {
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
}

impl Confirm {
    /// Goes on only where the caller said yes: by the flag, or on the terminal. Without a terminal
    /// nobody can be asked, so nothing is done.
    pub(super) fn ask(self, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let stdin = std::io::stdin();
        if !stdin.is_terminal() || !std::io::stderr().is_terminal() {
            return Err(Failure::failed(
                "nobody can be asked whether that is meant, so nothing was done; give --yes",
            ));
        }
        complain(&format!("{} [y/N] ", clean(question, Lines::Fold)));
        let mut answer = String::new();
        let read = stdin.lock().read_line(&mut answer);
        match (read, answer.trim().to_ascii_lowercase().as_str()) {
            (Ok(_), "y" | "yes") => Ok(()),
            _ => Err(Failure::failed("nothing was done; answer y, or give --yes")),
        }
    }
}
