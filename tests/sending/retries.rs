//! What is tried again, for how long, and how it is told apart from what landed.

use crate::{entry_in, every_send, next_send, no_faults, stage, stored};
use agentchatd_tests::sandbox::{Draft, Event, HttpFault, HttpRule, Setting, To};
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn what_may_pass_is_tried_again() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let error = |status| HttpFault::error(status, "TRY_AGAIN");
    for what in [
        error(408),
        error(425),
        error(500),
        error(502),
        error(503),
        error(504),
        HttpFault::Html(502),
        HttpFault::Empty500,
        HttpFault::DropBefore,
        HttpFault::DropAfter,
        HttpFault::CutBody,
        HttpFault::Body {
            status: 200,
            body: "{}".into(),
        },
    ] {
        let before = (stage.send_requests(), stored(&stage));
        next_send(&stage, what.clone());
        raw.ok("messages.send", json!({"to": "bob", "text": "x"}));
        assert_eq!(stage.send_requests() - before.0, 2, "{what:?}");
        assert_eq!(stored(&stage) - before.1, 1, "one message, {what:?}");
    }
    let log = stage.log_is_whole(&daemon);
    assert_eq!(log.len(), 12);
}

#[test]
fn pitfall_58_retry_after_is_honoured_in_full() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    for (header, least) in [("2", 2000), ("0", 1000), ("-3", 1000)] {
        next_send(&stage, HttpFault::error_after(429, "RATE_LIMITED", header));
        let started = Instant::now();
        raw.ok("messages.send", json!({"to": "bob", "text": "x"}));
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(least), "{header}: {took:?}");
        assert!(
            took < Duration::from_millis(least * 5 / 4 + 1000),
            "{header}: {took:?}"
        );
    }
}

#[test]
fn a_delay_past_the_callers_time_is_told_at_once_and_the_entry_goes_on() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    next_send(&stage, HttpFault::error_after(429, "RATE_LIMITED", "3"));
    let params = json!({"to": "bob", "text": "x", "client_msg_id": "id-1", "timeout_ms": 2000});
    let started = Instant::now();
    let data = raw.refused(-32001, "messages.send", params)["data"].clone();
    assert!(started.elapsed() < Duration::from_secs(2), "at once");
    assert_eq!(
        (&data["status"], &data["class"]),
        (&json!(429), &json!("RateLimitedError"))
    );
    assert_eq!(data["state"], "queued");
    let wait = data["retry_after_ms"].as_u64().unwrap();
    assert!((3000..=3750).contains(&wait), "{wait}");
    let entry = entry_in(&stage, &daemon, "id-1", "queued");
    assert_eq!(data["outbox_id"], entry["outbox_id"]);
    assert_eq!(entry["attempts"], 1);
    assert!(entry["next_attempt_at"].is_string());
    let entry = entry_in(&stage, &daemon, "id-1", "sent");
    assert_eq!(entry["attempts"], 2);
    stage.log_is_whole(&daemon);
}

#[test]
fn an_http_date_says_when_as_well() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let year_2100 = "Fri, 01 Jan 2100 00:00:00 GMT";
    next_send(
        &stage,
        HttpFault::error_after(503, "MAINTENANCE", year_2100),
    );
    let params = json!({"to": "bob", "text": "x"});
    let data = raw.refused(-32001, "messages.send", params)["data"].clone();
    assert!(
        data["retry_after_ms"].as_u64().unwrap() > 86_400_000,
        "{data}"
    );
    assert_eq!(data["state"], "queued");
}

#[test]
fn pitfall_31_terminal_refusals_are_not_tried_again_whatever_their_status() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    for (status, code, class) in [
        (429, "RECIPIENT_BACKLOGGED", "RecipientBackloggedError"),
        (503, "RECIPIENT_BACKLOGGED", "RecipientBackloggedError"),
        (403, "AWAITING_REPLY", "AwaitingReplyError"),
        (429, "AWAITING_REPLY", "AwaitingReplyError"),
        (403, "BLOCKED", "BlockedError"),
        (403, "RESTRICTED", "RestrictedError"),
        (400, "VALIDATION_ERROR", "ValidationError"),
        (404, "AGENT_NOT_FOUND", "NotFoundError"),
        (409, "SOMETHING_NEW", "AgentChatError"),
        (413, "CONTENT_TOO_LARGE", "AgentChatError"),
    ] {
        let before = stage.send_requests();
        next_send(&stage, HttpFault::error(status, code));
        let params = json!({"to": "bob", "text": "x"});
        let data = raw.refused(-32001, "messages.send", params)["data"].clone();
        assert_eq!(
            (&data["status"], &data["code"]),
            (&json!(status), &json!(code))
        );
        assert!(
            class == "AgentChatError" || data["class"] == class,
            "{data}"
        );
        assert_eq!(stage.send_requests() - before, 1, "{code} with {status}");
    }
    assert_eq!(stored(&stage), 0);
}

#[test]
fn the_typed_fields_of_a_refusal_are_told() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    stage.sandbox.set_backlog("bob", Some(10_000));
    let data =
        raw.refused(-32001, "messages.send", json!({"to": "bob", "text": "x"}))["data"].clone();
    assert_eq!(data["class"], "RecipientBackloggedError");
    assert_eq!(data["recipient_handle"], "bob");
    assert_eq!(data["undelivered_count"], 10_000);
    let details = json!({"recipient_handle": "ann", "waiting_since": "2026-01-01T00:00:00Z"});
    next_send(
        &stage,
        HttpFault::Error {
            status: 403,
            code: "AWAITING_REPLY".into(),
            retry_after: None,
            details: Some(details.clone()),
            extra: None,
        },
    );
    let data =
        raw.refused(-32001, "messages.send", json!({"to": "ann", "text": "x"}))["data"].clone();
    assert_eq!(data["recipient_handle"], "ann");
    assert_eq!(data["waiting_since"], "2026-01-01T00:00:00Z");
    assert_eq!(data["details"], details);
}

#[test]
fn pitfall_33_a_refused_retry_whose_first_attempt_landed_is_found_in_history() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.ok("messages.send", json!({"to": "bob", "text": "before"}));
    for (code, status) in [("AWAITING_REPLY", 403), ("BLOCKED", 403)] {
        stage.sandbox.faults(|faults| {
            faults
                .http
                .push(HttpRule::next(crate::SEND, HttpFault::DropAfter));
            let refused = HttpFault::error(status, code);
            faults.http.push(HttpRule::next(crate::SEND, refused));
        });
        let before = stored(&stage);
        let answer = raw.ok("messages.send", json!({"to": "bob", "text": code}));
        assert_eq!(answer["message"]["content"]["text"], code);
        assert_eq!(answer["replayed"], true);
        assert_eq!(stored(&stage) - before, 1);
    }
    stage.log_is_whole(&daemon);
}

#[test]
fn a_refused_retry_that_never_landed_is_failed_once_history_says_so() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.ok("messages.send", json!({"to": "bob", "text": "before"}));
    next_send(&stage, HttpFault::DropBefore);
    stage.sandbox.set("bob", &Setting::Block("dora".into()));
    let send = json!({"to": "bob", "text": "x", "client_msg_id": "id-1"});
    let data = raw.refused(-32001, "messages.send", send)["data"].clone();
    assert_eq!(data["class"], "BlockedError");
    let searched = |event: &Event| matches!(event, Event::Http { method, path, .. } if method == "GET" && path.starts_with("/v1/messages/conv"));
    assert!(
        stage.sandbox.journal().count(searched) > 0,
        "history was asked"
    );
    entry_in(&stage, &daemon, "id-1", "failed");
}

#[test]
fn a_peers_row_or_another_content_with_the_same_id_is_not_taken_for_the_own_message() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    raw.ok("messages.send", json!({"to": "bob", "text": "before"}));
    let same_id = |text: &str| Draft::text(text).client_msg_id("id-1");
    stage.sandbox.send("bob", To::Handle("dora"), same_id("x"));
    stage
        .sandbox
        .send("dora", To::Handle("bob"), same_id("something else"));
    next_send(&stage, HttpFault::DropBefore);
    stage.sandbox.set("bob", &Setting::Block("dora".into()));
    let send = json!({"to": "bob", "text": "x", "client_msg_id": "id-1"});
    let data = raw.refused(-32001, "messages.send", send)["data"].clone();
    assert_eq!(data["class"], "BlockedError");
    entry_in(&stage, &daemon, "id-1", "failed");
}

#[test]
fn pitfall_51_a_send_that_makes_the_platform_fail_for_ever_is_set_aside_and_those_behind_it_go_on()
{
    let mut stage = stage();
    stage.env("AGENTCHATD_HTTP_MAX_DELAY_MS", "30");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    stage.sandbox.faults(|faults| {
        let rule = HttpRule::always(crate::SEND, HttpFault::Empty500);
        faults.http.push(HttpRule {
            times: Some(12),
            ..rule
        });
    });
    let poison =
        json!({"to": "bob", "text": "poison", "client_msg_id": "id-1", "delivery": "queue"});
    raw.ok("messages.send", poison);
    let behind = raw.ok("messages.send", json!({"to": "bob", "text": "behind"}));
    assert_eq!(behind["message"]["content"]["text"], "behind");
    let entry = entry_in(&stage, &daemon, "id-1", "failed");
    assert_eq!(entry["attempts"], 12);
    let event = stage.logged(&daemon, |event| event["type"] == "message.failed");
    assert_eq!(event["payload"]["client_msg_id"], "id-1");
    assert_eq!(event["payload"]["state"], "failed");
    assert_eq!(event["payload"]["outbox_id"], entry["outbox_id"]);
    assert_eq!(event["payload"]["error"]["code"], -32001, "{event}");
}

#[test]
fn an_outage_of_502_lasts_as_long_as_it_lasts() {
    let mut stage = stage();
    stage.env("AGENTCHATD_HTTP_MAX_DELAY_MS", "30");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    every_send(&stage, HttpFault::Html(502));
    raw.start("messages.send", &json!({"to": "bob", "text": "x"}))
        .unwrap();
    stage.seen_from(0, |_| stage.send_requests() > 20);
    no_faults(&stage);
    assert!(raw.hear().get("result").is_some(), "502 is no poison");
    assert_eq!(stored(&stage), 1);
}
