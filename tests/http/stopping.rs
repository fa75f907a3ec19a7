//! The end of the daemon, seen over HTTP.

use crate::stage;
use serde_json::json;
use std::time::Duration;

#[test]
fn a_request_under_way_is_answered_and_the_connection_closes() {
    let stage = stage();
    let mut daemon = stage.start();
    let mut http = daemon.http().unwrap();
    let mut idle = daemon.http().unwrap();
    assert_eq!(idle.fetch("/healthz").unwrap().status(), 200);
    let wait = r#"{"jsonrpc":"2.0","id":1,"method":"events.fetch","params":{"wait_ms":60000}}"#;
    http.ask("POST", "/rpc", &[], wait.as_bytes()).unwrap();
    // It was written first, so with the answer to a later one it is under way.
    assert_eq!(idle.fetch("/healthz").unwrap().status(), 200);
    daemon.signal("TERM").unwrap();
    let reply = http.reply().unwrap();
    assert_eq!(
        reply.json()["result"]["events"],
        json!([]),
        "{:?}",
        reply.json()
    );
    assert_eq!(reply.head.header("connection"), Some("close"));
    http.is_closed().unwrap();
    idle.is_closed().unwrap();
    assert!(daemon.wait(Duration::from_secs(5)).unwrap().success());
}
