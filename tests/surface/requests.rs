//! Each row of the official SDK's requests, called on a daemon whose key is real.

use std::collections::BTreeSet;

use agentchatd_client::{METHODS, MethodInfo};
use agentchatd_tests::raw::Raw;
use agentchatd_tests::sandbox::{ConnectFault, Event, HttpFault, HttpRule};
use agentchatd_tests::stage::Stage;
use serde_json::{Value, json};

use crate::{next_answer, stage};

const VECTORS: &str = include_str!("../fixtures/vectors/requests-1.0.3.json");

/// Namespaces of which each method is one request with its parameters as body.
const NAMESPACES: &[&str] = &[
    "agents.get",
    "agents.update",
    "agents.delete",
    "messages.delete",
    "messages.list",
    "messages.mark_read",
    "conversations.",
    "groups.",
    "contacts.",
    "mutes.",
    "presence.",
    "directory.",
    "webhooks.create",
    "webhooks.list",
    "webhooks.get",
    "webhooks.delete",
];

/// An answer that shows any change: order, spacing of numbers, numbers beyond a double, unknown members.
const ANSWER: &str =
    "{\"z\":1.0,\"big\":12345678901234567890123,\"a\":{\"e\":1e2,\"u\":\"\\u00e9/\"},\"z\":[]}";

fn info(name: &str) -> Option<&'static MethodInfo> {
    METHODS.iter().find(|method| method.name == name)
}

/// Rows of the vectors, and a row for each method that they lack.
fn rows() -> Vec<Value> {
    let mut rows: Vec<Value> = serde_json::from_str(VECTORS).expect("rows");
    rows.push(
        json!({"rpc": "conversations.context", "params": {"conversation_id": "conv_1"},
        "http": {"method": "GET", "target": "/v1/conversations/conv_1/context"}}),
    );
    // Handles in other spellings, where the platform knows but one.
    rows.push(
        json!({"rpc": "presence.get", "params": {"handle": "@Alice"},
        "http": {"method": "GET", "target": "/v1/presence/alice"}}),
    );
    rows.push(json!({"rpc": "presence.get_batch", "params": {"handles": ["@Alice", "bob"]},
        "http": {"method": "POST", "target": "/v1/presence/batch", "json": {"handles": ["alice", "bob"]}}}));
    rows.push(
        json!({"rpc": "directory.search", "params": {"query": "@Al", "max": 5},
        "http": {"method": "GET", "target": "/v1/directory?q=al&limit=5"}}),
    );
    rows.push(
        json!({"rpc": "contacts.check", "params": {"handle": "@Alice"},
        "http": {"method": "GET", "target": "/v1/contacts/alice"}}),
    );
    rows.push(json!({"rpc": "groups.update",
        "params": {"group_id": "grp_1", "description": null, "avatar_url": null},
        "http": {"method": "PATCH", "target": "/v1/groups/grp_1",
            "json": {"description": null, "avatar_url": null}}}));
    let mine = |row: &Value| {
        let name = row["rpc"].as_str().unwrap_or_default();
        NAMESPACES.iter().any(|mine| name.starts_with(mine)) && !name.ends_with("avatar")
    };
    rows.retain(mine);
    rows
}

/// What stands in the journal of a request.
struct Seen {
    agent: Option<String>,
    headers: Vec<(String, String)>,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        let mut of_name = self.headers.iter().filter(|(own, _)| own == name);
        let (_, value) = of_name.next()?;
        assert!(of_name.next().is_none(), "{name} once");
        Some(value)
    }
}

/// Calls a row and gives the request that it made, and the text of the answer.
fn call(stage: &Stage, raw: &mut Raw, row: &Value, params: &Value) -> (Seen, String) {
    let http = &row["http"];
    let (method, target) = (&http["method"], http["target"].as_str().expect("a target"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let route = format!("{} {path}", method.as_str().expect("a method"));
    next_answer(stage, &route, 200, ANSWER);
    let from = stage.sandbox.journal().len();
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": row["rpc"], "params": params});
    raw.tell(&request.to_string());
    let text = raw
        .text_line()
        .expect("the daemon answers")
        .expect("a line");
    let entry = stage.seen_from(from, |event| {
        matches!(event, Event::Http { method: of, path: at, query: asked, .. }
            if method == of && at == path && asked == query)
    });
    let Event::Http {
        agent,
        headers,
        body,
        ..
    } = entry.event
    else {
        unreachable!("only such an entry fits");
    };
    (
        Seen {
            agent,
            headers,
            body,
        },
        text,
    )
}

#[test]
fn every_call_reaches_the_platform_as_the_sdk_makes_it_and_its_answer_comes_back_unchanged() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let mut ids = BTreeSet::new();
    let mut called = BTreeSet::new();
    for row in rows() {
        let name = row["rpc"].as_str().expect("a method");
        let method = info(name).unwrap_or_else(|| panic!("{name} is served"));
        let mut params = row["params"].clone();
        if method.post {
            params["idempotency_key"] = json!("key-12345678");
        }
        let (seen, text) = call(&stage, &mut raw, &row, &params);
        assert_eq!(
            seen.agent.as_deref(),
            Some("dora"),
            "{row}: the key is the agent's"
        );
        assert_eq!(seen.header("authorization"), Some("***"), "{row}");
        let version = env!("CARGO_PKG_VERSION");
        let agent = format!("agentchatd/{version}");
        assert_eq!(seen.header("user-agent"), Some(agent.as_str()), "{row}");
        assert_eq!(
            seen.header("x-agentchat-client"),
            Some("agentchatd"),
            "{row}"
        );
        assert_eq!(
            seen.header("x-agentchat-client-version"),
            Some(version),
            "{row}"
        );
        let id = seen.header("x-request-id").unwrap_or_default().to_owned();
        assert!(
            !id.is_empty() && ids.insert(id),
            "{row}: each request has an id of its own"
        );
        let key = method.post.then_some("key-12345678");
        assert_eq!(seen.header("idempotency-key"), key, "{row}");
        match row["http"].get("json") {
            Some(json) => {
                assert_eq!(
                    seen.header("content-type"),
                    Some("application/json"),
                    "{row}"
                );
                let body: Value = serde_json::from_str(&seen.body).expect("a JSON body");
                assert_eq!(&body, json, "{row}");
            }
            None => assert_eq!(seen.body, "", "{row}"),
        }
        let answer = format!("\"result\":{ANSWER}");
        assert!(text.contains(&answer), "{row}: {text}");
        called.insert(name.to_owned());
    }
    let served = METHODS.iter().map(|method| method.name).filter(|name| {
        NAMESPACES.iter().any(|mine| name.starts_with(mine)) && !name.ends_with("avatar")
    });
    assert_eq!(called, served.map(str::to_owned).collect());
}

#[test]
fn an_update_without_a_handle_is_of_the_agent_itself_also_before_the_daemon_has_met_it() {
    let stage = stage();
    stage.sandbox.faults(|faults| {
        let me = "GET /v1/agents/me";
        faults.http.push(HttpRule::always(me, HttpFault::Html(502)));
        faults
            .connect
            .extend((0..100).map(|_| ConnectFault::ResetUpgrade));
    });
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let params = json!({"description": "new", "timeout_ms": 20_000});
    assert_eq!(raw.ok("daemon.status", json!({}))["agent"], Value::Null);
    stage.sandbox.faults(|faults| faults.http.clear());
    let updated = raw.ok("agents.update", params);
    assert_eq!(updated["handle"], "dora");
    assert_eq!(updated["description"], "new");
    assert_eq!(stage.requests("PATCH", "/v1/agents/dora"), 1);
}

#[test]
fn only_the_platforms_own_word_says_that_there_is_no_mute() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let agent = json!({"handle": "bob"});
    let conversation = json!({"conversation_id": "conv_none"});
    assert_eq!(raw.ok("mutes.agent_status", agent.clone()), Value::Null);
    assert_eq!(
        raw.ok("mutes.conversation_status", conversation),
        Value::Null
    );
    let route = "GET /v1/mutes/agent/bob";
    for (status, body) in [
        (404, r#"{"code":"AGENT_NOT_FOUND","message":"x"}"#),
        (404, "\"404 Not Found\""),
        (403, r#"{"code":"NOT_FOUND","message":"x"}"#),
    ] {
        next_answer(&stage, route, status, body);
        let error = raw.refused(-32001, "mutes.agent_status", agent.clone());
        assert_eq!(error["data"]["status"], status, "{body}");
    }
    raw.ok("mutes.mute_agent", agent.clone());
    assert_eq!(raw.ok("mutes.agent_status", agent)["target_kind"], "agent");
    // For every other call the same word is an error.
    next_answer(
        &stage,
        "DELETE /v1/contacts/ann",
        404,
        r#"{"code":"NOT_FOUND","message":"x"}"#,
    );
    let error = raw.refused(-32001, "contacts.remove", json!({"handle": "ann"}));
    assert_eq!(error["data"]["code"], "NOT_FOUND");
}
