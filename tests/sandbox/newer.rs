//! Routes that no recording shows: webhooks, reply coordination, and what newer servers add.

use crate::client::{Api, pair, quick_april};
use agentchatd_tests::sandbox::{Options, To};
use serde_json::{Value, json};
use std::time::Duration;

fn hook(url: &str, events: &[&str]) -> Value {
    json!({ "url": url, "events": events })
}

#[tokio::test]
async fn a_webhook_shows_its_secret_once_and_belongs_to_one_agent() {
    let (sandbox, alice, bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    let wanted = hook(
        "https://example.test/hook",
        &["message.new", "group.deleted"],
    );
    let made = api.post("/v1/webhooks", &wanted).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let mut row = made.json();
    let secret = row["secret"].take();
    let secret = secret.as_str().expect("a secret");
    assert!(secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(row["events"], wanted["events"]);
    assert_eq!(row["active"], true);
    let id = row["id"].as_str().expect("an id").to_owned();
    assert!(id.starts_with("whk_"), "{id}");
    row.as_object_mut().expect("a row").remove("secret");
    let path = format!("/v1/webhooks/{id}");
    assert_eq!(api.get(&path).await.json(), row);
    assert_eq!(
        api.get("/v1/webhooks").await.json(),
        json!({ "webhooks": [row] })
    );
    let of_bob = api.of(&bob);
    assert_eq!(
        of_bob.get("/v1/webhooks").await.json(),
        json!({ "webhooks": [] })
    );
    assert_eq!(of_bob.delete(&path).await.code(), "NOT_FOUND");
    assert_eq!(api.delete(&path).await.json(), json!({ "ok": true }));
    assert_eq!(api.delete(&path).await.code(), "NOT_FOUND");
    assert_eq!(api.get(&path).await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn webhooks_are_checked_and_counted() {
    let (sandbox, alice, _bob) = pair(quick_april()).await;
    let api = Api::new(&sandbox, &alice);
    let fine = hook("https://example.test/hook", &["message.new"]);
    for (body, field) in [
        (json!({}), "url"),
        (hook("nowhere", &["message.new"]), "url"),
        (hook("https://example.test", &[]), "events"),
        (hook("https://example.test", &["message.gone"]), "events"),
    ] {
        let refused = api.post("/v1/webhooks", &body).await;
        assert_eq!(
            (refused.status, refused.code()),
            (400, "VALIDATION_ERROR".to_owned())
        );
        assert!(
            refused.json()["details"]["fieldErrors"]
                .get(field)
                .is_some(),
            "{}",
            refused.text
        );
    }
    let internal = hook("https://example.test", &["agent.created"]);
    assert_eq!(
        api.post("/v1/webhooks", &internal).await.code(),
        "FORBIDDEN"
    );
    let system = api.of(&sandbox.agent("chatfather"));
    assert_eq!(system.post("/v1/webhooks", &internal).await.status, 201);
    for _ in 0..5 {
        assert_eq!(api.post("/v1/webhooks", &fine).await.status, 201);
    }
    let sixth = api.post("/v1/webhooks", &fine).await;
    assert_eq!(
        (sixth.status, sixth.code()),
        (400, "LIMIT_REACHED".to_owned())
    );
}

#[tokio::test]
async fn repliers_agree_on_who_answers() {
    let (sandbox, alice, bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    let claim = |message: &str, holder: &str, defer: bool| {
        let body = json!({ "message_id": message, "holder": holder, "defer_if_active": defer });
        let api = api.clone();
        async move { api.post("/v1/reply/claim", &body).await.json() }
    };
    assert_eq!(
        claim("msg_1", "daemon:a", false).await,
        json!({ "claimed": true })
    );
    assert_eq!(
        claim("msg_1", "daemon:b", false).await,
        json!({ "claimed": false })
    );
    assert_eq!(
        claim("msg_1", "daemon:a", false).await,
        json!({ "claimed": true })
    );
    let batch = json!({ "message_ids": ["msg_2", "msg_1", "msg_3"], "holder": "daemon:b" });
    let counted = api.post("/v1/reply/claim-batch", &batch).await.json();
    assert_eq!(
        counted,
        json!({ "claimed_count": 1 }),
        "up to the first that another one holds"
    );
    let others = json!({ "message_id": "msg_1", "holder": "daemon:c" });
    let of_bob = api.of(&bob).post("/v1/reply/claim", &others).await.json();
    assert_eq!(
        of_bob,
        json!({ "claimed": true }),
        "agents do not share claims"
    );

    let lease = json!({ "session_id": "s1", "ttl_seconds": 30 });
    assert!(
        api.raw("PUT", "/v1/reply/active", &lease.to_string())
            .await
            .status
            < 300
    );
    assert_eq!(
        api.get("/v1/reply/active").await.json(),
        json!({ "active": true })
    );
    let deferred = json!({ "claimed": false, "deferred": true });
    assert_eq!(claim("msg_4", "daemon:a", true).await, deferred);
    assert_eq!(
        claim("msg_4", "daemon:a", false).await,
        json!({ "claimed": true })
    );
    assert!(
        api.raw("DELETE", "/v1/reply/active", r#"{"session_id":"s2"}"#)
            .await
            .status
            < 300
    );
    assert_eq!(
        api.get("/v1/reply/active").await.json(),
        json!({ "active": true })
    );
    sandbox.pass_time(Duration::from_secs(30));
    assert_eq!(
        api.get("/v1/reply/active").await.json(),
        json!({ "active": false })
    );
    assert_eq!(
        claim("msg_5", "daemon:a", true).await,
        json!({ "claimed": true })
    );
}

#[tokio::test]
async fn a_conversation_has_a_context_on_newer_servers_only() {
    for (options, newer) in [(Options::default(), true), (quick_april(), false)] {
        let (sandbox, alice, bob) = pair(options).await;
        let carol = sandbox.agent("carol");
        let api = Api::new(&sandbox, &alice);
        let sent = sandbox.send("bob", To::Handle("alice"), "hello");
        let path = format!("/v1/conversations/{}/context", sent.conversation_id);
        let people = format!("/v1/conversations/{}/participants", sent.conversation_id);
        let answer = api.get(&path).await;
        if !newer {
            assert_eq!(
                (answer.status, answer.text.as_str()),
                (404, "404 Not Found")
            );
            assert_eq!(api.of(&carol).get(&people).await.column("handle").len(), 2);
            continue;
        }
        let context = answer.json();
        assert_eq!(context["type"], "direct");
        assert_eq!(context["counterparty"]["handle"], bob.handle());
        assert_eq!(context["relationship"]["is_contact"], false);
        assert_eq!(
            context["unread"],
            json!({ "count": 1, "oldest_seq": 1, "newest_seq": 1 })
        );
        assert_eq!(api.get(&people).await.column("handle"), ["bob"]);
        let outsider = api.of(&carol);
        assert_eq!(outsider.get(&path).await.code(), "CONVERSATION_NOT_FOUND");
        assert_eq!(outsider.get(&people).await.code(), "CONVERSATION_NOT_FOUND");
    }
}

#[tokio::test]
async fn the_directory_of_newer_servers_asks_for_a_key_and_has_an_end() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let nobody = Api::new(&sandbox, &alice).of(&sandbox.agent_with_key("nobody", "ac_nobody"));
    sandbox.rotate_key("nobody", "ac_other");
    assert_eq!(nobody.get("/v1/directory?q=al").await.status, 401);
    let api = Api::new(&sandbox, &alice);
    assert_eq!(api.get("/v1/directory?q=al&offset=10000").await.status, 200);
    let beyond = api.get("/v1/directory?q=al&offset=10001").await;
    assert_eq!(
        (beyond.status, beyond.code()),
        (400, "VALIDATION_ERROR".to_owned())
    );
    for _ in 0..58 {
        assert_eq!(api.get("/v1/directory?q=al").await.status, 200);
    }
    let over = api.get("/v1/directory?q=al").await;
    assert_eq!((over.status, over.code()), (429, "RATE_LIMITED".to_owned()));
    assert_eq!(over.header("retry-after"), Some("60"));
    sandbox.pass_time(Duration::from_secs(60));
    assert_eq!(api.get("/v1/directory?q=al").await.status, 200);
}
