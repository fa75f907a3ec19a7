//! Clients of old versions, replayed: each request gets an answer of the form that it got then.
//! Members may be added; what a client relied on is there.

use crate::past::Past;
use crate::{VERSIONS, Version, cut_off, fixture, stage};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

/// A line that a client wrote, and the answer that it got.
struct Exchange {
    connection: u64,
    request: String,
    answer: Value,
}

#[test]
fn clients_of_each_version_are_answered_in_the_form_that_they_know() {
    for version in &VERSIONS {
        let transcript = transcript(version);
        assert!(transcript.len() > 30, "{}", version.name);
        let stage = stage(version);
        let daemon = stage.ready();
        let mut clients = BTreeMap::new();
        for exchange in &transcript {
            let client = clients
                .entry(exchange.connection)
                .or_insert_with(|| stage.connect(&daemon));
            client.tell(&exchange.request);
            let answer = loop {
                let line = client.hear();
                if line.get("method").is_none() {
                    break line;
                }
            };
            let tried: Vec<String> = expected(exchange, &transcript)
                .map(|known| compare(known, &answer, ""))
                .map_while(Result::err)
                .collect();
            let fits = tried.len() < expected(exchange, &transcript).count();
            let asked = &exchange.request;
            assert!(fits, "{}: {asked}\n{answer}\n{tried:#?}", version.name);
        }
    }
}

#[test]
fn a_send_of_each_version_that_is_asked_for_again_gives_what_was_recorded() {
    for version in &VERSIONS {
        let past = Past::of(version);
        let stage = cut_off(version);
        let daemon = stage.start();
        let mut raw = stage.connect(&daemon);
        let mut repeated = 0;
        for exchange in transcript(version) {
            let id = sent_id(&exchange.request);
            let is_sent =
                |(known, state): &(String, String)| state == "sent" && Some(known) == id.as_ref();
            if !past.outbox.iter().any(is_sent) {
                continue;
            }
            let answer = raw.say(&exchange.request);
            for place in ["/result/message", "/error/code", "/error/data/message"] {
                let (then, now) = (exchange.answer.pointer(place), answer.pointer(place));
                assert_eq!(now, then, "{place} of {id:?} in {}: {answer}", version.name);
            }
            repeated += 1;
        }
        assert!(repeated >= 5, "{repeated} sends in {}", version.name);
    }
}

#[test]
fn events_of_each_version_have_the_members_that_its_clients_know() {
    for version in &VERSIONS {
        let known = lines(version)
            .find(|line| {
                line["recv"]
                    .as_str()
                    .is_some_and(|text| text.contains("events.event"))
            })
            .map(|line| inner(&line["recv"]))
            .unwrap();
        let stage = stage(version);
        let daemon = stage.ready();
        let mut raw = stage.connect(&daemon);
        let params = serde_json::json!({"from": "earliest"});
        raw.subscribe(params);
        let notice = raw.notice();
        assert_eq!(compare(&known, &notice, ""), Ok(()), "{notice}");
    }
}

/// The answers that may be given now: to a send, each that was given to its id, for time went on.
fn expected<'a>(
    exchange: &'a Exchange,
    transcript: &'a [Exchange],
) -> impl Iterator<Item = &'a Value> {
    let id = sent_id(&exchange.request);
    transcript
        .iter()
        .filter(move |other| match &id {
            Some(id) => sent_id(&other.request).as_ref() == Some(id),
            None => std::ptr::eq(*other, exchange),
        })
        .map(|other| &other.answer)
}

/// The `client_msg_id` of a send.
fn sent_id(request: &str) -> Option<String> {
    let request: Value = serde_json::from_str(request).ok()?;
    let id = &request["params"]["client_msg_id"];
    (request["method"] == "messages.send")
        .then(|| id.as_str().map(str::to_owned))
        .flatten()
}

/// Every member that was known is there, and is of the type that it was of; null is any.
fn compare(known: &Value, now: &Value, at: &str) -> Result<(), String> {
    match (known, now) {
        (Value::Object(known), Value::Object(members)) => {
            if is_new_method(known) {
                return Ok(());
            }
            for (name, value) in known {
                let at = format!("{at}/{name}");
                let Some(member) = members.get(name) else {
                    return Err(format!("{at} is missing"));
                };
                // What programs decide by.
                let decides = ["code", "class", "jsonrpc"].contains(&&**name);
                if decides && member != value {
                    return Err(format!("{at} was {value} and is {member}"));
                }
                // Another event may stand here by now, with a message of another kind.
                let is_payload = name == "payload" && value.is_object() && member.is_object();
                if !is_payload {
                    compare(value, member, &at)?;
                }
            }
            Ok(())
        }
        (Value::Array(known), Value::Array(items)) => {
            let mut pairs = known.iter().zip(items).enumerate();
            pairs.try_for_each(|(place, (known, item))| {
                compare(known, item, &format!("{at}/{place}"))
            })
        }
        (Value::Null, _) | (_, Value::Null) => Ok(()),
        (known, now) if std::mem::discriminant(known) == std::mem::discriminant(now) => Ok(()),
        (known, now) => Err(format!("{at} was {known} and is {now}")),
    }
}

/// A method that was not there then may be there now.
fn is_new_method(answer: &serde_json::Map<String, Value>) -> bool {
    let error = answer.get("error");
    let text = error.and_then(|error| error["message"].as_str());
    error.is_some_and(|error| error["code"] == -32601)
        && text.is_some_and(|text| !text.contains("no.method"))
}

/// What was said, in order; the notifications that came between left out.
fn transcript(version: &Version) -> Vec<Exchange> {
    let mut open: BTreeMap<u64, String> = BTreeMap::new();
    let mut all = Vec::new();
    for line in lines(version) {
        let connection = line["connection"].as_u64().expect("a number");
        if let Some(request) = line["send"].as_str() {
            open.insert(connection, request.to_owned());
            continue;
        }
        let answer = inner(&line["recv"]);
        if answer.get("method").is_none() {
            let request = open
                .remove(&connection)
                .expect("an answer follows its request");
            all.push(Exchange {
                connection,
                request,
                answer,
            });
        }
    }
    all
}

fn lines(version: &Version) -> impl Iterator<Item = Value> {
    let text = fs::read_to_string(fixture(version).join("transcript.jsonl"));
    let lines: Vec<Value> = text
        .expect("a fixture has a transcript")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    lines.into_iter()
}

fn inner(text: &Value) -> Value {
    let text = text.as_str().unwrap_or_default();
    serde_json::from_str(text).expect("what the daemon writes is JSON")
}
