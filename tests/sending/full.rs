//! A full outbox: what is over is refused whole, and nothing of it stays.

use crate::{SEND, entry_in, stored};
use agentchatd_tests::sandbox::{HttpFault, HttpRule};
use agentchatd_tests::stage::Stage;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::thread;

/// An outbox of so many places, from which nothing goes out.
fn small(places: usize) -> Stage {
    let mut stage = crate::stage();
    stage.env("AGENTCHATD_OUTBOX_MAX_ENTRIES", &places.to_string());
    let wait = HttpFault::error_after(429, "RATE_LIMITED", "600");
    stage
        .sandbox
        .faults(|faults| faults.http.push(HttpRule::always(SEND, wait)));
    stage
}

fn send(id: usize, number: usize) -> Value {
    let params = json!({
        "to": "bob", "text": "x", "delivery": "queue", "client_msg_id": format!("id-{number}"),
    });
    json!({"jsonrpc": "2.0", "id": id, "method": "messages.send", "params": params})
}

/// The ids in the database, whatever their state.
fn on_disk(stage: &Stage) -> BTreeSet<String> {
    let connection = rusqlite::Connection::open(stage.setup.database()).expect("it opens");
    let mut statement = connection
        .prepare("SELECT client_msg_id FROM outbox")
        .expect("the table is there");
    let ids = statement.query_map([], |row| row.get(0)).expect("rows");
    ids.collect::<Result<_, _>>().expect("texts")
}

/// Checks an answer of a full outbox; true where the send was accepted.
fn accepted(answer: &Value) -> bool {
    if let Some(result) = answer.get("result") {
        assert_eq!(result["queued"], true, "{answer}");
        return true;
    }
    let error = &answer["error"];
    assert_eq!(error["code"], -32008, "{answer}");
    assert_eq!(error["data"]["limit"], "outbox.max_entries");
    assert!(error["data"]["retry_after_ms"].is_u64(), "{answer}");
    false
}

#[test]
fn a_batch_over_the_bound_is_taken_as_far_as_there_is_room_and_the_rest_leaves_nothing() {
    let stage = small(3);
    let mut daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let batch = Value::Array((0..8).map(|number| send(number, number)).collect());
    let answers = raw.say(&batch.to_string());
    let answers = answers.as_array().expect("a list of answers");
    assert_eq!(answers.len(), 8);
    let taken: BTreeSet<String> = answers
        .iter()
        .filter(|answer| accepted(answer))
        .map(|answer| {
            answer["result"]["client_msg_id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(taken.len(), 3);
    assert_eq!(on_disk(&stage), taken);
    daemon.kill().expect("it dies");
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    assert_eq!(on_disk(&stage), taken, "also after a kill");
    assert!(
        !accepted(&raw.say(&send(1, 9).to_string())),
        "it is full after a restart as well"
    );
    // There is room again: what was refused is taken as if it was asked for the first time. Of the
    // last in line no attempt was made.
    let last = taken.last().expect("three");
    raw.ok("outbox.cancel", json!({"client_msg_id": last}));
    assert!(accepted(&raw.say(&send(2, 9).to_string())));
    raw.ok("outbox.cancel", json!({"client_msg_id": "id-9"}));
    assert_eq!(stored(&stage), 0);
}

#[test]
fn what_was_accepted_before_the_outbox_was_full_is_answered_again_and_takes_no_place() {
    let stage = small(2);
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let first = raw.say(&send(0, 0).to_string());
    assert!(accepted(&first) && accepted(&raw.say(&send(1, 1).to_string())));
    assert!(!accepted(&raw.say(&send(2, 2).to_string())), "it is full");
    let again = raw.say(&send(3, 0).to_string());
    assert_eq!(again["result"], first["result"]);
    let mut other = send(4, 0);
    other["params"]["text"] = json!("y");
    let refused = raw.say(&other.to_string());
    assert_eq!(refused["error"]["code"], -32010, "{refused}");
    assert_eq!(on_disk(&stage).len(), 2);
    assert!(!accepted(&raw.say(&send(5, 2).to_string())), "still full");
}

#[test]
fn of_many_connections_that_race_for_the_last_place_one_gets_it() {
    const RACERS: usize = 16;
    let stage = small(5);
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    for number in 0..4 {
        assert!(accepted(&raw.say(&send(number, number).to_string())));
    }
    let winners: Vec<usize> = thread::scope(|scope| {
        let racers: Vec<_> = (0..RACERS)
            .map(|racer| {
                let mut raw = stage.connect(&daemon);
                scope.spawn(move || {
                    let number = 100 + racer;
                    accepted(&raw.say(&send(1, number).to_string())).then_some(number)
                })
            })
            .collect();
        let done = racers
            .into_iter()
            .map(|racer| racer.join().expect("an answer"));
        done.flatten().collect()
    });
    assert_eq!(winners.len(), 1, "{winners:?}");
    let mut expected: BTreeSet<String> = (0..4).map(|number| format!("id-{number}")).collect();
    expected.insert(format!("id-{}", winners[0]));
    assert_eq!(on_disk(&stage), expected);
    entry_in(&stage, &daemon, &format!("id-{}", winners[0]), "queued");
}
