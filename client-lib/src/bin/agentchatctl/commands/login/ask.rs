//! Asking on a terminal. Questions go to standard error, so that standard output holds nothing but the
//! result.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use crate::failure::Failure;
use crate::output::text::{Lines, clean};
use crate::session::complain;

/// Whether somebody can be asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker {
    can: bool,
}

impl Asker {
    /// Somebody who reads JSON is a program, also on a terminal.
    pub(super) fn of_process(json: bool) -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        Self {
            can: terminal && !json,
        }
    }

    /// Whether somebody can be asked.
    pub(super) fn can(self) -> bool {
        self.can
    }

    /// Asks until there is an answer that fits; `flag` says it where nobody can be asked.
    pub(super) fn ask(
        self,
        question: &str,
        flag: &str,
        fits: impl Fn(&str) -> Result<(), &'static str>,
    ) -> Result<String, Failure> {
        if !self.can {
            return Err(Failure::usage(format!(
                "nobody can be asked here, and {flag} is missing; give it"
            )));
        }
        loop {
            let answer = line(question)?;
            match fits(&answer) {
                Ok(()) => return Ok(answer),
                Err(why) => say(why),
            }
        }
    }

    /// The same where an empty answer means none; none as well where nobody can be asked.
    pub(super) fn ask_if_any(self, question: &str) -> Result<Option<String>, Failure> {
        if !self.can {
            return Ok(None);
        }
        Ok(Some(line(question)?).filter(|answer| !answer.is_empty()))
    }
}

/// A line for the one who is asked. Texts of others in it are cleaned here.
pub(super) fn say(text: &str) {
    complain(&format!("{}\n", clean(text, Lines::Fold)));
}

fn line(question: &str) -> Result<String, Failure> {
    complain(&format!("{}: ", clean(question, Lines::Fold)));
    let mut bytes = Vec::new();
    let read = std::io::stdin()
        .lock()
        .take(MAX_ANSWER_BYTES)
        .read_until(b'\n', &mut bytes);
    match read {
        Ok(0) | Err(_) => {
            complain("\n");
            Err(Failure::failed(
                "nothing more was answered, so nothing more was done; start again",
            ))
        }
        Ok(_) => Ok(clean(&String::from_utf8_lossy(&bytes), Lines::Fold)
            .trim()
            .to_owned()),
    }
}

/// Whether this can be an address; AgentChat looks at the rest.
pub(super) fn is_address(text: &str) -> Result<(), &'static str> {
    let parts = text.split_once('@');
    match parts {
        Some((name, domain)) if !name.is_empty() && domain.contains('.') => Ok(()),
        _ => Err("that is no e-mail address"),
    }
}

/// Whether this can be a handle.
pub(super) fn is_handle(text: &str) -> Result<(), &'static str> {
    let bare = text.strip_prefix('@').unwrap_or(text);
    let fits = bare
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if fits && !bare.is_empty() {
        Ok(())
    } else {
        Err("a handle has letters, digits and hyphens")
    }
}

/// Whether this can be a code.
pub(super) fn is_code(text: &str) -> Result<(), &'static str> {
    if text.len() == CODE_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err("a code has six digits")
    }
}

const CODE_DIGITS: usize = 6;
/// No answer is longer.
const MAX_ANSWER_BYTES: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_looked_at_before_they_are_sent() {
        for (text, fits) in [
            ("a@b.c", true),
            ("a", false),
            ("@b.c", false),
            ("a@b", false),
        ] {
            assert_eq!(is_address(text).is_ok(), fits, "{text}");
        }
        for (text, fits) in [("@bob-2", true), ("bob", true), ("", false), ("b b", false)] {
            assert_eq!(is_handle(text).is_ok(), fits, "{text}");
        }
        for (text, fits) in [("123456", true), ("12345", false), ("12345a", false)] {
            assert_eq!(is_code(text).is_ok(), fits, "{text}");
        }
    }

    #[test]
    fn where_nobody_can_be_asked_the_flag_is_named() {
        let nobody = Asker { can: false };
        let failure = nobody.ask("E-mail", "--email", is_address).unwrap_err();
        assert_eq!(failure.exit, crate::exit::Exit::USAGE);
        assert!(failure.line().unwrap().contains("--email"));
        assert_eq!(nobody.ask_if_any("Name").unwrap(), None);
    }
}
