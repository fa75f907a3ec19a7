//! One run of the program: the runtime, the connection, calls, and what is done with their answers.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use agentchatd_client::path::Surroundings;
use agentchatd_client::{Client, ClientError, api};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::args::{Cli, Global};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Page, View};
use crate::sentences;

/// What every command has at hand.
#[derive(Debug)]
pub(crate) struct Session {
    /// The flags.
    pub(crate) global: Global,
    /// Standard output.
    pub(crate) output: Output,
}

/// Runs a command to its end and says how it ended.
pub(crate) fn run(cli: Cli) -> Exit {
    let session = Session {
        output: Output::new(cli.global.json, cli.global.color),
        global: cli.global,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(cli.command.run(&session));
            // A write that nobody takes must not hold up the end.
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(Failure::failed(format!(
            "the system gives no resources ({error}); close other programs"
        ))),
    };
    ended.unwrap_or_else(|failure| {
        if let Some(line) = failure.line() {
            complain(&line);
        }
        failure.exit
    })
}

impl Session {
    /// Connects to the daemon.
    pub(crate) async fn connect(&self) -> Result<Hub, Failure> {
        let places = Surroundings::of_process().client_sockets(self.global.socket.as_deref());
        let mut tried = Vec::new();
        for place in places {
            match Client::connect(&place).await {
                Ok(client) => {
                    let timeout = self.global.timeout.map(|time| time.0);
                    return Ok(Hub { client, timeout });
                }
                Err(ClientError::Connect { path, source }) => tried.push((path, source)),
                Err(other) => return Err(sentences::of_call("connect", &other)),
            }
        }
        Err(Failure::no_daemon(sentences::no_daemon(&tried)))
    }

    /// Calls one method and shows its result.
    pub(crate) async fn show(
        &self,
        method: &str,
        params: Value,
        render: impl FnOnce(&Value, View) -> Page,
    ) -> Result<Exit, Failure> {
        let answer = self.connect().await?.call(method, &params).await?;
        self.print(&answer, render)
    }

    /// Shows a result.
    pub(crate) fn print(
        &self,
        answer: &RawValue,
        render: impl FnOnce(&Value, View) -> Page,
    ) -> Result<Exit, Failure> {
        if self.output.json {
            self.output.json_line(answer.get())?;
        } else {
            self.output
                .page(&render(&value(answer)?, self.output.view))?;
        }
        Ok(Exit::DONE)
    }
}

/// A connected daemon.
#[derive(Debug)]
pub(crate) struct Hub {
    client: Client,
    timeout: Option<Duration>,
}

impl Hub {
    /// Where it listens.
    pub(crate) fn path(&self) -> &Path {
        self.client.path()
    }

    /// Calls a method by its name; `--timeout` is told to the daemon where the call goes on to
    /// AgentChat, and watched here in any case.
    pub(crate) async fn call(
        &self,
        method: &str,
        params: &Value,
    ) -> Result<Box<RawValue>, Failure> {
        let params = to_raw_value(params)
            .map_err(|error| Failure::failed(format!("the call cannot be written: {error}")))?;
        self.call_raw(method, params).await
    }

    /// The same with parameters that are JSON already.
    pub(crate) async fn call_raw(
        &self,
        method: &str,
        params: Box<RawValue>,
    ) -> Result<Box<RawValue>, Failure> {
        let answer = self.attempt_raw(method, params).await;
        answer.map_err(|error| sentences::of_call(method, &error))
    }

    /// The same for those who look at the error.
    pub(crate) async fn attempt(
        &self,
        method: &str,
        params: &Value,
    ) -> Result<Box<RawValue>, ClientError> {
        let params = to_raw_value(params).map_err(|source| ClientError::Json {
            method: method.to_owned(),
            source,
        })?;
        self.attempt_raw(method, params).await
    }

    async fn attempt_raw(
        &self,
        method: &str,
        params: Box<RawValue>,
    ) -> Result<Box<RawValue>, ClientError> {
        let told = reaches_agentchat(method);
        let params = match self.timeout {
            Some(timeout) if told => with_timeout(params, timeout),
            _ => params,
        };
        let call = self.client.call_by_name(method, params);
        let Some(timeout) = self.timeout else {
            return call.await;
        };
        // Where the daemon keeps the time, its own answer is the better one: it knows what became
        // of the call.
        let patience = if told { timeout + GRACE } else { timeout };
        let answer = tokio::time::timeout(patience, call).await;
        answer.unwrap_or_else(|_| {
            Err(ClientError::Timeout {
                method: method.to_owned(),
                after: patience,
            })
        })
    }

    /// The same with its result read.
    pub(crate) async fn value(&self, method: &str, params: &Value) -> Result<Value, Failure> {
        value(&self.call(method, params).await?)
    }
}

/// Adds `timeout_ms` to parameters that have none; positional ones stay as they are.
fn with_timeout(params: Box<RawValue>, timeout: Duration) -> Box<RawValue> {
    let Ok(mut members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(params.get()) else {
        return params;
    };
    let Ok(ms) = to_raw_value(&millis(timeout)) else {
        return params;
    };
    members.entry("timeout_ms".to_owned()).or_insert(&ms);
    to_raw_value(&members).unwrap_or_else(|_| params.clone())
}

/// Reads a result; for what is shown, not for what is passed on.
pub(crate) fn value(answer: &RawValue) -> Result<Value, Failure> {
    serde_json::from_str(answer.get()).map_err(|error| {
        Failure::failed(format!(
            "the daemon's answer cannot be read ({error}); --json prints it as it is"
        ))
    })
}

/// A length of time as the daemon takes it.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Writes to standard error. Where that is closed there is nobody left to tell.
pub(crate) fn complain(line: &str) {
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// Whether a method takes `timeout_ms`. Of methods that this version does not know, the names tell.
fn reaches_agentchat(method: &str) -> bool {
    api::method(method).map_or_else(
        || !LOCAL.iter().any(|namespace| method.starts_with(namespace)),
        |known| known.upstream,
    )
}

/// Namespaces that never reach AgentChat.
const LOCAL: [&str; 5] = ["daemon.", "events.", "consumers.", "outbox.", "rpc."];
/// How much longer than the daemon this program waits for an answer.
const GRACE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_added_where_none_is_given() {
        let with = |json: &str| {
            let raw = RawValue::from_string(json.to_owned()).unwrap();
            with_timeout(raw, Duration::from_secs(2)).get().to_owned()
        };
        assert_eq!(with("{}"), r#"{"timeout_ms":2000}"#);
        assert_eq!(with(r#"{"a":1.50}"#), r#"{"a":1.50,"timeout_ms":2000}"#);
        assert_eq!(with(r#"{"timeout_ms":5}"#), r#"{"timeout_ms":5}"#);
        assert_eq!(with("[1]"), "[1]");
    }

    #[test]
    fn only_methods_that_reach_agentchat_are_told_the_time() {
        assert!(reaches_agentchat("messages.send"));
        assert!(reaches_agentchat("contacts.frobnicate"));
        assert!(!reaches_agentchat("events.fetch"));
        assert!(!reaches_agentchat("daemon.frobnicate"));
    }
}
