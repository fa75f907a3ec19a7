//! The journal: everything the sandbox saw and did, in order, with times, so that a test can prove
//! what was acknowledged when, count connections, or wait for something to happen.
//!
//! Keys never enter it. Entries are written under the sandbox's lock, so their order is the order
//! of the platform's state.

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// One fact.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Place in the journal, from 0, without gaps.
    pub index: usize,
    /// Time since the sandbox started.
    #[serde(serialize_with = "seconds")]
    pub at: Duration,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A request was answered, or refused an answer (`status` 0).
    Http {
        /// Whose key it carried.
        agent: Option<String>,
        /// Method.
        method: String,
        /// Path without query.
        path: String,
        /// Query without `?`.
        query: String,
        /// Status of the answer; 0 when the connection was dropped in its place.
        status: u16,
        /// All headers, credentials as `***`; for tests, not for the journal as JSON.
        #[serde(skip)]
        headers: Vec<(String, String)>,
        /// The beginning of the body; as the headers.
        #[serde(skip)]
        body: String,
    },
    /// A request of the storage host was answered, or refused an answer (`status` 0).
    Storage {
        /// Method.
        method: String,
        /// Path and query.
        target: String,
        /// All headers, credentials as `***`.
        headers: Vec<(String, String)>,
        /// Bytes of the body that arrived.
        bytes: u64,
        /// Status of the answer; 0 when the connection was dropped in its place.
        status: u16,
    },
    /// An upgrade of the socket's path arrived.
    Connect {
        /// Number of the socket.
        socket: u64,
        /// Whether it carried a key in its header.
        header: bool,
    },
    /// An upgrade was refused.
    Refused {
        /// Number of the socket.
        socket: u64,
        /// Status of the refusal; 0 for a reset or for no answer at all.
        status: u16,
    },
    /// A socket was registered for an agent.
    Ready {
        /// Number of the socket.
        socket: u64,
        /// The agent.
        agent: String,
        /// Whether it acknowledges by itself.
        ack: bool,
        /// Whether nobody is at its other end any more.
        ghost: bool,
    },
    /// `hello.ok` was handed to a socket.
    HelloOk {
        /// Number of the socket.
        socket: u64,
    },
    /// A client frame other than hello and ack arrived.
    ClientFrame {
        /// Number of the socket.
        socket: u64,
        /// Its `type`, or `?`.
        frame: String,
        /// The whole of it; null where it is no JSON.
        whole: Value,
    },
    /// A client answered a ping.
    Pong {
        /// Number of the socket.
        socket: u64,
        /// How long that took, in milliseconds.
        after_ms: u64,
    },
    /// A message was handed to a socket.
    Push {
        /// Number of the socket.
        socket: u64,
        /// The agent.
        agent: String,
        /// The message.
        message_id: String,
        /// Whether it was part of the connect drain.
        drain: bool,
        /// Whether this settled the row (a server without ack capability).
        settled: bool,
        /// Whether it really leaves for the network.
        leaves: bool,
    },
    /// A client acknowledged one message over its socket.
    AckFrame {
        /// Number of the socket.
        socket: u64,
        /// The agent.
        agent: String,
        /// The message.
        message_id: String,
        /// Whether a stored row became delivered.
        settled: bool,
    },
    /// A client acknowledged by cursor.
    AckCursor {
        /// The agent.
        agent: String,
        /// The cursor as it came.
        cursor: String,
        /// The messages whose rows became delivered.
        message_ids: Vec<String>,
    },
    /// A sync page was read.
    SyncPage {
        /// The agent.
        agent: String,
        /// The messages of the page, in its order.
        message_ids: Vec<String>,
    },
    /// A send was executed.
    Sent {
        /// The sender.
        agent: String,
        /// Its id for the send.
        client_msg_id: String,
        /// The message, new or original.
        message_id: String,
        /// The conversation of the message.
        conversation_id: String,
        /// Its place there.
        seq: u64,
        /// Whether nothing new was stored.
        replay: bool,
    },
    /// A held row was committed behind a position that may have been read already.
    LateCommit {
        /// The message.
        message_id: String,
    },
    /// A message was marked as read.
    Read {
        /// Who read it.
        agent: String,
        /// The message.
        message_id: String,
    },
    /// A ping was written to a socket.
    Ping {
        /// Number of the socket.
        socket: u64,
    },
    /// A socket came to its end.
    Close {
        /// Number of the socket.
        socket: u64,
        /// The agent, if it was registered.
        agent: Option<String>,
        /// Close code; 1006 when there was no close frame.
        code: u16,
        /// Close reason.
        reason: String,
        /// Whether the sandbox ended it.
        by_server: bool,
    },
}

/// A journal entry did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("no such journal entry within {waited:?}; {entries} entries, the last ones: {last}")]
pub struct NotSeen {
    waited: Duration,
    entries: usize,
    last: String,
}

/// Handle on the journal; cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    start: Instant,
    entries: Mutex<Vec<Entry>>,
    length: watch::Sender<usize>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self {
            inner: Arc::new(Inner {
                start: Instant::now(),
                entries: Mutex::new(Vec::new()),
                length: watch::channel(0).0,
            }),
        }
    }

    pub(crate) fn write(&self, event: Event) {
        let mut entries = self.lock();
        let index = entries.len();
        entries.push(Entry {
            index,
            at: self.inner.start.elapsed(),
            event,
        });
        drop(entries);
        self.inner.length.send_replace(index + 1);
    }

    /// Everything so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries_from(0)
    }

    /// Everything from an index on.
    pub fn entries_from(&self, index: usize) -> Vec<Entry> {
        self.lock()
            .get(index..)
            .map(<[Entry]>::to_vec)
            .unwrap_or_default()
    }

    /// How many entries there are; the index of the next one.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether nothing has happened yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Time since the sandbox started, on the clock of the entries.
    pub fn elapsed(&self) -> Duration {
        self.inner.start.elapsed()
    }

    /// How many entries fit.
    pub fn count(&self, fits: impl Fn(&Event) -> bool) -> usize {
        self.lock()
            .iter()
            .filter(|entry| fits(&entry.event))
            .count()
    }

    /// How often an agent's socket was registered.
    pub fn connects(&self, agent: &str) -> usize {
        self.count(
            |event| matches!(event, Event::Ready { agent: who, ghost: false, .. } if who == agent),
        )
    }

    /// Ids of the messages that an agent has settled by its own acknowledgement, by either way.
    pub fn acked_message_ids(&self, agent: &str) -> BTreeSet<String> {
        let mut ids = BTreeSet::new();
        for entry in self.lock().iter() {
            match &entry.event {
                Event::AckFrame {
                    agent: who,
                    message_id,
                    settled: true,
                    ..
                } if who == agent => {
                    ids.insert(message_id.clone());
                }
                Event::AckCursor {
                    agent: who,
                    message_ids,
                    ..
                } if who == agent => {
                    ids.extend(message_ids.iter().cloned());
                }
                _ => {}
            }
        }
        ids
    }

    /// Waits for the first entry that fits, from the journal's beginning.
    ///
    /// # Errors
    ///
    /// [`NotSeen`] when the deadline passes first.
    pub async fn wait_for(
        &self,
        fits: impl Fn(&Entry) -> bool,
        deadline: Duration,
    ) -> Result<Entry, NotSeen> {
        self.wait_from(0, fits, deadline).await
    }

    /// Waits for the first entry that fits, from an index on.
    ///
    /// # Errors
    ///
    /// [`NotSeen`] when the deadline passes first.
    pub async fn wait_from(
        &self,
        index: usize,
        fits: impl Fn(&Entry) -> bool,
        deadline: Duration,
    ) -> Result<Entry, NotSeen> {
        let mut length = self.inner.length.subscribe();
        let mut next = index;
        let search = async {
            loop {
                length.borrow_and_update();
                // Looked at outside the lock, so that `fits` may ask the journal itself.
                let fresh = self.entries_from(next);
                next += fresh.len();
                let found = fresh.into_iter().find(|entry| fits(entry));
                if let Some(entry) = found {
                    return entry;
                }
                if length.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::time::timeout(deadline, search)
            .await
            .map_err(|_elapsed| self.not_seen(deadline))
    }

    fn not_seen(&self, waited: Duration) -> NotSeen {
        const SHOWN: usize = 12;
        let entries = self.lock();
        let from = entries.len().saturating_sub(SHOWN);
        NotSeen {
            waited,
            entries: entries.len(),
            last: format!("{:#?}", &entries[from..]),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.inner
            .entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn seconds<S: serde::Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(value.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ack(id: &str) -> Event {
        Event::AckFrame {
            socket: 1,
            agent: "bob".into(),
            message_id: id.into(),
            settled: true,
        }
    }

    #[tokio::test]
    async fn waiting_finds_past_and_future_entries_and_ends_at_the_deadline() {
        let journal = Journal::new();
        journal.write(ack("m1"));
        let is = |id: &'static str| move |entry: &Entry| entry.event == ack(id);
        let first = journal
            .wait_for(is("m1"), Duration::from_secs(5))
            .await
            .expect("past");
        assert_eq!(first.index, 0);
        let (second, ()) = tokio::join!(
            journal.wait_from(1, is("m2"), Duration::from_secs(5)),
            async { journal.write(ack("m2")) }
        );
        assert_eq!(second.expect("future").index, 1);
        let never = journal.wait_for(is("m3"), Duration::from_millis(5)).await;
        assert!(never.expect_err("nothing").to_string().contains("m2"));
        assert_eq!(journal.acked_message_ids("bob").len(), 2);
        assert!(journal.acked_message_ids("alice").is_empty());
    }
}
