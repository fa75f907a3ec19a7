//! Faults of REST requests.

use super::client::{Api, NEVER, pair};
use agentchatd_tests::sandbox::{Event, HttpFault, HttpRule, Options, Sandbox, To};
use serde_json::json;
use std::time::Instant;

const SEND: &str = "POST /v1/messages";

fn fault(sandbox: &Sandbox, what: HttpFault) {
    sandbox.faults(|faults| faults.http.push(HttpRule::next(SEND, what)));
}

#[tokio::test]
async fn answers_can_be_any_error_without_execution() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    fault(&sandbox, HttpFault::error_after(429, "RATE_LIMITED", "-1"));
    fault(&sandbox, HttpFault::Html(502));
    fault(&sandbox, HttpFault::Empty500);
    fault(
        &sandbox,
        HttpFault::Body {
            status: 200,
            body: r#"{"surprise":true}"#.into(),
        },
    );
    let extra = json!({ "retry_after_ms": 20 }).as_object().cloned();
    fault(
        &sandbox,
        HttpFault::Error {
            status: 429,
            code: "AWAITING_REPLY".into(),
            retry_after: None,
            details: Some(json!({ "recipient_handle": "bob" })),
            extra,
        },
    );
    let limited = api.send("bob", "c").await;
    assert_eq!(
        (limited.code().as_str(), limited.header("retry-after")),
        ("RATE_LIMITED", Some("-1"))
    );
    let gateway = api.send("bob", "c").await;
    assert_eq!(
        (gateway.status, gateway.header("content-type")),
        (502, Some("text/html"))
    );
    let empty = api.send("bob", "c").await;
    assert_eq!(
        (
            empty.status,
            empty.text.as_str(),
            empty.header("x-request-id")
        ),
        (500, "", None)
    );
    assert_eq!(
        api.send("bob", "c").await.json(),
        json!({ "surprise": true })
    );
    let awaiting = api.send("bob", "c").await.json();
    assert_eq!(
        (&awaiting["retry_after_ms"], &awaiting["code"]),
        (&json!(20), &json!("AWAITING_REPLY"))
    );
    assert!(
        sandbox.messages_for("bob").is_empty(),
        "nothing was executed"
    );
    assert_eq!(
        api.send("bob", "c").await.status,
        201,
        "all faults are used up"
    );
}

#[tokio::test]
async fn an_answer_can_be_lost_before_or_after_execution() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    let body = json!({"to":"bob","client_msg_id":"c","content":{"text":"x"}}).to_string();
    fault(&sandbox, HttpFault::DropBefore);
    assert!(
        api.try_call("POST", "/v1/messages", Some(&body))
            .await
            .is_err()
    );
    assert!(sandbox.messages_for("bob").is_empty());
    fault(&sandbox, HttpFault::DropAfter);
    assert!(
        api.try_call("POST", "/v1/messages", Some(&body))
            .await
            .is_err()
    );
    assert_eq!(sandbox.messages_for("bob").len(), 1);
    fault(&sandbox, HttpFault::CutBody);
    assert!(
        api.try_call("POST", "/v1/messages", Some(&body))
            .await
            .is_err()
    );
    assert_eq!(api.send("bob", "c").await.status, 200, "it had landed");
    let dropped = |event: &Event| matches!(event, Event::Http { status: 0, .. });
    assert_eq!(sandbox.journal().count(dropped), 2);
}

#[tokio::test]
async fn answers_can_be_slow_as_a_whole_or_in_pieces() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    for (what, least) in [
        (HttpFault::Delay(NEVER), NEVER),
        (HttpFault::DelayAnswer(NEVER), NEVER),
        (
            HttpFault::SlowBody {
                bytes: 40,
                pause: NEVER / 4,
            },
            NEVER,
        ),
    ] {
        fault(&sandbox, what.clone());
        let begun = Instant::now();
        assert_eq!(
            api.send("bob", &format!("{what:?}")).await.status,
            201,
            "{what:?}"
        );
        assert!(
            begun.elapsed() >= least,
            "{what:?} took {:?}",
            begun.elapsed()
        );
    }
}

#[tokio::test]
async fn rules_are_counted_and_meant_for_their_route() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let sent = sandbox.send("bob", To::Handle("alice"), "x");
    let api = Api::new(&sandbox, &alice);
    let rule = HttpRule {
        skip: 1,
        times: Some(2),
        ..HttpRule::always(
            "GET /v1/messages/*",
            HttpFault::error(503, "STORAGE_UNAVAILABLE"),
        )
    };
    sandbox.faults(|faults| faults.http.push(rule));
    let history = format!("/v1/messages/{}", sent.conversation_id);
    let mut statuses = Vec::new();
    for path in [
        "/v1/messages/sync",
        &history,
        "/v1/conversations",
        &history,
        &history,
    ] {
        statuses.push(api.get(path).await.status);
    }
    assert_eq!(statuses, [200, 503, 200, 503, 200]);
}
