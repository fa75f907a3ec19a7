//! Effects of the engine, carried out in order.

use std::sync::Arc;

use agentchatd_client::types::{
    BacklogWarning, ConnectionChange, ConnectionState, SyncDrained, kind,
};
use agentchatd_engine::{Effect, Failure, Input, LinkState, Phase, Warning};
use tokio::{sync::oneshot, time::Instant};

use super::{
    compare::means_the_same,
    failure::{record, record_conflict},
    link::Dialing,
    requests::Requests,
    run::Driver,
};
use crate::{
    command::CallFailure,
    event::{LogEvent, source},
    failpoint,
    metrics::SendResult,
    store::Reader,
    upstream::{Sent, socket},
};

impl Driver {
    /// Carries out what the engine asked for; waits only for room in the writer's queue.
    pub(super) async fn carry_out(&mut self) {
        while let Some(effect) = self.effects.pop_front() {
            match effect {
                Effect::Commit(token, ops) => {
                    self.unreported += 1;
                    if let Err(error) = self.writer.commit(token, ops).await {
                        tracing::error!(%error, "the store's thread is gone");
                    }
                }
                Effect::Ack { message_id } => {
                    if let Some(sender) = &self.sender {
                        // An acknowledgement that is lost is harmless: the message comes again.
                        if sender.ack(&message_id).is_ok() {
                            self.config.metrics.acked_by_socket();
                        }
                    }
                }
                Effect::Identify => self.ask("identify", Requests::identify),
                Effect::Sync => self.ask("sync", Requests::sync),
                Effect::SyncAck(cursor) => self.ask("sync-ack", |r| r.sync_ack(cursor)),
                Effect::ListConversations => self.ask("list", Requests::conversations),
                Effect::History {
                    conversation_id,
                    question,
                } => {
                    self.ask("history", |r| r.history(conversation_id, question));
                }
                Effect::Dial => self.dial(),
                Effect::Close { code, reason } => self.close(code, reason),
                Effect::State(state) => self.announce(&state),
                Effect::Attempt { id } => self.attempt(id),
                Effect::FindSent { id, lane } => {
                    let reader = self.reader.clone();
                    let me = self.feed.me().unwrap_or_default();
                    self.ask("find", move |requests| async move {
                        match reader.attempt(id).await {
                            Ok(Some(entry)) => {
                                requests.find_sent(id, lane, me, entry).await;
                            }
                            Ok(None) | Err(_) => {
                                let answer = Err(unreadable());
                                requests.input(Input::Found { id, answer }).await;
                            }
                        }
                    });
                }
                Effect::Queued { ticket, id } => {
                    failpoint::reach("send-accepted");
                    self.callers.queued(ticket, id);
                    self.tell_parked(Some(id));
                }
                Effect::Known { ticket, id, same } => {
                    if let Some(telling) = self.callers.known(ticket, id, same, &self.reader) {
                        self.tasks.spawn("send-known", telling);
                    }
                    self.tell_parked(Some(id));
                }
                Effect::Settled { id, offset } => {
                    failpoint::reach("answer-stored");
                    if let Some(telling) = self.callers.settled(id, offset, &self.reader) {
                        self.tasks.spawn("send-settled", telling);
                    }
                }
                Effect::Delayed {
                    id,
                    wait_ms,
                    failure,
                    error,
                } => {
                    self.callers.delayed(id, wait_ms, &failure, &error);
                }
                Effect::Steered {
                    ticket,
                    id,
                    outcome,
                } => self.steered(ticket, id, outcome),
                Effect::Drained { ticket, outcome } => self.drained(ticket, outcome),
                Effect::Warn(warning) => self.warn(&warning),
            }
        }
    }

    fn ask<F: Future<Output = ()> + Send + 'static>(
        &self,
        name: &'static str,
        request: impl FnOnce(Requests) -> F,
    ) {
        // Without a key the engine asks nothing; what was asked before is not missed.
        if let Some(requests) = self.requests.clone() {
            self.tasks.spawn(name, request(requests));
        }
    }

    fn dial(&mut self) {
        let Some(key) = self.key.clone() else { return };
        let (platform, config) = (self.platform.clone(), self.config.socket);
        let (reply, result) = oneshot::channel();
        self.close_when_open = None;
        let task = self.tasks.spawn("dial", async move {
            let _ = reply.send(socket::dial(&platform, &key, &config).await);
        });
        self.dialing = Some(Dialing::new(result, task.abort_handle()));
    }

    fn close(&mut self, code: u16, reason: &'static str) {
        match &self.sender {
            Some(sender) => sender.close(code, reason),
            // A handshake is not cut off (`wire.md` 12.1): it is closed once it is open.
            None => self.close_when_open = Some((code, reason)),
        }
    }

    fn announce(&mut self, state: &LinkState) {
        if state.phase == Phase::Ready {
            // Also where the platform never says `hello.ok` (the header path).
            if let Some(sender) = &self.sender {
                sender.ready();
            }
        }
        let now = state_of(state.phase);
        let (phase, reason) = (now.as_str(), &state.reason);
        tracing::info!(state = phase, %reason, code = state.code, attempt = state.attempt, "connection");
        self.watched.link_changed(state);
        let wants_key = self.key.is_none() || state.phase == Phase::Parked;
        self.wants_key.send_if_modified(|wanted| {
            let changed = *wanted != wants_key;
            *wanted = wants_key;
            changed
        });
        self.tell_parked(None);
        let payload = serde_json::to_string(&ConnectionChange {
            state: now,
            reason: reason.to_string(),
            code: state.code,
            attempt: state.attempt.into(),
            retry_in_ms: state.retry_in_ms,
        });
        if let Ok(payload) = payload {
            self.publish_ephemeral(kind::CONNECTION_STATE.into(), None, payload.into());
        }
        self.notifier.status(&format!("{phase}: {reason}"));
    }

    /// While the platform refuses the agent no send goes out, for how long nobody knows: callers
    /// do not wait for it.
    fn tell_parked(&mut self, id: Option<u64>) {
        if let Some(why) = self.watched.parked() {
            self.callers.parked(id, &why);
        }
    }

    pub(super) fn publish_ephemeral(
        &self,
        kind: Arc<str>,
        conversation_id: Option<Arc<str>>,
        payload: Arc<str>,
    ) {
        let source = if &*kind == "connection.state" {
            source::LOCAL
        } else {
            source::LIVE
        };
        let received_at_us = self.clock.now().wall_us;
        self.feed.publish_ephemeral(&Arc::new(LogEvent {
            kind,
            conversation_id,
            payload,
            source,
            received_at_us,
            ..LogEvent::default()
        }));
    }

    fn attempt(&mut self, id: u64) {
        let reader = self.reader.clone();
        let timeout = self.config.rest.timeout;
        let metrics = Arc::clone(&self.config.metrics);
        match self.requests.clone() {
            Some(requests) => {
                self.tasks.spawn("send", async move {
                    let begun = Instant::now();
                    let input = attempt(&requests, &reader, id, timeout).await;
                    metrics.sent(send_result(&input), begun.elapsed());
                    requests.input(input).await;
                });
            }
            None => {
                let answer = Err(Failure::Network {
                    reason: "no key".into(),
                    unsent: true,
                });
                self.feed_engine(Input::Attempted {
                    id,
                    answer,
                    error: Arc::from("null"),
                });
            }
        }
    }

    fn drained(&mut self, ticket: u64, outcome: Result<(u64, u64), Failure>) {
        let Some(reply) = self.drains.remove(&ticket) else {
            return;
        };
        let _ = reply.send(match outcome {
            Ok((drained, acked)) => Ok(SyncDrained { drained, acked }),
            Err(failure) => Err(CallFailure::Unavailable {
                reason: reason_of(&failure),
                attempts: 1,
                retry_after_ms: None,
            }),
        });
    }

    fn warn(&mut self, warning: &Warning) {
        let text = match warning {
            Warning::PoisonedSyncPage => {
                "sync: a row cannot be read; it and what stands behind it stay with AgentChat"
                    .into()
            }
            Warning::StuckSync => "sync: a page cannot be acknowledged".into(),
            Warning::AckedUnseen { held, acked } => format!(
                "sync: {acked} rows were settled where {held} were held; history is compared"
            ),
            Warning::BadShape { what } => {
                format!("an answer of AgentChat is not as expected: {what}")
            }
            // Without the figure, so that the warning stands once; the status counts them.
            Warning::RapidReconnects { .. } => {
                "connections end within a minute, one after the other".into()
            }
            Warning::OtherAgent { expected, found } => format!(
                "the key belongs to @{found}, this state dir to @{expected}: \
                 use another state dir, or @{expected}'s key"
            ),
        };
        tracing::warn!("{text}");
        self.watched.warn(text);
    }
}

fn send_result(input: &Input) -> SendResult {
    match input {
        Input::Attempted {
            answer: Ok(taken), ..
        } if taken.replayed => SendResult::Replayed,
        Input::Attempted { answer: Ok(_), .. } => SendResult::Taken,
        Input::Attempted {
            answer: Err(Failure::Status { .. }),
            ..
        } => SendResult::Refused,
        _ => SendResult::NoAnswer,
    }
}

async fn attempt(
    requests: &Requests,
    reader: &Reader,
    id: u64,
    timeout: std::time::Duration,
) -> Input {
    let Ok(Some(entry)) = reader.attempt(id).await else {
        let error = Arc::from("null");
        return Input::Attempted {
            id,
            answer: Err(unreadable()),
            error,
        };
    };
    failpoint::reach("request-ready");
    let sent = requests.rest.send(entry.body.to_string(), timeout).await;
    failpoint::reach("answer-read");
    match sent {
        Err(failure) => {
            let error = record(&failure);
            Input::Attempted {
                id,
                answer: Err(failure.engine()),
                error,
            }
        }
        Ok(Sent {
            status,
            row,
            backlog_warning,
        }) => {
            let replayed = status == 200;
            let matches = !replayed
                || (means_the_same(&entry.body, &row.body)
                    && went_to(requests, &entry.body, &row.conversation_id).await);
            let error = if matches {
                Arc::from("null")
            } else {
                record_conflict(&entry.client_msg_id, &row.body)
            };
            let backlog = backlog_warning.and_then(|(recipient_handle, undelivered_count)| {
                let warning = BacklogWarning {
                    recipient_handle,
                    undelivered_count,
                };
                serde_json::to_string(&warning).ok().map(Arc::from)
            });
            let accepted = agentchatd_engine::Accepted {
                row,
                replayed,
                matches,
                backlog,
            };
            Input::Attempted {
                id,
                answer: Ok(accepted),
                error,
            }
        }
    }
}

/// Whether a message that the platform had before went where this one was meant to go. A direct
/// message's row does not name its recipient; the conversation list does.
async fn went_to(requests: &Requests, body: &str, conversation_id: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Posted {
        to: Option<String>,
    }
    let Ok(Posted { to: Some(to) }) = serde_json::from_str(body) else {
        return true;
    };
    match requests.conversation_with(to.trim_start_matches('@')).await {
        Ok(Some(id)) => *id == *conversation_id,
        // Not in the list, or no list: the content is all that can be compared.
        Ok(None) | Err(_) => true,
    }
}

fn unreadable() -> Failure {
    Failure::Network {
        reason: "the outbox entry could not be read".into(),
        unsent: true,
    }
}

pub(super) fn reason_of(failure: &Failure) -> String {
    match failure {
        Failure::Status {
            status,
            code: Some(code),
            ..
        } => format!("{code} ({status})"),
        Failure::Status {
            status, code: None, ..
        } => format!("HTTP status {status}"),
        Failure::Network { reason, .. } | Failure::Shape { reason } => reason.to_string(),
    }
}

/// The state that a phase is in the contract.
pub(super) fn state_of(phase: Phase) -> ConnectionState {
    match phase {
        Phase::Disconnected => ConnectionState::Disconnected,
        Phase::Connecting => ConnectionState::Connecting,
        Phase::Authenticating => ConnectionState::Authenticating,
        Phase::Draining => ConnectionState::Draining,
        Phase::Ready => ConnectionState::Ready,
        Phase::Parked => ConnectionState::Parked,
        Phase::Stopped => ConnectionState::Stopped,
    }
}
