//! Databases that cannot be used: told by name, left as they are.

use crate::{ended, said, stage};
use rusqlite::Connection;
use std::fs;

#[test]
fn a_file_that_is_no_database_is_refused_by_name_and_left_alone() {
    let stage = stage();
    let database = stage.setup.database();
    fs::create_dir_all(database.parent().unwrap()).unwrap();
    let garbage = "not a database at all ".repeat(1000);
    fs::write(&database, &garbage).unwrap();
    let output = ended(&stage, &[]);
    assert_eq!(output.status.code(), Some(74), "{}", said(&output));
    assert!(
        said(&output).contains(database.to_str().unwrap()),
        "{}",
        said(&output)
    );
    assert!(
        said(&output).contains("--salvage"),
        "the salvage command: {}",
        said(&output)
    );
    assert_eq!(fs::read_to_string(&database).unwrap(), garbage);
}

#[test]
fn a_damaged_database_is_refused_and_never_made_anew() {
    let stage = stage();
    let mut daemon = stage.ready();
    for number in 0..50 {
        stage.bob_says(&number.to_string());
    }
    stage.log_is_whole(&daemon);
    assert!(daemon.stop().unwrap().success());
    let database = stage.setup.database();
    let mut bytes = fs::read(&database).unwrap();
    for byte in &mut bytes[100..] {
        *byte = !*byte;
    }
    fs::write(&database, &bytes).unwrap();
    let output = ended(&stage, &[]);
    assert_eq!(output.status.code(), Some(74), "{}", said(&output));
    assert!(
        said(&output).contains(database.to_str().unwrap()),
        "{}",
        said(&output)
    );
    assert!(said(&output).contains("--salvage"), "{}", said(&output));
    assert_eq!(fs::read(&database).unwrap(), bytes);
}

#[test]
fn a_database_of_a_newer_program_is_refused_with_both_versions() {
    let stage = stage();
    let mut daemon = stage.ready();
    assert!(daemon.stop().unwrap().success());
    let database = stage.setup.database();
    let connection = Connection::open(&database).unwrap();
    connection.pragma_update(None, "user_version", 999).unwrap();
    drop(connection);
    let output = ended(&stage, &[]);
    assert_eq!(output.status.code(), Some(74), "{}", said(&output));
    assert!(said(&output).contains("999"), "{}", said(&output));
    assert!(said(&output).contains(database.to_str().unwrap()));
}

#[test]
fn what_is_salvaged_goes_on_and_history_fills_it_up() {
    let stage = stage();
    let mut daemon = stage.ready();
    let text = "x".repeat(1_000);
    let sent: Vec<String> = (0..60).map(|_| stage.bob_says(&text).id).collect();
    stage.log_is_whole(&daemon);
    assert!(daemon.stop().unwrap().success());
    let database = stage.setup.database();
    let mut bytes = fs::read(&database).unwrap();
    // Two leaves in the middle of the log; a page holds three messages.
    let middle = bytes.len() / 2 / PAGE * PAGE;
    for byte in &mut bytes[middle..middle + 2 * PAGE] {
        *byte = !*byte;
    }
    fs::write(&database, &bytes).unwrap();
    let output = ended(&stage, &["--salvage"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(
        said(&output).contains("could not be read"),
        "{}",
        said(&output)
    );
    assert_eq!(fs::read(&database).unwrap(), bytes, "it is left as it is");
    let salvaged = database.with_file_name("state.db.salvaged");
    let count = |sql: &str| -> i64 {
        let connection = Connection::open(&salvaged).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let kept = count("SELECT count(*) FROM events");
    assert!((30..60).contains(&kept), "{kept} of 60");
    fs::rename(&salvaged, &database).unwrap();
    let daemon = stage.ready();
    stage.logged(&daemon, |event| event["late"] == true);
    agentchatd_tests::stage::until("each message in the log", || {
        let log = stage.log(&daemon);
        let ids: Vec<_> = log
            .iter()
            .filter_map(|e| e["message_id"].as_str())
            .collect();
        let missing: Vec<_> = sent
            .iter()
            .filter(|id| !ids.contains(&id.as_str()))
            .collect();
        if missing.is_empty() && ids.len() == sent.len() {
            Ok(())
        } else {
            Err(format!("{} of 60, missing {missing:?}", ids.len()))
        }
    });
}

/// A page of the database.
const PAGE: usize = 4_096;
