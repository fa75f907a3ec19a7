//! As many connections as there may be, and the next.

use crate::{counted, files_are_back, stage};
use agentchatd_tests::figures::local_files;
use serde_json::json;

/// `[socket] max_connections`, where nobody says otherwise.
const PLACES: usize = 1024;
/// So many more.
const MORE: usize = 3;

#[test]
fn connection_1025_waits_for_a_place_and_is_served_when_one_goes() {
    let stage = stage();
    let daemon = stage.ready();
    counted(&daemon, 0, 1);
    let files = local_files(&daemon);
    let mut served: Vec<_> = (0..PLACES)
        .map(|_| {
            let mut raw = stage.connect(&daemon);
            raw.ok("daemon.version", json!({}));
            raw
        })
        .collect();
    let mut waiting: Vec<_> = (0..MORE)
        .map(|_| {
            let mut raw = stage.connect(&daemon);
            raw.start("daemon.version", &json!({}))
                .expect("the test can go on");
            raw
        })
        .collect();
    waiting[0].silent();
    stage.bob_says("to all who are there");
    for raw in &mut served {
        let page = raw.ok("events.fetch", json!({"wait_ms": 20000}));
        assert_eq!(page["next_after"], 1);
    }
    for raw in &mut waiting {
        raw.silent_now();
    }
    let status = served[0].ok("daemon.status", json!({}));
    assert_eq!(status["clients"], PLACES);
    // One goes, one comes, in the order in which they came.
    for raw in &mut waiting {
        drop(served.pop());
        assert!(raw.hear().get("result").is_some());
    }
    drop((served, waiting));
    counted(&daemon, 0, 1);
    files_are_back(&daemon, files);
}
