//! What a check found, and how it is shown.

use serde_json::{Value, json};

use crate::exit::Exit;
use crate::output::{Page, bad, dim, good, plain, warn};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Ok,
    Warn,
    Fail,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// What was looked at.
    pub(super) check: &'static str,
    /// What is so.
    pub(super) message: String,
    /// What to do.
    pub(super) mend: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self {
            level: Level::Ok,
            check,
            message: message.into(),
            mend: None,
        }
    }

    pub(super) fn warn(
        check: &'static str,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            level: Level::Warn,
            mend: Some(mend.into()),
            ..Self::ok(check, message)
        }
    }

    pub(super) fn fail(
        check: &'static str,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            level: Level::Fail,
            ..Self::warn(check, message, mend)
        }
    }
}

/// A sentence of this program in its two halves: what is wrong, and what mends it.
pub(super) fn halves(sentence: &str) -> (String, String) {
    let (what, mend) = sentence.split_once("; ").unwrap_or((sentence, ""));
    (what.to_owned(), mend.to_owned())
}

/// Whether all is well enough.
pub(super) fn exit(findings: &[Finding]) -> Exit {
    if findings.iter().any(|found| found.level == Level::Fail) {
        Exit::FAILED
    } else {
        Exit::DONE
    }
}

pub(super) fn page(findings: &[Finding]) -> Page {
    let widest = findings.iter().map(|found| found.check.len()).max();
    let widest = widest.unwrap_or_default();
    let mut page = Page::default();
    for found in findings {
        let word = found.level.word();
        let mut line = vec![
            match found.level {
                Level::Ok => good(word),
                Level::Warn => warn(word),
                Level::Fail => bad(word),
            },
            plain(" ".repeat(WORD_COLUMNS - word.len() + 2)),
            plain(found.check),
            plain(" ".repeat(widest - found.check.len() + 2)),
            plain(&found.message),
        ];
        if let Some(mend) = &found.mend {
            line.push(dim(" - "));
            line.push(plain(mend));
        }
        page.add(line);
    }
    page
}

pub(super) fn json(findings: &[Finding]) -> Value {
    let checks = findings.iter().map(|found| {
        json!({
            "check": found.check, "level": found.level.word(),
            "message": found.message, "mend": found.mend,
        })
    });
    json!({"ok": exit(findings) == Exit::DONE, "checks": checks.collect::<Vec<_>>()})
}

const WORD_COLUMNS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_no_failure_and_a_failure_is() {
        let warned = [
            Finding::ok("a", "fine"),
            Finding::warn("long", "so", "do it"),
        ];
        assert_eq!(exit(&warned), Exit::DONE);
        assert_eq!(
            page(&warned).text(false),
            "ok    a     fine\nwarn  long  so - do it\n"
        );
        let failed = [Finding::fail("a", "bad", "mend it")];
        assert_eq!(exit(&failed), Exit::FAILED);
        assert_eq!(json(&failed)["ok"], false);
        assert_eq!(json(&failed)["checks"][0]["mend"], "mend it");
    }
}
