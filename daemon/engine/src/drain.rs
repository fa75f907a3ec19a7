//! Sync: read a page from the start, store it, acknowledge it, read again, until a page is empty.
//!
//! Never with `after` (`wire.md` 11.45, 11.49), never past an unreadable row (3.1, clean prefix),
//! and never for ever: a page that comes back although it was acknowledged ends the drain.

use crate::{
    effect::{Effect, Warning},
    input::SyncPage,
    op::Cursor,
    row::Failure,
};

/// Where a drain stands.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    step: Step,
    /// Who waits for its end.
    pub(crate) tickets: Vec<u64>,
    /// Rows of pages that were stored.
    pub(crate) rows: u64,
    /// Rows that the platform counts as settled.
    pub(crate) acked: u64,
    last_cursor: Option<Cursor>,
    /// True where an empty page may have been read before the moment that counts.
    stale: bool,
}

#[derive(Debug, Default)]
enum Step {
    #[default]
    Idle,
    Reading,
    Storing,
    Acking {
        covered: u64,
        cursor: Cursor,
        poisoned: bool,
    },
}

/// What a committed page leads to, kept until the commit.
#[derive(Debug, Clone)]
pub(crate) struct StoredPage {
    pub(crate) cursor: Option<Cursor>,
    pub(crate) covered: u64,
    pub(crate) poisoned: bool,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Nothing: an answer is awaited.
    Wait,
    /// Ask this.
    Ask(Effect),
    /// Store the page, then call [`Drain::stored`].
    Store(StoredPage),
    /// The drain is over.
    End(End),
}

/// How a drain ended.
#[derive(Debug)]
pub(crate) enum End {
    /// An empty page was read.
    Empty,
    /// It cannot go on; what was read is stored.
    Blocked(Warning),
    /// A request failed.
    Failed(Failure),
}

impl Drain {
    pub(crate) fn is_running(&self) -> bool {
        !matches!(self.step, Step::Idle)
    }

    /// Begins; a drain that runs goes on.
    pub(crate) fn start(&mut self) -> Next {
        if self.is_running() {
            return Next::Wait;
        }
        self.step = Step::Reading;
        self.rows = 0;
        self.acked = 0;
        self.last_cursor = None;
        Next::Ask(Effect::Sync)
    }

    /// Begins; a drain that runs goes on until an empty page that was asked for after now.
    pub(crate) fn start_anew(&mut self) -> Next {
        self.stale = self.is_running();
        self.start()
    }

    /// Gives up what was about to be asked: it may not be asked any more.
    pub(crate) fn abandon(&mut self) -> End {
        self.step = Step::Idle;
        self.stale = false;
        End::Failed(Failure::Network {
            reason: "the identity is not known".into(),
            unsent: true,
        })
    }

    /// A page came.
    pub(crate) fn page(&mut self, page: &Result<SyncPage, Failure>) -> Next {
        if !matches!(self.step, Step::Reading) {
            return Next::Wait;
        }
        match page {
            Err(failure) => self.end(End::Failed(failure.clone())),
            Ok(page) if page.rows.is_empty() && page.poisoned => {
                self.end(End::Blocked(Warning::PoisonedSyncPage))
            }
            Ok(page) if page.rows.is_empty() && std::mem::take(&mut self.stale) => {
                Next::Ask(Effect::Sync)
            }
            Ok(page) if page.rows.is_empty() => self.end(End::Empty),
            Ok(page) => {
                self.step = Step::Storing;
                self.rows += page.rows.len() as u64;
                Next::Store(StoredPage {
                    cursor: page.cursor.clone(),
                    covered: page.covered,
                    poisoned: page.poisoned,
                })
            }
        }
    }

    /// The page is on disk: it may be acknowledged.
    pub(crate) fn stored(&mut self, page: StoredPage) -> Next {
        if !matches!(self.step, Step::Storing) {
            return Next::Wait;
        }
        let Some(cursor) = page.cursor else {
            let warning = if page.poisoned {
                Warning::PoisonedSyncPage
            } else {
                Warning::StuckSync
            };
            return self.end(End::Blocked(warning));
        };
        if self.last_cursor.as_ref() == Some(&cursor) {
            return self.end(End::Blocked(Warning::StuckSync));
        }
        self.last_cursor = Some(cursor.clone());
        self.step = Step::Acking {
            covered: page.covered,
            cursor: cursor.clone(),
            poisoned: page.poisoned,
        };
        Next::Ask(Effect::SyncAck(cursor))
    }

    /// The acknowledgement was answered. Gives back, beside what is next, the cursor that the
    /// platform knows now, and a warning where more was settled than the page had shown.
    pub(crate) fn acked(
        &mut self,
        answer: Result<Option<u64>, Failure>,
    ) -> (Next, Option<Cursor>, Option<Warning>) {
        let Step::Acking {
            covered,
            cursor,
            poisoned,
        } = std::mem::take(&mut self.step)
        else {
            return (Next::Wait, None, None);
        };
        let acked = match answer {
            Err(failure) => return (self.end(End::Failed(failure)), None, None),
            Ok(acked) => acked.unwrap_or(covered),
        };
        self.acked += acked;
        let unseen = (acked > covered).then_some(Warning::AckedUnseen {
            held: covered,
            acked,
        });
        if poisoned {
            let end = self.end(End::Blocked(Warning::PoisonedSyncPage));
            return (end, Some(cursor), unseen);
        }
        self.step = Step::Reading;
        (Next::Ask(Effect::Sync), Some(cursor), unseen)
    }

    fn end(&mut self, end: End) -> Next {
        self.step = Step::Idle;
        self.stale = false;
        Next::End(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    fn page(n: u64, cursor: &str) -> Result<SyncPage, Failure> {
        let cursor = (!cursor.is_empty()).then(|| Cursor(cursor.into()));
        let rows = (1..=n).map(|seq| row("conv_a", seq, "bob")).collect();
        Ok(SyncPage {
            rows,
            cursor,
            covered: n,
            poisoned: false,
        })
    }

    fn store(drain: &mut Drain, answer: &Result<SyncPage, Failure>) -> Next {
        let Next::Store(stored) = drain.page(answer) else {
            panic!("a page with rows is stored")
        };
        drain.stored(stored)
    }

    #[test]
    fn nothing_is_acknowledged_before_the_page_is_stored() {
        let mut drain = Drain::default();
        assert!(matches!(drain.start(), Next::Ask(Effect::Sync)));
        let Next::Store(stored) = drain.page(&page(2, "\"d2\"")) else {
            panic!()
        };
        assert!(matches!(
            drain.stored(stored),
            Next::Ask(Effect::SyncAck(_))
        ));
        let (next, cursor, unseen) = drain.acked(Ok(Some(2)));
        assert!(matches!(next, Next::Ask(Effect::Sync)));
        assert_eq!(cursor, Some(Cursor("\"d2\"".into())));
        assert_eq!(unseen, None);
        assert!(matches!(drain.page(&page(0, "")), Next::End(End::Empty)));
    }

    #[test]
    fn an_ack_that_settles_more_than_the_page_held_is_told() {
        let mut drain = Drain::default();
        drain.start();
        store(&mut drain, &page(2, "\"d2\""));
        let (_, _, unseen) = drain.acked(Ok(Some(3)));
        assert_eq!(unseen, Some(Warning::AckedUnseen { held: 2, acked: 3 }));
    }

    #[test]
    fn a_full_page_without_a_cursor_ends_the_drain() {
        let mut drain = Drain::default();
        drain.start();
        assert!(matches!(
            store(&mut drain, &page(200, "")),
            Next::End(End::Blocked(Warning::StuckSync))
        ));
    }

    #[test]
    fn a_page_that_comes_back_after_its_ack_ends_the_drain() {
        let mut drain = Drain::default();
        drain.start();
        store(&mut drain, &page(2, "\"d2\""));
        drain.acked(Ok(Some(0)));
        assert!(matches!(
            store(&mut drain, &page(2, "\"d2\"")),
            Next::End(End::Blocked(Warning::StuckSync))
        ));
    }

    #[test]
    fn rows_before_an_unreadable_one_are_stored_and_acknowledged_and_no_more() {
        let mut drain = Drain::default();
        drain.start();
        let poisoned = page(2, "\"d2\"").map(|page| SyncPage {
            poisoned: true,
            ..page
        });
        store(&mut drain, &poisoned);
        let (next, _, _) = drain.acked(Ok(Some(2)));
        assert!(matches!(
            next,
            Next::End(End::Blocked(Warning::PoisonedSyncPage))
        ));
    }

    #[test]
    fn a_failed_request_ends_the_drain_and_the_next_one_begins_anew() {
        let mut drain = Drain::default();
        drain.start();
        let failure = Failure::Shape {
            reason: "no array".into(),
        };
        assert!(matches!(
            drain.page(&Err(failure)),
            Next::End(End::Failed(_))
        ));
        assert!(matches!(drain.start(), Next::Ask(Effect::Sync)));
    }
}
