//! Where an answer goes: out alone, or together with the others of its batch.

use std::sync::{Arc, Mutex, PoisonError};

use crate::rpc::errors;
use crate::rpc::outgoing::{Frame, Outgoing};
use crate::rpc::service::Answer;

/// The answers of a batch until the last one is there.
#[derive(Debug)]
pub(crate) struct Batch {
    gathered: Mutex<Gathered>,
}

#[derive(Debug)]
struct Gathered {
    missing: usize,
    text: String,
    answers: Vec<Answer>,
}

/// Where the answer of one request goes.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Out, at once.
    Alone,
    /// To the others of its batch.
    In(Arc<Batch>),
}

impl Batch {
    /// A batch of so many requests.
    pub(crate) fn new(requests: usize) -> Arc<Self> {
        let gathered = Gathered {
            missing: requests,
            text: String::new(),
            answers: Vec::new(),
        };
        Arc::new(Self {
            gathered: Mutex::new(gathered),
        })
    }

    /// Adds an answer; with the last one, gives them all as one line, if there is any.
    fn add(&self, mut answer: Answer) -> Option<(String, Vec<Answer>)> {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(json) = answer.json.take() {
            let before = if gathered.text.is_empty() { '[' } else { ',' };
            gathered.text.push(before);
            if gathered.text.len() + json.len() > MAX_BATCH_ANSWER_BYTES {
                gathered.text.push_str(&too_much(&json));
            } else {
                gathered.text.push_str(&json);
            }
        }
        gathered.answers.push(answer);
        gathered.missing -= 1;
        if gathered.missing > 0 {
            return None;
        }
        let mut text = std::mem::take(&mut gathered.text);
        if !text.is_empty() {
            text.push(']');
        }
        Some((text, std::mem::take(&mut gathered.answers)))
    }
}

impl Reply {
    /// Sends the answer where it belongs. Where the connection is gone the handler learns it by
    /// the answer being dropped.
    pub(crate) async fn give(self, mut answer: Answer, outgoing: &Outgoing) {
        let (text, answers) = match self {
            Self::Alone => (answer.json.take().unwrap_or_default(), vec![answer]),
            Self::In(batch) => match batch.add(answer) {
                Some(whole) => whole,
                None => return,
            },
        };
        // A batch of notifications, or a single one, is not answered at all.
        if text.is_empty() || outgoing.send(Frame::Text(text)).await.is_ok() {
            answers.into_iter().for_each(Answer::tell_queued);
        }
    }
}

/// What stands in the place of an answer that would make the batch's line too long.
fn too_much(json: &str) -> String {
    let error = errors::overloaded("batch_answer_bytes", None);
    let id = json
        .strip_prefix("{\"jsonrpc\":\"2.0\",\"id\":")
        .and_then(|rest| {
            serde_json::Deserializer::from_str(rest)
                .into_iter::<&serde_json::value::RawValue>()
                .next()
        })
        .and_then(Result::ok)
        .map(|id| id.get());
    Answer::refusal(id, &error).json.unwrap_or_default()
}

/// How long the line with the answers of one batch may be, about.
const MAX_BATCH_ANSWER_BYTES: usize = 32 << 20;

#[cfg(test)]
mod tests {
    use agentchatd_client::{ErrorCode, RpcError};
    use serde_json::Value;

    use super::*;

    fn answer(id: &str, bytes: usize) -> Answer {
        let error = RpcError::new(ErrorCode::InternalError, "x".repeat(bytes));
        Answer::refusal(Some(id), &error)
    }

    #[test]
    fn the_last_answer_brings_them_all() {
        let batch = Batch::new(2);
        assert!(batch.add(answer("1", 1)).is_none());
        let (text, answers) = batch.add(answer("\"b\"", 1)).unwrap();
        let values: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&values[0]["id"], &values[1]["id"]),
            (&1.into(), &"b".into())
        );
        assert_eq!(answers.len(), 2);
    }

    #[test]
    fn an_answer_that_would_make_the_line_too_long_gives_way_to_an_error_with_its_id() {
        let batch = Batch::new(3);
        assert!(
            batch
                .add(answer("1", MAX_BATCH_ANSWER_BYTES - 1000))
                .is_none()
        );
        assert!(batch.add(answer("\"\\u0041,\"", 1000)).is_none());
        let (text, _) = batch.add(answer("3", 1)).unwrap();
        let values: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&values[1]["id"], &values[1]["error"]["code"]),
            (&"A,".into(), &(-32008).into())
        );
        assert_eq!(values[2]["error"]["message"], "x");
    }
}
