//! The stage of a replay: a sandbox with the actors of the trace, and the operations that a
//! recording did directly in the database or told only in words.

use super::exchange::next_second;
use super::fixture::{Step, Trace};
use super::run::Replay;
use agentchatd_tests::sandbox::{
    AccountStatus, ConnectFault, Draft, Late, Options, OwnerPause, Sandbox, Setting, To,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// The recorded heartbeat and deadlines are half a minute and more; here they pass faster.
const HEARTBEAT: Duration = Duration::from_secs(2);
const PONG_DEADLINE: Duration = Duration::from_secs(1);
const HELLO_DEADLINE: Duration = Duration::from_millis(1_500);
/// How long a change inside the sandbox may take to show itself.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause between two looks at the sandbox's state.
const LOOK: Duration = Duration::from_millis(10);
/// Sends under way at the same time where a recording made many.
const AT_ONCE: u64 = 10;

/// A sandbox in April mode and who acts in it.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    /// Letter -> handle.
    pub(crate) actors: BTreeMap<String, String>,
    /// Letter -> key.
    pub(crate) keys: BTreeMap<String, String>,
    /// `http://127.0.0.1:port`.
    pub(crate) base: String,
    /// `127.0.0.1:port`.
    pub(crate) address: String,
    database_delay: Duration,
}

impl Stage {
    /// Starts the sandbox of a trace.
    pub(crate) async fn set(trace: &Trace) -> Self {
        let mut options = Options::april();
        options.hello_deadline = HELLO_DEADLINE;
        if trace.waits_for_heartbeats() {
            options.heartbeat = HEARTBEAT;
            options.pong_deadline = PONG_DEADLINE;
        }
        if trace.makes_bulk() {
            options.sends_per_second = None;
        }
        let sandbox = Sandbox::start(options).await.expect("the sandbox starts");
        let keys = trace
            .actors
            .iter()
            .map(|(letter, handle)| (letter.clone(), sandbox.agent(handle).key().to_owned()))
            .collect();
        sandbox.agent("chatfather");
        Self {
            base: sandbox.base_url(),
            address: sandbox.address().to_string(),
            actors: trace.actors.clone(),
            keys,
            sandbox,
            database_delay: Duration::ZERO,
        }
    }

    fn handle(&self, letter: &str) -> &str {
        &self.actors[letter]
    }

    /// A slow database shows itself at a socket as a slow lookup of the key.
    pub(crate) fn before_connect(&self) {
        if !self.database_delay.is_zero() {
            let slow = ConnectFault::SlowLookup(self.database_delay);
            self.sandbox.faults(|faults| faults.connect.push_back(slow));
        }
    }

    /// Begins the row of a send that is held up, without HTTP: its answer is asked for later.
    pub(crate) fn begin(&self, step: &Step) {
        let body = &step.fields["body"];
        let text = |name: &str| body[name].as_str().expect("a held send is a direct one");
        let draft = Draft::from(body["content"].clone()).client_msg_id(text("client_msg_id"));
        self.sandbox.send_late(
            self.handle(step.text("actor")),
            To::Handle(text("to")),
            draft,
            Late::OnRelease,
        );
    }

    /// A ghost lives until the next heartbeat.
    async fn ghosts_end(&self, actor: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.sandbox.sockets(actor) > 0 {
            assert!(
                Instant::now() < deadline,
                "the ghost of {actor} does not go"
            );
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Trace {
    /// Whether a heartbeat is part of what was recorded.
    fn waits_for_heartbeats(&self) -> bool {
        self.steps
            .iter()
            .any(|step| step.op == "ws.ping" || step.op == "ghosts_end")
    }

    /// Whether the recording made messages by the hundred, at a pace that was no part of it.
    fn makes_bulk(&self) -> bool {
        self.steps
            .iter()
            .any(|step| step.op == "bulk" || step.op == "parallel_rounds")
    }
}

impl Replay {
    /// Performs a named operation.
    pub(super) async fn set_up(&mut self, step: &Step) {
        let sandbox = &self.stage.sandbox;
        let actor = step.fields["actor"]
            .as_str()
            .map(|letter| self.stage.handle(letter).to_owned());
        let actor = actor.unwrap_or_default();
        match step.op.as_str() {
            "undelivered_count" => self.set(&actor, Setting::Backlog(Some(step.number("count")))),
            "status" => self.set(&actor, Setting::StatusRow(status(step.text("status")))),
            "pause" => self.set(&actor, Setting::Pause(pause(step.text("mode")))),
            "database_delay" => {
                self.stage.database_delay = Duration::from_millis(step.number("ms"));
            }
            "ghosts_end" => self.stage.ghosts_end(&actor).await,
            // What is held is held from its beginning on.
            "hold_conversation" => {}
            "release_conversation" => sandbox.release_held(),
            "blocked_by_strangers" => {
                self.blocked_by_strangers(&actor, step.number("count"));
            }
            "cold_conversations" => {
                for n in 0..step.number("count") {
                    let stranger = format!("stranger-{n}");
                    sandbox.agent(&stranger);
                    sandbox.send(&actor, To::Handle(&stranger), "cold");
                }
            }
            "pass_time" => sandbox.pass_time(Duration::from_secs(step.number("seconds"))),
            "agents" => {
                for handle in step.texts("handles") {
                    sandbox.agent(&handle);
                }
            }
            "no_display_name" => self.set(&actor, Setting::DisplayName(None)),
            "contacts" => {
                let other = self.stage.handle(step.text("other")).to_owned();
                self.set(&actor, Setting::Contact(other.clone()));
                self.set(&other, Setting::Contact(actor));
            }
            "time" => {
                let after = Duration::from_millis(step.number("after_ms"));
                let time = sandbox.time_after(after);
                self.memory.remember(step.number("into"), json!(time));
            }
            "slow_route" => self.slow_route(step),
            "put_bytes" => self.put_bytes(step).await,
            "full_group" => self.full_group(step, &actor),
            "at_once" => self.at_once(step).await,
            "unrecorded" => self.unrecorded(step).await,
            "shutdown" => sandbox.stop().await,
            "http.refused" => self.refuses_connections(step).await,
            "bulk" => self.bulk(step).await,
            "burst" => self.burst(step).await,
            "parallel_rounds" => self.rounds(step).await,
            "deliveries" => self.deliveries(step, &actor).await,
            other => panic!("step {}: no operation {other}", step.n),
        }
    }

    fn set(&self, actor: &str, setting: Setting) {
        self.stage.sandbox.set(actor, &setting);
    }

    async fn post(&self, key: &str, path: &str, body: &Value) -> reqwest::Response {
        self.client
            .post(format!("{}{path}", self.stage.base))
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .expect("the sandbox answers every request")
    }

    fn blocked_by_strangers(&self, actor: &str, count: u64) {
        for n in 0..count {
            let stranger = self.stage.sandbox.agent(&format!("blocker-{n}"));
            self.stage
                .sandbox
                .send(actor, To::Handle(stranger.handle()), "hello");
            let block = Setting::Block(actor.to_owned());
            self.stage.sandbox.set(stranger.handle(), &block);
        }
    }

    /// Requests like a recorded one that the recording left out.
    async fn unrecorded(&mut self, step: &Step) {
        let key = step.fields["actor"].as_str();
        let key = key.map_or("", |letter| self.stage.keys[letter].as_str());
        let key = key.to_owned();
        let target = self.memory.fill_text(step.text("target"));
        let body = self.memory.fill(&step.fields["body"]);
        for _ in 0..step.number("times") {
            let answer = self.post(&key, &target, &body).await;
            let (status, wanted) = (answer.status().as_u16(), step.number("status"));
            let text = answer.text().await.expect("a body");
            assert_eq!(u64::from(status), wanted, "step {}: {text}", step.n);
            let body = serde_json::from_str(&text).unwrap_or_default();
            self.memory.remember(step.n, body);
        }
    }

    /// The server is gone.
    async fn refuses_connections(&mut self, step: &Step) {
        let url = format!("{}{}", self.stage.base, step.text("target"));
        if let Ok(answer) = self.client.get(url).send().await {
            self.tell(step.n, format!("answered with {}", answer.status()));
        }
    }

    /// Many messages by several senders in turns. Big ones go over HTTP, so that sockets which
    /// read can keep up.
    async fn bulk(&mut self, step: &Step) {
        let to = self.stage.handle(step.text("to")).to_owned();
        let senders = step.texts("from");
        let text =
            "x".repeat(usize::try_from(step.fields["bytes"].as_u64().unwrap_or(1)).expect("fits"));
        let mut batch = Vec::new();
        for n in 0..step.number("count") {
            let sender = &senders[usize::try_from(n).expect("fits") % senders.len()];
            let id = format!("bulk-{}-{n}", step.n);
            let body = json!({"to": to, "client_msg_id": id, "content": {"text": text}});
            batch.push((self.stage.keys[sender].clone(), body));
            if batch.len() as u64 == AT_ONCE {
                self.send_together(&std::mem::take(&mut batch)).await;
            }
        }
        self.send_together(&batch).await;
    }

    async fn send_together(&self, batch: &[(String, Value)]) {
        let sends = batch
            .iter()
            .map(|(key, body)| self.post(key, "/v1/messages", body));
        for answer in join_all(sends).await {
            assert_eq!(answer.status().as_u16(), 201, "a message of many is taken");
        }
    }

    /// More sends than a second allows, begun with the second.
    async fn burst(&mut self, step: &Step) {
        let to = self.stage.handle(step.text("to")).to_owned();
        let key = self.stage.keys[step.text("actor")].clone();
        let bodies: Vec<_> = (0..step.number("count"))
            .map(|n| json!({"to": to, "client_msg_id": format!("burst-{n}"), "content": {"text": "x"}}))
            .collect();
        next_second().await;
        let answers = join_all(
            bodies
                .iter()
                .map(|body| self.post(&key, "/v1/messages", body)),
        )
        .await;
        let mut statuses: BTreeMap<String, u64> = BTreeMap::new();
        let mut waits = BTreeSet::new();
        for answer in &answers {
            *statuses
                .entry(answer.status().as_u16().to_string())
                .or_default() += 1;
            if answer.status().as_u16() == 429 {
                let wait = answer.headers().get("retry-after");
                waits.insert(
                    wait.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()),
                );
            }
        }
        if json!(statuses) != step.fields["statuses"] {
            self.tell(
                step.n,
                format!("statuses {statuses:?}, not {}", step.fields["statuses"]),
            );
        }
        if waits != BTreeSet::from([Some(step.text("retry_after").to_owned())]) {
            self.tell(step.n, format!("Retry-After {waits:?}"));
        }
        next_second().await;
    }

    /// Rounds of parallel sends; afterwards all of them wait.
    async fn rounds(&mut self, step: &Step) {
        let to = self.stage.handle(step.text("to")).to_owned();
        let senders = step.texts("from");
        for round in 0..step.number("rounds") {
            let batch: Vec<_> = (0..step.number("each"))
                .map(|n| {
                    let sender = &senders[usize::try_from(n).expect("fits") % senders.len()];
                    let id = format!("round-{round}-{n}");
                    let body = json!({"to": to, "client_msg_id": id, "content": {"text": "x"}});
                    (self.stage.keys[sender].clone(), body)
                })
                .collect();
            self.send_together(&batch).await;
        }
        let page = self
            .client
            .get(format!("{}/v1/messages/sync?limit=500", self.stage.base))
            .header(
                "authorization",
                format!("Bearer {}", self.stage.keys[step.text("to")]),
            )
            .send()
            .await
            .expect("the sandbox answers every request");
        let rows: Vec<Value> =
            serde_json::from_str(&page.text().await.expect("a body")).expect("a page is an array");
        if rows.len() as u64 != step.number("rows") {
            self.tell(
                step.n,
                format!("{} rows wait, not {}", rows.len(), step.number("rows")),
            );
        }
        let mut highest: BTreeMap<String, u64> = BTreeMap::new();
        let mut below = 0;
        for row in &rows {
            let seq = row["seq"].as_u64().expect("rows have a seq");
            let high = highest
                .entry(row["conversation_id"].to_string())
                .or_default();
            below += u64::from(seq < *high);
            *high = seq.max(*high);
        }
        if (below > 0) != (step.number("below") > 0) {
            self.tell(
                step.n,
                format!(
                    "{below} rows below an earlier seq, not {}",
                    step.number("below")
                ),
            );
        }
    }

    /// Rows of an agent by their state. Marking a row as sent may come a little after the frame.
    async fn deliveries(&mut self, step: &Step, actor: &str) {
        let wanted = &step.fields["rows"];
        let deadline = Instant::now() + PATIENCE;
        loop {
            let rows = json!(self.stage.sandbox.rows_by_state(actor));
            if rows == *wanted {
                return;
            }
            if Instant::now() > deadline {
                return self.tell(step.n, format!("rows of {actor}: {rows}, not {wanted}"));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn status(name: &str) -> AccountStatus {
    match name {
        "active" => AccountStatus::Active,
        "restricted" => AccountStatus::Restricted,
        "suspended" => AccountStatus::Suspended,
        other => panic!("no status {other}"),
    }
}

fn pause(name: &str) -> OwnerPause {
    match name {
        "none" => OwnerPause::None,
        "send" => OwnerPause::Send,
        "full" => OwnerPause::Full,
        other => panic!("no pause {other}"),
    }
}
