//! Sync: read a page from the start, store it, acknowledge it, read again, until a page is empty.
//!
//! Never with `after` (`wire.md` 11.45, 11.49), never past an unreadable row (3.1, clean prefix),
//! and never round in a circle: a page that comes back although it was acknowledged ends the drain.
//!
//! Under steady traffic no page may ever be empty. So who waits for a drain, a stage of the
//! connection or a caller, waits for the first page that was asked for after the wait began and
//! is not full: with its acknowledgement, all that had waited at that moment is in.

use crate::{
    effect::{Effect, Warning},
    input::SyncPage,
    op::Cursor,
    row::Failure,
    time::Millis,
};

/// Rows that a sync page is asked for. A shorter page holds all that waited when it was read.
pub const SYNC_LIMIT: u64 = 500;

/// How long a connection waits for a drain whose pages are all full.
const HOLD_MS: u64 = 30_000;

/// Where a drain stands.
#[derive(Debug)]
pub(crate) struct Drain {
    step: Step,
    /// Rows of pages that were stored.
    pub(crate) rows: u64,
    /// Rows that the platform counts as settled.
    pub(crate) acked: u64,
    /// Rows of a full page.
    pub(crate) page_limit: u64,
    last_cursor: Option<Cursor>,
    /// Pages asked for so far, over all drains.
    turn: u64,
    /// Who waits for a page that was asked for after their call, by the turn of that moment.
    tickets: Vec<(u64, u64)>,
    /// The last turn after which nothing waited that had waited when its page was asked for.
    done: u64,
    /// The turn at which a stage of the connection began to wait; this page and those before it
    /// may have been read before the moment that counts.
    mark: u64,
    /// When that was.
    since: Millis,
    /// True while the answer to a question is awaited that was asked with an earlier key.
    is_foreign: bool,
}

#[derive(Debug, Default)]
enum Step {
    #[default]
    Idle,
    Reading,
    Storing,
    Acking(StoredPage, Cursor),
}

/// What a committed page leads to, kept until the commit.
#[derive(Debug, Clone)]
pub(crate) struct StoredPage {
    pub(crate) cursor: Option<Cursor>,
    pub(crate) covered: u64,
    pub(crate) poisoned: bool,
    /// True where nothing waited behind its last row when it was read.
    pub(crate) is_tail: bool,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Nothing: an answer is awaited.
    Wait,
    /// Ask this.
    Ask(Effect),
    /// Ask this; what waited when the stage of the connection began is stored and acknowledged.
    AskOn(Effect),
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

impl Default for Drain {
    fn default() -> Self {
        Self {
            step: Step::Idle,
            rows: 0,
            acked: 0,
            page_limit: SYNC_LIMIT,
            last_cursor: None,
            turn: 0,
            tickets: Vec::new(),
            done: 0,
            mark: 0,
            since: Millis::default(),
            is_foreign: false,
        }
    }
}

impl Drain {
    pub(crate) fn is_running(&self) -> bool {
        !matches!(self.step, Step::Idle)
    }

    /// Begins; a drain that runs goes on.
    pub(crate) fn start(&mut self, now: Millis) -> Next {
        if self.is_running() {
            return Next::Wait;
        }
        self.rows = 0;
        self.acked = 0;
        self.last_cursor = None;
        self.mark = self.turn;
        self.since = now;
        Next::Ask(self.read())
    }

    /// Begins for a stage of the connection; a drain that runs goes on, and only pages that are
    /// asked for after now count.
    pub(crate) fn start_anew(&mut self, now: Millis) -> Next {
        self.mark = self.turn;
        self.since = now;
        self.start(now)
    }

    /// Begins for a caller, who waits for a page that is asked for after now.
    pub(crate) fn call(&mut self, ticket: u64, now: Millis) -> Next {
        self.tickets.push((ticket, self.turn));
        self.start(now)
    }

    /// The key changed: an answer that is still out tells nothing about the new one.
    pub(crate) fn renew(&mut self) {
        self.is_foreign = matches!(self.step, Step::Reading | Step::Acking(..));
    }

    /// The callers whose wait is over although the drain goes on.
    pub(crate) fn take_answered(&mut self) -> Vec<u64> {
        let done = self.done;
        let answered = self.tickets.extract_if(.., |(_, turn)| *turn < done);
        answered.map(|(ticket, _)| ticket).collect()
    }

    /// All who wait for the end.
    pub(crate) fn take_tickets(&mut self) -> Vec<u64> {
        let all = std::mem::take(&mut self.tickets);
        all.into_iter().map(|(ticket, _)| ticket).collect()
    }

    /// Gives up what was about to be asked: it may not be asked any more.
    pub(crate) fn abandon(&mut self) -> End {
        self.step = Step::Idle;
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
        if std::mem::take(&mut self.is_foreign) {
            return self.read_anew();
        }
        match page {
            Err(failure) => self.end(End::Failed(failure.clone())),
            Ok(page) if page.rows.is_empty() && page.poisoned => {
                self.end(End::Blocked(Warning::PoisonedSyncPage))
            }
            Ok(page) if page.rows.is_empty() => self.empty(),
            Ok(page) => {
                self.step = Step::Storing;
                let rows = page.rows.len() as u64;
                self.rows += rows;
                Next::Store(StoredPage {
                    cursor: page.cursor.clone(),
                    covered: page.covered,
                    poisoned: page.poisoned,
                    is_tail: rows < self.page_limit,
                })
            }
        }
    }

    fn empty(&mut self) -> Next {
        self.done = self.turn;
        let counts = self.mark < self.done;
        if counts && self.tickets.iter().all(|(_, turn)| *turn < self.done) {
            return self.end(End::Empty);
        }
        let ask = self.read();
        if counts {
            Next::AskOn(ask)
        } else {
            Next::Ask(ask)
        }
    }

    /// The page is on disk: it may be acknowledged.
    pub(crate) fn stored(&mut self, page: StoredPage) -> Next {
        if !matches!(self.step, Step::Storing) {
            return Next::Wait;
        }
        let Some(cursor) = page.cursor.clone() else {
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
        self.step = Step::Acking(page, cursor.clone());
        Next::Ask(Effect::SyncAck(cursor))
    }

    /// The acknowledgement was answered. Gives back, beside what is next, the cursor that the
    /// platform knows now, and a warning where more was settled than the page had shown.
    pub(crate) fn acked(
        &mut self,
        answer: Result<Option<u64>, Failure>,
        now: Millis,
    ) -> (Next, Option<Cursor>, Option<Warning>) {
        if !matches!(self.step, Step::Acking(..)) {
            return (Next::Wait, None, None);
        }
        let Step::Acking(page, cursor) = std::mem::take(&mut self.step) else {
            return (Next::Wait, None, None);
        };
        let covered = page.covered;
        let is_foreign = std::mem::take(&mut self.is_foreign);
        let acked = match answer {
            Err(_) if is_foreign => return (self.read_anew(), None, None),
            Err(failure) => return (self.end(End::Failed(failure)), None, None),
            Ok(acked) => acked.unwrap_or(covered),
        };
        self.acked += acked;
        let unseen = (acked > covered).then_some(Warning::AckedUnseen {
            held: covered,
            acked,
        });
        if page.poisoned {
            let end = self.end(End::Blocked(Warning::PoisonedSyncPage));
            return (end, Some(cursor), unseen);
        }
        if page.is_tail {
            self.done = self.turn;
        }
        // Full pages may follow each other for as long as traffic lasts.
        let is_enough = page.is_tail || now.since(self.since) >= HOLD_MS;
        let is_caught_up = is_enough && self.mark < self.turn;
        let ask = self.read();
        let next = if is_caught_up {
            Next::AskOn(ask)
        } else {
            Next::Ask(ask)
        };
        (next, Some(cursor), unseen)
    }

    fn read_anew(&mut self) -> Next {
        // What was not acknowledged comes again.
        self.last_cursor = None;
        Next::Ask(self.read())
    }

    fn read(&mut self) -> Effect {
        self.step = Step::Reading;
        self.turn += 1;
        Effect::Sync
    }

    fn end(&mut self, end: End) -> Next {
        self.step = Step::Idle;
        Next::End(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    const NOW: Millis = Millis(0);

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
        assert!(matches!(drain.start(NOW), Next::Ask(Effect::Sync)));
        let Next::Store(stored) = drain.page(&page(2, "\"d2\"")) else {
            panic!()
        };
        assert!(matches!(
            drain.stored(stored),
            Next::Ask(Effect::SyncAck(_))
        ));
        let (next, cursor, unseen) = drain.acked(Ok(Some(2)), NOW);
        assert!(matches!(next, Next::AskOn(Effect::Sync)));
        assert_eq!(cursor, Some(Cursor("\"d2\"".into())));
        assert_eq!(unseen, None);
        assert!(matches!(drain.page(&page(0, "")), Next::End(End::Empty)));
    }

    #[test]
    fn an_ack_that_settles_more_than_the_page_held_is_told() {
        let mut drain = Drain::default();
        drain.start(NOW);
        store(&mut drain, &page(2, "\"d2\""));
        let (_, _, unseen) = drain.acked(Ok(Some(3)), NOW);
        assert_eq!(unseen, Some(Warning::AckedUnseen { held: 2, acked: 3 }));
    }

    #[test]
    fn pitfall_13_a_full_page_without_a_cursor_ends_the_drain() {
        let mut drain = Drain::default();
        drain.start(NOW);
        assert!(matches!(
            store(&mut drain, &page(200, "")),
            Next::End(End::Blocked(Warning::StuckSync))
        ));
    }

    #[test]
    fn a_page_that_comes_back_after_its_ack_ends_the_drain() {
        let mut drain = Drain::default();
        drain.start(NOW);
        store(&mut drain, &page(2, "\"d2\""));
        drain.acked(Ok(Some(0)), NOW);
        assert!(matches!(
            store(&mut drain, &page(2, "\"d2\"")),
            Next::End(End::Blocked(Warning::StuckSync))
        ));
    }

    #[test]
    fn rows_before_an_unreadable_one_are_stored_and_acknowledged_and_no_more() {
        let mut drain = Drain::default();
        drain.start(NOW);
        let poisoned = page(2, "\"d2\"").map(|page| SyncPage {
            poisoned: true,
            ..page
        });
        store(&mut drain, &poisoned);
        let (next, _, _) = drain.acked(Ok(Some(2)), NOW);
        assert!(matches!(
            next,
            Next::End(End::Blocked(Warning::PoisonedSyncPage))
        ));
    }

    #[test]
    fn a_failed_request_ends_the_drain_and_the_next_one_begins_anew() {
        let mut drain = Drain::default();
        drain.start(NOW);
        let failure = Failure::Shape {
            reason: "no array".into(),
        };
        assert!(matches!(
            drain.page(&Err(failure)),
            Next::End(End::Failed(_))
        ));
        assert!(matches!(drain.start(NOW), Next::Ask(Effect::Sync)));
    }
}
