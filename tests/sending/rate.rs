//! The one budget of all sends against a platform whose limit is not known.

use crate::SEND;
use agentchatd_tests::sandbox::{Event, HttpFault, HttpRule, Options};
use agentchatd_tests::stage::Stage;
use serde_json::json;
use std::time::{Duration, Instant};

/// A platform that lets so many sends of one agent through in a second; we would send a thousand.
fn limited(limit: u32) -> Stage {
    let options = Options {
        sends_per_second: Some(limit),
        ..Stage::options()
    };
    let mut stage = Stage::with(env!("CARGO_BIN_EXE_agentchatd"), options);
    stage.env("AGENTCHATD_OUTBOX_RATE_PER_SECOND", "1000");
    stage
}

/// Sends that the platform refused with 429.
fn refused(stage: &Stage) -> usize {
    stage.sandbox.journal().count(|event| {
        matches!(event, Event::Http { method, path, status: 429, .. }
            if method == "POST" && path == "/v1/messages")
    })
}

#[test]
fn a_limit_far_below_ours_is_learned_and_all_sends_land_once_in_lane_order() {
    const SENDS: usize = 120;
    const PEERS: usize = 12;
    /// Without learning each of the eight lanes is refused in each of the twelve seconds.
    const FEW: usize = 40;
    /// Twelve seconds are the least; a machine under load takes what it takes.
    const PATIENCE: Duration = Duration::from_secs(120);
    let stage = limited(10);
    let peers: Vec<String> = (0..PEERS).map(|number| format!("peer{number}")).collect();
    for peer in &peers {
        stage.sandbox.agent(peer);
    }
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    for number in 0..SENDS {
        let params = json!({
            "to": peers[number % PEERS], "text": number.to_string(), "delivery": "queue",
        });
        raw.ok("messages.send", params);
    }
    let deadline = Instant::now() + PATIENCE;
    while crate::stored(&stage) < SENDS {
        assert!(
            Instant::now() < deadline,
            "{} of them",
            crate::stored(&stage)
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    for (number, peer) in peers.iter().enumerate() {
        let texts: Vec<usize> = stage
            .sandbox
            .messages_for(peer)
            .into_values()
            .flatten()
            .map(|message| message.content["text"].as_str().unwrap().parse().unwrap())
            .collect();
        let expected: Vec<usize> = (number..SENDS).step_by(PEERS).collect();
        assert_eq!(texts, expected, "to {peer}");
    }
    let refused = refused(&stage);
    assert!(refused > 0, "the limit was met");
    assert!(
        refused <= FEW,
        "{refused} of {} requests",
        stage.send_requests()
    );
    println!(
        "{refused} of {} requests were refused",
        stage.send_requests()
    );
    stage.log_is_whole(&daemon);
}

#[test]
fn one_destination_that_is_refused_for_a_day_slows_no_other() {
    let mut stage = limited(1000);
    stage.env("AGENTCHATD_OUTBOX_RATE_PER_SECOND", "50");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let cap = HttpRule::next(SEND, HttpFault::error(429, "RATE_LIMITED"));
    stage.sandbox.faults(|faults| {
        faults.http.push(HttpRule {
            times: Some(8),
            ..cap
        })
    });
    for number in 0..8 {
        stage.sandbox.agent(&format!("stranger{number}"));
        let params = json!({"to": format!("stranger{number}"), "text": "x", "delivery": "queue"});
        raw.ok("messages.send", params);
    }
    stage.seen_from(0, |_| refused(&stage) == 8);
    let started = Instant::now();
    for number in 0..20 {
        raw.ok(
            "messages.send",
            json!({"to": "bob", "text": number.to_string()}),
        );
    }
    // At the least rate these alone would take twelve seconds.
    let took = started.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}");
}

#[test]
fn at_the_invite_cap_a_call_asks_once_or_as_often_as_is_configured() {
    let mut stage = crate::stage();
    stage.env("AGENTCHATD_HTTP_MAX_RETRIES", "3");
    let daemon = stage.ready();
    let group = stage.sandbox.group("dora", "crew", &["bob"]);
    let route = format!("/v1/groups/{group}/members");
    let cap = HttpFault::error(429, "RATE_LIMITED");
    let rule = HttpRule::always(&format!("POST {route}"), cap);
    stage.sandbox.faults(|faults| faults.http.push(rule));
    let mut raw = stage.connect(&daemon);
    let mut call = json!({"group_id": group, "handle": "ann"});
    let data = raw.refused(-32001, "groups.add_member", call.clone())["data"].clone();
    assert_eq!(data["class"], "RateLimitedError", "{data}");
    assert_eq!(
        stage.requests("POST", &route),
        1,
        "not repeatable by itself"
    );
    call["idempotency_key"] = json!("invite-once-0001");
    raw.refused(-32001, "groups.add_member", call);
    assert_eq!(
        stage.requests("POST", &route),
        1 + 4,
        "and nothing goes on after the answer"
    );
    raw.silent();
    assert_eq!(stage.requests("POST", &route), 1 + 4);
}
