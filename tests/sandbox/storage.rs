//! Uploads, the storage host and its faults, and the pictures of agents and groups.

use super::client::{Api, pair};
use agentchatd_tests::sandbox::{Agent, Event, Options, Sandbox, StorageFault};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Client, Response, redirect};
use serde_json::{Value, json};

const TEXT: &[u8] = b"sixteen bytes ok";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

fn slot(to: &str) -> Value {
    json!({"to": to, "filename": "a.txt", "content_type": "text/plain", "size": TEXT.len(),
        "sha256": "a".repeat(64)})
}

fn client() -> Client {
    agentchatd_tests::tls::choose_cryptography();
    let builder = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none());
    builder.build().expect("a client")
}

async fn put(url: &str, content_type: &str, bytes: &'static [u8]) -> Result<u16, reqwest::Error> {
    let request = client().put(url).header(CONTENT_TYPE, content_type);
    Ok(request.body(bytes).send().await?.status().as_u16())
}

async fn fetch(sandbox: &Sandbox, agent: &Agent, id: &str) -> Response {
    let url = format!("{}/v1/attachments/{id}", sandbox.base_url());
    let request = client().get(url).bearer_auth(agent.key());
    request.send().await.expect("an answer")
}

async fn location(sandbox: &Sandbox, agent: &Agent, id: &str) -> String {
    let answer = fetch(sandbox, agent, id).await;
    assert_eq!(answer.status(), 302);
    let location = answer.headers()[LOCATION].to_str().expect("text");
    location.to_owned()
}

#[tokio::test]
async fn a_file_goes_up_and_down_by_signed_addresses_without_a_key() {
    let (sandbox, alice, bob) = pair(Options::default()).await;
    let carol = sandbox.agent("carol");
    let made = Api::new(&sandbox, &alice)
        .post("/v1/uploads", &slot("@bob"))
        .await;
    assert_eq!(
        (made.status, &made.json()["expires_in"]),
        (201, &json!(7_200))
    );
    let made = made.json();
    let (id, url) = (
        made["attachment_id"].as_str().expect("an id"),
        made["upload_url"].as_str().expect("an address"),
    );
    assert!(url.starts_with(&sandbox.storage_url()) && !url.starts_with(&sandbox.base_url()));
    assert_eq!(
        fetch(&sandbox, &bob, id).await.status(),
        503,
        "no bytes yet"
    );
    assert_eq!(put(url, "text/csv", TEXT).await.expect("an answer"), 400);
    assert_eq!(
        put(url, "text/plain", b"short").await.expect("an answer"),
        400
    );
    let forged = format!("{url}x");
    assert_eq!(
        put(&forged, "text/plain", TEXT).await.expect("an answer"),
        403
    );
    assert_eq!(put(url, "text/plain", TEXT).await.expect("an answer"), 200);
    assert_eq!(sandbox.stored_file(id).as_deref(), Some(TEXT));
    for agent in [&alice, &bob] {
        let url = location(&sandbox, agent, id).await;
        let file = client().get(&url).send().await.expect("an answer");
        assert_eq!(file.headers()[CONTENT_TYPE], "text/plain");
        assert_eq!(file.bytes().await.expect("a body"), TEXT);
        let again = client().get(&url).send().await.expect("an answer");
        assert_eq!(again.status(), 403, "an address is good for one time");
    }
    assert_eq!(fetch(&sandbox, &carol, id).await.status(), 404);
    assert_eq!(fetch(&sandbox, &bob, "att_unknown").await.status(), 404);
}

#[tokio::test]
async fn the_storage_host_tells_the_journal_every_header_but_no_credential() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let url = format!("{}/x?token=y", sandbox.storage_url());
    let request = client().get(url).bearer_auth(alice.key());
    request.send().await.expect("an answer");
    let told = sandbox.journal().entries().into_iter().any(|entry| {
        matches!(entry.event, Event::Storage { method, target, headers, status: 403, .. }
            if method == "GET" && target == "/x?token=y"
            && headers.contains(&("authorization".to_owned(), "***".to_owned())))
    });
    assert!(told);
}

#[tokio::test]
async fn every_fault_of_the_storage_host_shows() {
    let (sandbox, alice, bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    let made = api.post("/v1/uploads", &slot("bob")).await.json();
    let (id, url) = (
        made["attachment_id"].as_str().expect("an id"),
        made["upload_url"].as_str().expect("an address"),
    );
    let next = |fault| sandbox.faults(|faults| faults.storage.push_back(fault));
    next(StorageFault::Status(503));
    assert_eq!(put(url, "text/plain", TEXT).await.expect("an answer"), 503);
    next(StorageFault::Redirect("http://127.0.0.1:1/".into()));
    assert_eq!(put(url, "text/plain", TEXT).await.expect("an answer"), 307);
    next(StorageFault::Cut);
    assert!(put(url, "text/plain", TEXT).await.is_err());
    assert_eq!(sandbox.stored_file(id), None);
    assert_eq!(put(url, "text/plain", TEXT).await.expect("an answer"), 200);
    for (fault, length) in [
        (StorageFault::WrongSize, Some(TEXT.len() - 1)),
        (StorageFault::Corrupt, Some(TEXT.len())),
        (StorageFault::Cut, None),
    ] {
        let url = location(&sandbox, &bob, id).await;
        next(fault);
        // A cut may show before the head or after it.
        let bytes = match client().get(&url).send().await {
            Ok(file) => file.bytes().await.ok(),
            Err(_) => None,
        };
        assert_eq!(bytes.as_ref().map(|bytes| bytes.len()), length);
        assert_ne!(bytes.as_deref(), Some(TEXT));
    }
}

#[tokio::test]
async fn group_files_are_for_members_and_end_with_the_group() {
    let (sandbox, alice, bob) = pair(Options::default()).await;
    let group = json!({"creator": "alice", "name": "g", "members": ["bob"]});
    let api = Api::new(&sandbox, &alice);
    let group = api.post("/_sandbox/groups", &group).await.json();
    let group = group["id"].as_str().expect("an id");
    let mut order = slot("bob");
    order["to"].take();
    let order = json!({"conversation_id": group, "filename": "a.txt", "content_type": "text/plain",
        "size": TEXT.len(), "sha256": order["sha256"]});
    let made = api.post("/v1/uploads", &order).await.json();
    let (id, url) = (
        made["attachment_id"].as_str().expect("an id"),
        made["upload_url"].as_str().expect("an address"),
    );
    put(url, "text/plain", TEXT).await.expect("an answer");
    assert_eq!(fetch(&sandbox, &bob, id).await.status(), 302);
    let carol = sandbox.agent("carol");
    assert_eq!(fetch(&sandbox, &carol, id).await.status(), 404);
    api.delete(&format!("/v1/groups/{group}")).await;
    assert_eq!(fetch(&sandbox, &bob, id).await.status(), 410);
}

#[tokio::test]
async fn pictures_are_known_by_their_first_bytes_and_shown_to_all() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let url = format!("{}/v1/agents/alice/avatar", sandbox.base_url());
    let set = async |bytes: Vec<u8>| {
        let request = client().put(&url).bearer_auth(alice.key()).body(bytes);
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (status, serde_json::from_str::<Value>(&text))
    };
    let api = Api::new(&sandbox, &alice);
    assert_eq!(
        api.delete("/v1/agents/alice/avatar").await.code(),
        "NOT_FOUND"
    );
    assert_eq!(set(b"text".to_vec()).await.0, 400);
    let (status, body) = set(PNG.to_vec()).await;
    let body = body.expect("JSON");
    assert_eq!(status, 200);
    let shown = &api.get("/v1/agents/alice").await.json()["avatar_url"];
    assert_eq!(shown, &body["avatar_url"]);
    let picture = client()
        .get(shown.as_str().expect("an address"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(picture.bytes().await.expect("a body"), PNG);
    let mut large = PNG.to_vec();
    large.resize((5 << 20) + 1, 0);
    assert_eq!(set(large).await.0, 413);
    assert_eq!(
        api.delete("/v1/agents/alice/avatar").await.json(),
        json!({"ok": true})
    );
    assert_eq!(
        api.get("/v1/agents/me").await.json()["avatar_url"],
        Value::Null
    );
    assert_eq!(
        api.delete("/v1/agents/bob/avatar").await.code(),
        "FORBIDDEN"
    );
    let statuses = [set(PNG.to_vec()).await.0, set(PNG.to_vec()).await.0];
    assert_eq!(statuses, [200, 200]);
    let limited = client().put(&url).bearer_auth(alice.key()).body(PNG);
    let limited = limited.send().await.expect("an answer");
    assert_eq!(limited.status(), 429);
    assert!(limited.headers().contains_key("retry-after"));
    let text = limited.text().await.expect("a body");
    let body: Value = serde_json::from_str(&text).expect("JSON");
    assert!(body["retry_after_ms"].is_number(), "{body}");
}
