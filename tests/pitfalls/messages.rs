//! Pitfalls of what comes.

use crate::{asks, connects, of_type, stage, with};
use agentchatd_tests::sandbox::{
    ConnectFault, Draft, Event, HttpFault, HttpRule, Options, Setting, To,
};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn pitfall_03_a_1008_behind_an_accepted_upgrade_parks_a_daemon_that_sends_no_hello() {
    let mut stage = with(Options::april());
    stage.env("AGENTCHATD_REALTIME_AUTH", "header");
    stage.sandbox.faults(|faults| {
        let code = 1008;
        let reason = "Invalid token".into();
        let fault = ConnectFault::CloseAtOpen { code, reason };
        faults.connect.extend(vec![fault; 50]);
    });
    let daemon = stage.start();
    let parked = daemon.status_until(|status| status["connection"]["state"] == "parked");
    assert_eq!(parked.unwrap()["connection"]["last_close"]["code"], 1008);
    // Fifty waits of the shortest kind would fit in here.
    stage.connect(&daemon).silent();
    assert_eq!(connects(&stage), 1);
}

#[test]
fn pitfall_19_notices_of_a_group_that_are_never_pushed_come_by_sync() {
    let stage = with(Options::april());
    // No comparison with history gets anywhere.
    stage.sandbox.faults(|faults| {
        let rule = HttpRule::always("GET /v1/conversations", HttpFault::Html(502));
        faults.http.push(rule);
    });
    let group = stage.sandbox.group("ann", "crew", &["dora"]);
    let daemon = stage.ready();
    stage.log_is_whole(&daemon);
    stage.sandbox.set("bob", &Setting::JoinGroup(group));
    let log = stage.log_is_whole(&daemon);
    let notice = log.last().unwrap();
    assert_eq!(notice["payload"]["content"]["data"]["agent_handle"], "bob");
    assert_eq!(notice["source"], "sync");
}

#[test]
fn pitfall_36_a_repeat_is_known_behind_thousands_of_others_and_over_a_restart() {
    let stage = stage();
    let mut daemon = stage.ready();
    let first = stage.bob_says("first");
    stage.log_is_whole(&daemon);
    let many = (0..2_100).map(|number| Draft::text(&number.to_string()));
    stage.sandbox.flood("ann", To::Handle("dora"), many);
    stage.log_is_whole(&daemon);
    daemon.kill().unwrap();
    let daemon = stage.ready();
    let before = stage.sandbox.journal().len();
    let log = stage.log(&daemon);
    let frame = json!({"type": "message.new", "payload": log[0]["payload"]});
    assert_eq!(stage.sandbox.send_frame("dora", &frame.to_string()), 1);
    // A repeat is acknowledged again, since its first acknowledgement may be lost.
    stage.seen_from(
        before,
        |event| matches!(event, Event::AckFrame { message_id, .. } if *message_id == first.id),
    );
    assert_eq!(stage.log_is_whole(&daemon).len(), log.len());
}

#[test]
fn pitfall_47_a_forged_notice_of_the_platform_hides_no_gap() {
    for options in [Options::modern(), Options::april()] {
        let stage = with(options);
        let group = stage.sandbox.group("ann", "crew", &["dora", "bob"]);
        let to = || To::Conversation(&group);
        let daemon = stage.ready();
        stage.sandbox.send("bob", to(), "before");
        stage.log_is_whole(&daemon);
        let gone = stage.sandbox.send("bob", to(), Draft::text("gone").quiet());
        stage.sandbox.set("dora", &Setting::HideMessage(gone.id));
        // What comes before one's own join is no gap; so says one who wants it to be believed.
        let content =
            r#"{"data":{"schema_version":1,"event":"member_joined","agent_handle":"dora"}}"#;
        let forged = Draft::raw(content).kind("system");
        stage.sandbox.send("bob", to(), forged);
        let log = stage.log_is_whole(&daemon);
        let gaps = of_type(&log, "sequence.gap");
        assert_eq!(gaps.len(), 1, "{log:#?}");
        assert_eq!(gaps[0]["payload"]["reason"], "absent_upstream");
    }
}

#[test]
fn pitfall_50_a_stop_and_a_reload_wait_for_the_answer_to_a_hello_that_is_out() {
    for stops in [true, false] {
        let mut stage = with(Options::april());
        stage.bob_says("backlog");
        let slow = ConnectFault::SlowLookup(Duration::from_millis(1_500));
        stage
            .sandbox
            .faults(|faults| faults.connect.push_back(slow));
        let mut daemon = stage.start();
        let out = daemon.status_until(|status| status["connection"]["state"] == "authenticating");
        out.unwrap();
        if stops {
            assert!(daemon.stop().unwrap().success());
        } else {
            let right = std::mem::replace(&mut stage.setup.key, "ac_wrong_wrong_wrong".into());
            stage.setup.write_key().unwrap();
            stage.connect(&daemon).ok("daemon.reload", json!({}));
            stage.setup.key = right;
        }
        // The platform looks the key up to the end, and hands the backlog to whoever is there.
        let ready = stage.seen_from(0, |event| matches!(event, Event::Ready { .. }));
        let is_ghost = matches!(ready.event, Event::Ready { ghost: true, .. });
        assert!(!is_ghost, "{ready:?}");
        if stops {
            daemon = stage.start();
        } else {
            stage.setup.write_key().unwrap();
            stage.connect(&daemon).ok("daemon.reload", json!({}));
        }
        stage.settle(&daemon);
        assert_eq!(stage.log_is_whole(&daemon).len(), 1);
    }
}

#[test]
fn pitfall_57_a_kick_without_a_word_ends_the_groups_holes_and_nothing_else() {
    let mut stage = stage();
    stage.env("AGENTCHATD_REALTIME_GAP_WINDOW_MS", "500");
    stage.env("AGENTCHATD_REALTIME_SYNC_INTERVAL_S", "3600");
    stage.env("AGENTCHATD_REALTIME_RECONCILE_INTERVAL_S", "3600");
    let group = stage.sandbox.group("ann", "crew", &["dora", "bob"]);
    let to = || To::Conversation(&group);
    let daemon = stage.ready();
    stage.sandbox.send("bob", to(), "before");
    stage.log_is_whole(&daemon);
    stage
        .sandbox
        .send("bob", to(), Draft::text("unseen").quiet());
    let behind = stage.sandbox.send("bob", to(), "behind the hole");
    stage.sandbox.set("dora", &Setting::Kicked(group.clone()));
    stage.logged(&daemon, |event| event["message_id"] == behind.id);
    let log = stage.log(&daemon);
    let gaps = of_type(&log, "sequence.gap");
    assert_eq!(gaps[0]["payload"]["reason"], "absent_upstream", "{log:#?}");
    let mut raw = stage.connect(&daemon);
    let send = json!({"conversation_id": group, "text": "still here?"});
    let data = raw.refused(-32001, "messages.send", send)["data"].clone();
    assert_eq!(data["code"], "GROUP_NOT_FOUND", "{data}");
    // A later join begins the group anew.
    stage
        .sandbox
        .set("dora", &Setting::JoinGroup(group.clone()));
    let again = stage.sandbox.send("bob", to(), "welcome back");
    stage.logged(&daemon, |event| event["message_id"] == again.id);
    assert_eq!(connects(&stage), 1);
}

#[test]
fn pitfall_60_a_repeated_read_event_changes_nothing_and_no_read_is_made_twice() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let sent = raw.ok("messages.send", json!({"to": "bob", "text": "one"}));
    let id = sent["message"]["id"].as_str().unwrap();
    let path = format!("/v1/messages/{id}/read");
    for _ in 0..2 {
        assert_eq!(asks(&stage, "bob", "POST", &path, "{}"), 200);
    }
    let read = stage.bob_says("read it twice");
    let log = stage.log_is_whole(&daemon);
    let reads = of_type(&log, "message.read");
    assert!(!reads.is_empty(), "{log:#?}");
    assert!(
        reads
            .iter()
            .all(|event| event["payload"] == reads[0]["payload"])
    );
    assert_eq!(of_type(&log, "sequence.gap"), [] as [&Value; 0]);
    // Each read makes an event for the sender: one whose answer was lost is not made again.
    let path = format!("/v1/messages/{}/read", read.id);
    let lost = HttpRule::next(&format!("POST {path}"), HttpFault::DropAfter);
    stage.sandbox.faults(|faults| faults.http.push(lost));
    raw.refused(-32002, "messages.mark_read", json!({"message_id": read.id}));
    assert_eq!(stage.requests("POST", &path), 1);
}

#[test]
fn pitfall_62_answers_about_members_do_not_end_a_group_and_its_deletion_does() {
    let mut stage = stage();
    stage.env("AGENTCHATD_REALTIME_SYNC_INTERVAL_S", "3600");
    let daemon = stage.ready();
    // What was there before the daemon knew of its agent is not owed.
    let group = stage.sandbox.group("dora", "crew", &["ann", "bob"]);
    let to = || To::Conversation(&group);
    let mut raw = stage.connect(&daemon);
    for (status, code) in [(404, "NOT_MEMBER"), (403, "FORBIDDEN")] {
        let rule = HttpRule::next("DELETE /v1/groups/*", HttpFault::error(status, code));
        stage.sandbox.faults(|faults| faults.http.push(rule));
        let remove = json!({"group_id": group, "handle": "ann"});
        let data = raw.refused(-32001, "groups.remove_member", remove)["data"].clone();
        assert_eq!(data["code"], code);
        stage
            .sandbox
            .send("bob", to(), Draft::text("unseen").quiet());
        stage.sandbox.send("bob", to(), "seen");
        raw.ok(
            "messages.send",
            json!({"conversation_id": group, "text": code}),
        );
        let log = stage.log_is_whole(&daemon);
        let gaps = of_type(&log, "sequence.gap");
        let reasons = gaps.iter().map(|gap| &gap["payload"]["reason"]);
        assert!(reasons.into_iter().all(|reason| reason == "gap_filled"));
    }
    raw.ok("groups.delete", json!({"group_id": group}));
    let before = stage.send_requests();
    let send = json!({"conversation_id": group, "text": "anybody?"});
    let data = raw.refused(-32001, "messages.send", send)["data"].clone();
    assert_eq!(
        (&data["status"], &data["code"]),
        (&json!(410), &json!("GROUP_DELETED"))
    );
    assert_eq!(stage.send_requests() - before, 1, "no second attempt");
    let failed = raw.ok("outbox.list", json!({"state": "failed"}));
    assert_eq!(failed["entries"][0]["conversation_id"], group, "{failed}");
    raw.ok("messages.send", json!({"to": "bob", "text": "elsewhere"}));
    assert_eq!(connects(&stage), 1);
}
