//! Pictures of the agent and of groups.

use crate::{file, stage};
use serde_json::{Value, json};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

#[test]
fn the_agent_gets_a_picture_and_loses_it() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let (_folder, path) = file("me.png", PNG);
    let set = raw.ok("agents.set_avatar", json!({"path": path}));
    let shown = raw.ok("agents.get", json!({"handle": "dora"}))["avatar_url"].clone();
    assert_eq!(shown, set["avatar_url"]);
    let params = json!({"handle": "@Dora", "data_base64": "R0lGODlh", "content_type": "image/gif"});
    let again = raw.ok("agents.set_avatar", params);
    assert_ne!(again["avatar_key"], set["avatar_key"]);
    assert_eq!(
        raw.ok("agents.remove_avatar", json!({})),
        json!({"ok": true})
    );
    let shown = raw.ok("agents.me", json!({}))["avatar_url"].clone();
    assert_eq!(shown, Value::Null);
    let none = raw.refused(-32001, "agents.remove_avatar", json!({"handle": "dora"}));
    assert_eq!(none["data"]["code"], "NOT_FOUND");
    let other = raw.refused(-32001, "agents.remove_avatar", json!({"handle": "bob"}));
    assert_eq!(other["data"]["code"], "FORBIDDEN");
}

#[test]
fn a_group_gets_a_picture_from_its_admin() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let own = stage.sandbox.group("dora", "g", &["bob"]);
    let params = json!({"group_id": own, "data_base64": "iVBORw0KGgo="});
    assert!(raw.ok("groups.set_avatar", params)["avatar_url"].is_string());
    assert_eq!(
        raw.ok("groups.remove_avatar", json!([own])),
        json!({"ok": true})
    );
    let theirs = stage.sandbox.group("bob", "g", &["dora"]);
    let params = json!({"group_id": theirs, "data_base64": "iVBORw0KGgo="});
    let error = raw.refused(-32001, "groups.set_avatar", params);
    assert_eq!(error["data"]["code"], "FORBIDDEN");
}

#[test]
fn what_is_no_picture_is_refused_before_anything_is_sent() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let (folder, text) = file("me.png", b"no picture");
    let large = folder.path().join("large.png");
    let file = std::fs::File::create(&large).unwrap();
    file.set_len((5 << 20) + 1).unwrap();
    for (params, place) in [
        (json!({"path": text}), "/path"),
        (json!({"path": large}), "/path"),
        (json!({"data_base64": "aGVsbG8="}), "/data_base64"),
        (
            json!({"data_base64": "R0lGODlh", "content_type": "image/tiff"}),
            "/content_type",
        ),
        (json!({}), "/path"),
    ] {
        let error = raw.refused(-32602, "agents.set_avatar", params);
        assert_eq!(error["data"]["path"], place, "{error}");
    }
    assert_eq!(stage.requests("PUT", "/v1/agents/dora/avatar"), 0);
}
