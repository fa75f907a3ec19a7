//! Switches for misbehaviour. All of them can be set while the sandbox runs, in code through
//! [`super::Sandbox::faults`] and as JSON through `POST /_sandbox/faults`; durations are
//! milliseconds there.
//!
//! A switch that counts is used up: it goes down with every use and is gone at zero.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// All switches.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// What happens to pushes of messages; the first rule that fits is used.
    pub push: Vec<PushRule>,
    /// Random trouble with pushes, for long runs.
    pub chaos: Option<Chaos>,
    /// What happens to REST requests; the first rule that fits is used.
    pub http: Vec<HttpRule>,
    /// What happens to upgrades and handshakes; the first one is used.
    pub connect: VecDeque<ConnectFault>,
    /// How `hello.ok` is sent.
    pub hello_ok: HelloOk,
    /// Trouble in sync pages.
    pub sync: SyncFaults,
    /// Trouble in history pages: the next pages that are not empty get these, one each.
    pub history: VecDeque<PageFault>,
    /// How message objects are dressed up.
    pub dress: Dress,
    /// What happens to requests of the storage host; the first one is used.
    pub storage: VecDeque<StorageFault>,
}

/// A rule for pushes of `message.new`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushRule {
    /// Whose pushes; `None` for everybody's.
    #[serde(default)]
    pub agent: Option<String>,
    /// How many fitting pushes pass before the rule begins to work.
    #[serde(default)]
    pub skip: u64,
    /// How many pushes it works on; `None` for all.
    #[serde(default)]
    pub times: Option<u64>,
    /// What it does.
    pub what: PushFault,
}

/// What can happen to a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushFault {
    /// Counts as sent (and marks the row on a server without ack capability), but never leaves.
    Drop,
    /// Is not pushed at all, the row stays stored: as if muted.
    Suppress,
    /// Is sent so many times more.
    Repeat(u32),
    /// Leaves later; pushes behind it overtake it.
    Delay(#[serde(with = "millis")] Duration),
    /// Leaves right behind the agent's next push.
    Swap,
    /// Only the first half of the frame leaves, then the connection is reset.
    CutInside,
}

/// Random trouble, each figure in a thousand.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chaos {
    /// Start of the random sequence.
    pub seed: u64,
    /// Pushes lost.
    pub drop: u16,
    /// Pushes not made; the row stays stored.
    pub suppress: u16,
    /// Pushes made twice.
    pub repeat: u16,
    /// Pushes that change places with the next one.
    pub swap: u16,
    /// Pushes in the middle of which the connection is reset.
    pub cut: u16,
    /// Requests that are executed but whose answer is lost.
    pub lose_answer: u16,
    /// Requests that meet a 502 from a proxy.
    pub bad_gateway: u16,
}

/// A rule for requests.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpRule {
    /// Method and path, `POST /v1/messages`; `*` stands for any method, and at the end of the path
    /// for any rest.
    pub route: String,
    /// How many fitting requests pass before the rule begins to work.
    #[serde(default)]
    pub skip: u64,
    /// How many requests it works on; `None` for all.
    #[serde(default)]
    pub times: Option<u64>,
    /// What it does.
    pub what: HttpFault,
}

/// What can happen to a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpFault {
    /// An error of the platform, without execution.
    Error {
        /// HTTP status.
        status: u16,
        /// `code` of the body.
        code: String,
        /// Value of `Retry-After`, if any.
        #[serde(default)]
        retry_after: Option<String>,
        /// `details` of the body, if any.
        #[serde(default)]
        details: Option<serde_json::Value>,
        /// Further members at the top of the body.
        #[serde(default)]
        extra: Option<serde_json::Map<String, serde_json::Value>>,
    },
    /// A proxy's HTML page with this status (502, say), without execution.
    Html(u16),
    /// The empty 500 without request id, without execution.
    Empty500,
    /// An answer with these very bytes as JSON body, without execution.
    Body {
        /// HTTP status.
        status: u16,
        /// The body.
        body: String,
    },
    /// An answer with exactly these headers beside the content type, without execution.
    Exactly {
        /// HTTP status.
        status: u16,
        /// The headers.
        headers: std::collections::BTreeMap<String, String>,
        /// The body, JSON.
        body: String,
    },
    /// The connection ends before the request is executed.
    DropBefore,
    /// The request is executed, then the connection ends without an answer.
    DropAfter,
    /// The request is executed, and the answer ends in the middle of its body.
    CutBody,
    /// The request is executed after this time.
    Delay(#[serde(with = "millis")] Duration),
    /// The request is executed at once and the answer kept back for this time.
    DelayAnswer(#[serde(with = "millis")] Duration),
    /// The body trickles: this many bytes, then a pause, and so on.
    SlowBody {
        /// Bytes of one piece.
        bytes: usize,
        /// Pause between two pieces.
        #[serde(with = "millis")]
        pause: Duration,
    },
}

/// What can happen to a request of the storage host.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageFault {
    /// Nothing; for the request after this one.
    Fine,
    /// An answer with this status, without execution.
    Status(u16),
    /// The connection ends in the middle of the file, either way.
    Cut,
    /// The file comes with its last byte missing and a length that fits.
    WrongSize,
    /// One bit of the file comes turned over.
    Corrupt,
    /// The file trickles: this many bytes, then a pause; of an upload, a pause after each piece.
    Slow {
        /// Bytes of one piece.
        bytes: usize,
        /// Pause between two pieces.
        #[serde(with = "millis")]
        pause: Duration,
    },
    /// A redirect to this address.
    Redirect(String),
    /// No answer ever.
    Hang,
}

/// What can happen to a connection before the handshake is complete.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectFault {
    /// The upgrade is answered with this status.
    Refuse {
        /// HTTP status.
        status: u16,
        /// Value of `Retry-After`, if any.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// The TCP connection is reset in place of an answer to the upgrade.
    ResetUpgrade,
    /// The upgrade is never answered.
    HangUpgrade,
    /// The socket is closed right after the upgrade.
    CloseAtOpen {
        /// Close code.
        code: u16,
        /// Close reason.
        reason: String,
    },
    /// The socket is closed when it says hello, whatever the key.
    CloseAtHello {
        /// Close code.
        code: u16,
        /// Close reason.
        reason: String,
    },
    /// The socket is closed right after `hello.ok` and the first rows of the drain.
    CloseAfterHelloOk {
        /// Close code.
        code: u16,
        /// Close reason.
        reason: String,
    },
    /// The key lookup of this connection takes so long.
    SlowLookup(#[serde(with = "millis")] Duration),
    /// Nothing is wrong with this connection; the next fault is for the one after.
    Fine,
}

/// When `hello.ok` leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HelloOk {
    /// Before everything else.
    #[default]
    First,
    /// So much later than registration; messages overtake it.
    Late(#[serde(with = "millis")] Duration),
    /// Behind so many messages.
    AfterMessages(u32),
    /// Never.
    Missing,
}

/// Trouble in sync.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SyncFaults {
    /// The next pages that are not empty get these, one each.
    pub next: VecDeque<PageFault>,
    /// Messages (by id) whose rows no client can read, in every page.
    pub poisoned: BTreeSet<String>,
    /// Messages (by id) whose rows carry no delivery id, in every page.
    pub null_ids: BTreeSet<String>,
    /// Rows of a page at most, whatever the limit.
    pub page_cap: Option<usize>,
    /// Whether every `after` is answered as if it were unknown.
    pub stale_after: bool,
}

/// What can be wrong with one page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageFault {
    /// Nothing; for the page after this one.
    Fine,
    /// An empty page although rows wait.
    Empty,
    /// At most so many rows, from the front.
    Short(usize),
    /// No row has a delivery id.
    NullIds,
    /// The row with this index cannot be read.
    PoisonAt(usize),
    /// The rows come in reverse.
    Reversed,
    /// Not the shape of a page at all.
    WrongShape,
}

/// How message objects look. Meaning stays the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dress {
    /// Members added to every message object, as JSON text without braces, for example
    /// `"future":{"n":9007199254740993}`.
    pub extra: Option<String>,
    /// Whether members come in reverse order.
    pub reversed: bool,
    /// Whether the optional members of section 4.1 are left out: only `id`, `conversation_id` and
    /// what ordering needs remain.
    pub bare: bool,
}

impl PushRule {
    /// A rule for the next push to an agent.
    pub fn next(agent: &str, what: PushFault) -> Self {
        Self {
            agent: Some(agent.to_owned()),
            skip: 0,
            times: Some(1),
            what,
        }
    }

    /// A rule for every push to an agent.
    pub fn always(agent: &str, what: PushFault) -> Self {
        Self {
            agent: Some(agent.to_owned()),
            skip: 0,
            times: None,
            what,
        }
    }
}

impl HttpRule {
    /// A rule for the next request to a route.
    pub fn next(route: &str, what: HttpFault) -> Self {
        Self {
            route: route.to_owned(),
            skip: 0,
            times: Some(1),
            what,
        }
    }

    /// A rule for every request to a route.
    pub fn always(route: &str, what: HttpFault) -> Self {
        Self {
            route: route.to_owned(),
            skip: 0,
            times: None,
            what,
        }
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        let (wanted, pattern) = self.route.split_once(' ').unwrap_or(("*", &self.route));
        let method_fits = wanted == "*" || wanted == method;
        method_fits
            && pattern
                .strip_suffix('*')
                .map_or(pattern == path, |start| path.starts_with(start))
    }
}

impl HttpFault {
    /// An error with a code and nothing else.
    pub fn error(status: u16, code: &str) -> Self {
        Self::Error {
            status,
            code: code.to_owned(),
            retry_after: None,
            details: None,
            extra: None,
        }
    }

    /// An error with `Retry-After`.
    pub fn error_after(status: u16, code: &str, retry_after: &str) -> Self {
        Self::Error {
            status,
            code: code.to_owned(),
            retry_after: Some(retry_after.to_owned()),
            details: None,
            extra: None,
        }
    }
}

impl Faults {
    /// The fault for a push to an agent, and uses it up.
    pub(crate) fn take_push(&mut self, handle: &str) -> Option<PushFault> {
        let fits = |rule: &PushRule| rule.agent.as_deref().is_none_or(|agent| agent == handle);
        let at = self.push.iter().position(fits)?;
        let rule = &mut self.push[at];
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        let what = rule.what;
        if use_up(&mut rule.times) {
            self.push.remove(at);
        }
        Some(what)
    }

    /// The fault for a request, and uses it up.
    pub(crate) fn take_http(&mut self, method: &str, path: &str) -> Option<HttpFault> {
        let at = self.http.iter().position(|rule| rule.fits(method, path))?;
        let rule = &mut self.http[at];
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        let what = rule.what.clone();
        if use_up(&mut rule.times) {
            self.http.remove(at);
        }
        Some(what)
    }
}

/// Counts a use; true when nothing is left.
fn use_up(times: &mut Option<u64>) -> bool {
    let Some(left) = times else { return false };
    *left = left.saturating_sub(1);
    *left == 0
}

/// Durations as whole milliseconds.
mod millis {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counted_rule_skips_works_and_is_gone() {
        let mut faults = Faults::default();
        let rule = PushRule {
            skip: 1,
            times: Some(2),
            ..PushRule::next("bob", PushFault::Drop)
        };
        faults.push.push(rule);
        let taken: Vec<_> = (0..4).map(|_| faults.take_push("bob")).collect();
        assert_eq!(
            taken,
            [None, Some(PushFault::Drop), Some(PushFault::Drop), None]
        );
        assert_eq!(faults.take_push("carol"), None);
    }

    #[test]
    fn routes_fit_by_method_path_and_star() {
        let rule = |route: &str| HttpRule::always(route, HttpFault::Empty500);
        assert!(rule("POST /v1/messages").fits("POST", "/v1/messages"));
        assert!(!rule("POST /v1/messages").fits("POST", "/v1/messages/sync/ack"));
        assert!(rule("* /v1/messages*").fits("GET", "/v1/messages/sync"));
        assert!(!rule("GET /v1/messages*").fits("POST", "/v1/messages"));
    }

    #[test]
    fn faults_are_read_from_json_with_milliseconds() {
        let json = r#"{"push":[{"agent":"bob","times":2,"what":{"delay":50}}],
            "http":[{"route":"POST /v1/messages","what":{"html":502}}],
            "connect":["reset_upgrade",{"refuse":{"status":503}}],"hello_ok":{"late":20}}"#;
        let faults: Faults = serde_json::from_str(json).expect("valid faults");
        assert_eq!(
            faults.push[0].what,
            PushFault::Delay(Duration::from_millis(50))
        );
        assert_eq!(faults.hello_ok, HelloOk::Late(Duration::from_millis(20)));
        assert_eq!(faults.connect.len(), 2);
    }
}
