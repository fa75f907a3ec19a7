//! Operations that make many requests at the same time, and what they need.

use super::exchange::next_second;
use super::fixture::Step;
use super::run::Replay;
use agentchatd_tests::sandbox::{HttpFault, HttpRule};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// One of many answers.
struct One {
    actor: Option<String>,
    status: u16,
    retry_after: Option<String>,
    body: Value,
}

impl Replay {
    /// Requests of a kind by several in turns, begun with a second of the clock. How many get which
    /// status was recorded, and what those that are refused look like.
    pub(super) async fn at_once(&mut self, step: &Step) {
        next_second().await;
        let calls = (0..step.number("count")).map(|n| self.one_of_many(step, n));
        let answers = join_all(calls).await;
        let mut statuses: BTreeMap<String, u64> = BTreeMap::new();
        for answer in &answers {
            *statuses.entry(answer.status.to_string()).or_default() += 1;
        }
        if json!(statuses) != step.fields["statuses"] {
            let wanted = &step.fields["statuses"];
            self.tell(step.n, format!("statuses {statuses:?}, not {wanted}"));
        }
        for answer in answers.iter().filter(|answer| answer.status >= 400) {
            self.compare_refusal(step, answer);
        }
        let pushes = step.fields["pushes"].as_object().cloned();
        for (actor, sock) in pushes.unwrap_or_default() {
            let taken = |one: &&One| one.status < 400 && one.actor.as_ref() == Some(&actor);
            let frames = answers.iter().filter(taken).count();
            let step = Step::new(json!({ "n": step.n, "op": "pushes", "sock": sock }));
            for _ in 0..frames {
                self.frame(&step).await;
            }
        }
        next_second().await;
    }

    async fn one_of_many(&self, step: &Step, n: u64) -> One {
        let actors = step.fields["actors"].as_array().expect("who asks");
        let turn = usize::try_from(n).expect("fits") % actors.len();
        let actor = actors[turn].as_str().map(str::to_owned);
        let fill = |text: &str| self.memory.fill_text(&text.replace("<n>", &n.to_string()));
        let url = format!("{}{}", self.stage.base, fill(step.text("target")));
        let method = step.text("method").parse().expect("a method");
        let mut request = self.client.request(method, url);
        if let Some(actor) = &actor {
            request = request.bearer_auth(&self.stage.keys[actor]);
        }
        for (name, value) in step.fields["headers"].as_object().into_iter().flatten() {
            request = request.header(name, value.as_str().unwrap_or_default());
        }
        if let Some(body) = step.fields.get("body") {
            request = request
                .header("content-type", "application/json")
                .body(fill(&body.to_string()));
        }
        let answer = request.send().await.expect("the sandbox answers");
        let header = answer.headers().get("retry-after");
        One {
            actor,
            status: answer.status().as_u16(),
            retry_after: header.map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned()),
            body: serde_json::from_str(&answer.text().await.expect("a body")).unwrap_or_default(),
        }
    }

    fn compare_refusal(&mut self, step: &Step, answer: &One) {
        let members: Vec<&String> = answer
            .body
            .as_object()
            .into_iter()
            .flat_map(|m| m.keys())
            .collect();
        let mut wanted = step.texts("limited");
        wanted.sort();
        if members != wanted.iter().collect::<Vec<_>>() {
            self.tell(step.n, format!("a refusal has {members:?}, not {wanted:?}"));
        }
        if answer.body["code"] != step.fields["code"] {
            self.tell(step.n, format!("a refusal is {}", answer.body));
        }
        if answer.retry_after.as_deref() != step.fields["retry_after"].as_str() {
            self.tell(step.n, format!("Retry-After {:?}", answer.retry_after));
        }
    }

    /// The next answers of a route take their time.
    pub(super) fn slow_route(&self, step: &Step) {
        let slow = HttpFault::Delay(Duration::from_millis(step.number("ms")));
        let rule = HttpRule {
            route: format!("{} {}", step.text("method"), step.text("path")),
            skip: 0,
            times: Some(step.number("times")),
            what: slow,
        };
        self.stage.sandbox.faults(|faults| faults.http.push(rule));
    }

    /// The bytes of a file go to the address that an upload was given.
    pub(super) async fn put_bytes(&self, step: &Step) {
        let url = self.memory.fill_text(step.text("url"));
        let bytes = vec![b'x'; usize::try_from(step.number("bytes")).expect("fits")];
        let put = self
            .client
            .put(url)
            .header("content-type", "text/plain")
            .body(bytes);
        let answer = put.send().await.expect("the storage answers");
        assert!(answer.status().is_success(), "step {}: {answer:?}", step.n);
    }

    /// A group that has as many members as a group can have.
    pub(super) fn full_group(&mut self, step: &Step, creator: &str) {
        let sandbox = &self.stage.sandbox;
        let others: Vec<String> = (1..step.number("members"))
            .map(|n| format!("filler-{n}"))
            .collect();
        for handle in &others {
            sandbox.agent(handle);
        }
        let members: Vec<&str> = others.iter().map(String::as_str).collect();
        let id = sandbox.group(creator, step.text("name"), &members);
        self.memory.remember(step.n, json!({ "id": id }));
    }
}
