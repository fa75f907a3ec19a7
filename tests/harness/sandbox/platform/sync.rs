//! `GET /v1/messages/sync` and `POST /v1/messages/sync/ack` in both forms (wire.md 3).

use super::answer::{Answer, Effect, Outcome};
use super::draft::Late;
use super::ids::parse_delivery;
use super::model::{AgentNo, EnvelopeNo, OwnerPause, Platform};
use super::render::Form;
use super::routes::Request;
use super::time::Stamp;
use super::validate::js_number;
use crate::sandbox::faults::PageFault;
use crate::sandbox::journal::Event;
use crate::sandbox::options::SyncForm;
use serde_json::{Value, json};
use std::ops::Bound::{Excluded, Unbounded};

const DEFAULT_LIMIT: usize = 200;
const MAX_LIMIT: usize = 500;

/// One row of a page on its way out.
#[derive(Clone, Copy)]
enum Row {
    Fine(EnvelopeNo),
    NullId(EnvelopeNo),
    Poisoned(EnvelopeNo),
}

impl Platform {
    /// A page of what is stored for the caller.
    pub(crate) fn sync_page(&mut self, caller: AgentNo, request: &Request<'_>) -> Outcome {
        let limit = match request.query("limit").unwrap_or_default() {
            "" => DEFAULT_LIMIT,
            text => match js_number(text).filter(|n| n.fract() == 0.0 && *n >= 1.0) {
                Some(number) => (number as usize).min(MAX_LIMIT),
                None => return Answer::bad("limit must be a positive integer").into(),
            },
        };
        let numbers = self.page(caller, request.query("after").unwrap_or_default(), limit);
        let (rows, wrong_shape) = self.dress_page(numbers);
        let seen = rows
            .iter()
            .map(|row| self.message_id(row.number()))
            .collect();
        let body = if wrong_shape {
            json!({ "ok": true, "messages": "moved" }).to_string()
        } else {
            self.render_page(&rows)
        };
        let handle = self.agents[caller.index()].handle.clone();
        let mut effects = vec![Effect::Fact(Event::SyncPage {
            agent: handle,
            message_ids: seen,
        })];
        if !rows.is_empty() {
            effects.append(&mut self.release(Late::AfterPage, Some(caller)));
        }
        Outcome::with(Answer::json(200, body), effects)
    }

    /// Settles everything up to a cursor.
    pub(crate) fn sync_ack(&mut self, caller: AgentNo, body: &[u8], now: Stamp) -> Outcome {
        if self.agents[caller.index()].paused == OwnerPause::Full {
            return Answer::value(200, &json!({ "acked": 0 })).into();
        }
        let Some(body) = super::json::parse(body) else {
            return Answer::bad_json().into();
        };
        let cursor = &body["last_delivery_id"];
        let known = match (self.rules.form, cursor) {
            (SyncForm::Production, Value::String(text)) if !text.is_empty() => {
                self.up_to_delivery(caller, text)
            }
            (SyncForm::Documented103, Value::Number(number)) if number.as_i64().is_some() => {
                self.up_to_number(caller, number.as_i64().unwrap_or_default())
            }
            _ => return Answer::bad("last_delivery_id is required").into(),
        };
        let changed: Vec<EnvelopeNo> = known
            .into_iter()
            .filter(|number| self.settle(*number, now))
            .collect();
        let settled: Vec<String> = changed
            .into_iter()
            .map(|number| self.message_id(number))
            .collect();
        let answer = Answer::value(200, &json!({ "acked": settled.len() }));
        let mut effects = vec![Effect::Fact(Event::AckCursor {
            agent: self.agents[caller.index()].handle.clone(),
            cursor: cursor
                .as_str()
                .map_or_else(|| cursor.to_string(), str::to_owned),
            message_ids: settled,
        })];
        effects.append(&mut self.release(Late::AfterAck, Some(caller)));
        Outcome::with(answer, effects)
    }

    fn page(&self, caller: AgentNo, after: &str, limit: usize) -> Vec<EnvelopeNo> {
        let agent = &self.agents[caller.index()];
        if agent.paused == OwnerPause::Full {
            return Vec::new();
        }
        let start = match after {
            "" => Unbounded,
            _ if self.sync_faults.stale_after => return Vec::new(),
            cursor => match self.position_of(caller, cursor) {
                Some(position) => Excluded(position),
                None => return Vec::new(),
            },
        };
        let limit = limit.min(self.sync_faults.page_cap.unwrap_or(usize::MAX));
        // Hidden rows go after the limit was applied, so a page may be short.
        agent
            .stored
            .range((start, Unbounded))
            .take(limit)
            .map(|(_, number)| *number)
            .filter(|number| {
                let message = self.envelopes[number.index()].message;
                !agent.hidden_messages.contains(&message) && !self.messages[message.index()].purged
            })
            .collect()
    }

    /// The place of a cursor that belongs to the caller.
    fn position_of(&self, caller: AgentNo, cursor: &str) -> Option<(Stamp, u32)> {
        match self.rules.form {
            SyncForm::Production => {
                let number = self.by_delivery.get(&parse_delivery(cursor)?)?;
                let envelope = &self.envelopes[number.index()];
                (envelope.owner == caller).then_some(envelope.position)
            }
            SyncForm::Documented103 => {
                let fence: u64 = cursor.parse().ok()?;
                // The last row that is not above the fence; none: from the start.
                let below = self.agents[caller.index()]
                    .stored
                    .iter()
                    .take_while(|(_, number)| self.envelopes[number.index()].number <= fence)
                    .last()
                    .map(|(position, _)| *position);
                Some(below.unwrap_or((Stamp(i64::MIN), 0)))
            }
        }
    }

    fn up_to_delivery(&self, caller: AgentNo, cursor: &str) -> Vec<EnvelopeNo> {
        let Some(position) = self.position_of(caller, cursor) else {
            return Vec::new();
        };
        let stored = &self.agents[caller.index()].stored;
        stored
            .range(..=position)
            .map(|(_, number)| *number)
            .collect()
    }

    fn up_to_number(&self, caller: AgentNo, cursor: i64) -> Vec<EnvelopeNo> {
        let fence = u64::try_from(cursor).unwrap_or(0);
        let stored = self.agents[caller.index()].stored.values().copied();
        stored
            .filter(|number| self.envelopes[number.index()].number <= fence)
            .collect()
    }

    /// Applies the switches for sync pages; the flag asks for another shape altogether.
    fn dress_page(&mut self, numbers: Vec<EnvelopeNo>) -> (Vec<Row>, bool) {
        let mut rows: Vec<Row> = numbers
            .into_iter()
            .map(|number| self.dress_row(number))
            .collect();
        if rows.is_empty() {
            return (rows, false);
        }
        match self.sync_faults.next.pop_front() {
            None | Some(PageFault::Fine) => {}
            Some(PageFault::Empty) => rows.clear(),
            Some(PageFault::Short(most)) => rows.truncate(most),
            Some(PageFault::NullIds) => {
                for row in &mut rows {
                    *row = Row::NullId(row.number());
                }
            }
            Some(PageFault::PoisonAt(at)) => {
                if let Some(row) = rows.get_mut(at) {
                    *row = Row::Poisoned(row.number());
                }
            }
            Some(PageFault::Reversed) => rows.reverse(),
            Some(PageFault::WrongShape) => return (rows, true),
        }
        (rows, false)
    }

    fn dress_row(&self, number: EnvelopeNo) -> Row {
        let faults = &self.sync_faults;
        if faults.poisoned.is_empty() && faults.null_ids.is_empty() {
            return Row::Fine(number);
        }
        let id = self.message_id(number);
        if faults.poisoned.contains(&id) {
            Row::Poisoned(number)
        } else if faults.null_ids.contains(&id) {
            Row::NullId(number)
        } else {
            Row::Fine(number)
        }
    }

    fn render_page(&self, rows: &[Row]) -> String {
        let rendered: Vec<String> = rows.iter().map(|row| self.render_row(*row)).collect();
        match self.rules.form {
            SyncForm::Production => format!("[{}]", rendered.join(",")),
            SyncForm::Documented103 => format!(r#"{{"envelopes":[{}]}}"#, rendered.join(",")),
        }
    }

    fn render_row(&self, row: Row) -> String {
        let number = row.number();
        let envelope = &self.envelopes[number.index()];
        let message = envelope.message;
        match (self.rules.form, row) {
            (SyncForm::Production, Row::Fine(_)) => {
                self.render(message, Form::Delivery(Some(number)))
            }
            (SyncForm::Production, Row::NullId(_)) => self.render(message, Form::NullId(number)),
            (SyncForm::Production, Row::Poisoned(_)) => json!({
                "id": 7,
                "delivery_id": super::ids::delivery_text(envelope.delivery),
                "sender": ["unreadable"],
            })
            .to_string(),
            (SyncForm::Documented103, Row::Fine(_)) => format!(
                r#"{{"delivery_id":{},"message":{}}}"#,
                envelope.number,
                self.render(message, Form::Read(number))
            ),
            (SyncForm::Documented103, Row::NullId(_)) => format!(
                r#"{{"delivery_id":null,"message":{}}}"#,
                self.render(message, Form::Read(number))
            ),
            (SyncForm::Documented103, Row::Poisoned(_)) => {
                json!({ "delivery_id": envelope.number, "message": "unreadable" }).to_string()
            }
        }
    }

    pub(crate) fn message_id(&self, number: EnvelopeNo) -> String {
        self.messages[self.envelopes[number.index()].message.index()]
            .id
            .to_string()
    }
}

impl Row {
    fn number(self) -> EnvelopeNo {
        match self {
            Self::Fine(number) | Self::NullId(number) | Self::Poisoned(number) => number,
        }
    }
}
