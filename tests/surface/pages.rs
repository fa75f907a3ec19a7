//! All pages of a list as one answer.

use agentchatd_tests::sandbox::Event;
use serde_json::{Value, json};

use crate::{next_answer, stage};

const CONTACTS: &str = "GET /v1/contacts";

#[test]
fn every_page_of_the_contacts_comes_as_one_answer() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let names: Vec<String> = (0..23).map(|n| format!("friend{n:02}")).collect();
    for name in &names {
        stage.sandbox.agent(name);
        raw.ok("contacts.add", json!({"handle": name}));
    }
    let before = stage.requests("GET", "/v1/contacts");
    let all = raw.ok("contacts.list", json!({"all": true, "limit": 10}));
    let handles: Vec<&str> = all["contacts"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|row| row["handle"].as_str())
        .collect();
    assert_eq!(handles, names);
    assert_eq!(all["total"], 23);
    assert_eq!(stage.requests("GET", "/v1/contacts") - before, 3);
    let some = raw.ok(
        "directory.search",
        json!({"query": "friend", "all": true, "max": 7, "limit": 5}),
    );
    assert_eq!(some["agents"].as_array().map(Vec::len), Some(7));
    let asked: Vec<String> = stage
        .sandbox
        .journal()
        .entries()
        .into_iter()
        .filter_map(|entry| match entry.event {
            Event::Http { path, query, .. } if path == "/v1/directory" => Some(query),
            _ => None,
        })
        .collect();
    assert_eq!(
        asked,
        ["q=friend&limit=5&offset=0", "q=friend&limit=2&offset=5"]
    );
}

#[test]
fn rows_and_envelope_keep_their_json_and_the_newest_total_holds() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    for page in [
        r#"{"next":1.0,"contacts":[{"handle":"a","n":1e2},{"handle":"b"}],"total":4,"limit":2,"offset":0}"#,
        r#"{"contacts":[{"handle":"b"},{"x":12345678901234567890123,"handle":"c"}],"total":5}"#,
        r#"{"contacts":[{"handle":"d"}],"total":5}"#,
    ] {
        next_answer(&stage, CONTACTS, 200, page);
    }
    raw.tell(
        r#"{"jsonrpc":"2.0","id":1,"method":"contacts.list","params":{"all":true,"limit":2}}"#,
    );
    let text = raw
        .text_line()
        .expect("the daemon answers")
        .expect("a line");
    let whole = concat!(
        r#"{"next":1.0,"contacts":[{"handle":"a","n":1e2},{"handle":"b"},"#,
        r#"{"x":12345678901234567890123,"handle":"c"},{"handle":"d"}],"total":5,"limit":2,"offset":0}"#
    );
    assert!(text.contains(whole), "{text}");
}

#[test]
fn an_error_on_a_page_and_a_page_of_another_shape_are_the_answer() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    let first = r#"{"contacts":[{"handle":"a"}],"total":2}"#;
    let all = || json!({"all": true, "limit": 1});
    next_answer(&stage, CONTACTS, 200, first);
    next_answer(
        &stage,
        CONTACTS,
        403,
        r#"{"code":"SUSPENDED","message":"x"}"#,
    );
    let error = raw.refused(-32001, "contacts.list", all());
    assert_eq!(error["data"]["code"], "SUSPENDED");
    for odd in ["[]", "{}", r#"{"contacts":{}}"#] {
        next_answer(&stage, CONTACTS, 200, first);
        next_answer(&stage, CONTACTS, 200, odd);
        let error = raw.refused(-32002, "contacts.list", all());
        assert_ne!(error["data"]["reason"], Value::Null, "{odd}");
    }
}
