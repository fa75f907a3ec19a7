//! A consumer that never acknowledges.

use crate::{consumer, flood, logged, stage};
use serde_json::json;

/// The default of `max_in_flight`.
const WINDOW: u64 = 256;
/// More than makes a consumer far behind.
const MANY: u64 = 10_500;

#[test]
fn a_consumer_that_never_acknowledges_gets_its_window_and_health_names_it() {
    let stage = stage();
    let daemon = stage.ready();
    let mut mute = stage.connect(&daemon);
    mute.subscribe(json!({"consumer": "mute"}));
    let mut good = stage.connect(&daemon);
    good.subscribe(json!({"consumer": "good"}));
    let health = good.ok("daemon.health", json!({}));
    assert_eq!(health["verdict"], "ok", "{health}");

    std::thread::scope(|scope| {
        scope.spawn(|| flood(&stage, 0..MANY, 10));
        for offset in 1..=MANY {
            assert_eq!(good.event()["offset"], offset);
            if offset % 100 == 0 || offset == MANY {
                good.ack("good", offset);
            }
        }
    });
    logged(&daemon, MANY);
    for offset in 1..=WINDOW {
        assert_eq!(mute.event()["offset"], offset);
    }
    mute.silent();
    let shown = consumer(&stage, &daemon, "mute");
    assert_eq!(
        (&shown["acked_offset"], &shown["lag"]),
        (&json!(0), &json!(MANY))
    );
    assert_eq!(shown["attached"], true);

    let health = good.ok("daemon.health", json!({}));
    assert_eq!(health["verdict"], "degraded", "{health}");
    assert_eq!(
        health["reasons"]
            .as_array()
            .expect("the test can go on")
            .len(),
        1,
        "{health}"
    );
    let reason = &health["reasons"][0];
    assert_eq!(reason["code"], "consumer_far_behind");
    let message = reason["message"].as_str().expect("the test can go on");
    assert!(
        message.contains("mute") && message.contains("10500"),
        "{message}"
    );
    let again = good.ok("daemon.health", json!({}));
    assert_eq!(again["since"], health["since"], "it has been so since then");
    let ready = daemon
        .http()
        .expect("the test can go on")
        .fetch("/readyz")
        .expect("the test can go on");
    assert_eq!(ready.status(), 503);

    // An acknowledgement moves the window on, by as much.
    mute.ack("mute", 10);
    for offset in WINDOW + 1..=WINDOW + 10 {
        assert_eq!(mute.event()["offset"], offset);
    }
    mute.silent();
    good.ok("consumers.delete", json!({"name": "mute"}));
    let health = good.ok("daemon.health", json!({}));
    assert_eq!(health["verdict"], "ok", "{health}");
}
