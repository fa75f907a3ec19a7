//! The engine's steps from a key to a ready connection, and back.

use std::sync::Arc;

use crate::{
    effect::{Effect, Warning},
    engine::{After, Engine},
    input::{ConversationList, Identity, SocketEnd},
    link::{Parting, Stage, Then},
    op::Op,
    row::Failure,
    time::{Millis, Now},
    verdict::{CloseVerdict, ReadVerdict, close_verdict, read_verdict},
};

impl Engine {
    pub(crate) fn on_credential(&mut self, now: Now) {
        self.link.renew(now.mono);
        self.drain.renew();
        match self.link.stage {
            Stage::Stopped => {}
            _ if self.link.has_socket() => {
                self.link.then = Then::Begin;
                self.part("credential changed");
            }
            _ => self.begin(now),
        }
    }

    pub(crate) fn on_no_credential(&mut self, reason: &Arc<str>, now: Now) {
        self.link.renew(now.mono);
        self.drain.renew();
        if self.link.has_socket() {
            // The stage stays until the socket is gone: a credential that comes meanwhile must
            // not lead to a second one beside it.
            self.link.then = Then::Idle(Arc::clone(reason));
            self.part("no credential");
        } else {
            self.go(Stage::Idle, reason, None, now);
            self.intake.drain_ended(now.mono);
        }
    }

    /// Closes the socket, but not in the middle of its handshake.
    fn part(&mut self, reason: &'static str) {
        let deadline = match self.link.stage {
            Stage::Dialing => None,
            Stage::Hello { deadline } => Some(deadline),
            _ => return self.effects.push(Effect::Close { code: 1000, reason }),
        };
        self.link.parting = Some(Parting { reason, deadline });
    }

    /// The first step of a connection.
    fn begin(&mut self, now: Now) {
        self.intake.drain_began();
        if self.link.identified {
            self.go(Stage::PreSync, &Arc::from("syncing"), None, now);
            let next = self.drain.start_anew(now.mono);
            self.go_on_draining(next, now);
        } else {
            self.go(Stage::Identifying, &Arc::from("identifying"), None, now);
            self.identify();
        }
    }

    fn identify(&mut self) {
        if self.link.inquire() {
            self.effects.push(Effect::Identify);
        }
    }

    pub(crate) fn on_identified(&mut self, answer: Result<Identity, Failure>, now: Now) {
        let is_answered = self.link.is_answered();
        if !matches!(
            self.link.stage,
            Stage::Identifying | Stage::Parked { probing: true, .. }
        ) {
            return;
        }
        if !is_answered {
            return self.identify();
        }
        let identity = match answer {
            Ok(identity) => identity,
            Err(failure) => return self.setback(&failure, now),
        };
        match &self.bound {
            Some((handle, _)) if *handle != identity.handle => {
                let expected = Arc::clone(handle);
                self.warn(Warning::OtherAgent {
                    expected,
                    found: identity.handle,
                });
                self.intake.drain_ended(now.mono);
                let stage = Stage::Parked {
                    probe_at: None,
                    probing: false,
                };
                self.go(stage, &Arc::from("other_agent"), None, now);
            }
            // Nothing to write, but an earlier `Bind` may still be on its way to disk.
            Some(_) => self.commit(Vec::new(), After::Bound(self.link.credential)),
            None => {
                let (handle, birth_us) = (Arc::clone(&identity.handle), identity.server_us);
                self.bound = Some((Arc::clone(&handle), birth_us));
                self.intake.me = Arc::clone(&handle);
                self.intake.birth_us = birth_us;
                let bind = Op::Bind { handle, birth_us };
                self.commit(vec![bind], After::Bound(self.link.credential));
            }
        }
    }

    pub(crate) fn on_bound(&mut self, credential: u64, now: Now) {
        if credential != self.link.credential {
            return;
        }
        self.link.identified = true;
        if matches!(self.link.stage, Stage::Identifying | Stage::Parked { .. }) {
            self.begin(now);
        }
    }

    pub(crate) fn on_socket_open(&mut self, now: Now) {
        let deadline = now.mono + self.settings.hello_timeout_ms;
        if let Some(parting) = &mut self.link.parting {
            parting.deadline = Some(deadline);
        }
        if self.link.stage == Stage::Dialing {
            self.link.last_alive = now.mono;
            self.go(
                Stage::Hello { deadline },
                &Arc::from("authenticating"),
                None,
                now,
            );
        }
    }

    pub(crate) fn on_hello_ok(&mut self, ack: bool, now: Now) {
        self.link.last_alive = now.mono;
        if let Some(Parting { reason, .. }) = self.link.parting.take() {
            self.effects.push(Effect::Close { code: 1000, reason });
            if let Stage::Hello { deadline } = &mut self.link.stage {
                *deadline = now.mono + CLOSE_GRACE_MS;
            }
            return;
        }
        match self.link.stage {
            Stage::Hello { .. } | Stage::Dialing => {}
            Stage::PostSync { .. } | Stage::Ready { .. } if ack && !self.link.ack_mode => {
                // On the header path it comes after we stopped waiting for it: what was taken in
                // without an acknowledgement is settled by a sync.
                self.link.ack_mode = true;
                self.sync_due = Some(now.mono);
                return;
            }
            _ => return,
        }
        self.link.ack_mode = ack;
        self.connected_total += 1;
        let unacked = std::mem::take(&mut self.unacked);
        if ack {
            self.effects.extend(
                unacked
                    .into_iter()
                    .map(|message_id| Effect::Ack { message_id }),
            );
        }
        self.go(
            Stage::PostSync { since: now.mono },
            &Arc::from("draining"),
            None,
            now,
        );
        let next = self.drain.start_anew(now.mono);
        self.go_on_draining(next, now);
    }

    pub(crate) fn on_socket_closed(&mut self, end: SocketEnd, now: Now) {
        self.link.parting = None;
        if !self.link.has_socket() {
            return;
        }
        let life_ms = match self.link.stage {
            Stage::PostSync { since } | Stage::Ready { since } => now.mono.since(since),
            _ => 0,
        };
        self.link.ack_mode = false;
        self.intake.drain_ended(now.mono);
        self.sync_due = None;
        match std::mem::take(&mut self.link.then) {
            Then::Wait => {}
            Then::Begin => return self.begin(now),
            Then::Idle(reason) => return self.go(Stage::Idle, &reason, None, now),
            Then::Park(reason) => return self.park(&reason, None, now),
        }
        let is_refused = matches!(end.refused, Some(401 | 403))
            || close_verdict(end.code, end.by_us) == CloseVerdict::Refused;
        if is_refused && self.hold_refusal(&end.reason, end.code, now) {
            return;
        }
        if self.link.ended(life_ms, self.settings.stable_after_ms) {
            self.warn(Warning::RapidReconnects {
                count: self.link.rapid(),
            });
        }
        if is_refused {
            self.park(&end.reason, end.code, now);
        } else {
            self.wait(end.retry_after_ms, &end.reason, end.code, now);
            if end.code == Some(OVERLOAD) && !end.by_us {
                // More was pushed than we took: pages bring what waits faster than the next
                // socket would, and the wait for that one is not lost (`wire.md` 2.2).
                let next = self.drain.start(now.mono);
                self.go_on_draining(next, now);
            }
        }
    }

    /// A request on the way to a connection failed.
    pub(crate) fn setback(&mut self, failure: &Failure, now: Now) {
        self.warn_of_shape(failure);
        let reason: Arc<str> = match failure {
            Failure::Status {
                code: Some(code), ..
            } => Arc::clone(code),
            Failure::Status { status, .. } => format!("http {status}").into(),
            Failure::Network { reason, .. } | Failure::Shape { reason } => Arc::clone(reason),
        };
        self.intake.drain_ended(now.mono);
        match read_verdict(failure) {
            ReadVerdict::Identity if self.hold_refusal(&reason, None, now) => {}
            ReadVerdict::Identity => self.park(&reason, None, now),
            ReadVerdict::Retry { after_ms } => self.wait(Some(after_ms), &reason, None, now),
            ReadVerdict::Gone => self.wait(None, &reason, None, now),
        }
    }

    fn wait(&mut self, at_least: Option<u64>, reason: &Arc<str>, code: Option<u16>, now: Now) {
        let wait_ms = self.link.wait_ms(at_least, &mut self.jitter);
        self.go(
            Stage::Waiting {
                until: now.mono + wait_ms,
            },
            reason,
            code,
            now,
        );
    }

    pub(crate) fn park(&mut self, reason: &Arc<str>, code: Option<u16>, now: Now) {
        let probe_at = now.mono + self.link.probe_wait_ms(&mut self.jitter);
        self.link.identified = false;
        self.go(
            Stage::Parked {
                probe_at: Some(probe_at),
                probing: false,
            },
            reason,
            code,
            now,
        );
    }

    pub(crate) fn go(&mut self, stage: Stage, reason: &Arc<str>, code: Option<u16>, now: Now) {
        if self.link.stage == Stage::Stopped {
            return;
        }
        if let Some(state) = self.link.go(stage, reason, code, now.mono) {
            self.effects.push(Effect::State(state));
        }
    }

    pub(crate) fn on_shutdown(&mut self, now: Now) {
        if self.link.has_socket() {
            self.part("stopping");
        }
        self.go(Stage::Stopped, &Arc::from("stopping"), None, now);
    }

    pub(crate) fn on_conversations(&mut self, answer: Result<ConversationList, Failure>, now: Now) {
        self.listing = false;
        match answer {
            Ok(list) => {
                self.intake.compare(&list);
                self.end_compare_if_done(now);
            }
            Err(failure) => {
                self.warn_of_shape(&failure);
                self.compare_due = Some(now.mono + COMPARE_RETRY_MS);
            }
        }
    }

    pub(crate) fn end_compare_if_done(&mut self, now: Now) {
        if !self.intake.is_compared() {
            return;
        }
        let failed = self.intake.reconcile.failed;
        let op = self.intake.end_compare();
        self.commit_if_any(op.into_iter().collect());
        let wait = if failed {
            COMPARE_RETRY_MS
        } else {
            self.settings.reconcile_interval_ms
        };
        let due = now.mono + wait;
        self.compare_due = Some(self.compare_due.map_or(due, |earlier| earlier.min(due)));
    }

    pub(crate) fn warn_of_shape(&mut self, failure: &Failure) {
        if let Failure::Shape { reason } = failure {
            self.warn(Warning::BadShape {
                what: Arc::clone(reason),
            });
        }
    }

    pub(crate) fn next_link_timeout(&self) -> Option<Millis> {
        let liveness = self.link.last_alive + self.settings.liveness_ms;
        match self.link.stage {
            Stage::Hello { deadline } => Some(deadline),
            Stage::PostSync { .. } => Some(liveness),
            Stage::Ready { .. } => {
                let sync = self.sync_due.filter(|_| !self.drain.is_running());
                let compare = self.compare_due.filter(|_| self.may_compare());
                [Some(liveness), sync, compare].into_iter().flatten().min()
            }
            Stage::Waiting { until } => Some(until),
            Stage::Parked {
                probe_at,
                probing: false,
            } => probe_at,
            Stage::Stopped => self.link.parting.as_ref()?.deadline,
            Stage::Parked { probing: true, .. }
            | Stage::Idle
            | Stage::Held(_)
            | Stage::Identifying
            | Stage::PreSync
            | Stage::Dialing => None,
        }
    }

    fn may_compare(&self) -> bool {
        self.link.identified && !self.listing && self.intake.reconcile.open.is_none()
    }

    pub(crate) fn fire_link_timers(&mut self, now: Now) {
        match self.link.stage {
            Stage::Hello { deadline } if deadline <= now.mono => {
                if self.settings.header_auth {
                    // A server of old never says `hello.ok` on this path (`wire.md` 2.1).
                    self.on_hello_ok(false, now);
                } else {
                    self.link.stage = Stage::Hello {
                        deadline: now.mono + CLOSE_GRACE_MS,
                    };
                    self.link.parting = None;
                    let reason = "HELLO ack timeout";
                    self.effects.push(Effect::Close { code: 1008, reason });
                }
            }
            Stage::PostSync { .. } | Stage::Ready { .. }
                if now.mono.since(self.link.last_alive) >= self.settings.liveness_ms =>
            {
                self.link.last_alive = now.mono;
                self.effects.push(Effect::Close {
                    code: 4000,
                    reason: "no sign of life",
                });
            }
            Stage::Ready { .. } => self.fire_ready_timers(now),
            Stage::Waiting { until } if until <= now.mono => self.begin(now),
            Stage::Stopped => {
                let is_due =
                    |parting: &mut Parting| parting.deadline.is_some_and(|at| at <= now.mono);
                if let Some(Parting { reason, .. }) = self.link.parting.take_if(is_due) {
                    self.effects.push(Effect::Close { code: 1000, reason });
                }
            }
            Stage::Parked {
                probe_at: Some(at),
                probing: false,
            } if at <= now.mono => {
                self.link.stage = Stage::Parked {
                    probe_at: None,
                    probing: true,
                };
                self.identify();
            }
            _ => {}
        }
    }

    fn fire_ready_timers(&mut self, now: Now) {
        if self.sync_due.is_some_and(|at| at <= now.mono) && !self.drain.is_running() {
            self.sync_due = None;
            let next = self.drain.start(now.mono);
            self.go_on_draining(next, now);
        }
        if self.compare_due.is_some_and(|at| at <= now.mono) && self.may_compare() {
            self.compare_due = None;
            self.listing = true;
            self.effects.push(Effect::ListConversations);
        }
    }
}

/// The platform's buffer for the socket ran over.
const OVERLOAD: u16 = 1013;
/// After a comparison that could not be made whole.
const COMPARE_RETRY_MS: u64 = 30_000;
/// How long a socket may take to report the close that we asked for, before we ask again.
const CLOSE_GRACE_MS: u64 = 5_000;
