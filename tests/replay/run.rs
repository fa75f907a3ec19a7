//! Runs the steps of one trace, in order, and collects what differs.

use super::compare::Memory;
use super::differences::{DIFFERENCES, is_listed};
use super::exchange::{self, Answer, Pace, Request};
use super::fixture::{Step, Trace};
use super::setup::Stage;
use super::socket::{Event, PATIENCE, Socket, Upgrade};
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

/// How long to wait for a frame that is expected not to come.
const NO_PATIENCE: Duration = Duration::from_millis(200);

/// A replay under way.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(super) trace: Trace,
    pub(super) stage: Stage,
    pub(super) client: reqwest::Client,
    pub(super) memory: Memory,
    pub(super) sockets: HashMap<String, Socket>,
    upgrades: HashMap<String, Upgrade>,
    begun: HashMap<u64, Step>,
    pace: Pace,
    told: Vec<(u64, String)>,
}

/// Replays a trace against a sandbox of its own and fails with all that differs unexpectedly.
pub(crate) async fn replay(name: &str) {
    let trace = Trace::load(name);
    let stage = Stage::set(&trace).await;
    agentchatd_tests::tls::choose_cryptography();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client can be built");
    let mut replay = Replay {
        memory: Memory::new(stage.keys.clone()),
        trace,
        stage,
        client,
        sockets: HashMap::new(),
        upgrades: HashMap::new(),
        begun: HashMap::new(),
        pace: Pace::default(),
        told: Vec::new(),
    };
    for step in replay.trace.steps.clone() {
        replay.run(&step).await;
    }
    assert!(
        replay.begun.is_empty(),
        "{name}: an exchange was begun and never finished"
    );
    verdict(&name[..2], &replay.told);
}

/// Splits what was told into expected and unexpected, and fails on the rest of either side.
fn verdict(trace: &str, told: &[(u64, String)]) {
    let listed: Vec<_> = DIFFERENCES
        .iter()
        .filter(|entry| entry.trace == trace)
        .collect();
    let unexpected: Vec<_> = told
        .iter()
        .filter(|(n, text)| {
            !listed
                .iter()
                .any(|entry| entry.n == *n && text.contains(entry.tells))
        })
        .map(|(n, text)| format!("step {n}: {text}"))
        .collect();
    let stale: Vec<_> = listed
        .iter()
        .filter(|entry| {
            !told
                .iter()
                .any(|(n, text)| entry.n == *n && text.contains(entry.tells))
        })
        .map(|entry| {
            format!(
                "step {}: listed ({}), but there is no such difference",
                entry.n, entry.why
            )
        })
        .collect();
    let all = [unexpected, stale].concat();
    assert!(
        all.is_empty(),
        "trace {trace}, {} differences:\n{}",
        all.len(),
        all.join("\n")
    );
}

impl Replay {
    async fn run(&mut self, step: &Step) {
        match step.op.as_str() {
            "note" => {}
            "http" | "sync_rows" => self.exchange(step).await,
            "begin" => self.begin(step),
            "finish" => self.finish(step).await,
            "parallel" => self.parallel(step).await,
            "ws.connect" => self.connect(step).await,
            "ws.open" => self.open(step),
            "ws.refused" => self.refused(step),
            "ws.send" => self.send(step).await,
            "send_padding" => self.send_padding(step).await,
            "ws.recv" => self.receive(step).await,
            "ws.drain" => self.drain(step).await,
            "read_some" => self.read_some(step).await,
            "quiet" | "ping" => self.quiet(step).await,
            "ws.ping" => self.pinged(step).await,
            "ws.close" => self.close(step).await,
            "stop_reading" => self.sockets[step.text("sock")].read_on(false),
            "read_to_close" => self.read_to_close(step).await,
            _ => self.set_up(step).await,
        }
    }

    pub(super) fn tell(&mut self, n: u64, text: impl Into<String>) {
        self.told.push((n, text.into()));
    }

    fn compared(&mut self, step: &Step, answer: &Answer) {
        let mut told = Vec::new();
        exchange::compare(step, answer, &self.memory, &mut told);
        self.memory.remember(step.n, answer.body.clone());
        let what = format!("{} {}", step.text("method"), step.text("target"));
        self.told.extend(
            told.into_iter()
                .map(|text| (step.n, format!("{what}: {text}"))),
        );
    }

    async fn exchange(&mut self, step: &Step) {
        self.pace.wait(step).await;
        let answer = Request::new(&self.client, &self.stage.base, step, &self.memory)
            .send()
            .await;
        self.compared(step, &answer);
    }

    fn begin(&mut self, step: &Step) {
        self.stage.begin(step);
        self.begun.insert(step.n, step.clone());
    }

    async fn finish(&mut self, step: &Step) {
        let begun = self
            .begun
            .remove(&step.n)
            .expect("what is finished was begun");
        self.exchange(&begun).await;
    }

    async fn parallel(&mut self, step: &Step) {
        let exchanges = step.fields["exchanges"].as_array().expect("exchanges");
        let exchanges: Vec<_> = exchanges.iter().cloned().map(Step::new).collect();
        for exchange in &exchanges {
            self.pace.wait(exchange).await;
        }
        let requests = exchanges
            .iter()
            .map(|e| Request::new(&self.client, &self.stage.base, e, &self.memory).send());
        let answers = join_all(requests).await;
        let mut seqs = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for (exchange, answer) in exchanges.iter().zip(&answers) {
            self.compared(exchange, answer);
            seqs.insert(answer.body["seq"].as_u64());
            ids.insert(answer.body["id"].clone().to_string());
        }
        let first = seqs.first().copied().flatten().unwrap_or_default();
        let dense: BTreeSet<_> = (first..first + exchanges.len() as u64).map(Some).collect();
        if seqs != dense {
            self.tell(
                step.n,
                format!("seqs of parallel sends {seqs:?} are not dense"),
            );
        }
        for _ in 0..step.number("pushes") {
            if let Some(frame) = self.frame(step).await {
                ids.remove(&frame["payload"]["id"].to_string());
                self.compare_frame(step, &frame);
            }
        }
        if !ids.is_empty() {
            self.tell(
                step.n,
                format!("sent in parallel and never pushed: {ids:?}"),
            );
        }
    }

    async fn connect(&mut self, step: &Step) {
        let headers: Vec<_> = step.fields["headers"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                (
                    name.clone(),
                    self.memory.fill_text(value.as_str().unwrap_or_default()),
                )
            })
            .collect();
        let target = self.memory.fill_text(step.text("target"));
        let pongs = step.fields["pongs"].as_bool().unwrap_or(true);
        self.stage.before_connect();
        let upgrade = Socket::connect(&self.stage.address, &target, &headers, pongs).await;
        self.upgrades.insert(step.text("sock").to_owned(), upgrade);
    }

    fn open(&mut self, step: &Step) {
        match self.upgrades.remove(step.text("sock")) {
            Some(Upgrade::Open(socket, extensions)) => {
                self.sockets.insert(step.text("sock").to_owned(), *socket);
                if let Some(extensions) = extensions {
                    self.tell(step.n, format!("negotiated {extensions}"));
                }
            }
            other => self.tell(
                step.n,
                format!("{} is not open: {other:?}", step.text("sock")),
            ),
        }
    }

    fn refused(&mut self, step: &Step) {
        match self.upgrades.remove(step.text("sock")) {
            Some(Upgrade::Refused(status)) if u64::from(status) == step.number("status") => {}
            other => self.tell(
                step.n,
                format!("not refused with {}: {other:?}", step.number("status")),
            ),
        }
    }

    async fn send(&mut self, step: &Step) {
        let message = if let Some(raw) = step.fields["raw"].as_str() {
            Message::text(raw)
        } else if let Some(length) = step.fields["binary"].as_u64() {
            Message::binary(self.binary_hello(length))
        } else {
            Message::text(self.memory.fill(&step.fields["frame"]).to_string())
        };
        if let Some(socket) = self.sockets.get_mut(step.text("sock")) {
            socket.send(message).await;
        }
    }

    /// The bytes of a hello where the recorded binary frame was long enough to be one, else zeros.
    fn binary_hello(&self, length: u64) -> Vec<u8> {
        const SHORTEST_HELLO: u64 = 40;
        if length < SHORTEST_HELLO {
            return vec![0; usize::try_from(length).unwrap_or_default()];
        }
        let hello = serde_json::json!({"type": "hello", "api_key": "<key G>"});
        self.memory.fill(&hello).to_string().into_bytes()
    }

    async fn send_padding(&mut self, step: &Step) {
        let pad = "y".repeat(usize::try_from(step.number("bytes")).expect("fits"));
        let frame = serde_json::json!({"type": "x", "pad": pad});
        if let Some(socket) = self.sockets.get_mut(step.text("sock")) {
            socket.send(Message::text(frame.to_string())).await;
        }
    }

    pub(super) async fn frame(&mut self, step: &Step) -> Option<Value> {
        let name = step.text("sock");
        let patience = if is_listed(&self.trace.name, step.n) {
            NO_PATIENCE
        } else {
            PATIENCE
        };
        let text = match self.sockets.get(name) {
            Some(socket) => socket.text(patience).await,
            None => None,
        };
        match text {
            Some(text) => Some(serde_json::from_str(&text).expect("frames are JSON")),
            None => {
                self.tell(step.n, format!("no frame on {name}"));
                None
            }
        }
    }

    pub(super) fn compare_frame(&mut self, step: &Step, frame: &Value) {
        let mut told = Vec::new();
        self.memory
            .compare(&step.fields["frame"], frame, "", &mut told);
        self.told.extend(
            told.into_iter()
                .map(|text| (step.n, format!("frame: {text}"))),
        );
    }

    async fn receive(&mut self, step: &Step) {
        if let Some(frame) = self.frame(step).await {
            self.compare_frame(step, &frame);
            self.memory.remember(step.n, frame);
        }
    }

    /// All waiting rows come, in batches that may repeat rows of the batch before.
    async fn drain(&mut self, step: &Step) {
        let (frames, distinct) = (step.number("frames"), step.number("distinct"));
        let mut seen = BTreeSet::new();
        let mut count = 0;
        while (seen.len() as u64) < distinct {
            let Some(frame) = self.frame(step).await else {
                return;
            };
            if !step.fields["frame"].is_null() {
                self.compare_frame(step, &frame);
            }
            seen.insert(frame["payload"]["id"].to_string());
            count += 1;
        }
        count += self.leftovers(step).await.len() as u64;
        if (frames == distinct) != (count == distinct) {
            self.tell(
                step.n,
                format!("{count} frames for {distinct} rows, not {frames}"),
            );
        }
    }

    async fn read_some(&mut self, step: &Step) {
        for _ in 0..step.number("frames") {
            self.frame(step).await;
        }
    }

    async fn leftovers(&mut self, step: &Step) -> Vec<String> {
        let mark = format!("barrier {}", step.n);
        let Some(socket) = self.sockets.get_mut(step.text("sock")) else {
            return Vec::new();
        };
        match socket.barrier(&mark).await {
            Some(left) => left,
            None => {
                self.tell(step.n, format!("{} answers no ping", step.text("sock")));
                Vec::new()
            }
        }
    }

    async fn quiet(&mut self, step: &Step) {
        for left in self.leftovers(step).await {
            self.tell(
                step.n,
                format!("{} got what the recording lacks: {left}", step.text("sock")),
            );
        }
    }

    async fn pinged(&mut self, step: &Step) {
        let socket = &self.sockets[step.text("sock")];
        if socket.take(|event| *event == Event::Ping).await.is_none() {
            self.tell(step.n, format!("no ping on {}", step.text("sock")));
        }
    }

    async fn close(&mut self, step: &Step) {
        const DROPPED: u64 = 1006;
        let (name, code, reason) = (step.text("sock"), step.number("code"), step.text("reason"));
        if step.text("by") == "server" {
            return self.closed_by_server(step).await;
        }
        if code != DROPPED {
            let tolerated = step.fields["may_come"].as_str().unwrap_or("no frame");
            let mark = format!("\"type\":\"{tolerated}\"");
            for left in self.leftovers(step).await {
                if !left.contains(&mark) {
                    self.tell(
                        step.n,
                        format!("{name} got what the recording lacks: {left}"),
                    );
                }
            }
        }
        let Some(mut socket) = self.sockets.remove(name) else {
            return self.tell(step.n, format!("{name} was not open"));
        };
        if code == DROPPED {
            socket.drop_line().await;
        } else {
            let code = u16::try_from(code).expect("close codes fit");
            socket.close(code, reason).await;
        }
    }

    async fn closed_by_server(&mut self, step: &Step) {
        let (name, code, reason) = (step.text("sock"), step.number("code"), step.text("reason"));
        let Some(socket) = self.sockets.remove(name) else {
            return self.tell(step.n, format!("{name} was not open"));
        };
        match socket.take(|event| matches!(event, Event::Close(..))).await {
            Some(Event::Close(given, why)) if u64::from(given) == code && why == reason => {}
            other => self.tell(
                step.n,
                format!("{name} closed with {other:?}, not {code} {reason}"),
            ),
        }
        while let Some(Event::Text(left)) = socket.take_now(|event| matches!(event, Event::Text(_)))
        {
            self.tell(
                step.n,
                format!("{name} got what the recording lacks: {left}"),
            );
        }
    }

    /// A socket that was not read for long: what was queued comes, and then the close.
    async fn read_to_close(&mut self, step: &Step) {
        self.sockets[step.text("sock")].read_on(true);
        let socket = &self.sockets[step.text("sock")];
        let ended = socket
            .take(|event| matches!(event, Event::Close(..) | Event::End))
            .await;
        let frames =
            std::iter::from_fn(|| socket.take_now(|event| matches!(event, Event::Text(_)))).count();
        if frames == 0 {
            self.tell(step.n, "nothing had been queued");
        }
        match ended {
            Some(Event::Close(code, why))
                if u64::from(code) == step.number("code") && why == step.text("reason") => {}
            other => self.tell(step.n, format!("ended with {other:?}")),
        }
    }
}
