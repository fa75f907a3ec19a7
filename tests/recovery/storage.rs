//! A database that refuses a write, and takes the next one.

use crate::stage;
use agentchatd_tests::stage::until;
use rusqlite::Connection;
use serde_json::json;

#[test]
fn after_a_refused_write_sends_are_taken_again_although_the_network_is_away() {
    let mut stage = stage();
    // Nobody listens there.
    stage.setup.base_url = "http://127.0.0.1:1".into();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    let database = Connection::open(stage.setup.database()).expect("the database opens");
    database
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE INSERT ON outbox
             BEGIN SELECT RAISE(ABORT, 'no room, says the test'); END",
        )
        .expect("a trigger can be made");
    let send =
        |id: &str| json!({"to": "bob", "text": "x", "client_msg_id": id, "delivery": "queue"});
    let refused = raw.refused(-32007, "messages.send", send("id-1"));
    let reason = refused["data"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("no room, says the test"), "{refused}");
    let health = raw.ok("daemon.health", json!({}));
    assert_eq!(health["verdict"], "down", "{health}");

    database
        .execute_batch("DROP TRIGGER refuse")
        .expect("it can be dropped");
    until("sends are still refused", || {
        let health = raw.ok("daemon.health", json!({}));
        if health["verdict"] == "down" {
            Err(health.to_string())
        } else {
            Ok(())
        }
    });
    let queued = raw.ok("messages.send", send("id-2"));
    assert_eq!(queued["queued"], true);
    let listed = raw.ok("outbox.list", json!({}));
    assert_eq!(
        listed["entries"].as_array().map(Vec::len),
        Some(1),
        "{listed}"
    );
}
