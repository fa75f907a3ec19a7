//! The life of the connection: one owner of every transition, from the first question to the
//! platform to the last close (`architecture.md`, "A connection has one owner").
//!
//! ```text
//! idle ─▶ identify ─▶ sync ─▶ dial ─▶ hello ─▶ sync ─▶ ready
//!             ▲                 │       │        │       │
//!             └──── waiting ◀───┴───────┴────────┴───────┤
//!                   parked  ◀────────────────────────────┘
//! ```

use std::{collections::VecDeque, sync::Arc};

use crate::{
    backoff::Backoff,
    effect::{LinkState, Phase},
    replacing::{Held, Replacing},
    time::{Jitter, Millis},
};

/// The stages of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No usable key.
    Idle,
    /// Asking who the key belongs to.
    Identifying,
    /// The sync before the socket.
    PreSync,
    /// The socket is being opened.
    Dialing,
    /// Open; `hello.ok` is awaited until the deadline.
    Hello { deadline: Millis },
    /// The sync after `hello.ok`.
    PostSync { since: Millis },
    /// Pushes flow.
    Ready { since: Millis },
    /// Until the next attempt.
    Waiting { until: Millis },
    /// Refused while the key is being replaced: the new one is awaited.
    Held(Held),
    /// Refused; the next probe, or none where only another key can help.
    Parked {
        probe_at: Option<Millis>,
        probing: bool,
    },
    /// For good.
    Stopped,
}

/// What follows the end of a socket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Then {
    /// The backoff, or the parking.
    #[default]
    Wait,
    /// The next connection at once: the credential changed.
    Begin,
    /// Nothing: there is no credential, for this reason.
    Idle(Arc<str>),
    /// The parking: the key was replaced and the new one is not ours, for this reason.
    Park(Arc<str>),
}

/// A close of ours that is put off: a handshake that is cut off between the hello and its answer
/// goes on at the platform, and a socket that is nobody's swallows the backlog (`wire.md` 11.50).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parting {
    pub(crate) reason: &'static str,
    /// The end of our patience, once the hello is out.
    pub(crate) deadline: Option<Millis>,
}

/// Whether the question whose key it is stands open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Inquiry {
    #[default]
    None,
    /// About the present key.
    Asked,
    /// About an earlier key.
    Stale,
}

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) stage: Stage,
    /// True once the platform told that the present key belongs to this state's agent. Before,
    /// nothing is read, sent or acknowledged: with another agent's key it would be in its name.
    pub(crate) identified: bool,
    /// Counts credentials, so that what was learned with one is not believed of the next.
    pub(crate) credential: u64,
    inquiry: Inquiry,
    /// True where the platform waits for acknowledgements over the socket.
    pub(crate) ack_mode: bool,
    /// Counts sockets; what was received by an older one is not acknowledged on a newer.
    pub(crate) epoch: u64,
    pub(crate) last_alive: Millis,
    pub(crate) backoff: Backoff,
    /// What follows when the socket is gone.
    pub(crate) then: Then,
    /// A close that waits for the answer to our hello.
    pub(crate) parting: Option<Parting>,
    /// A replacement of the key that is under way.
    pub(crate) replacing: Option<Replacing>,
    /// When the key changed last; none where there was none before it.
    pub(crate) renewed_at: Option<Millis>,
    /// When the last sockets were dialled, oldest first.
    dials: VecDeque<Millis>,
    rapid: u32,
    probe_ms: u64,
    state: LinkState,
}

impl Link {
    pub(crate) fn new(backoff: Backoff) -> Self {
        Self {
            stage: Stage::Idle,
            identified: false,
            credential: 0,
            inquiry: Inquiry::None,
            ack_mode: false,
            epoch: 0,
            last_alive: Millis::default(),
            backoff,
            then: Then::Wait,
            parting: None,
            replacing: None,
            renewed_at: None,
            dials: VecDeque::with_capacity(DIALS_AT_MOST),
            rapid: 0,
            probe_ms: PROBE_MIN_MS,
            state: LinkState {
                phase: Phase::Disconnected,
                reason: "starting".into(),
                code: None,
                attempt: 0,
                retry_in_ms: None,
            },
        }
    }

    pub(crate) fn state(&self) -> &LinkState {
        &self.state
    }

    pub(crate) fn rapid(&self) -> u32 {
        self.rapid
    }

    /// True from the moment a socket may exist until it is known to be gone.
    pub(crate) fn has_socket(&self) -> bool {
        matches!(
            self.stage,
            Stage::Dialing | Stage::Hello { .. } | Stage::PostSync { .. } | Stage::Ready { .. }
        )
    }

    /// True once frames of ours may go out.
    pub(crate) fn may_write(&self) -> bool {
        matches!(self.stage, Stage::PostSync { .. } | Stage::Ready { .. })
    }

    /// Goes to a stage; gives the state to announce where local programs would see a difference.
    pub(crate) fn go(
        &mut self,
        stage: Stage,
        reason: &Arc<str>,
        code: Option<u16>,
        now: Millis,
    ) -> Option<LinkState> {
        let (phase, retry_in_ms) = match &stage {
            // No key at all is how a daemon begins; one that is there and refused is a fault.
            Stage::Idle if **reason == *NOT_CONFIGURED => (Phase::Disconnected, None),
            Stage::Idle => (Phase::Parked, None),
            Stage::Waiting { until } => (Phase::Disconnected, Some(until.since(now))),
            Stage::Held(_) => (Phase::Disconnected, None),
            Stage::Identifying | Stage::PreSync | Stage::Dialing => (Phase::Connecting, None),
            Stage::Hello { .. } => (Phase::Authenticating, None),
            Stage::PostSync { .. } => (Phase::Draining, None),
            Stage::Ready { .. } => (Phase::Ready, None),
            Stage::Parked { probe_at, .. } => {
                (Phase::Parked, probe_at.map(|probe_at| probe_at.since(now)))
            }
            Stage::Stopped => (Phase::Stopped, None),
        };
        self.stage = stage;
        let state = LinkState {
            phase,
            reason: Arc::clone(reason),
            code,
            attempt: self.backoff.attempt(),
            retry_in_ms,
        };
        if state == self.state {
            return None;
        }
        self.state = state.clone();
        Some(state)
    }

    /// Books the end of a socket that lived for `life_ms`; true where too many ended early.
    pub(crate) fn ended(&mut self, life_ms: u64, stable_after_ms: u64) -> bool {
        if life_ms >= stable_after_ms {
            self.backoff.reset();
            self.probe_ms = PROBE_MIN_MS;
        }
        if life_ms < RAPID_LIFE_MS {
            self.rapid += 1;
        } else {
            self.rapid = 0;
        }
        self.rapid >= RAPID_WARNING
    }

    /// The wait before the next attempt, not shorter than the platform asked for.
    pub(crate) fn wait_ms(&mut self, at_least: Option<u64>, jitter: &mut Jitter) -> u64 {
        self.backoff.next_ms(jitter).max(at_least.unwrap_or(0))
    }

    /// A socket is to be dialled: books it, or says when one may be. Whatever the cause of each
    /// connection is, the platform is never called more than so often in a minute: a backoff alone
    /// does not promise that, since it is drawn, and a key that changes again and again resets it.
    pub(crate) fn dial(&mut self, backoff_max_ms: u64, now: Millis) -> Result<(), Millis> {
        let span_ms = backoff_max_ms.saturating_mul(2).min(DIALS_WITHIN_MS);
        while self.dials.front().is_some_and(|at| *at + span_ms <= now) {
            self.dials.pop_front();
        }
        if self.dials.len() >= DIALS_AT_MOST
            && let Some(oldest) = self.dials.front()
        {
            return Err(*oldest + span_ms);
        }
        self.dials.push_back(now);
        Ok(())
    }

    /// The wait before the next probe of a refused key; it doubles up to a bound.
    pub(crate) fn probe_wait_ms(&mut self, jitter: &mut Jitter) -> u64 {
        let wait = self.probe_ms;
        self.probe_ms = (wait * 2).min(PROBE_MAX_MS);
        wait + jitter.between(0, wait / 4)
    }

    /// Wants to know whose key it is; true where the question is to be asked now. Only one is
    /// out at a time: answers carry no sign of the key that they are about.
    pub(crate) fn inquire(&mut self) -> bool {
        let asks = self.inquiry == Inquiry::None;
        self.inquiry = if asks { Inquiry::Asked } else { Inquiry::Stale };
        asks
    }

    /// The question was answered; true where the answer is about the present key.
    pub(crate) fn is_answered(&mut self) -> bool {
        std::mem::take(&mut self.inquiry) == Inquiry::Asked
    }

    /// A new credential, or none: probing and waiting begin anew.
    pub(crate) fn renew(&mut self, now: Millis) {
        self.identified = false;
        if let Some(replacing) = &mut self.replacing {
            replacing.renew();
        }
        self.renewed_at = (self.credential > 0).then_some(now);
        self.credential += 1;
        if self.inquiry == Inquiry::Asked {
            self.inquiry = Inquiry::Stale;
        }
        self.probe_ms = PROBE_MIN_MS;
        self.backoff.reset();
    }
}

/// The reason where no source has a key (`local-api.md` 7).
pub(crate) const NOT_CONFIGURED: &str = "not_configured";
/// So many sockets are dialled at most
const DIALS_AT_MOST: usize = 10;
/// within a minute; within two of the longest delays, where those are set shorter than by default.
const DIALS_WITHIN_MS: u64 = 60_000;
/// The first wait before a refused key is tried again.
const PROBE_MIN_MS: u64 = 60_000;
/// The longest wait before a refused key is tried again.
const PROBE_MAX_MS: u64 = 900_000;
/// A connection that lived shorter counts as ended early.
const RAPID_LIFE_MS: u64 = 60_000;
/// So many early ends in a row are worth a warning (`wire.md` 11.2).
const RAPID_WARNING: u32 = 5;
