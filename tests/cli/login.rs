//! `login`, from nothing: in a terminal with typed answers, and in two runs by flags.

use crate::ctl::Ctl;
use crate::golden::Golden;
use crate::terminal::{Terminal, without_colours};
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::sandbox::{Options, To};
use agentchatd_tests::stage::{Stage, until};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// A platform that sends as many codes as one likes, and a daemon without a key.
fn nobody() -> (Stage, Daemon) {
    let options = Options {
        address_caps: false,
        code_caps: false,
        ..Stage::options()
    };
    let mut stage = Stage::with(env!("CARGO_BIN_EXE_agentchatd"), options);
    stage.setup.key = String::new();
    let daemon = stage.start();
    (stage, daemon)
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn subscribed(daemon: &Daemon) {
    let open = daemon.status_until(|status| status["subscriptions"] == 1);
    open.expect("the subscription is open");
}

#[test]
fn a_new_user_comes_from_nothing_to_a_tail() {
    let (stage, daemon) = nobody();
    let ctl = Ctl::new(&stage);
    let mut terminal = Terminal::open(&ctl, &["login"], 100);
    terminal.expect("[new/recover]: ");
    terminal.enter("");
    terminal.expect("E-mail address: ");
    terminal.enter("eve");
    terminal.expect("that is no e-mail address");
    terminal.expect("E-mail address: ");
    terminal.enter("eve@example.org");
    terminal.expect("Handle: ");
    terminal.enter("@dora");
    terminal.expect("Display name, if it has one: ");
    terminal.enter("Eve \u{e9}");
    terminal.expect("taken; choose another");
    terminal.expect("Handle: ");
    terminal.enter("eve");
    terminal.expect("Code from the mail: ");
    terminal.enter("12");
    terminal.expect("a code has six digits");
    terminal.expect("Code from the mail: ");
    terminal.enter("000000");
    terminal.expect("the code is wrong");
    terminal.expect("Code from the mail: ");
    terminal.enter("123456");
    terminal.expect("logged in");
    let ran = terminal.end();
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let file = stage.setup.dir.join("state/credentials.toml");
    assert!(
        ran.stdout.contains(&file.display().to_string()),
        "{}",
        ran.stdout
    );
    assert!(
        without_colours(&ran.stdout).contains("name     Eve \u{e9}\n"),
        "{}",
        ran.stdout
    );
    let key = stage.sandbox.agent("eve").key().to_owned();
    assert!(!ran.stdout.contains(&key));
    assert!(fs::read_to_string(&file).expect("the key").contains(&key));

    let whoami = Terminal::open(&ctl, &["whoami"], 100).end();
    assert!(
        without_colours(&whoami.stdout).contains("handle   @eve\n"),
        "{}",
        whoami.stdout
    );
    let sent = Terminal::open(&ctl, &["send", "@bob", "hello"], 100).end();
    assert_eq!(sent.code, 0, "{}", sent.stdout);

    let mut tail = Terminal::open(&ctl, &["tail"], 100);
    subscribed(&daemon);
    stage.sandbox.send("bob", To::Handle("eve"), "welcome, eve");
    tail.expect("welcome, eve");
    tail.press("\u{3}");
    let ran = tail.end();
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("@bob"), "{}", ran.stdout);
}

#[test]
fn two_runs_do_without_a_terminal() {
    let (stage, _daemon) = nobody();
    let mut golden = Golden::new(&stage, "login");
    golden.run(&["login"]);
    golden.run(&["login", "--email", "eve@example.org"]);
    golden.run(&["login", "--code", "123456"]);
    golden.run(&["login", "--email", "eve@example.org", "--handle", "dora"]);
    let begin = ["login", "--email", "eve@example.org", "--handle", "@eve"];
    golden.run(&begin);
    let ran = golden.run(&[&begin[..], &["--display-name", "Eve", "--json"]].concat());
    let pending = json_of(&ran.stdout)["pending_id"].clone();
    let pending = pending.as_str().expect("a pending id");
    golden.run(&["login", "--pending-id", pending, "--code", "000000"]);
    golden.run(&["login", "--pending-id", "pnd_unknown", "--code", "123456"]);
    golden.run(&["login", "--pending-id", pending, "--code", "123456"]);
    golden.run(&["login"]);
    golden.run(&["login", "--json"]);
    golden.run(&["login", "--handle", "@somebody-else"]);
    golden.check();
}

#[test]
fn a_lost_agent_is_recovered_in_two_runs_and_in_a_terminal() {
    let (stage, daemon) = nobody();
    let ctl = Ctl::new(&stage);
    let begin = [
        "login",
        "--recover",
        "--email",
        "dora@example.test",
        "--json",
    ];
    let told = json_of(&ctl.ok(&begin));
    let pending = told["pending_id"].as_str().expect("a pending id");
    let end = [
        "login",
        "--recover",
        "--pending-id",
        pending,
        "--code",
        "123456",
        "--json",
    ];
    let told = json_of(&ctl.ok(&end));
    assert_eq!(
        (&told["handle"], &told["state"]),
        (&json!("dora"), &json!("ready"))
    );

    // Somebody else gets a key, and the daemon's is dead; it knows whom to recover.
    stage.sandbox.rotate_key("dora", "ac_of_somebody_else");
    let parked = daemon.status_until(|status| status["connection"]["state"] == "parked");
    parked.expect("it parks");
    let mut terminal = Terminal::open(&ctl, &["login"], 100);
    terminal.expect("E-mail address: ");
    terminal.enter("dora@example.test");
    terminal.expect("Code from the mail: ");
    // The code is not used in time, so another one is asked for.
    stage
        .sandbox
        .pass_time(std::time::Duration::from_secs(3600));
    terminal.enter("123456");
    terminal.expect("Once more from the beginning");
    terminal.expect("Code from the mail: ");
    terminal.enter("123456");
    terminal.expect("logged in");
    assert_eq!(terminal.end().code, 0);
    assert!(ctl.ok(&["whoami"]).contains("@dora"));
}

#[test]
fn three_more_codes_are_asked_for_and_then_it_ends() {
    let (stage, _daemon) = nobody();
    let ctl = Ctl::new(&stage);
    let begin = ["login", "--email", "eve@example.org", "--handle", "eve"];
    let mut terminal = Terminal::open(&ctl, &begin, 100);
    terminal.expect("Display name");
    terminal.enter("");
    for _ in 0..4 {
        terminal.expect("Code from the mail: ");
        terminal.enter("000000");
    }
    let ran = terminal.end();
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.stdout.matches("the code is wrong").count(),
        4,
        "{}",
        ran.stdout
    );
    // And who goes away in the middle leaves nothing behind.
    let mut terminal = Terminal::open(&ctl, &begin, 100);
    terminal.expect("Display name");
    terminal.press("\u{4}");
    let ran = terminal.end();
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("nothing more was done"),
        "{}",
        ran.stdout
    );
    let mut terminal = Terminal::open(&ctl, &begin, 100);
    terminal.expect("Display name");
    terminal.press("\u{3}");
    assert_eq!(terminal.end().code, -1);
}

#[test]
fn a_key_that_one_has_is_taken_from_a_file_and_shown_nowhere() {
    let (stage, daemon) = nobody();
    let ctl = Ctl::new(&stage);
    let key = stage.sandbox.agent("dora").key().to_owned();
    let source = stage.setup.dir.join("mine");
    let place = stage.setup.dir.join("state/credentials.toml");
    let login = ["login", "--key-file", source.to_str().expect("UTF-8")];

    let ran = ctl.run(&login);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("cannot be read"), "{}", ran.stderr);
    for wrong in ["two words", ""] {
        fs::write(&source, wrong).expect("a file");
        let ran = ctl.run(&login);
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.contains("no API key"), "{}", ran.stderr);
    }
    // One that AgentChat refuses is taken back.
    fs::write(&source, "ac_not_known\n").expect("a file");
    let ran = ctl.run(&login);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot use this key"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("ac_not_known"), "{}", ran.stderr);
    assert!(!place.exists());

    let ran = ctl.fed(&["login", "--key-file", "-"], format!("{key}\n").as_bytes());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("logged in as @dora"), "{}", ran.stdout);
    assert!(!ran.stdout.contains(&key) && !ran.stderr.contains(&key));
    let mode = fs::metadata(&place).expect("a file").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);

    // A second one: first there is nothing to be done, and then no key is written over.
    fs::write(&source, &key).expect("a file");
    assert!(ctl.ok(&login).contains("logged in already as @dora"));
    stage.sandbox.rotate_key("dora", "ac_of_somebody_else");
    let parked = daemon.status_until(|status| status["connection"]["state"] == "parked");
    parked.expect("it parks");
    fs::write(&source, "ac_of_somebody_else").expect("a file");
    let ran = ctl.run(&login);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("holds a key already"), "{}", ran.stderr);
    fs::remove_file(&place).expect("it can be moved away");
    ctl.ok(&login);
    until("it is connected", || {
        let ran = ctl.run(&["health"]);
        if ran.code == 0 {
            Ok(())
        } else {
            Err(ran.stdout)
        }
    });
}

#[test]
fn without_a_daemon_it_says_how_to_start_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let ran = Ctl::at(&dir.path().join("none.sock")).run(&["login"]);
    assert_eq!(ran.code, 4);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("start it with `agentchatd`"),
        "{}",
        ran.stderr
    );
}
