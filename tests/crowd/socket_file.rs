//! A socket's file that goes, or is another's, while the daemon runs.

use crate::stage;
use agentchatd_tests::stage::until;
use serde_json::json;
use std::fs;
use std::os::unix::net::UnixListener;

#[test]
fn a_socket_file_that_is_removed_is_made_again_and_those_connected_notice_nothing() {
    let stage = stage();
    let mut daemon = stage.ready();
    let mut there = stage.connect(&daemon);
    there.subscribe(json!({"consumer": "there"}));
    let folder = stage
        .setup
        .socket()
        .parent()
        .expect("the test can go on")
        .to_owned();
    for offset in 1..=2 {
        // Once the file alone, once its folder with it.
        if offset == 1 {
            fs::remove_file(stage.setup.socket()).expect("the test can go on");
        } else {
            fs::remove_dir_all(&folder).expect("the test can go on");
        }
        stage.bob_says("while there is no file");
        assert_eq!(there.event()["offset"], offset);
        until("a new client is served", || {
            let mut raw = daemon.connect().map_err(|error| error.to_string())?;
            raw.ok("daemon.version", json!({}));
            Ok(())
        });
    }
    let told = stage.log_text().matches("was removed").count();
    assert_eq!(told, 2, "{}", stage.log_text());
    there.ok("daemon.version", json!({}));
    assert!(daemon.stop().expect("the test can go on").success());
    assert!(!stage.setup.socket().exists(), "a stop removes it");
}

#[test]
fn a_socket_file_that_is_anothers_by_now_is_left_alone_at_the_end_as_well() {
    let stage = stage();
    let mut daemon = stage.ready();
    let mut there = stage.connect(&daemon);
    there.subscribe(json!({"consumer": "there"}));
    fs::remove_file(stage.setup.socket()).expect("the test can go on");
    let other = UnixListener::bind(stage.setup.socket()).expect("the test can go on");
    until("the log says it", || {
        let log = stage.log_text();
        if log.contains("not this daemon's socket any more") {
            Ok(())
        } else {
            Err(log)
        }
    });
    stage.bob_says("to those who are connected");
    assert_eq!(there.event()["offset"], 1);
    there.ok("daemon.shutdown", json!({}));
    assert!(
        daemon
            .wait(agentchatd_tests::stage::SOON)
            .expect("the test can go on")
            .success()
    );
    assert!(stage.setup.socket().exists(), "it is the other's");
    drop(other);
    // At which nobody answers any more.
    stage.ready();
}
