//! What a command ends with when it does not succeed: an exit status, and one sentence that says what
//! went wrong and what mends it.

use std::io;

use crate::exit::Exit;
use crate::output::text::{Lines, clean};

/// The end of a command that did not succeed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit status.
    pub(crate) exit: Exit,
    /// What to say; nothing where the reader of the output went away.
    pub(crate) sentence: Option<String>,
}

impl Failure {
    /// Something failed; the sentence ends with what mends it.
    pub(crate) fn failed(sentence: impl Into<String>) -> Self {
        Self {
            exit: Exit::FAILED,
            sentence: Some(sentence.into()),
        }
    }

    /// The arguments make no sense together.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self {
            exit: Exit::USAGE,
            sentence: Some(sentence.into()),
        }
    }

    /// No daemon can be reached.
    pub(crate) fn no_daemon(sentence: impl Into<String>) -> Self {
        Self {
            exit: Exit::NO_DAEMON,
            sentence: Some(sentence.into()),
        }
    }

    /// The line for standard error. Texts of others in it are cleaned here, and bounded.
    pub(crate) fn line(&self) -> Option<String> {
        let text = clean(self.sentence.as_ref()?, Lines::Fold);
        let mut line: String = text.chars().take(MAX_CHARS).collect();
        if line.len() < text.len() {
            line.push('…');
        }
        Some(format!("agentchatctl: {line}\n"))
    }
}

/// An error of standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            // `agentchatctl … | head` is no failure: the reader has what it wanted.
            return Self {
                exit: Exit::DONE,
                sentence: None,
            };
        }
        Self::failed(format!(
            "the output cannot be written ({error}); make room where it goes, or send it elsewhere"
        ))
    }
}

/// A sentence that is longer quotes a text that is too long for one.
const MAX_CHARS: usize = 600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_clean_line() {
        let failure = Failure::failed("refused: \u{1b}[2J\"no\nway\"; try again");
        let line = failure.line().unwrap();
        assert_eq!(line, "agentchatctl: refused: \"no way\"; try again\n");
        let long = Failure::failed("x".repeat(10_000)).line().unwrap();
        assert!(long.chars().count() < MAX_CHARS + 30, "{}", long.len());
    }

    #[test]
    fn a_reader_that_went_away_ends_it_quietly() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure.exit, Exit::DONE);
        assert_eq!(failure.line(), None);
        assert_eq!(
            Failure::from(io::Error::from(io::ErrorKind::StorageFull)).exit,
            Exit::FAILED
        );
    }
}
