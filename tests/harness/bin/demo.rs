//! `cargo demo`: the whole of agentchatd in half a minute, without an account and without a
//! network.
//!
//! Starts a sandbox platform and the real daemon on temporary paths, lets another agent write,
//! shows the events as they reach a durable consumer, answers, kills the daemon with SIGKILL in
//! the middle of a burst, starts it again and counts. Exits non-zero where a figure is wrong.
#![expect(clippy::print_stdout, reason = "the demo talks to a person")]

use agentchatd_tests::daemon::{self, Setup};
use agentchatd_tests::raw::Raw;
use agentchatd_tests::sandbox::{Options, Sandbox, To};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("the demo broke off: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<bool> {
    say("building the daemon");
    let binary = daemon::build("agentchatd", "agentchatd")?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let sandbox = runtime
        .block_on(Sandbox::start(Options::modern()))
        .map_err(io::Error::other)?;
    let key = sandbox.agent("me").key().to_owned();
    sandbox.agent("ann");
    let dir = tempfile::tempdir()?;
    let setup = Setup::new(&binary, dir.path(), &sandbox.base_url(), &key);
    say("starting a sandbox platform with the agents @me and @ann, and agentchatd as @me");
    let mut running = setup.start()?;
    running.ready()?;

    say("a durable consumer subscribes; @ann writes, and what arrives is printed");
    let events = consume(setup.socket());
    let mut seen = Seen::default();
    for text in ["hello", "are you there?"] {
        sandbox.send("ann", To::Handle("me"), json!({"text": text}));
    }
    seen.take(&events, 2, true)?;

    say("answering through the daemon");
    let params = json!({"to": "@ann", "text": "I am. Write as fast as you like."});
    let answer = running.connect()?.result("messages.send", &params)?;
    println!(
        "    sent as seq {} at offset {}",
        answer["message"]["seq"], answer["offset"]
    );
    seen.take(&events, 1, true)?;

    say(&format!(
        "@ann writes a burst of {BURST}; in its middle the daemon is killed with SIGKILL"
    ));
    for number in 0..BURST {
        sandbox.send(
            "ann",
            To::Handle("me"),
            json!({"text": format!("burst {number}")}),
        );
        if number == BURST / 2 {
            seen.take(&events, 20, false)?;
            running.kill()?;
            println!(
                "    killed pid {} after {} events reached the consumer",
                running.pid(),
                seen.order.len()
            );
        }
    }
    let sent = 3 + BURST;
    say("starting it again; the consumer connects by itself and goes on where it stopped");
    let restarted = Instant::now();
    running = setup.start()?;
    seen.take_until(&events, sent)?;
    println!(
        "    everything was there {} ms after the start",
        restarted.elapsed().as_millis()
    );

    let truth: Vec<String> = sandbox
        .messages_for("me")
        .into_values()
        .flatten()
        .map(|message| message.id)
        .collect();
    let good = table(&truth, &seen, sent);
    goodbye();
    let status = running.stop()?;
    Ok(good && status.success())
}

/// What the consumer was given.
#[derive(Default)]
struct Seen {
    /// Message ids, in the order of their first appearance.
    order: Vec<(String, u64)>,
    ids: BTreeSet<String>,
    twice: usize,
    marked: usize,
}

impl Seen {
    fn take(&mut self, events: &Receiver<Value>, count: usize, show: bool) -> io::Result<()> {
        let wanted = self.order.len() + count;
        while self.order.len() < wanted {
            let event = events.recv_timeout(PATIENCE).map_err(io::Error::other)?;
            if show {
                println!(
                    "    offset {} {} seq {} from @{}: {}",
                    event["offset"],
                    event["type"].as_str().unwrap_or_default(),
                    event["seq"],
                    event["payload"]["sender"].as_str().unwrap_or_default(),
                    event["payload"]["content"]["text"]
                        .as_str()
                        .unwrap_or_default(),
                );
            }
            self.note(&event);
        }
        Ok(())
    }

    fn take_until(&mut self, events: &Receiver<Value>, count: usize) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.order.len() < count {
            match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(event) => self.note(&event),
                // The table will tell what is missing.
                Err(RecvTimeoutError::Timeout) => break,
                Err(error @ RecvTimeoutError::Disconnected) => return Err(io::Error::other(error)),
            }
        }
        Ok(())
    }

    fn note(&mut self, event: &Value) {
        let Some(id) = event["message_id"].as_str() else {
            return;
        };
        if self.ids.insert(id.to_owned()) {
            self.order
                .push((id.to_owned(), event["seq"].as_u64().unwrap_or(0)));
        } else if event["redelivered"] == true {
            self.marked += 1;
        } else {
            self.twice += 1;
        }
    }
}

fn table(truth: &[String], seen: &Seen, sent: usize) -> bool {
    let places: BTreeMap<&str, usize> = seen
        .order
        .iter()
        .enumerate()
        .map(|(place, (id, _))| (id.as_str(), place))
        .collect();
    let lost = truth
        .iter()
        .filter(|id| !places.contains_key(id.as_str()))
        .count();
    let disordered = seen
        .order
        .windows(2)
        .filter(|pair| pair[0].1 >= pair[1].1)
        .count();
    println!();
    println!(
        "    sent          {:>5}   messages that the platform has for @me",
        truth.len()
    );
    println!(
        "    received      {:>5}   by the durable consumer",
        seen.order.len()
    );
    println!("    lost          {lost:>5}");
    println!(
        "    twice         {:>5}   ({} more came again, marked `redelivered`)",
        seen.twice, seen.marked
    );
    println!("    out of order  {disordered:>5}");
    println!();
    truth.len() == sent && seen.order.len() == sent && lost + seen.twice + disordered == 0
}

/// A consumer in a thread of its own: acknowledges each event and outlives the daemon.
fn consume(socket: PathBuf) -> Receiver<Value> {
    let (sender, events) = mpsc::channel();
    thread::spawn(move || {
        let subscribe = || -> io::Result<()> {
            let mut raw = Raw::connect(&socket, Duration::from_secs(3600))?;
            let params = json!({"consumer": "demo", "from": "earliest", "takeover": true});
            raw.result("events.subscribe", &params)?;
            while let Some(note) = raw.notification()? {
                let event = note["params"]["result"].clone();
                let Some(offset) = event["offset"].as_u64() else {
                    continue;
                };
                if sender.send(event).is_err() {
                    return Ok(());
                }
                raw.start("events.ack", &json!({"consumer": "demo", "offset": offset}))?;
            }
            Err(io::ErrorKind::UnexpectedEof.into())
        };
        while subscribe().is_err() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    events
}

fn goodbye() {
    println!("To go on by hand, in three shells:");
    println!();
    println!(
        "  cargo run -p agentchatd-tests --bin agentchat-sandbox -- --port 8765 --agent me --echo"
    );
    println!();
    println!("  AGENTCHAT_BASE_URL=http://127.0.0.1:8765 AGENTCHAT_API_KEY=ac_sandbox_me \\");
    println!(
        "    cargo run -p agentchatd -- --socket /tmp/agentchatd-demo/s.sock --state-dir /tmp/agentchatd-demo/state"
    );
    println!();
    println!(
        "  echo '{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"messages.send\",\"params\":{{\"to\":\"@echo\",\"text\":\"hi\"}}}}' \\"
    );
    println!("    | nc -NU /tmp/agentchatd-demo/s.sock");
}

fn say(text: &str) {
    println!("==> {text}");
}

/// Messages of the burst.
const BURST: usize = 500;
/// How long an event may take.
const PATIENCE: Duration = Duration::from_secs(30);
