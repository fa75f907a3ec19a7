//! A disk that cannot be read while the daemon runs.

use agentchatd_tests::shim::{EIO, ESTALE};
use agentchatd_tests::stage::until;
use serde_json::json;

use crate::outage::{STORAGE_ERROR, acknowledged, acknowledged_is_on_disk, send};
use crate::stage;

#[test]
fn a_disk_that_fails_to_read_is_told_of_and_the_verdict_is_down_until_they_succeed() {
    let (stage, shim) = stage();
    let mut first = stage.ready();
    for number in 0..60 {
        stage.bob_says(&format!("{number} {}", "x".repeat(900)));
    }
    let log = stage.log_is_whole(&first);
    assert!(first.stop().expect("it stops").success());
    // A daemon that has nothing of the log in memory.
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    shim.fail_reads(EIO);
    raw.refused(
        STORAGE_ERROR,
        "events.fetch",
        json!({"after": 0, "limit": 1000}),
    );
    let is_down = |health: &serde_json::Value| health["verdict"] == "down";
    until("the verdict is down", || {
        let health = raw.ok("daemon.health", json!({}));
        let reasons = health["reasons"].to_string();
        // SQLite takes it for damage; a look at the whole file will find none.
        if is_down(&health) && reasons.contains("storage_error") {
            return Ok(());
        }
        Err(health.to_string())
    });
    let unread = stage.bob_says("unread").id;
    raw.refused(STORAGE_ERROR, "messages.send", send("bob", "unread"));
    raw.ok("daemon.status", json!({}));
    assert!(!acknowledged(&stage).contains(&unread));

    shim.heal();
    until("the verdict is not down", || {
        let health = raw.ok("daemon.health", json!({}));
        if is_down(&health) {
            return Err(health.to_string());
        }
        Ok(())
    });
    stage.bob_says("after");
    let now = stage.log_is_whole(&daemon);
    assert_eq!(now[..log.len()], log);
    raw.ok("messages.send", send("bob", "unread"));
    acknowledged_is_on_disk(&stage, &stage.setup.database());
}

#[test]
fn what_cannot_be_read_makes_the_verdict_down_although_writes_succeed() {
    let (stage, shim) = stage();
    let daemon = stage.ready();
    stage.bob_says("before");
    stage.log_is_whole(&daemon);
    let mut raw = stage.connect(&daemon);
    shim.fail_reads(ESTALE);
    until("the verdict is down", || {
        // Each commit takes from the readers what they have in memory.
        stage.bob_says("unread");
        let health = raw.ok("daemon.health", json!({}));
        let reasons = health["reasons"].to_string();
        if health["verdict"] == "down" && reasons.contains("disk I/O error") {
            return Ok(());
        }
        Err(health.to_string())
    });
    shim.heal();
    until("the verdict is ok", || {
        let health = raw.ok("daemon.health", json!({}));
        if health["verdict"] == "ok" {
            return Ok(());
        }
        Err(health.to_string())
    });
    stage.log_is_whole(&daemon);
    acknowledged_is_on_disk(&stage, &stage.setup.database());
}
