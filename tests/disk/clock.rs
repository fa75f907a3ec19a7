//! A wall clock that is set forward or back by a day while the daemon runs.

use agentchatd_tests::sandbox::{Event, HttpFault, HttpRule};
use agentchatd_tests::shim::Slot;
use agentchatd_tests::stage::until;
use serde_json::{Value, json};

use crate::outage::acknowledged_is_on_disk;
use crate::stage;

const DAY_S: i64 = 86_400;

/// What a daemon does over these steps of its clock, one after the other.
fn steps(by_seconds: &[i64]) {
    let (stage, shim) = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({"consumer": "keeper", "from": "earliest"}));
    stage.bob_says("before");
    let mut seen = vec![raw.event()];
    // A send that waits, and may wait for an hour.
    stage.sandbox.faults(|faults| {
        let away = HttpFault::Html(503);
        faults
            .http
            .push(HttpRule::always("POST /v1/messages", away));
    });
    let waits = |id: &str| {
        json!({"to": "ann", "text": id, "client_msg_id": id, "delivery": "queue",
               "expires_in_ms": 3_600_000})
    };
    raw.ok("messages.send", waits("waits-0"));
    let connects = stage.sandbox.journal().connects("dora");

    for (number, step) in by_seconds.iter().enumerate() {
        shim.set(Slot::ClockSeconds, *step);
        let begun = stage.sandbox.journal().len();
        stage.bob_says(&format!("after step {number}"));
        seen.push(raw.event());
        raw.ok("messages.send", waits(&format!("waits-{}", number + 1)));
        // Timers go on: sync looks again by itself, twice, and the sends are tried again.
        for _ in 0..2 {
            let from = stage.sandbox.journal().len();
            stage.seen_from(
                from,
                |event| matches!(event, Event::SyncPage { agent, .. } if agent == "dora"),
            );
        }
        stage.seen_from(begun, |event| {
            matches!(event, Event::Http { path, status: 503, .. } if path == "/v1/messages")
        });
        let page = raw.ok("outbox.list", json!({}));
        for entry in page["entries"].as_array().expect("a list") {
            let state = entry["state"].as_str();
            assert!(
                matches!(state, Some("queued" | "sending")),
                "step {step}: {entry}"
            );
        }
    }

    stage.sandbox.faults(|faults| faults.http.clear());
    until("every send has landed", || {
        let page = raw.ok("outbox.list", json!({"state": "sent"}));
        let sent = page["entries"].as_array().map_or(0, Vec::len);
        if sent == by_seconds.len() + 1 {
            return Ok(());
        }
        Err(page.to_string())
    });
    let log = stage.log_is_whole(&daemon);
    no_time_skips(&mut raw, &log);
    let texts: Vec<&str> = seen
        .iter()
        .map(|event| event["payload"]["content"]["text"].as_str().expect("text"))
        .collect();
    let expected: Vec<String> = (0..by_seconds.len())
        .map(|number| format!("after step {number}"))
        .collect();
    assert_eq!(texts[0], "before");
    assert_eq!(texts[1..], expected, "each once and in order");
    assert!(seen.iter().all(|event| event.get("redelivered").is_none()));
    assert_eq!(
        stage.sandbox.journal().connects("dora"),
        connects,
        "the connection stays"
    );
    assert_eq!(
        raw.ok("daemon.health", json!({}))["verdict"],
        "ok",
        "the clock is no fault of the receive path"
    );
    acknowledged_is_on_disk(&stage, &stage.setup.database());
}

/// A reader that asks from a time on gets every event of that time and later.
fn no_time_skips(raw: &mut agentchatd_tests::raw::Raw, log: &[Value]) {
    for event in log {
        let time = &event["received_at"];
        let page = raw.ok(
            "events.fetch",
            json!({"from": {"time": time}, "limit": 1000}),
        );
        let first = page["events"][0]["offset"].as_u64().expect("an event");
        let earliest = log
            .iter()
            .filter(|other| other["received_at"].as_str() >= time.as_str())
            .filter_map(|other| other["offset"].as_u64())
            .min();
        assert!(Some(first) <= earliest, "{time}: {first}, {earliest:?}");
        let rest = page["events"].as_array().expect("a list").len();
        assert_eq!(rest as u64, log.len() as u64 - first + 1, "up to the end");
    }
    let times: Vec<_> = log
        .iter()
        .map(|event| event["received_at"].as_str())
        .collect();
    assert!(times.is_sorted(), "time stands still rather than go back");
}

#[test]
fn a_clock_that_is_set_forward_by_a_day_loses_and_expires_nothing() {
    steps(&[DAY_S]);
}

#[test]
fn a_clock_that_is_set_back_by_a_day_loses_and_expires_nothing() {
    steps(&[-DAY_S]);
}

#[test]
fn a_clock_that_goes_back_and_forth_loses_and_expires_nothing() {
    steps(&[DAY_S, 0, -DAY_S, DAY_S, 0]);
}
