//! Events as they come, held against the schemas of their types.

use crate::described::Described;
use crate::stage;
use agentchatd_client::types::kind;
use agentchatd_tests::sandbox::To;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn schema_of<'d>(described: &'d Described, event: &Value) -> &'d Value {
    let mut kinds = described.document["x-events"]
        .as_array()
        .expect("a list")
        .iter();
    let kind = kinds.find(|kind| kind["name"] == event["type"]);
    let kind = kind.unwrap_or_else(|| panic!("{event} is not described"));
    assert_eq!(kind["logged"], !event["offset"].is_null(), "{event}");
    &kind["schema"]
}

#[test]
fn every_type_that_the_daemon_knows_is_described() {
    let described = Described::new();
    let listed = described.document["x-events"].as_array().unwrap();
    let listed: BTreeSet<_> = listed
        .iter()
        .filter_map(|kind| kind["name"].as_str())
        .collect();
    for name in [
        kind::MESSAGE_NEW,
        kind::MESSAGE_SENT,
        kind::MESSAGE_FAILED,
        kind::MESSAGE_READ,
        kind::GROUP_INVITE_RECEIVED,
        kind::GROUP_DELETED,
        kind::CONTACT_BLOCKED,
        kind::RATE_LIMIT_WARNING,
        kind::BACKLOG_WARNING,
        kind::SEQUENCE_GAP,
        kind::TYPING_START,
        kind::TYPING_STOP,
        kind::PRESENCE_UPDATE,
        kind::CONNECTION_STATE,
    ] {
        assert!(listed.contains(name), "{name}");
    }
}

#[test]
fn events_fit_the_schemas_of_their_types() {
    let described = Described::new();
    let stage = stage();
    let daemon = stage.start();
    let mut raw = stage.connect(&daemon);
    raw.subscribe(json!({ "from": "earliest" }));
    stage.settle(&daemon);
    let first = stage.bob_says("one");
    raw.ok("messages.send", json!({ "to": "bob", "text": "two" }));
    raw.ok(
        "messages.send",
        json!({ "to": "nobody-here", "text": "x", "delivery": "queue" }),
    );
    raw.ok(
        "messages.send",
        json!({ "to": "ann", "data": { "a": [1, null] }, "metadata": {} }),
    );
    stage
        .sandbox
        .send("ann", To::Handle("dora"), json!({ "data": { "b": {} } }));
    raw.ok("messages.mark_read", json!([first.id]));
    let mut seen = BTreeSet::new();
    let wanted = [
        "message.new",
        "message.sent",
        "message.failed",
        "connection.state",
    ];
    while !wanted.iter().all(|kind| seen.contains(*kind)) {
        let event = raw.event();
        described.fits("an event", schema_of(&described, &event), &event);
        seen.insert(event["type"].as_str().unwrap().to_owned());
    }
    for event in stage.log_is_whole(&daemon) {
        described.fits("a logged event", schema_of(&described, &event), &event);
    }
}
