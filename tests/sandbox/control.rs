//! The control routes, and the sandbox as a process of its own.

use super::client::{Api, Sock, pair};
use agentchatd_tests::sandbox::Options;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

#[tokio::test]
async fn everything_can_be_steered_over_http() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let api = Api::new(&sandbox, &alice);
    let made = api
        .post(
            "/_sandbox/agents",
            &json!({"handle": "carol", "key": "ac_c"}),
        )
        .await;
    assert_eq!(made.json(), json!({"handle": "carol", "key": "ac_c"}));
    let mut socket = Sock::ready(&sandbox, &alice).await;
    let rule = json!({"agent": "alice", "times": 1, "what": {"repeat": 1}});
    let faults = api
        .post("/_sandbox/faults", &json!({"push": [rule]}))
        .await
        .json();
    assert_eq!(faults["push"][0]["what"], json!({"repeat": 1}));
    let order = json!({"from": "carol", "to": "alice", "text": "number {n}", "count": 2});
    let sent = api.post("/_sandbox/send", &order).await;
    assert_eq!(sent.column("content")[1]["text"], "number 2");
    assert_eq!(socket.seqs(3).await, [1, 1, 2]);
    assert_eq!(api.get("/_sandbox/faults").await.json()["push"], json!([]));
    let pause = json!({"agent": "alice", "set": {"pause": "full"}});
    assert_eq!(api.post("/_sandbox/state", &pause).await.status, 200);
    assert_eq!(api.get("/v1/messages/sync").await.text, "[]");
    let cut = json!({"agent": "alice", "cut": {"silent": {"for_ms": 10}}});
    assert_eq!(
        api.post("/_sandbox/cut", &cut).await.json(),
        json!({"sockets": 1})
    );
    let entries = api.get("/_sandbox/journal").await;
    assert!(entries.column("kind").contains(&json!("push")));
    let messages = api.get("/_sandbox/messages/alice").await.json();
    assert_eq!(messages.as_object().map(|all| all.len()), Some(1));
    let group = json!({"creator": "alice", "name": "g", "members": ["bob"]});
    assert!(api.post("/_sandbox/groups", &group).await.json()["id"].is_string());
    let wrong = json!({"agent": "nobody", "set": {"pause": "full"}});
    assert_eq!(api.post("/_sandbox/state", &wrong).await.status, 400);
    assert_eq!(
        api.post("/_sandbox/faults", &json!({"typo": 1}))
            .await
            .status,
        400
    );
}

/// The process, killed when the test ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn start(arguments: &[&str]) -> (Process, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_agentchat-sandbox"))
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let out = child.stdout.take().expect("piped");
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).expect("a line");
    (
        Process(child),
        serde_json::from_str(&line).expect("the line is JSON"),
    )
}

/// A request without any client library; the body of the answer.
fn request(base: &str, head: &str, body: &str) -> String {
    let address = base.strip_prefix("http://").expect("a base URL");
    let mut tcp = TcpStream::connect(address).expect("it listens");
    let length = body.len();
    let text = format!(
        "{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ac_own\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    tcp.write_all(text.as_bytes()).expect("written");
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).expect("read");
    answer.split_once("\r\n\r\n").expect("a head").1.to_owned()
}

#[test]
fn the_binary_says_where_it_is_and_its_echo_answers() {
    let (_process, ready) = start(&["--agent", "alice:ac_own", "--agent", "bob", "--echo"]);
    assert_eq!(
        ready["agents"],
        json!({"alice": "ac_own", "bob": "ac_sandbox_bob"})
    );
    let base = ready["base_url"].as_str().expect("a text");
    let send = r#"{"to":"echo","client_msg_id":"c","content":{"text":"anybody?"}}"#;
    let sent: Value =
        serde_json::from_str(&request(base, "POST /v1/messages", send)).expect("JSON");
    let history = format!(
        "GET /v1/messages/{}?after_seq=1",
        sent["conversation_id"].as_str().unwrap()
    );
    let deadline = std::time::Instant::now() + super::client::SOON;
    loop {
        let rows: Value = serde_json::from_str(&request(base, &history, "")).expect("JSON");
        if rows[0]["content"]["text"] == "anybody?" {
            assert_eq!(rows[0]["metadata"]["reply_to"], sent["id"]);
            return;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "the echo answers: {rows}"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn the_binary_speaks_the_form_of_1_0_3() {
    let (_process, ready) = start(&["--april", "--form", "1.0.3", "--agent", "alice:ac_own"]);
    let base = ready["base_url"].as_str().expect("a text");
    assert_eq!(
        request(base, "GET /v1/messages/sync", ""),
        r#"{"envelopes":[]}"#
    );
}
