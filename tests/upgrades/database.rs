//! An old database under the daemon of today: first without a platform, so that nothing moves.

use crate::past::{Past, open, schema};
use crate::{VERSIONS, cut_off, fixture, stage};
use agentchatd_tests::stage::{Stage, once_and_in_order, until};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn the_fixtures_hold_what_an_upgrade_could_lose() {
    for version in &VERSIONS {
        let past = Past::of(version);
        assert_eq!(past.schema, version.schema, "{}", version.name);
        assert!(past.events.len() > 10 && past.parked.len() == 2);
        let states: Vec<_> = past.outbox.iter().map(|(_, state)| &**state).collect();
        for state in ["sent", "failed", "expired", "unknown", "queued"] {
            assert!(states.contains(&state), "{}: {state}", version.name);
        }
        let consumers = past.consumers.iter();
        let halfway = consumers.filter(|consumer| (1..consumer.given).contains(&consumer.acked));
        assert!(halfway.count() >= 2, "given and not acknowledged");
    }
    let left = VERSIONS.map(|version| fixture(&version).join("state.db-wal").exists());
    assert!(left.contains(&true), "one of them was killed");
}

#[test]
fn a_database_of_each_version_is_brought_to_the_newest_schema() {
    let fresh = Stage::new(env!("CARGO_BIN_EXE_agentchatd"));
    assert!(fresh.start().stop().unwrap().success());
    let newest = schema(&open(&fresh.setup.database()));
    for version in &VERSIONS {
        let stage = cut_off(version);
        assert!(stage.start().stop().unwrap().success());
        let connection = open(&stage.setup.database());
        assert_eq!(schema(&connection), newest, "{}", version.name);
        let sound = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0));
        assert_eq!(sound, Ok("ok".to_owned()), "{}", version.name);
    }
}

/// An event as text: the payload stays the bytes that came.
#[derive(Deserialize)]
struct Served<'a> {
    offset: i64,
    r#type: String,
    #[serde(borrow)]
    payload: &'a RawValue,
}

#[test]
fn the_log_of_each_version_is_served_as_it_was() {
    for version in &VERSIONS {
        let past = Past::of(version);
        let stage = cut_off(version);
        let daemon = stage.start();
        let mut raw = stage.connect(&daemon);
        raw.start("events.fetch", &json!({"limit": 1000})).unwrap();
        let answer = raw.text_line().unwrap().unwrap();
        let answer: BTreeMap<&str, &RawValue> = serde_json::from_str(&answer).unwrap();
        let page: BTreeMap<&str, &RawValue> = serde_json::from_str(answer["result"].get()).unwrap();
        let events: Vec<Served<'_>> = serde_json::from_str(page["events"].get()).unwrap();
        assert_eq!(events.len(), past.events.len(), "{}", version.name);
        for (event, old) in events.iter().zip(&past.events) {
            assert_eq!((event.offset, &event.r#type), (old.offset, &old.kind));
            assert_eq!(event.payload.get(), old.body, "byte for byte");
        }
    }
}

#[test]
fn consumers_of_each_version_go_on_where_they_were() {
    for version in &VERSIONS {
        let past = Past::of(version);
        let stage = cut_off(version);
        let daemon = stage.start();
        let listed = stage.connect(&daemon).ok("consumers.list", json!({}));
        for consumer in &past.consumers {
            let name = &consumer.name;
            let mut all = listed.as_array().unwrap().iter();
            let entry = all.find(|entry| entry["name"] == **name);
            let entry = entry.unwrap_or_else(|| panic!("{name} is in {listed}"));
            assert_eq!(entry["acked_offset"], consumer.acked, "{name}");
            let filter = consumer.filter.clone().unwrap_or_default();
            assert_eq!(entry["filter"], filter, "{name}");
            let events = past.events.iter();
            let expected: Vec<_> = events
                .filter(|event| event.offset > consumer.acked && consumer.wants(event))
                .map(|event| (event.offset, event.offset <= consumer.given))
                .collect();
            let mut raw = stage.connect(&daemon);
            raw.subscribe(json!({"consumer": name}));
            let mut given = Vec::new();
            while given.len() < expected.len() {
                let event = raw.event();
                // States of the connection come in between; they have no place in the log.
                if let Some(offset) = event["offset"].as_i64() {
                    given.push((offset, event.get("redelivered").is_some()));
                }
            }
            assert_eq!(given, expected, "{name} of {}", version.name);
        }
    }
}

#[test]
fn sends_of_each_version_keep_their_state() {
    for version in &VERSIONS {
        let past = Past::of(version);
        let stage = cut_off(version);
        let daemon = stage.start();
        let mut raw = stage.connect(&daemon);
        let page = raw.ok("outbox.list", json!({"limit": 1000}));
        let entries: Vec<_> = page["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                let text = |name: &str| entry[name].as_str().unwrap().to_owned();
                (text("client_msg_id"), text("state"))
            })
            .collect();
        assert_eq!(entries.len(), past.outbox.len(), "{}", version.name);
        for ((id, state), (old_id, old_state)) in entries.iter().zip(&past.outbox) {
            assert_eq!(id, old_id);
            // What was to be sent is tried, with no platform there; what has ended has ended.
            let is_open = |state: &str| ["queued", "sending"].contains(&state);
            let stays = state == old_state || (is_open(state) && is_open(old_state));
            assert!(stays, "{id} of {} was {old_state}: {state}", version.name);
        }
    }
}

#[test]
fn what_waited_in_each_version_comes_out_once_there_is_a_platform() {
    for version in &VERSIONS {
        let past = Past::of(version);
        let stage = stage(version);
        let daemon = stage.ready();
        let mut log = Vec::new();
        until(
            "the parked messages in the log, and the sends at their end",
            || {
                log = stage.log(&daemon);
                let status = stage.connect(&daemon).ok("daemon.status", json!({}));
                let parked = status["ordering"]["parked"] == 0;
                let sent = status["outbox"]["queued"] == 0 && status["outbox"]["in_flight"] == 0;
                let has = |id: &String| log.iter().any(|event| event["message_id"] == **id);
                if parked && sent && past.parked.iter().all(has) {
                    return Ok(());
                }
                Err(format!("{status}; {}", stage.log_text()))
            },
        );
        let old = past.events.len();
        for (event, before) in log[..old].iter().zip(&past.events) {
            assert_eq!(event["type"], *before.kind);
        }
        once_and_in_order(&log);
        let own = |event: &&Value| event["type"] == "message.sent";
        let ids: Vec<_> = log
            .iter()
            .filter(own)
            .map(|event| &event["payload"]["client_msg_id"])
            .collect();
        for (id, state) in &past.outbox {
            let landed = ["sent", "queued", "sending"].contains(&&**state);
            let times = ids.iter().filter(|own| **own == id).count();
            assert_eq!(times, usize::from(landed), "{id} of {}", version.name);
        }
    }
}
