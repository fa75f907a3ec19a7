//! What has sunk other clients of this platform, tried on the real daemon; each test has the number
//! of its pitfall (`wire.md` 11, table in `docs/delivery.md`). More of them stand with the subject
//! that they belong to.

#[path = "pitfalls/messages.rs"]
mod messages;
#[path = "pitfalls/sends.rs"]
mod sends;

use agentchatd_tests::sandbox::{Event, Options};
use agentchatd_tests::stage::Stage;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// A platform of the newest kind and the settings of the program under test.
fn stage() -> Stage {
    Stage::new(env!("CARGO_BIN_EXE_agentchatd"))
}

/// A platform of this kind.
fn with(options: Options) -> Stage {
    Stage::with(env!("CARGO_BIN_EXE_agentchatd"), Stage::unlimited(options))
}

/// Another agent asks the platform for something; its answer's status.
fn asks(stage: &Stage, handle: &str, method: &str, path: &str, body: &str) -> u16 {
    let agent = stage.sandbox.agent(handle);
    let mut stream = TcpStream::connect(stage.sandbox.address()).expect("the platform listens");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        agent.key(),
        body.len()
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let status = answer.split(' ').nth(1).and_then(|text| text.parse().ok());
    status.unwrap_or_else(|| panic!("a status in {answer}"))
}

/// The events of a log that have this type.
fn of_type<'a>(log: &'a [Value], kind: &str) -> Vec<&'a Value> {
    log.iter().filter(|event| event["type"] == kind).collect()
}

/// How many sockets the daemon has opened.
fn connects(stage: &Stage) -> usize {
    let journal = stage.sandbox.journal();
    journal.count(|event| matches!(event, Event::Connect { .. }))
}
