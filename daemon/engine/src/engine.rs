//! The door: every input goes in here, every effect comes out.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    backoff::Backoff,
    conversation::GapCounts,
    drain::{Drain, StoredPage},
    effect::{Effect, LinkState, Steered, Token, Warning},
    input::{Input, Report},
    intake::{Intake, ParkedRecord},
    link::Link,
    op::{ConversationRecord, Lane, Op, Source},
    outbox::{Outbox, OutboxRecord, OutboxSettings},
    row::Row,
    time::{Jitter, Millis, Now},
};

/// What the engine is told once.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long `hello.ok` may take.
    pub hello_timeout_ms: u64,
    /// True where the key goes into the upgrade request and `hello.ok` may never come.
    pub header_auth: bool,
    /// How long a hole may stand open before history is asked.
    pub gap_window_ms: u64,
    /// The shortest wait between connections.
    pub backoff_min_ms: u64,
    /// The longest wait between connections.
    pub backoff_max_ms: u64,
    /// How long a connection must stand to count as stable.
    pub stable_after_ms: u64,
    /// How long a connection may be silent.
    pub liveness_ms: u64,
    /// Time between two syncs while connected.
    pub sync_interval_ms: u64,
    /// Time between two comparisons with history while connected.
    pub reconcile_interval_ms: u64,
    /// Limits of the outbox.
    pub outbox: OutboxSettings,
    /// Seed of all jitter.
    pub seed: u64,
}

/// What the store holds when the engine is made.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The agent and the birth of the log, once bound.
    pub bound: Option<(Arc<str>, i64)>,
    /// Every conversation.
    pub conversations: Vec<ConversationRecord>,
    /// Every parked row.
    pub parked: Vec<ParkedRecord>,
    /// Every unfinished entry of the outbox, oldest first.
    pub outbox: Vec<OutboxRecord>,
    /// The platform's time of the last complete comparison.
    pub reconciled_us: Option<i64>,
}

/// What the engine knows of itself, for `daemon.status` and `daemon.health`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// The connection's state.
    pub link: LinkState,
    /// True where the platform waits for acknowledgements over the socket.
    pub ack_mode: bool,
    /// Sockets that reached `hello.ok`.
    pub connected_total: u64,
    /// Connections in a row that ended early.
    pub rapid_reconnects: u32,
    /// Known conversations.
    pub conversations: usize,
    /// Rows that wait behind holes.
    pub parked: usize,
    /// Holes with rows waiting behind them, oldest first.
    pub open_since: Vec<Millis>,
    /// How holes ended.
    pub gaps: GapCounts,
    /// Rows that sync brought.
    pub drained_total: u64,
}

/// The rules of the daemon as one deterministic state machine.
///
/// * [`Engine::handle`] takes an [`Input`] and the time and gives back effects, to be carried out
///   in order. It never waits.
/// * [`Engine::next_timeout`] says when an [`Input::Tick`] is due.
/// * Whatever depends on durability (acknowledgements, answers to callers) comes only in answer
///   to [`Input::Committed`]; tokens must be reported in the order in which they were given.
/// * A commit that failed cannot be reported: the engine is ahead of the disk then, and must be
///   made anew from the store, as after a crash.
/// * Time must not go back.
#[derive(Debug)]
pub struct Engine {
    pub(crate) settings: Settings,
    pub(crate) jitter: Jitter,
    pub(crate) bound: Option<(Arc<str>, i64)>,
    pub(crate) intake: Intake,
    pub(crate) link: Link,
    pub(crate) drain: Drain,
    pub(crate) outbox: Outbox,
    pub(crate) effects: Vec<Effect>,
    pub(crate) sync_due: Option<Millis>,
    pub(crate) compare_due: Option<Millis>,
    pub(crate) listing: bool,
    /// Ids stored before `hello.ok` told whether the platform wants to hear of them.
    pub(crate) unacked: Vec<Arc<str>>,
    pub(crate) connected_total: u64,
    pub(crate) drained_total: u64,
    pending: BTreeMap<Token, After>,
    next_token: u64,
}

/// What is due once a commit is on disk.
#[derive(Debug)]
pub(crate) enum After {
    Nothing,
    /// Acknowledge what came over the socket of this epoch.
    Ack {
        epoch: u64,
        message_id: Arc<str>,
    },
    Page(StoredPage),
    /// Whose key it is, is known and on disk; for this credential.
    Bound(u64),
    Submitted {
        ticket: u64,
        lane: Lane,
        sending: bool,
        expires_at: Millis,
    },
    Attempt(u64),
    /// An entry that had ended is back in line, if it had.
    Revived {
        ticket: u64,
        id: u64,
        expires_us: i64,
    },
    /// An entry that had ended counts as cancelled, if it had ended so.
    SetAside {
        ticket: u64,
        id: u64,
    },
    /// What a caller wanted of an entry is on disk.
    Steered {
        ticket: u64,
        id: u64,
        outcome: Steered,
    },
    /// The entry is over; `event` is the place of its message among the ops.
    Settled {
        id: u64,
        event: Option<usize>,
    },
}

impl Engine {
    /// An engine that goes on where the store stands.
    pub fn new(settings: Settings, snapshot: Snapshot, now: Now) -> Self {
        let (me, birth_us) = snapshot
            .bound
            .clone()
            .unwrap_or_else(|| (Arc::from(""), i64::MIN));
        let mut intake = Intake::new(me, birth_us, settings.gap_window_ms);
        for record in &snapshot.conversations {
            intake.restore(record);
        }
        for row in &snapshot.parked {
            intake.restore_parked(row, now.mono);
        }
        intake.reconcile.last_us = snapshot.reconciled_us;
        let mut outbox = Outbox::new(settings.outbox);
        for record in snapshot.outbox {
            outbox.restore(record, now);
        }
        let backoff = Backoff::new(settings.backoff_min_ms, settings.backoff_max_ms);
        Self {
            jitter: Jitter::new(settings.seed),
            bound: snapshot.bound,
            intake,
            link: Link::new(backoff),
            drain: Drain::default(),
            outbox,
            effects: Vec::new(),
            sync_due: None,
            compare_due: None,
            listing: false,
            unacked: Vec::new(),
            connected_total: 0,
            drained_total: 0,
            pending: BTreeMap::new(),
            next_token: 1,
            settings,
        }
    }

    /// Sets how many rows fill a sync page, where that is not [`SYNC_LIMIT`](crate::SYNC_LIMIT).
    #[must_use]
    pub fn with_sync_limit(mut self, rows: u64) -> Self {
        self.drain.page_limit = rows;
        self
    }

    /// Takes an input in; the effects are to be carried out in order.
    pub fn handle(&mut self, input: Input, now: Now) -> Vec<Effect> {
        match input {
            Input::Credential => self.on_credential(now),
            Input::NoCredential(reason) => self.on_no_credential(&reason, now),
            Input::ReplacingKey { within_ms } => self.on_replacing_key(within_ms, now),
            Input::ReplacementEnded { lost } => self.on_replacement_ended(lost, now),
            Input::Identified(answer) => self.on_identified(answer, now),
            Input::SyncPage(page) => self.on_sync_page(page, now),
            Input::SyncAcked(answer) => self.on_sync_acked(answer, now),
            Input::Conversations(answer) => self.on_conversations(answer, now),
            Input::History {
                conversation_id,
                question,
                answer,
            } => {
                if let Err(failure) = &answer
                    && self.is_passing(failure, now)
                {
                    self.intake.forgive(&conversation_id);
                }
                let ops = self
                    .intake
                    .answered(&conversation_id, question, answer, now.mono);
                self.commit_if_any(ops);
                self.end_compare_if_done(now);
            }
            Input::SocketOpen => self.on_socket_open(now),
            Input::HelloOk { ack } => self.on_hello_ok(ack, now),
            Input::Message(row) => self.on_message(row, now),
            Input::Other {
                kind,
                payload,
                conversation_id,
            } => {
                self.link.last_alive = now.mono;
                let op = Op::LogOther {
                    kind,
                    payload,
                    source: Source::Live,
                    conversation_id,
                };
                self.commit(vec![op], After::Nothing);
            }
            Input::Alive => self.link.last_alive = now.mono,
            Input::SocketClosed(end) => self.on_socket_closed(end, now),
            Input::Committed(token, report) => self.on_committed(token, report, now),
            Input::Submit { ticket, draft } => self.on_submit(ticket, draft, now),
            Input::Retry {
                ticket,
                id,
                expires_us,
            } => self.on_retry(ticket, id, expires_us, now),
            Input::Cancel { ticket, id } => self.on_cancel(ticket, id),
            Input::Attempted { id, answer, error } => self.on_attempted(id, answer, error, now),
            Input::Found { id, answer } => self.on_found(id, answer, now),
            Input::DrainNow { ticket } => self.on_drain_now(ticket, now),
            Input::Tick => {}
            Input::Shutdown => self.on_shutdown(now),
        }
        self.fire_timers(now);
        if !self.is_on_hold() {
            self.intake.ask(&mut self.effects);
        }
        self.effects
            .extend(self.intake.warnings.drain(..).map(Effect::Warn));
        std::mem::take(&mut self.effects)
    }

    /// When the next [`Input::Tick`] is due.
    pub fn next_timeout(&self) -> Option<Millis> {
        [
            self.next_link_timeout(),
            self.replacing_until(),
            self.intake.next_due(),
            self.outbox.next_due(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// What the engine knows of itself.
    pub fn stats(&self) -> Stats {
        let mut open_since: Vec<Millis> = self.intake.open_holes().collect();
        open_since.sort();
        Stats {
            link: self.link.state().clone(),
            ack_mode: self.link.ack_mode,
            connected_total: self.connected_total,
            rapid_reconnects: self.link.rapid(),
            conversations: self.intake.slots.len(),
            parked: self.intake.parked(),
            open_since,
            gaps: self.intake.counts,
            drained_total: self.drained_total,
        }
    }

    fn fire_timers(&mut self, now: Now) {
        self.fire_replacing_timer(now);
        self.fire_link_timers(now);
        self.intake.fire(now.mono);
        self.start_sends(now);
    }

    fn on_message(&mut self, row: Row, now: Now) {
        self.link.last_alive = now.mono;
        let message_id = Arc::clone(&row.message_id);
        // A commit even where nothing is new: a repeat is acknowledged again, but never before
        // the commit that stores its first appearance.
        let ops = self.intake.take([row], Source::Live, now.mono);
        self.commit(
            ops,
            After::Ack {
                epoch: self.link.epoch,
                message_id,
            },
        );
    }

    pub(crate) fn commit(&mut self, ops: Vec<Op>, after: After) {
        let token = Token(self.next_token);
        self.next_token += 1;
        self.pending.insert(token, after);
        self.effects.push(Effect::Commit(token, ops));
    }

    pub(crate) fn commit_if_any(&mut self, ops: Vec<Op>) {
        if !ops.is_empty() {
            self.commit(ops, After::Nothing);
        }
    }

    fn on_committed(&mut self, token: Token, report: Report, now: Now) {
        match self.pending.remove(&token) {
            None | Some(After::Nothing) => {}
            Some(After::Ack { epoch, message_id }) => self.acknowledge(epoch, message_id),
            Some(After::Page(page)) => {
                let next = self.drain.stored(page);
                self.go_on_draining(next, now);
            }
            Some(After::Bound(credential)) => self.on_bound(credential, now),
            Some(After::Submitted {
                ticket,
                lane,
                sending,
                expires_at,
            }) => {
                self.on_submitted((ticket, lane, sending, expires_at), report.inserted, now);
            }
            Some(After::Attempt(id)) => self.attempt(id, now),
            Some(After::Revived {
                ticket,
                id,
                expires_us,
            }) => self.on_revived((ticket, id, expires_us), report.revived, now),
            Some(After::SetAside { ticket, id }) => {
                let is_done = report.offsets.iter().any(Option::is_some);
                self.on_set_aside(ticket, id, is_done);
            }
            Some(After::Steered {
                ticket,
                id,
                outcome,
            }) => self.on_steered(ticket, id, outcome, now),
            Some(After::Settled { id, event }) => {
                let offset = event.and_then(|place| report.offsets.get(place).copied().flatten());
                self.outbox.settled(id, now.mono);
                self.effects.push(Effect::Settled { id, offset });
            }
        }
    }

    fn acknowledge(&mut self, epoch: u64, message_id: Arc<str>) {
        if epoch != self.link.epoch || !self.link.has_socket() {
            return;
        }
        if !self.link.may_write() {
            self.unacked.push(message_id);
        } else if self.link.ack_mode {
            self.effects.push(Effect::Ack { message_id });
        }
    }

    pub(crate) fn warn(&mut self, warning: Warning) {
        self.effects.push(Effect::Warn(warning));
    }
}
