//! Registration, recovery and rotation: codes, bounds, the older and the newer policy, and what
//! happens to open sockets.

use crate::client::{Api, Got, NEVER, Sock, pair};
use agentchatd_tests::sandbox::{AccountStatus, Draft, Options, Setting, To};
use serde_json::{Value, json};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const RIGHT: &str = "123456";
const WRONG: &str = "000000";

fn without_address_caps(options: Options) -> Options {
    Options {
        address_caps: false,
        ..options
    }
}

/// A registration up to its pending id.
async fn begin(api: &Api, email: &str, handle: &str) -> Value {
    let body = json!({ "email": email, "handle": handle });
    let answer = api.post("/v1/register", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["pending_id"].clone()
}

async fn finish(api: &Api, path: &str, pending: &Value, code: &str) -> crate::client::Answered {
    let body = json!({ "pending_id": pending, "code": code });
    api.post(&format!("/v1/{path}/verify"), &body).await
}

/// A whole registration; the key.
async fn register(api: &Api, email: &str, handle: &str) -> String {
    let pending = begin(api, email, handle).await;
    let made = finish(api, "register", &pending, RIGHT).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["api_key"].as_str().expect("a key").to_owned()
}

#[tokio::test]
async fn a_pending_id_runs_out_after_ten_minutes() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    let pending = begin(&api, "new@example.test", "newcomer").await;
    sandbox.pass_time(10 * MINUTE);
    assert_eq!(
        finish(&api, "register", &pending, RIGHT).await.code(),
        "EXPIRED"
    );
    let pending = begin(&api, "new@example.test", "newcomer").await;
    sandbox.pass_time(10 * MINUTE - Duration::from_secs(5));
    assert_eq!(finish(&api, "register", &pending, RIGHT).await.status, 201);
}

#[tokio::test]
async fn a_pending_id_is_good_for_its_own_purpose_only() {
    let (sandbox, alice, bob) = pair(Options::default()).await;
    let (api, of_bob) = (Api::new(&sandbox, &alice), Api::new(&sandbox, &bob));
    let pending = begin(&api, "new@example.test", "newcomer").await;
    assert_eq!(
        finish(&api, "agents/recover", &pending, RIGHT).await.code(),
        "EXPIRED"
    );
    let rotation = api
        .post("/v1/agents/alice/rotate-key", &json!({}))
        .await
        .json();
    let path = "agents/bob/rotate-key";
    let stolen = finish(&of_bob, path, &rotation["pending_id"], RIGHT).await;
    assert_eq!(stolen.code(), "EXPIRED");
    assert_eq!(finish(&api, "register", &pending, RIGHT).await.status, 201);
}

#[tokio::test]
async fn the_fifth_wrong_code_ends_the_pending_id() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    let pending = begin(&api, "new@example.test", "newcomer").await;
    for _ in 0..4 {
        assert_eq!(
            finish(&api, "register", &pending, WRONG).await.code(),
            "INVALID_CODE"
        );
    }
    let fifth = finish(&api, "register", &pending, WRONG).await;
    assert_eq!(
        (fifth.status, fifth.code()),
        (429, "OTP_ATTEMPTS_EXHAUSTED".to_owned())
    );
    assert_eq!(fifth.header("retry-after"), None);
    assert_eq!(
        finish(&api, "register", &pending, RIGHT).await.code(),
        "EXPIRED"
    );
}

#[tokio::test]
async fn codes_to_one_address_have_a_cooldown_and_an_hourly_cap() {
    let (sandbox, alice, _bob) = pair(without_address_caps(Options::default())).await;
    let api = Api::new(&sandbox, &alice);
    let wanted = json!({ "email": "new@example.test", "handle": "newcomer" });
    for _ in 0..20 {
        assert_eq!(api.post("/v1/register", &wanted).await.status, 200);
        let again = api.post("/v1/register", &wanted).await;
        assert_eq!(
            (again.status, again.code()),
            (429, "OTP_COOLDOWN".to_owned())
        );
        assert_eq!(again.header("retry-after"), Some("60"));
        sandbox.pass_time(MINUTE);
    }
    let capped = api.post("/v1/register", &wanted).await;
    assert_eq!(
        (capped.status, capped.code()),
        (429, "OTP_HOURLY_CAP".to_owned())
    );
    let seconds: u64 = capped
        .header("retry-after")
        .and_then(|text| text.parse().ok())
        .expect("a number");
    assert!((2_380..=2_400).contains(&seconds), "{seconds}");
    sandbox.pass_time(40 * MINUTE);
    assert_eq!(api.post("/v1/register", &wanted).await.status, 200);
}

#[tokio::test]
async fn requests_without_a_key_are_bounded_by_address() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    let limited = |path: &'static str, body: Value, let_through: u32| {
        let api = api.clone();
        async move {
            for _ in 0..let_through {
                assert_ne!(api.post(path, &body).await.code(), "RATE_LIMITED", "{path}");
            }
            let answer = api.post(path, &body).await;
            assert_eq!(
                (answer.status, answer.code()),
                (429, "RATE_LIMITED".to_owned()),
                "{path}"
            );
            assert_eq!(answer.header("retry-after"), None, "{path}");
        }
    };
    let code = json!({ "pending_id": "pnd_x", "code": RIGHT });
    limited("/v1/register", json!({}), 5).await;
    limited("/v1/register/verify", code.clone(), 10).await;
    limited("/v1/agents/recover", json!({}), 3).await;
    limited("/v1/agents/recover/verify", code.clone(), 10).await;
    limited("/v1/agents/alice/rotate-key", json!({}), 3).await;
    limited("/v1/agents/alice/rotate-key/verify", code, 10).await;
    sandbox.pass_time(HOUR);
    limited("/v1/register", json!({}), 5).await;
}

#[tokio::test]
async fn the_newer_policy_allows_several_agents_to_an_address() {
    let (sandbox, alice, _bob) = pair(Options {
        code_caps: false,
        ..without_address_caps(Options::default())
    })
    .await;
    let api = Api::new(&sandbox, &alice);
    let mut keys = Vec::new();
    for n in 0..10 {
        keys.push(register(&api, "many@example.test", &format!("many-{n}")).await);
    }
    let over = json!({ "email": "many@example.test", "handle": "many-10" });
    let refused = api.post("/v1/register", &over).await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "EMAIL_LIMIT_REACHED".to_owned())
    );
    assert_eq!(refused.json()["details"], json!({ "limit": 10 }));
    for n in 0..30 {
        let handle = format!("ever-{n}");
        register(&api, "ever@example.test", &handle).await;
        sandbox.set_status(&handle, AccountStatus::Deleted);
    }
    let over = json!({ "email": "ever@example.test", "handle": "ever-30" });
    let refused = api.post("/v1/register", &over).await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "EMAIL_EXHAUSTED".to_owned())
    );
    assert_eq!(refused.json()["details"], json!({ "limit": 30 }));
    sandbox.owner_email("Owner@Example.Test");
    let owner = json!({ "email": "owner@example.test", "handle": "my-agent" });
    assert_eq!(
        api.post("/v1/register", &owner).await.code(),
        "EMAIL_IS_OWNER"
    );
}

#[tokio::test]
async fn the_older_policy_allows_one_agent_to_an_address_and_three_in_all() {
    let (sandbox, alice, _bob) = pair(Options {
        code_caps: false,
        ..without_address_caps(Options::april())
    })
    .await;
    let api = Api::new(&sandbox, &alice);
    for n in 0..3 {
        let handle = format!("one-{n}");
        register(&api, "one@example.test", &handle).await;
        let second = json!({ "email": "ONE@example.test", "handle": "other" });
        assert_eq!(
            api.post("/v1/register", &second).await.code(),
            "EMAIL_TAKEN"
        );
        sandbox.set_status(&handle, AccountStatus::Deleted);
    }
    let fourth = json!({ "email": "one@example.test", "handle": "one-3" });
    let refused = api.post("/v1/register", &fourth).await;
    assert_eq!(refused.code(), "EMAIL_EXHAUSTED");
    assert_eq!(refused.json()["details"], json!({ "limit": 3 }));
    let gone = json!({ "email": "two@example.test", "handle": "one-0" });
    assert_eq!(api.post("/v1/register", &gone).await.code(), "HANDLE_TAKEN");
    let reserved = json!({ "email": "two@example.test", "handle": "webhooks" });
    assert_eq!(
        api.post("/v1/register", &reserved).await.code(),
        "INVALID_HANDLE"
    );
}

#[tokio::test]
async fn newer_servers_take_null_for_a_name_that_is_not_given() {
    let body = json!({
        "email": "new@example.test", "handle": "newcomer", "display_name": null, "description": null,
    });
    for (options, status) in [(Options::default(), 200), (Options::april(), 400)] {
        let (sandbox, alice, _bob) = pair(options).await;
        let answer = Api::new(&sandbox, &alice).post("/v1/register", &body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
}

#[tokio::test]
async fn whoever_was_faster_keeps_the_handle() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    let slow = begin(&api, "slow@example.test", "wanted").await;
    register(&api, "fast@example.test", "wanted").await;
    assert_eq!(
        finish(&api, "register", &slow, RIGHT).await.code(),
        "HANDLE_TAKEN"
    );
    assert_eq!(
        finish(&api, "register", &slow, RIGHT).await.code(),
        "EXPIRED"
    );
}

#[tokio::test]
async fn recovery_of_an_address_with_several_agents_asks_for_a_handle() {
    let (sandbox, alice, _bob) = pair(Options {
        code_caps: false,
        ..Options::default()
    })
    .await;
    let api = Api::new(&sandbox, &alice);
    for handle in ["second", "first"] {
        register(&api, "both@example.test", handle).await;
    }
    let recover = |body: Value| {
        let api = api.clone();
        async move { api.post("/v1/agents/recover", &body).await }
    };
    let pending = recover(json!({ "email": "both@example.test" }))
        .await
        .json()["pending_id"]
        .clone();
    let asked = finish(&api, "agents/recover", &pending, RIGHT).await;
    assert_eq!(
        (asked.status, asked.code()),
        (409, "HANDLE_REQUIRED".to_owned())
    );
    assert_eq!(
        asked.json()["details"],
        json!({ "handles": ["first", "second"] })
    );
    assert_eq!(
        finish(&api, "agents/recover", &pending, RIGHT).await.code(),
        "EXPIRED"
    );
    let named = json!({ "email": "both@example.test", "handle": "second" });
    let pending = recover(named).await.json()["pending_id"].clone();
    let recovered = finish(&api, "agents/recover", &pending, RIGHT).await;
    assert_eq!(
        (recovered.status, &recovered.json()["handle"]),
        (200, &json!("second"))
    );
    let null = json!({ "email": "both@example.test", "handle": null });
    assert_eq!(recover(null).await.code(), "VALIDATION_ERROR");
}

#[tokio::test]
async fn recovery_of_an_unknown_address_looks_like_any_other() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    let recover = |email: &str| {
        let (api, body) = (api.clone(), json!({ "email": email }));
        async move { api.post("/v1/agents/recover", &body).await }
    };
    let unknown = recover("nobody@example.test").await;
    assert_eq!(unknown.status, 200);
    let pending = unknown.json()["pending_id"].clone();
    assert_eq!(
        finish(&api, "agents/recover", &pending, RIGHT).await.code(),
        "INVALID_CODE"
    );
    let known = recover("alice@example.test").await.json()["pending_id"].clone();
    let again = recover("Alice@example.test").await.json()["pending_id"].clone();
    assert_eq!(known, again, "no second mail within a minute");
    assert_eq!(
        finish(&api, "agents/recover", &again, RIGHT).await.status,
        200
    );
    assert_eq!(api.get("/v1/agents/me").await.status, 401);
}

#[tokio::test]
async fn the_system_agent_keeps_its_key_and_its_account() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    let asked = api
        .post(
            "/v1/agents/recover",
            &json!({ "email": "system@example.test" }),
        )
        .await;
    let pending = asked.json()["pending_id"].clone();
    let refused = finish(&api, "agents/recover", &pending, RIGHT).await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "SYSTEM_AGENT_PROTECTED".to_owned())
    );
    let system = Api::new(&sandbox, &sandbox.agent("chatfather"));
    let refused = system.delete("/v1/agents/chatfather").await;
    assert_eq!(refused.code(), "SYSTEM_AGENT_PROTECTED");
}

#[tokio::test]
async fn an_answer_that_kills_a_key_goes_out_after_the_goodbyes_to_its_sockets() {
    let options = Options {
        socket_buffer: 256 << 20,
        ..Options::default()
    };
    let (sandbox, alice, _bob) = pair(options).await;
    let api = Api::new(&sandbox, &alice);
    let mut sock = Sock::ready(&sandbox, &alice).await;
    // More than the system takes for a client that does not read.
    let text = "x".repeat(30_000);
    sandbox.flood(
        "bob",
        To::Handle("alice"),
        (0..1_000).map(|_| Draft::text(&text)),
    );
    let rotation = api
        .post("/v1/agents/alice/rotate-key", &json!({}))
        .await
        .json();
    let verify = finish(
        &api,
        "agents/alice/rotate-key",
        &rotation["pending_id"],
        RIGHT,
    );
    tokio::pin!(verify);
    let early = tokio::time::timeout(NEVER, &mut verify).await;
    assert!(
        early.is_err(),
        "the answer came before the goodbye: {early:?}"
    );
    let goodbye = async {
        loop {
            if let Got::Closed(code, reason) = sock.next().await {
                return (code, reason);
            }
        }
    };
    let (answer, closed) = tokio::join!(verify, goodbye);
    assert_eq!(closed, (1008, "API key rotated".to_owned()));
    assert_eq!(answer.status, 200);
    assert_eq!(api.get("/v1/agents/me").await.status, 401);
}

#[tokio::test]
async fn blocks_restrict_and_then_suspend_unless_a_test_has_set_the_status() {
    let (sandbox, alice, bob) = pair(Options::default()).await;
    let (api, of_bob) = (Api::new(&sandbox, &alice), Api::new(&sandbox, &bob));
    let status = async |api: &Api| {
        api.get("/v1/messages/sync").await;
        api.get("/v1/agents/me").await.json()["status"].clone()
    };
    sandbox.set_status("bob", AccountStatus::Restricted);
    assert_eq!(status(&of_bob).await, "restricted");
    for n in 0..50 {
        let other = sandbox.agent(&format!("other-{n}"));
        sandbox.send("alice", To::Handle(other.handle()), "hello");
        sandbox.send(other.handle(), To::Handle("bob"), "hello");
        for target in ["alice", "bob"] {
            let path = format!("/v1/contacts/{target}/block");
            let answer = api.of(&other).post(&path, &json!({})).await;
            assert_eq!(answer.status, 200);
        }
        let wanted = match n {
            0..14 => "active",
            14..49 => "restricted",
            _ => "suspended",
        };
        assert_eq!(status(&api).await, wanted, "after {} blocks", n + 1);
    }
    sandbox.set("bob", &Setting::StatusRow(AccountStatus::Restricted));
    let message = "only blocks by agents that one wrote to first count";
    assert_eq!(status(&of_bob).await, "active", "{message}");
}
