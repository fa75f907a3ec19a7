//! Who may send what to whom, and in which order that is checked (wire.md 1.6).

use super::client::{Api, pair, quick_april};
use agentchatd_tests::sandbox::{
    AccountStatus, Draft, InboxMode, Options, OwnerPause, Sandbox, Setting, To,
};
use serde_json::json;

#[tokio::test]
async fn the_checks_of_a_send_come_in_the_platforms_order() {
    let (sandbox, alice, bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    assert_eq!(api.send("bob", "landed").await.status, 201);
    sandbox.set("alice", &Setting::Backlog(None));
    // From the last check to the first: each one hides those behind it.
    sandbox.set_backlog("bob", Some(10_000));
    assert_eq!(
        api.send("bob", "landed").await.status,
        200,
        "a replay passes a full inbox"
    );
    assert_eq!(api.send("bob", "x").await.code(), "RECIPIENT_BACKLOGGED");
    sandbox.set("bob", &Setting::InboxMode(InboxMode::ContactsOnly));
    assert_eq!(api.send("bob", "x").await.code(), "INBOX_RESTRICTED");
    sandbox.set("bob", &Setting::Block("alice".into()));
    assert_eq!(
        api.send("bob", "landed").await.code(),
        "BLOCKED",
        "a replay passes no block"
    );
    sandbox.set_pause("alice", OwnerPause::Send);
    assert_eq!(api.send("bob", "x").await.code(), "AGENT_PAUSED_BY_OWNER");
    assert_eq!(api.send("alice", "x").await.code(), "VALIDATION_ERROR");
    assert_eq!(api.send("nobody", "x").await.code(), "AGENT_NOT_FOUND");
    let big = json!({"to":"nobody","client_msg_id":"x","content":{"text":"x".repeat(32_758)}});
    assert_eq!(
        api.post("/v1/messages", &big).await.code(),
        "CONTENT_TOO_LARGE"
    );
    assert_eq!(
        api.post("/v1/messages", &json!({})).await.code(),
        "VALIDATION_ERROR"
    );
    sandbox.set_status("alice", AccountStatus::Suspended);
    let suspended = api.raw("POST", "/v1/messages", "{not json").await;
    assert_eq!(suspended.json()["reason"], "community_enforcement");
    assert_eq!(api.get("/v1/agents/me").await.json()["status"], "suspended");
    sandbox.set_status("alice", AccountStatus::Deleted);
    assert_eq!(api.get("/v1/agents/me").await.status, 401);
    let from_bob = Api::new(&sandbox, &bob).send("alice", "x").await;
    assert_eq!(from_bob.code(), "AGENT_NOT_FOUND");
}

#[tokio::test]
async fn a_replay_gives_the_original_whatever_else_it_says() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    sandbox.agent("carol");
    let api = Api::new(&sandbox, &alice);
    let body = r#"{"to":"bob","client_msg_id":"c","content":{"data":{"zz":1.0,"a":2}},"x":1}"#;
    let first = api.raw("POST", "/v1/messages", body).await;
    assert_eq!(first.status, 201);
    assert!(
        first.text.contains(r#""data":{"a":2,"zz":1}"#),
        "{}",
        first.text
    );
    let again = api.send("carol", "c").await;
    assert_eq!((again.status, again.text), (200, first.text));
    // The swallowed send still made an empty conversation.
    assert_eq!(api.get("/v1/conversations").await.column("id").len(), 2);
    assert_eq!(sandbox.messages_for("carol").len(), 0);
}

#[tokio::test]
async fn limits_of_sends_and_first_contacts_hold() {
    let options = Options {
        sends_per_second: Some(3),
        retry_after: Some(0),
        cold_cap: Some(2),
        awaiting_reply: true,
        ..Options::default()
    };
    let (sandbox, alice, _bob) = pair(options).await;
    let api = Api::new(&sandbox, &alice);
    for stranger in ["carol", "dave"] {
        sandbox.agent(stranger);
        sandbox.send("alice", To::Handle(stranger), "cold");
    }
    let cold = api.send("bob", "third").await;
    assert_eq!((cold.status, cold.header("retry-after")), (429, None));
    let unanswered = api.send("carol", "again").await;
    assert_eq!(unanswered.code(), "AWAITING_REPLY");
    assert_eq!(unanswered.json()["details"]["recipient_handle"], "carol");
    sandbox.send("carol", To::Handle("alice"), "an answer");
    assert_eq!(api.send("carol", "now").await.status, 201);
    let mut answers = Vec::new();
    for n in 0..8 {
        answers.push(api.send("carol", &format!("burst {n}")).await);
    }
    let limited = answers
        .iter()
        .find(|answer| answer.status == 429)
        .expect("a limit");
    assert_eq!(limited.header("retry-after"), Some("0"));
}

#[tokio::test]
async fn a_restricted_agent_may_only_go_on_with_what_exists() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    sandbox.agent("carol");
    sandbox.send("alice", To::Handle("bob"), "before");
    sandbox.set_status("alice", AccountStatus::Restricted);
    let api = Api::new(&sandbox, &alice);
    assert_eq!(api.send("bob", "fine").await.status, 201);
    assert_eq!(api.send("carol", "no").await.code(), "RESTRICTED");
}

#[tokio::test]
async fn poison_texts_meet_the_empty_500_each_time() {
    let (sandbox, alice, _bob) = pair(quick_april()).await;
    let api = Api::new(&sandbox, &alice);
    for text in [r"nul \u0000", r"lone \ud83d x"] {
        let body = format!(r#"{{"to":"bob","client_msg_id":"p","content":{{"text":"{text}"}}}}"#);
        let answer = api.raw("POST", "/v1/messages", &body).await;
        assert_eq!((answer.status, answer.text.as_str()), (500, ""));
        assert_eq!(answer.header("x-request-id"), None);
    }
    let pair = r#"{"to":"bob","client_msg_id":"q","content":{"text":"\ud83d\ude00"}}"#;
    assert_eq!(api.raw("POST", "/v1/messages", pair).await.status, 201);
}

#[tokio::test]
async fn answers_carry_date_and_request_id_and_unknown_routes_are_plain_text() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    let me = api.get("/v1/agents/me").await;
    assert_eq!(me.json()["handle"], "alice");
    assert!(me.header("date").is_some() && me.header("x-request-id").is_some());
    for (method, path) in [
        ("PUT", "/v1/conversations"),
        ("PUT", "/v1/messages/x"),
        ("GET", "/v2"),
    ] {
        let answer = api.raw(method, path, "{}").await;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (404, "404 Not Found"),
            "{path}"
        );
    }
    assert_eq!(api.get("/v1/agents/bob").await.json()["handle"], "bob");
    assert_eq!(api.get("/v1/agents/nobody").await.code(), "AGENT_NOT_FOUND");
}

#[tokio::test]
async fn agents_can_register_and_rotate_their_key() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    let wanted = json!({"email": "new@example.test", "handle": "newcomer"});
    let pending = api.post("/v1/register", &wanted).await.json()["pending_id"].clone();
    let wrong = json!({"pending_id": pending, "code": "000000"});
    assert_eq!(
        api.post("/v1/register/verify", &wrong).await.code(),
        "INVALID_CODE"
    );
    let right = json!({"pending_id": pending, "code": "123456"});
    let made = api.post("/v1/register/verify", &right).await;
    assert_eq!(
        (made.status, &made.json()["agent"]["handle"]),
        (201, &json!("newcomer"))
    );
    assert_eq!(
        api.post("/v1/register", &wanted).await.code(),
        "HANDLE_TAKEN"
    );
    let rotation = api
        .post("/v1/agents/alice/rotate-key", &json!({}))
        .await
        .json();
    let order = json!({"pending_id": rotation["pending_id"], "code": "123456"});
    let rotated = api.post("/v1/agents/alice/rotate-key/verify", &order).await;
    assert!(
        rotated.json()["api_key"]
            .as_str()
            .is_some_and(|key| key.len() > 20)
    );
    assert_eq!(api.get("/v1/agents/me").await.status, 401);
}

#[tokio::test]
async fn only_loopback_is_bound() {
    let everywhere = Options {
        address: [0, 0, 0, 0].into(),
        ..Options::default()
    };
    assert!(Sandbox::start(everywhere).await.is_err());
}

#[tokio::test]
async fn a_send_without_http_is_the_same_for_the_same_id() {
    let (sandbox, _alice, _bob) = pair(Options::default()).await;
    let draft = || {
        Draft::text("x")
            .client_msg_id("same")
            .metadata(json!({"n": 1}))
    };
    let first = sandbox.send("bob", To::Handle("alice"), draft());
    assert_eq!(sandbox.send("bob", To::Handle("alice"), draft()), first);
    assert_eq!(sandbox.messages_for("bob"), sandbox.messages_for("alice"));
    let many = (0..300).map(|n| Draft::text(&n.to_string()));
    assert_eq!(sandbox.flood("bob", To::Handle("alice"), many), 300);
    let seqs: Vec<u64> = sandbox.messages_for("alice")[&first.conversation_id]
        .iter()
        .map(|m| m.seq)
        .collect();
    assert_eq!(seqs, (1..=301).collect::<Vec<_>>());
}
