//! What is refused, and in which words.

use std::path::PathBuf;

use super::fixture::Place;
use super::*;

#[test]
fn every_problem_is_told_at_once_with_file_line_key_and_what_is_allowed() {
    let place = Place::new()
        .with_file(
            "[realtime]\nhello_timeout_ms = 99\n\n[socket]\nmax_conections = 4\nmode = 600\n\
             [nonsense]\na = 1\n[storage]\ndurability = \"fast\"\nretention_days = \"30\"\n",
        )
        .with_var("AGENTCHATD_LOG_LEVEL", "loud");
    let file = place.file();
    let error = place.resolve().unwrap_err();
    let mut lines: Vec<_> = error.to_string().lines().map(str::to_owned).collect();
    lines.sort();
    let at = |line: usize, rest: &str| format!("{}:{line}: {rest}", file.display());
    let mut expected = vec![
        at(
            2,
            "realtime.hello_timeout_ms: 99 is out of range; allowed: a whole number from 100 to 60000",
        ),
        at(
            5,
            "socket.max_conections: unknown key; allowed in [socket]: path, mode, group, \
               max_request_bytes, max_connections, max_subscriptions",
        ),
        at(
            6,
            "socket.mode: of the wrong type; allowed: octal digits in quotes, \"0600\" to \"0777\"",
        ),
        at(
            7,
            "nonsense: unknown section; allowed: agent, socket, storage, realtime, http, outbox, \
               access, log",
        ),
        at(
            10,
            "storage.durability: not one of the known words; allowed: \"full\", \"normal\"",
        ),
        at(
            11,
            "storage.retention_days: of the wrong type; allowed: a whole number from 1 to 3650",
        ),
        "$AGENTCHATD_LOG_LEVEL: log.level: not one of the known words; allowed: \"off\", \
         \"error\", \"warn\", \"info\", \"debug\", \"trace\""
            .to_owned(),
    ];
    expected.sort();
    assert_eq!(lines, expected);
}

#[test]
fn a_syntax_error_names_its_line_and_shows_nothing_of_it() {
    let place = Place::new().with_file("[agent]\n# fine\napi_key = ac_live_hunter2\n");
    let error = place.resolve().unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("{}:3: not valid TOML: ", place.file().display())),
        "{error}"
    );
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_key_in_the_wrong_place_is_not_repeated_in_the_error() {
    for line in [
        "agent.api_key = \"ac_live_hunter2\"",
        "agent.base_url = \"ac_live_hunter2\"",
        "agent.ack = \"ac_live_hunter2\"",
        "agent.base_url = \"https://ac_live_hunter2@api.example\"",
        "ac = \"ac_live_hunter2\"",
        "socket.mode = \"ac_live_hunter2\"",
        "http.proxy = \"ac_live_hunter2\"",
    ] {
        let error = Place::new()
            .with_file(line)
            .resolve()
            .unwrap_err()
            .to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_file_that_was_asked_for_has_to_exist() {
    let mut place = Place::new();
    place.flags.config = Some(PathBuf::from("none.toml"));
    let error = place.resolve().unwrap_err().to_string();
    assert!(
        error.starts_with("--config: cannot read ") && error.contains("none.toml"),
        "{error}"
    );
}

#[test]
fn a_variable_that_nobody_knows_is_a_warning() {
    let place = Place::new().with_var("AGENTCHATD_LOG_LEVLE", "debug");
    let warnings = place.resolve().unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].contains("$AGENTCHATD_LOG_LEVLE"),
        "{warnings:?}"
    );
}

#[test]
fn plain_http_to_another_machine_needs_to_be_allowed() {
    let text = "[agent]\nbase_url = \"http://api.example\"\n";
    let place = Place::new().with_file(text);
    let error = place.resolve().unwrap_err().to_string();
    assert!(
        error.contains(":2: agent.base_url: plain http would send the key"),
        "{error}"
    );
    let place = Place::new().with_file(&format!("{text}allow_insecure = true"));
    assert_eq!(
        place.resolve().unwrap().config.agent.base_url.socket_url(),
        "ws://api.example/v1/ws"
    );
}

#[test]
fn a_first_delay_above_the_longest_is_told_where_it_was_set() {
    let place = Place::new()
        .with_file("[realtime]\nbackoff_max_ms = 400")
        .with_var("AGENTCHATD_HTTP_BASE_DELAY_MS", "9000");
    let error = place.resolve().unwrap_err().to_string();
    assert!(
        error.contains("agentchatd.toml:2: realtime.backoff_min_ms: must not be above"),
        "{error}"
    );
    assert!(
        error.contains("$AGENTCHATD_HTTP_BASE_DELAY_MS: http.base_delay_ms: must"),
        "{error}"
    );
}

#[test]
fn names_that_nobody_bears_stop_the_start() {
    let place = Place::new().with_file(
        "[socket]\ngroup = \"nobody-here\"\n[access]\n\
         admin = [\"alice\", \"uid:7\", \"bob\"]\nsend = [\"@staff\", \"@none\", \"gid:x\"]\n\
         read = [\"uid:4294967295\"]",
    );
    let error = place.resolve().unwrap_err();
    let places: Vec<_> = error
        .problems
        .iter()
        .map(|p| (p.key.as_str(), line(&p.origin)))
        .collect();
    let expected = [
        ("access.admin", 4),
        ("access.send", 5),
        ("access.send", 5),
        ("access.read", 6),
        ("socket.group", 2),
    ];
    assert_eq!(places, expected);
    let place = Place::new().with_var("AGENTCHATD_ACCESS_SEND", "alice, @staff,gid:9");
    let send = place.resolve().unwrap().access.send;
    assert_eq!(
        send,
        [Principal::Uid(1000), Principal::Gid(50), Principal::Gid(9)]
    );
}

fn line(origin: &Origin) -> usize {
    match origin {
        Origin::File { line, .. } => *line,
        Origin::Variable(_) | Origin::Flag(_) | Origin::Default => 0,
    }
}
