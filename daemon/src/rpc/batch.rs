//! Where an answer goes: out alone, or together with the others of its batch.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::rpc::errors;
use crate::rpc::outgoing::{Frame, Outgoing};
use crate::rpc::request::{Refused, Request};
use crate::rpc::service::Answer;

/// The answers of a batch until the last one is there.
#[derive(Debug)]
pub(crate) struct Batch {
    gathered: Mutex<Gathered>,
}

#[derive(Debug)]
struct Gathered {
    missing: usize,
    /// What the line still needs if every missing answer gives way to an error.
    kept_free: usize,
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
    /// A batch of these requests.
    pub(crate) fn new(requests: &[Result<Request, Refused>]) -> Arc<Self> {
        let ids = requests.iter().filter_map(|one| match one {
            // A notification has no answer.
            Ok(request) => request.id.as_deref(),
            Err(refused) => Some(refused.id.as_deref().unwrap_or(NO_ID)),
        });
        let gathered = Gathered {
            missing: requests.len(),
            kept_free: 1 + ids.map(room_of).sum::<usize>(),
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
            gathered.push(&json);
        }
        // It is in the line, or an error in its place; the others are to be made as well.
        answer.turn.end();
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

impl Gathered {
    /// Puts an answer into the line, or an error in its place where the errors of those that are
    /// still missing would find no room.
    fn push(&mut self, json: &str) {
        let id = id_of(json);
        self.kept_free = self.kept_free.saturating_sub(room_of(id));
        let before = if self.text.is_empty() { '[' } else { ',' };
        self.text.push(before);
        if self.text.len() + json.len() + self.kept_free <= MAX_BATCH_ANSWER_BYTES {
            self.text.push_str(json);
        } else {
            for part in [HEAD, id, &**TOO_MUCH] {
                self.text.push_str(part);
            }
        }
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

/// How much of the line an error takes that stands in the place of the answer with this id.
fn room_of(id: &str) -> usize {
    const SEPARATOR: usize = 1;
    SEPARATOR + HEAD.len() + id.len() + TOO_MUCH.len()
}

/// The id of an answer, as it was written.
fn id_of(json: &str) -> &str {
    json.strip_prefix(HEAD)
        .and_then(|rest| {
            serde_json::Deserializer::from_str(rest)
                .into_iter::<&serde_json::value::RawValue>()
                .next()
        })
        .and_then(Result::ok)
        .map_or(NO_ID, |id| id.get())
}

/// How every answer begins, up to its id.
const HEAD: &str = "{\"jsonrpc\":\"2.0\",\"id\":";

/// The id in the answer to what had none that could be read.
const NO_ID: &str = "null";

/// How an answer goes on, after its id, that would have made the batch's line too long.
static TOO_MUCH: LazyLock<String> = LazyLock::new(|| {
    let error = errors::overloaded("batch_answer_bytes", None);
    let error = serde_json::to_string(&error).unwrap_or_else(|_| NO_ID.into());
    format!(",\"error\":{error}}}")
});

/// How long the line with the answers of one batch may be, if not the ids alone are longer.
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

    /// A batch of requests with these ids.
    fn batch(ids: &[&str]) -> Arc<Batch> {
        let requests: Vec<_> = ids
            .iter()
            .map(|id| {
                Ok(Request {
                    id: Some((*id).into()),
                    method: "m".into(),
                    params: None,
                })
            })
            .collect();
        Batch::new(&requests)
    }

    #[test]
    fn the_last_answer_brings_them_all() {
        let batch = batch(&["1", "\"b\""]);
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
        let batch = batch(&["1", "\"\\u0041,\"", "3"]);
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

    #[test]
    fn the_line_is_never_longer_than_its_bound_and_is_filled_up_to_it() {
        let long_id = format!("\"{}\"", "i".repeat(8000));
        let ids: Vec<&str> = (0..1000)
            .map(|at| if at % 2 == 0 { "null" } else { &long_id })
            .collect();
        let batch = batch(&ids);
        let (last, rest) = ids.split_last().unwrap();
        for id in rest {
            assert!(batch.add(answer(id, 50_000)).is_none());
        }
        let (text, _) = batch.add(answer(last, 50_000)).unwrap();
        assert!(text.len() <= MAX_BATCH_ANSWER_BYTES, "{}", text.len());
        assert!(text.len() > MAX_BATCH_ANSWER_BYTES - 100_000);
        let values: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(values.len(), ids.len());
        assert_eq!(
            values.last().unwrap()["error"]["data"]["limit"],
            "batch_answer_bytes"
        );
    }

    #[test]
    fn a_line_of_errors_alone_takes_what_was_kept_free_for_it() {
        let ids = ["1", "\"b\"", "null"];
        let requests = ids.map(|id| {
            Err(Refused {
                id: (id != NO_ID).then(|| id.into()),
                reason: "r",
            })
        });
        let batch = Batch::new(&requests);
        let kept_free = batch.gathered.lock().unwrap().kept_free;
        let mut line = None;
        for id in ids {
            line = batch.add(answer(id, MAX_BATCH_ANSWER_BYTES));
        }
        // The first bracket stands where the others have a comma; the last is its own.
        assert_eq!(line.unwrap().0.len(), kept_free);
    }
}
