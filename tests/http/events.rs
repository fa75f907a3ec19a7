//! Server-sent events.

use crate::stage;
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::http::Http;
use agentchatd_tests::stage::{NEVER, SOON, Stage, until};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// A stream as an EventSource reads it.
struct Stream {
    http: Http,
    text: String,
    events: VecDeque<Sse>,
}

/// One event of it.
#[derive(Debug, Default)]
struct Sse {
    id: Option<u64>,
    name: Option<String>,
    data: Value,
}

impl Stream {
    fn open(daemon: &Daemon, query: &str) -> Self {
        Self::resume(daemon, query, None)
    }

    fn resume(daemon: &Daemon, query: &str, seen: Option<u64>) -> Self {
        let seen = seen.map(|id| id.to_string());
        let mut headers = vec![("accept", "text/event-stream")];
        headers.extend(seen.as_deref().map(|id| ("last-event-id", id)));
        let mut http = daemon.http().expect("the daemon listens");
        let target = format!("/events?{query}");
        http.ask("GET", &target, &headers, b"").expect("it reads");
        let head = http.head().expect("an answer");
        assert_eq!(head.status, 200, "{query}");
        assert_eq!(head.header("content-type"), Some("text/event-stream"));
        Self {
            http,
            text: String::new(),
            events: VecDeque::new(),
        }
    }

    /// The next event; `None` at the end of the stream.
    fn next(&mut self) -> Option<Sse> {
        while self.events.is_empty() {
            let chunk = self.http.chunk().expect("a chunk")?;
            self.text
                .push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                self.events.push_back(parsed(&block));
                self.events.retain(|event| !event.data.is_null());
            }
        }
        self.events.pop_front()
    }

    /// The next event that is in the log.
    fn logged(&mut self) -> Value {
        loop {
            let event = self.next().expect("the stream goes on");
            if event.id.is_some() {
                assert_eq!(event.name, None, "events are unnamed");
                assert_eq!(event.data["offset"].as_u64(), event.id);
                return event.data;
            }
        }
    }

    fn offsets(&mut self, count: usize) -> Vec<u64> {
        let offset = |event: Value| event["offset"].as_u64().expect("an offset");
        (0..count).map(|_| offset(self.logged())).collect()
    }

    /// The next event of this name.
    fn named(&mut self, name: &str) -> Value {
        loop {
            let event = self.next().expect("the stream goes on");
            if event.name.as_deref() == Some(name) {
                assert_eq!(event.id, None);
                return event.data;
            }
        }
    }
}

/// An event, with null for data where it is only a comment or a hint.
fn parsed(block: &str) -> Sse {
    let mut event = Sse::default();
    for line in block.lines().filter(|line| !line.is_empty()) {
        match line.split_once(": ").expect("a field") {
            ("", _) | ("retry", "1000") => {}
            ("id", id) => event.id = Some(id.parse().expect("an offset")),
            ("event", name) => event.name = Some(name.to_owned()),
            ("data", data) => event.data = serde_json::from_str(data).expect("JSON in one line"),
            other => panic!("an unknown field: {other:?}"),
        }
    }
    event
}

/// A daemon whose log has so many messages.
fn with_messages(stage: &Stage, count: usize) -> Daemon {
    let daemon = stage.ready();
    for number in 0..count {
        stage.bob_says(&format!("message {number}"));
    }
    daemon
        .status_until(|status| status["log"]["last_offset"] == count)
        .expect("all are logged");
    daemon
}

fn ack(daemon: &Daemon, consumer: &str, offset: u64) {
    let params = json!({"consumer": consumer, "offset": offset});
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "events.ack", "params": params});
    let reply = daemon
        .http()
        .and_then(|mut http| http.post(request.to_string()));
    let answer = reply.expect("an answer").json();
    assert_eq!(answer["result"]["acked_offset"], offset, "{answer}");
}

#[test]
fn ten_thousand_events_come_in_order_and_as_they_stand_in_the_log() {
    const MESSAGES: usize = 10_000;
    let stage = stage();
    let daemon = stage.ready();
    let mut stream = Stream::open(&daemon, "from=earliest");
    let told: Vec<Value> = std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..MESSAGES {
                stage.bob_says(&format!("message {number}"));
            }
        });
        (0..MESSAGES).map(|_| stream.logged()).collect()
    });
    let log = stage.log_is_whole(&daemon);
    assert_eq!(log.len(), MESSAGES);
    assert!(told == log, "event by event");
}

#[test]
fn a_stream_starts_where_it_is_asked_to_and_goes_on_after_the_last_id() {
    let stage = stage();
    let daemon = with_messages(&stage, 6);
    assert_eq!(Stream::open(&daemon, "from=earliest").offsets(2), [1, 2]);
    assert_eq!(Stream::open(&daemon, "from=4").offsets(2), [4, 5]);
    let mut now = Stream::open(&daemon, "");
    let mut time = Stream::open(&daemon, "from=2020-01-01T00:00:00+01:00");
    assert_eq!(time.offsets(6), [1, 2, 3, 4, 5, 6]);
    let resume = |seen| Stream::resume(&daemon, "from=earliest", Some(seen));
    assert_eq!(resume(3).offsets(3), [4, 5, 6]);
    assert_eq!(resume(0).offsets(1), [1]);
    let mut at_end = resume(6);
    stage.bob_says("one more");
    for stream in [&mut now, &mut at_end] {
        assert_eq!(stream.offsets(1), [7]);
    }
}

#[test]
fn an_id_of_another_log_skips_nothing_of_this_one() {
    let stage = stage();
    let daemon = with_messages(&stage, 3);
    let resume = |query: &str| Stream::resume(&daemon, query, Some(1_000_000));
    assert_eq!(resume("").offsets(3), [1, 2, 3]);
    assert_eq!(resume("from=2").offsets(2), [2, 3]);
    let mut new = resume("consumer=new");
    assert_eq!(new.offsets(3), [1, 2, 3]);
    ack(&daemon, "new", 1);
    drop(new);
    assert_eq!(resume("consumer=new").offsets(2), [2, 3]);
}

#[test]
fn only_what_passes_the_filter_of_the_query_comes() {
    let stage = stage();
    let daemon = stage.ready();
    stage.bob_says("hello");
    stage.logged(&daemon, |event| event["type"] == "message.new");
    let mut raw = stage.connect(&daemon);
    let params = json!({"to": "ann", "text": "hi"});
    raw.result("messages.send", &params).unwrap();
    stage.logged(&daemon, |event| event["type"] == "message.sent");
    let first = |query: &str| Stream::open(&daemon, query).logged()["offset"].clone();
    assert_eq!(first("from=1&types=message.sent,message.read"), 2);
    assert_eq!(first("from=1&types=message.read&types=message.sent"), 2);
    assert_eq!(first("from=1&include_own=true"), 1);
    assert_eq!(first("from=1&senders=%40dora"), 2);
    let mut not_own = Stream::open(&daemon, "from=1&include_own=false");
    stage.bob_says("again");
    assert_eq!(not_own.offsets(2), [1, 3]);
}

#[test]
fn a_consumer_gets_its_window_and_goes_on_when_it_acknowledges_by_a_post() {
    let stage = stage();
    let daemon = with_messages(&stage, 6);
    let query = "consumer=c&from=earliest&max_in_flight=3";
    let mut stream = Stream::open(&daemon, query);
    assert_eq!(stream.offsets(3), [1, 2, 3]);
    ack(&daemon, "c", 2);
    assert_eq!(stream.offsets(2), [4, 5]);
    drop(stream);
    // The consumer is free at once, and what is not acknowledged comes again, marked.
    let mut again = Stream::open(&daemon, query);
    let events: Vec<Value> = (0..3).map(|_| again.logged()).collect();
    assert_eq!(events[0]["offset"], 3);
    assert!(events.iter().all(|event| event["redelivered"] == true));
    drop(again);
    // A client that says what it has seen does not get it again, and has acknowledged nothing.
    let mut resumed = Stream::resume(&daemon, query, Some(4));
    assert_eq!(resumed.offsets(2), [5, 6]);
    drop(resumed);
    assert_eq!(Stream::resume(&daemon, query, Some(1)).offsets(1), [3]);
    let mut raw = stage.connect(&daemon);
    let consumers = raw.result("consumers.list", &json!({})).unwrap();
    assert_eq!(consumers[0]["acked_offset"], 2);
}

#[test]
fn what_is_written_is_acknowledged_where_that_was_asked() {
    let stage = stage();
    let daemon = with_messages(&stage, 5);
    let mut stream = Stream::open(&daemon, "consumer=c&from=earliest&ack=auto");
    assert_eq!(stream.offsets(5), [1, 2, 3, 4, 5]);
    let mut raw = stage.connect(&daemon);
    until("the offset moves", || {
        let consumers = raw.result("consumers.list", &json!({})).unwrap();
        match &consumers[0]["acked_offset"] {
            five if *five == 5 => Ok(()),
            other => Err(other.to_string()),
        }
    });
}

#[test]
fn over_a_restart_nothing_is_lost_and_nothing_comes_twice() {
    let stage = stage();
    let mut daemon = stage.ready();
    let mut seen: Vec<u64> = Vec::new();
    for round in 0..4 {
        let last = seen.last().copied().or(Some(0));
        let mut stream = Stream::resume(&daemon, "from=earliest", last);
        let mut own = Stream::open(&daemon, "consumer=own&from=earliest&ack=auto");
        for number in 0..20 {
            stage.bob_says(&format!("{round} {number}"));
        }
        // Not all of it is read; what is read on goes on from there.
        seen.extend(stream.offsets(15));
        let first = own.offsets(20);
        assert!(first.is_sorted());
        if round % 2 == 0 {
            daemon.kill().unwrap();
        } else {
            daemon.signal("TERM").unwrap();
            daemon.wait(SOON).unwrap();
        }
        daemon = stage.ready();
    }
    let mut stream = Stream::resume(&daemon, "from=earliest", seen.last().copied());
    let total = stage.log_is_whole(&daemon).len();
    seen.extend(stream.offsets(total - seen.len()));
    assert_eq!(seen, (1..=total as u64).collect::<Vec<_>>());
}

#[test]
fn errors_before_the_stream_have_a_status_and_a_json_body() {
    let stage = stage();
    let daemon = stage.start();
    let _holder = Stream::open(&daemon, "consumer=held&types=message.new");
    for (query, status, code, path) in [
        ("consumer=held", 409, -32005, None),
        ("consumer=held&types=message.read", 409, -32005, None),
        ("consumer=a%20b", 400, -32602, Some("/consumer")),
        ("from=yesterday", 400, -32602, Some("/from/time")),
        (
            "mentions_me=perhaps",
            400,
            -32602,
            Some("/filter/mentions_me"),
        ),
        ("ack=never", 400, -32602, Some("/ack")),
        ("max_in_flight=0", 400, -32602, Some("/max_in_flight")),
        ("max_in_flight=x", 400, -32602, Some("/max_in_flight")),
        ("mode=shared", 400, -32602, Some("/mode")),
        ("color=red", 400, -32602, Some("/color")),
        ("ack=auto&ack=manual", 400, -32602, Some("/ack")),
    ] {
        let mut http = daemon.http().unwrap();
        http.ask("GET", &format!("/events?{query}"), &[], b"")
            .unwrap();
        let head = http.head().unwrap();
        assert_eq!(head.status, status, "{query}");
        let body = http.body(&head).unwrap();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(answer["error"]["code"], code, "{query}");
        if let Some(path) = path {
            assert_eq!(answer["error"]["data"]["path"], path, "{query}");
        }
    }
    let mut http = daemon.http().unwrap();
    let header = [("last-event-id", "abc")];
    let reply = http.call("GET", "/events", &header, b"").unwrap();
    assert_eq!(
        (reply.status(), &reply.json()["error"]["code"]),
        (400, &json!(-32602))
    );
    let reply = http.call("HEAD", "/events", &[], b"").unwrap();
    assert_eq!(reply.status(), 405, "a stream has no head alone");
}

#[test]
fn live_only_events_have_no_id_and_a_stop_is_announced() {
    let stage = stage();
    let mut daemon = stage.ready();
    let mut stream = Stream::open(&daemon, "from=earliest");
    daemon.signal("TERM").unwrap();
    let mut live = 0;
    let going = loop {
        let event = stream.next().expect("it is announced before the end");
        match event.name.as_deref() {
            Some("daemon.going_away") => break event.data,
            _ => {
                assert_eq!((event.id, event.data["offset"].is_null()), (None, true));
                live += 1;
            }
        }
    };
    assert_eq!(going["reason"], "shutdown");
    while stream.next().is_some() {}
    stream.http.is_closed().unwrap();
    assert!(daemon.wait(SOON).unwrap().success());
    assert!(live < 10);
}

#[test]
fn a_consumer_that_is_taken_over_is_told_and_its_connection_lives_on() {
    let stage = stage();
    let daemon = stage.ready();
    let mut stream = Stream::open(&daemon, "consumer=c");
    let _other = Stream::open(&daemon, "consumer=c&takeover=true");
    assert_eq!(stream.named("events.closed")["reason"], "takeover");
    assert!(stream.next().is_none(), "the stream ends");
    assert_eq!(stream.http.fetch("/healthz").unwrap().status(), 200);
}

#[test]
fn a_client_that_does_not_read_slows_nobody_and_loses_nothing() {
    let stage = stage();
    let daemon = stage.ready();
    let mut stuck = Stream::open(&daemon, "consumer=stuck&from=earliest&ack=auto");
    let mut quick = Stream::open(&daemon, "from=earliest");
    let text = "x".repeat(20_000);
    for _ in 0..150 {
        stage.bob_says(&text);
    }
    let all: Vec<u64> = (1..=150).collect();
    assert_eq!(quick.offsets(150), all);
    std::thread::sleep(NEVER);
    let mut raw = stage.connect(&daemon);
    let consumers = raw.result("consumers.list", &json!({})).unwrap();
    let acked = consumers[0]["acked_offset"].as_u64().unwrap();
    assert!(
        acked < 150,
        "what the socket has not taken is not acknowledged"
    );
    assert_eq!(stuck.offsets(150), all);
}
