//! What each command prints, for people and as JSON.

use crate::golden::Golden;
use crate::stage;
use agentchatd_tests::sandbox::{HttpFault, HttpRule, Setting, To};
use agentchatd_tests::stage::{Stage, until};

/// Waits until the daemon's log holds so many events.
fn logged(stage: &Stage, daemon: &agentchatd_tests::daemon::Daemon, count: usize) {
    until("the events are logged", || match stage.log(daemon).len() {
        have if have >= count => Ok(()),
        have => Err(format!("{have} events")),
    });
}

#[test]
fn the_agent_and_the_daemon() {
    let stage = stage();
    let _daemon = stage.ready();
    let mut golden = Golden::new(&stage, "daemon");
    golden.run(&["whoami"]);
    golden.run(&["whoami", "--json"]);
    golden.run_without_numbers(&["status"]);
    golden.run_without_numbers(&["health"]);
    golden.run(&["call", "consumers.list"]);
    golden.run(&["call", "events.fetch", r#"{"limit": 1}"#, "--json"]);
    golden.check();
}

#[test]
fn sending() {
    let stage = stage();
    let _daemon = stage.ready();
    let mut golden = Golden::new(&stage, "send");
    golden.run(&["send", "@bob", "hello"]);
    golden.run(&["send", "bob", "once", "--client-msg-id", "mine"]);
    golden.run(&["send", "@bob", "once", "--client-msg-id", "mine"]);
    golden.run(&["send", "@bob", "twice", "--client-msg-id", "mine"]);
    golden.run(&["send", "@bob", "look", "--json-data", r#"{"n": 1}"#]);
    golden.run(&["send", "@bob", "later", "--queue"]);
    golden.run(&["send", "@nobody-at-all", "hello"]);
    golden.run(&["send", "@bob"]);
    golden.run(&["send", "@bob", "x", "--expires-in", "soon"]);
    golden.check();
}

#[test]
fn reading() {
    let stage = stage();
    let daemon = stage.ready();
    stage.bob_says("hello");
    let group = stage.sandbox.group("ann", "Crew", &["dora"]);
    stage
        .sandbox
        .send("ann", To::Conversation(&group), "welcome\nto 日本");
    logged(&stage, &daemon, 3);
    let mut golden = Golden::new(&stage, "reading");
    golden.run(&["tail", "--since", "earliest", "-n", "2"]);
    golden.run(&["inbox", "--consumer", "hook", "--ack"]);
    golden.run(&["inbox", "--consumer", "hook", "--ack"]);
    golden.run(&[
        "inbox",
        "--consumer",
        "only",
        "--filter",
        "senders=@ann",
        "--limit",
        "1",
    ]);
    golden.run(&["inbox", "--consumer", "only", "--filter", "senders=@bob"]);
    golden.run(&["history", "@bob"]);
    golden.run(&["history", &group]);
    golden.run(&["history", "@ann"]);
    golden.run(&["conversations"]);
    golden.run(&["groups", "list"]);
    golden.check();
}

#[test]
fn what_the_daemon_keeps() {
    let stage = stage();
    let daemon = stage.ready();
    stage.bob_says("hello");
    logged(&stage, &daemon, 1);
    let mut golden = Golden::new(&stage, "kept");
    golden.run(&["outbox", "list"]);
    golden.run(&["send", "@bob", "hi", "--client-msg-id", "one"]);
    golden.run(&["send", "@nobody-at-all", "hi", "--client-msg-id", "two"]);
    golden.run(&["outbox", "list"]);
    golden.run(&["outbox", "list", "--state", "failed", "--json"]);
    golden.run(&["consumers", "list"]);
    golden.run(&["inbox", "--consumer", "bot", "--limit", "1", "--ack"]);
    golden.run(&["consumers", "list"]);
    golden.run(&["consumers", "seek", "bot", "earliest"]);
    golden.run(&["consumers", "delete", "bot"]);
    golden.run(&["consumers", "delete", "bot", "--yes"]);
    golden.run(&["consumers", "delete", "bot", "--yes"]);
    golden.check();
}

#[test]
fn messages_on_their_way_out() {
    let stage = stage();
    let daemon = stage.ready();
    stage.sandbox.faults(|faults| {
        faults.http.push(HttpRule::always(
            SENDS,
            HttpFault::error(503, "UNAVAILABLE"),
        ));
    });
    let mut golden = Golden::new(&stage, "outbox");
    golden.run(&["send", "@bob", "one", "--queue", "--client-msg-id", "one"]);
    golden.run(&["send", "@bob", "two", "--queue", "--client-msg-id", "two"]);
    golden.run(&["send", "@bob", "three", "--timeout", "300ms"]);
    golden.run(&["outbox", "cancel", "2"]);
    golden.run(&["outbox", "cancel", "--client-msg-id", "two"]);
    golden.run(&["outbox", "retry", "2"]);
    golden.run(&["outbox", "get", "2"]);
    golden.run(&["outbox", "get", "99"]);
    golden.run(&["outbox", "get"]);
    stage.sandbox.faults(|faults| faults.http.clear());
    golden.run(&["outbox", "retry", "1"]);
    stage.logged(&daemon, |event| {
        event["payload"]["content"]["text"] == "three"
    });
    golden.run(&["outbox", "cancel", "1"]);
    golden.run(&["outbox", "list", "--state", "cancelled"]);
    golden.check();
}

const SENDS: &str = "POST /v1/messages";

#[test]
fn people() {
    let stage = stage();
    let _daemon = stage.ready();
    let mut golden = Golden::new(&stage, "people");
    golden.run(&["contacts", "list"]);
    golden.run(&["contacts", "add", "@bob"]);
    golden.run(&["contacts", "add", "@nobody-at-all"]);
    golden.run(&["contacts", "notes", "@bob", "knows 日本"]);
    golden.run(&["contacts", "list"]);
    golden.run(&["contacts", "list", "--json"]);
    golden.run(&["contacts", "check", "@bob"]);
    golden.run(&["contacts", "notes", "@bob"]);
    golden.run(&["contacts", "remove", "@bob"]);
    golden.run(&["contacts", "check", "@bob", "--json"]);
    golden.run(&["contacts", "block", "@bob"]);
    golden.run(&["send", "@bob", "hello"]);
    golden.run(&["contacts", "unblock", "@bob"]);
    golden.run(&["contacts", "unblock", "@bob"]);
    golden.run(&["contacts", "report", "@ann", "--reason", "spam"]);
    golden.run(&["contacts", "report", "@ann"]);
    golden.run(&["presence", "set", "busy", "in a build"]);
    golden.run(&["presence", "get", "@ann"]);
    golden.run(&["presence", "batch", "@bob", "@ann"]);
    golden.run(&["mutes", "list"]);
    golden.run(&["mutes", "add", "@bob", "--until", "2h"]);
    golden.run(&["mutes", "add", "@ann"]);
    golden.run(&["mutes", "list"]);
    golden.run(&["mutes", "list", "--kind", "conversation", "--json"]);
    golden.run(&["mutes", "check", "@bob"]);
    golden.run(&["mutes", "remove", "@bob"]);
    golden.run(&["mutes", "check", "@bob"]);
    golden.run(&["search", "@bo"]);
    golden.run(&["search", "bo", "--all", "--json"]);
    golden.run(&["search", "x"]);
    golden.check();
}

#[test]
fn groups() {
    let stage = stage();
    let daemon = stage.ready();
    let invited = stage.sandbox.group("ann", "Others", &["bob"]);
    let mut golden = Golden::new(&stage, "groups");
    let made = golden.run(&[
        "groups",
        "create",
        "Crew",
        "--description",
        "night",
        "--member",
        "@bob",
    ]);
    let id = made
        .stdout
        .split_whitespace()
        .find(|word| word.starts_with("grp_"));
    let id = id.expect("its id is told");
    golden.run(&["groups", "show", id]);
    golden.run(&["groups", "show", id, "--json"]);
    golden.run(&["groups", "update", id, "--name", "Day", "--description", ""]);
    golden.run(&["groups", "add", id, "@ann"]);
    stage.sandbox.set("ann", &Setting::JoinGroup(id.to_owned()));
    golden.run(&["groups", "promote", id, "@ann"]);
    golden.run(&["groups", "demote", id, "@ann"]);
    golden.run(&["groups", "remove", id, "@ann"]);
    golden.run(&["groups", "remove", id, "@ann"]);
    golden.run(&["groups", "show", &invited]);
    golden.run(&["groups", "delete", id]);
    golden.run(&["groups", "delete", id, "--yes"]);
    golden.run(&["groups", "show", id]);
    golden.run(&["groups", "invites"]);
    golden.run(&["groups", "accept", "gri_none"]);
    golden.run(&["groups", "reject", "gri_none"]);
    stage
        .sandbox
        .set("dora", &Setting::JoinGroup(invited.clone()));
    golden.run(&["groups", "leave", &invited]);
    drop(daemon);
    golden.check();
}
