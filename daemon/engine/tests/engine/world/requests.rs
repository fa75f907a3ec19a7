//! REST requests and their answers, and what goes wrong with either.

use std::sync::Arc;

use agentchatd_engine::{Accepted, Cursor, Failure, Input, Lane, Question};

use super::{
    platform::status,
    runner::{Happening, World},
};

/// A REST request.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Identify,
    Sync,
    SyncAck(Cursor),
    List,
    History(Arc<str>, Question),
    Post(u64),
    Find(u64),
}

impl World {
    /// Whatever touches the platform's data does so as the agent of this state.
    pub(crate) fn check_identity(&self) {
        let bound = self.store.bound.as_ref().map(|(handle, _)| handle);
        assert_eq!(bound, Some(&self.key), "the state's own agent asks");
    }

    pub(crate) fn ask(&mut self, request: Request) {
        if !matches!(request, Request::Identify) {
            self.check_identity();
        }
        let wait = self.delay();
        self.later(
            wait,
            Happening::Request(self.incarnation, self.held_key, request),
        );
    }

    pub(crate) fn on_request(&mut self, incarnation: u64, key: u64, request: Request) {
        let input = if key != self.valid_key {
            failed(&request, status(401, "UNAUTHORIZED"))
        } else if self.dice.chance(self.chances.refused) {
            let failure = match self.dice.between(0, 2) {
                0 => Failure::Shape {
                    reason: "no JSON".into(),
                },
                1 => Failure::Network {
                    reason: "refused".into(),
                    unsent: true,
                },
                _ => status(503, ""),
            };
            // A 2xx that cannot be read says that a send was carried out.
            if matches!(
                (&failure, &request),
                (Failure::Shape { .. }, Request::Post(_))
            ) {
                self.execute(&request);
            }
            failed(&request, failure)
        } else {
            let answer = self.execute(&request);
            if self.dice.chance(self.chances.answer_lost) {
                let reason = "cut off".into();
                failed(
                    &request,
                    Failure::Network {
                        reason,
                        unsent: false,
                    },
                )
            } else {
                answer
            }
        };
        let wait = self.delay();
        self.later(wait, Happening::Answer(incarnation, Box::new(input)));
    }

    /// The platform carries a request out.
    pub(crate) fn execute(&mut self, request: &Request) -> Input {
        match request {
            Request::Identify => Input::Identified(Ok(self.platform.identity())),
            Request::Sync => Input::SyncPage(Ok(self.platform.sync())),
            Request::SyncAck(cursor) => Input::SyncAcked(Ok(Some(self.platform.sync_ack(cursor)))),
            Request::List => Input::Conversations(Ok(self.platform.list())),
            Request::History(id, question) => Input::History {
                conversation_id: Arc::clone(id),
                question: *question,
                answer: self.platform.history(id, *question),
            },
            Request::Post(id) => self.post(*id),
            Request::Find(id) => {
                let key = Arc::clone(&self.store.outbox[id].draft.client_msg_id);
                let answer = Ok(self.platform.sent(&key).cloned());
                Input::Found { id: *id, answer }
            }
        }
    }

    fn post(&mut self, id: u64) -> Input {
        let place_in_line = self.store.outbox[&id].place;
        let draft = &self.store.outbox[&id].draft;
        let (key, body) = (Arc::clone(&draft.client_msg_id), Arc::clone(&draft.body));
        let place = conversation_of(&draft.lane);
        let landed = self.platform.sent(&key).is_some();
        let refusal = match &*body {
            "refused" => Some(status(403, "BLOCKED")),
            "capped" => Some(status(429, "RATE_LIMITED")),
            "limited" => Some(Failure::Status {
                status: 429,
                code: Some("RATE_LIMITED".into()),
                retry_after_ms: Some(60_000),
            }),
            // An attempt that may have landed, and the next one a day and an hour later.
            "away" => Some(away()),
            "away once it landed" if !landed => {
                self.platform.post(&place, &key);
                Some(away())
            }
            "poison" => Some(status(500, "")),
            "backlogged" => Some(status(429, "RECIPIENT_BACKLOGGED")),
            "paused" => Some(status(403, "AGENT_PAUSED_BY_OWNER")),
            "once" if landed => Some(status(429, "AWAITING_REPLY")),
            body => body.strip_prefix("answers ").map(told),
        };
        let now_us = self.platform.now_us;
        let refusal = refusal.or_else(|| self.platform.limits.count(&place, now_us));
        if let Some(failure) = refusal {
            return failed(&Request::Post(id), failure);
        }
        let (row, replayed) = self.platform.post(&place, &key);
        if !replayed {
            self.wire.taken.push((id, place_in_line));
        }
        let answer = Ok(Accepted {
            row,
            replayed,
            matches: true,
            backlog: None,
        });
        let error = "".into();
        Input::Attempted { id, answer, error }
    }

    pub(crate) fn answered(&mut self, input: Input) {
        if let Input::SyncPage(Ok(page)) = &input {
            for row in &page.rows {
                let message = self.platform.message_mut(&row.message_id);
                let position = message.expect("shown rows exist").position;
                self.shown.insert(position, Arc::clone(&row.message_id));
            }
        }
        self.input(input);
    }
}

fn away() -> Failure {
    Failure::Status {
        status: 503,
        code: None,
        retry_after_ms: Some(25 * 3_600_000),
    }
}

/// A failure as a body asks for it: a status, and a code where there is one.
fn told(words: &str) -> Failure {
    let (number, code) = words.split_once(' ').unwrap_or((words, ""));
    status(number.parse().expect("a status"), code)
}

/// Where a lane leads.
pub(crate) fn conversation_of(lane: &Lane) -> String {
    match lane {
        Lane::To(peer) => format!("conv_{peer}"),
        Lane::Conversation(id) => id.to_string(),
    }
}

fn failed(request: &Request, failure: Failure) -> Input {
    match request {
        Request::Identify => Input::Identified(Err(failure)),
        Request::Sync => Input::SyncPage(Err(failure)),
        Request::SyncAck(_) => Input::SyncAcked(Err(failure)),
        Request::List => Input::Conversations(Err(failure)),
        Request::History(id, question) => Input::History {
            conversation_id: Arc::clone(id),
            question: *question,
            answer: Err(failure),
        },
        Request::Post(id) => Input::Attempted {
            id: *id,
            answer: Err(failure),
            error: "{}".into(),
        },
        Request::Find(id) => Input::Found {
            id: *id,
            answer: Err(failure),
        },
    }
}
