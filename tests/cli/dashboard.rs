//! `dashboard`: what it shows, and what it takes.

use crate::browser::{Served, calls, connect, get};
use crate::ctl::Ctl;
use crate::stage;
use agentchatd_tests::stage::{SOON, until};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The text of the messages, the newest first.
fn texts(state: &Value) -> Vec<String> {
    let messages = state["messages"].as_array().expect("a list");
    let text = |message: &Value| message["text"].as_str().unwrap_or_default().to_owned();
    messages.iter().map(text).collect()
}

#[test]
fn text_of_others_is_bounded_and_turns_nothing_round() {
    let stage = stage();
    let daemon = stage.ready();
    let image = "<img src=x onerror=alert(1)>";
    stage.bob_says(image);
    stage.bob_says("\u{202e}gpj.exe\u{2066} \u{1b}[2J\u{200b}x");
    stage.bob_says(&"é".repeat(1 << 20));
    stage.log_is_whole(&daemon);
    let served = Served::start(&Ctl::new(&stage), &[]);
    let inside = served.enter();
    let state = inside.state();
    let texts = texts(&state);
    assert_eq!(texts[2], image);
    assert_eq!(texts[1], "gpj.exe x");
    assert_eq!(texts[0].chars().count(), 600);
    assert_eq!(state["messages"][0]["cut"], true);
    assert!(inside.get("state").body.len() < 100 << 10);
    let key = stage.setup.key.as_str();
    assert!(!inside.get("state").body.contains(key) && !inside.get("").body.contains(key));
}

#[test]
fn what_waits_failed_and_lags_is_shown() {
    let stage = stage();
    let daemon = stage.ready();
    let mut raw = stage.connect(&daemon);
    stage.bob_says("hello");
    let refused = raw.call(
        "messages.send",
        &json!({"to": "nobody.at.all", "text": "hi"}),
    );
    assert!(refused.expect("an answer").get("error").is_some());
    stage.log_is_whole(&daemon);
    raw.ok(
        "events.fetch",
        json!({"consumer": "hook", "from": "earliest"}),
    );
    let served = Served::start(&Ctl::new(&stage), &[]);
    let state = served.enter().state();
    assert_eq!(state["status"]["agent"]["handle"], "dora");
    assert_eq!(state["status"]["connection"]["state"], "ready");
    assert_eq!(state["health"]["verdict"], "ok");
    assert_eq!(state["consumers"][0]["name"], "hook");
    assert_eq!(state["consumers"][0]["lag"], 2);
    assert_eq!(state["outbox"]["counts"]["failed"], 1);
    assert_eq!(state["outbox"]["entries"][0]["to"], "nobody.at.all");
    assert_eq!(state["outbox"]["entries"][0]["error"], "Agent not found");
    let mut said = texts(&state);
    said.sort();
    assert_eq!(said, ["Agent not found", "hello"]);
}

#[test]
fn a_daemon_that_goes_away_is_told_and_its_return_is_seen() {
    let stage = stage();
    let mut daemon = stage.ready();
    stage.bob_says("before");
    stage.log_is_whole(&daemon);
    let served = Served::start(&Ctl::new(&stage), &[]);
    let inside = served.enter();
    let state = inside.state();
    assert_eq!(state["away"], Value::Null);
    daemon.kill().expect("it dies");
    let mut state = Value::Null;
    until("the daemon is said to be away", || {
        state = inside.state();
        if state["away"].is_null() {
            Err(state.to_string())
        } else {
            Ok(())
        }
    });
    let sentence = state["away"]["sentence"].as_str().expect("a sentence");
    assert!(sentence.contains("no daemon is running"), "{sentence}");
    assert!(state["away"]["since"].is_string());
    // What was seen stays, under the word that it is from before.
    assert_eq!(texts(&state), ["before"]);
    stage.bob_says("while it was dead");
    let daemon = stage.ready();
    stage.log_is_whole(&daemon);
    until("it is back, with what came meanwhile", || {
        let state = inside.state();
        let back = state["away"].is_null() && texts(&state) == ["while it was dead", "before"];
        if back { Ok(()) } else { Err(state.to_string()) }
    });
}

#[test]
fn many_browsers_cost_the_daemon_no_more_than_one() {
    let stage = stage();
    let _daemon = stage.ready();
    let served = Served::start(&Ctl::new(&stage), &[]);
    let inside = served.enter();
    inside.state();
    let count = || {
        let calls = calls(&stage).into_iter();
        calls
            .filter(|(method, _)| method == "daemon.health")
            .map(|(_, count)| count)
            .sum::<u64>()
    };
    let (before, begun) = (count(), Instant::now());
    let answers = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                while begun.elapsed() < Duration::from_secs(3) {
                    assert_eq!(inside.state()["health"]["verdict"], "ok");
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    // One look a second, whoever asks; one more where a second had just begun.
    let (looks, answers) = (count() - before, answers.into_inner());
    assert!(
        looks <= begun.elapsed().as_secs() + 2,
        "{looks} looks for {answers} answers"
    );
    assert!(answers > 200, "{answers} answers");
}

#[test]
fn a_daemon_that_hangs_is_told_too() {
    let stage = stage();
    let daemon = stage.ready();
    let served = Served::start(&Ctl::new(&stage), &[]);
    let inside = served.enter();
    inside.state();
    daemon.signal("STOP").expect("it is sent");
    until("the daemon is said to give no answer", || {
        let state = inside.state();
        let sentence = state["away"]["sentence"].as_str().unwrap_or_default();
        if sentence.contains("no answer") {
            Ok(())
        } else {
            Err(state.to_string())
        }
    });
    daemon.signal("CONT").expect("it is sent");
    until("it is back", || {
        let state = inside.state();
        if state["away"].is_null() {
            Ok(())
        } else {
            Err(state.to_string())
        }
    });
}

#[test]
fn a_reader_that_takes_nothing_is_let_go_and_holds_nobody_up() {
    let stage = stage();
    let daemon = stage.ready();
    for _ in 0..30 {
        stage.bob_says(&"x".repeat(600));
    }
    stage.log_is_whole(&daemon);
    let served = Served::start(&Ctl::new(&stage), &[]);
    let inside = served.enter();
    inside.state();
    let before = served.memory_kib();
    let request = format!(
        "GET {}state HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\n\r\n",
        inside.folder, inside.authority, inside.cookie
    );
    // It asks until nothing more is taken from it, which is when both ways are full.
    let mut slow = connect(&inside.authority);
    slow.set_nonblocking(true).expect("a mode");
    let begun = Instant::now();
    let mut stuck = None;
    let end = loop {
        match slow.write(request.as_bytes()) {
            Ok(_) => stuck = None,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                stuck.get_or_insert_with(Instant::now);
                assert_eq!(inside.state()["health"]["verdict"], "ok");
            }
            Err(error) => break error,
        }
        assert!(begun.elapsed() < SOON * 2, "it is kept");
    };
    assert!(
        matches!(
            end.kind(),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
        ),
        "{end}"
    );
    assert!(stuck.is_some(), "it was never full");
    let grown = served.memory_kib().saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB more");
}

#[test]
fn connections_and_heads_are_bounded() {
    let stage = stage();
    let _daemon = stage.ready();
    let served = Served::start(&Ctl::new(&stage), &[]);
    let at = served.authority.as_str();
    let long = "x".repeat(20 << 10);
    assert_eq!(get(at, "/", &[("x", &long)]).status, 431);
    let many: Vec<_> = (0..80).map(|_| ("x", "y")).collect();
    assert_eq!(get(at, "/", &many).status, 431);

    // However many others stand there, who shows a session is served: the oldest of them make room.
    let inside = served.enter();
    let begun = Instant::now();
    let mut idle: Vec<TcpStream> = (0..200).map(|_| connect(at)).collect();
    for _ in 0..3 {
        assert_eq!(inside.get("state").status, 200);
    }
    let got = idle[0].read(&mut [0; 16]);
    assert!(matches!(got, Ok(0) | Err(_)), "{got:?}");
    assert!(begun.elapsed() < SOON / 2, "it did not make room at once");
    // Those that say nothing are let go.
    for mut stream in idle {
        let mut said = Vec::new();
        let _closed = stream.read_to_end(&mut said);
    }
    assert!(begun.elapsed() < SOON * 2, "they were kept");
    assert_eq!(get(at, "/", &[]).status, 403);
    assert_eq!(inside.get("state").status, 200);
}

#[test]
fn it_listens_on_one_address_and_ends_when_it_is_told_to() {
    let stage = stage();
    let _daemon = stage.ready();
    let ctl = Ctl::new(&stage);
    let served = Served::start(&ctl, &[]);
    let port = served.authority.rsplit_once(':').expect("a port").1;
    assert!(TcpStream::connect(format!("127.0.0.2:{port}")).is_err());
    assert!(TcpStream::connect(format!("[::1]:{port}")).is_err());
    // A port that is taken is told, with what to do.
    let ran = ctl.run(&["dashboard", "--port", port]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("--port"), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1);
    let port = port.to_owned();
    assert_eq!(served.end("TERM").code, 0);

    let again = Served::start(&ctl, &["--port", &port]);
    assert_eq!(again.authority, format!("127.0.0.1:{port}"));
    assert_eq!(again.end("INT").code, 0);
}

#[test]
fn it_opens_a_browser_where_it_is_told_to() {
    let stage = stage();
    let _daemon = stage.ready();
    let tools = stage.setup.dir.join("tools");
    let opened = stage.setup.dir.join("opened");
    std::fs::create_dir(&tools).expect("a folder");
    let tool = tools.join("xdg-open");
    let script = format!(
        "#!/bin/sh\necho \"$1 $$ $(cut -d' ' -f5 /proc/$$/stat)\" > {0}.new && mv {0}.new {0}\nexit 3\n",
        opened.display()
    );
    std::fs::write(&tool, script).expect("a script");
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Ctl::new(&stage).command(&["dashboard", "--open"]);
    let mut child = command
        .env("PATH", format!("{}:{path}", tools.display()))
        .spawn()
        .expect("it starts");
    let mut told = String::new();
    until("the browser is told the address", || {
        told = std::fs::read_to_string(&opened).map_err(|error| error.to_string())?;
        Ok(())
    });
    let told: Vec<&str> = told.split_whitespace().collect();
    let [address, process, group] = told[..] else {
        panic!("{told:?}")
    };
    // A Ctrl-C for this program is none for it.
    assert_eq!(process, group);
    let rest = address.strip_prefix("http://").expect("an address");
    let (authority, door) = rest.split_once('/').expect("a path");
    assert_eq!(get(authority, &format!("/{door}"), &[]).status, 303);
    let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut complaint = String::new();
    errors.read_line(&mut complaint).expect("a line");
    assert!(
        complaint.contains("opened nothing (exit status: 3)"),
        "{complaint}"
    );
    // Nobody has read what it printed so far.
    child.kill().expect("it can be killed");
    let output = child.wait_with_output().expect("its output");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(printed.contains(address), "{printed}");
}
