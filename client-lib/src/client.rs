//! The async client: typed calls over one connection.
//!
//! Calls of one client run side by side. Events do not belong on this connection: a
//! [`Subscription`](crate::subscription::Subscription) has one of its own, so that neither waits
//! behind the other.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::core::client::{ClientBuilder, ClientT, Error as CallError};
use jsonrpsee::core::traits::ToRpcParams;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::api::{self, Method};
use crate::error::RpcError;
use crate::path::Surroundings;
use crate::transport;
use crate::types::{
    Ack, Address, ConsumerName, Content, EventsAckParams, EventsFetchParams, Fetched, Handle,
    Health, InvalidText, MessagesSendParams, NoParams, SendOutcome, Status, Text, UpstreamParams,
};

/// A connection to the daemon. Cheap to clone; the connection closes with the last clone.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<jsonrpsee::core::client::Client>,
    path: Arc<Path>,
}

/// Why a call gave no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The daemon answered with an error.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// Nobody answers at the socket.
    #[error("cannot connect to the daemon at {}", path.display())]
    Connect {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The connection broke; whether the call was run is not known.
    #[error("the connection to the daemon is lost: {reason}")]
    Disconnected {
        /// Why.
        reason: String,
    },
    /// No answer in time; whether the call was run is not known.
    #[error("the daemon gave no answer to {method} within {}s", after.as_secs())]
    Timeout {
        /// Which call.
        method: String,
        /// How long it waited.
        after: Duration,
    },
    /// The parameters could not be written, or the result is not what this version expects.
    #[error("cannot read or write the JSON of {method}")]
    Json {
        /// Which call.
        method: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Some text cannot go to AgentChat.
    #[error(transparent)]
    Text(#[from] InvalidText),
}

impl Client {
    /// Connects to the daemon at this path.
    ///
    /// # Errors
    /// [`ClientError::Connect`].
    pub async fn connect(path: impl AsRef<Path>) -> Result<Self, ClientError> {
        let path = path.as_ref();
        let (sender, receiver) =
            transport::connect(path)
                .await
                .map_err(|source| ClientError::Connect {
                    path: path.to_owned(),
                    source,
                })?;
        let inner = ClientBuilder::default()
            .request_timeout(LONGEST_CALL)
            .build_with_tokio(sender, receiver);
        Ok(Self {
            inner: Arc::new(inner),
            path: path.into(),
        })
    }

    /// Connects where the environment says, else to the user's own daemon, else to the machine's.
    ///
    /// # Errors
    /// [`ClientError::Connect`], for the first place, where none of them answers.
    pub async fn connect_default() -> Result<Self, ClientError> {
        let mut first = None;
        for path in Surroundings::of_process().client_sockets(None) {
            match Self::connect(path).await {
                Ok(client) => return Ok(client),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or_else(|| ClientError::Connect {
            path: PathBuf::new(),
            source: io::Error::from(io::ErrorKind::NotFound),
        }))
    }

    /// Where this client is connected.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the connection stands. A broken one stays so; connect again.
    pub fn is_connected(&self) -> bool {
        self.inner.is_connected()
    }

    /// Calls a method. It waits as long as the daemon may take (the call's own `timeout_ms` or
    /// `wait_ms`, 30 s where it has neither) and a little more.
    ///
    /// Giving the future up does not take the call back. Calls that must be run in order are awaited
    /// one after the other: many at once may overtake each other before they are written.
    ///
    /// # Errors
    /// [`ClientError::Rpc`] is the daemon's own answer; after the others it is not known whether
    /// the call was run. A message with a `client_msg_id` can be sent again in safety.
    pub async fn call<M: Method>(&self, params: M::Params) -> Result<M::Result, ClientError> {
        let json = |source| ClientError::Json {
            method: M::NAME.to_owned(),
            source,
        };
        let params = to_raw_value(&params).map_err(json)?;
        let result = self.call_by_name(M::NAME, params).await?;
        serde_json::from_str(result.get()).map_err(json)
    }

    /// Calls a method by its name, JSON in and JSON out: for methods that this version does not know,
    /// and for results that are to be passed on as they are.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call_by_name(
        &self,
        method: &str,
        params: Box<RawValue>,
    ) -> Result<Box<RawValue>, ClientError> {
        let after = patience(&params);
        let call = self
            .inner
            .request::<Box<RawValue>, _>(method, Named(params));
        let answer = tokio::time::timeout(after, call)
            .await
            .map_err(|_| ClientError::Timeout {
                method: method.to_owned(),
                after,
            })?;
        answer.map_err(|error| call_error(method, after, error))
    }

    /// Sends a text to an agent and waits for AgentChat's answer.
    ///
    /// # Errors
    /// As [`Client::call`]; [`ClientError::Text`] where the text holds U+0000.
    pub async fn send_text(&self, to: &str, text: &str) -> Result<SendOutcome, ClientError> {
        let address = Address::To(Handle::new(to)?);
        let content = Content::Text(Text::new(text)?);
        self.send(MessagesSendParams::new(address, content)).await
    }

    /// `messages.send`.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn send(&self, message: MessagesSendParams) -> Result<SendOutcome, ClientError> {
        self.call::<api::MessagesSend>(message).await
    }

    /// `events.fetch`.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn fetch(&self, params: EventsFetchParams) -> Result<Fetched, ClientError> {
        self.call::<api::EventsFetch>(params).await
    }

    /// `events.ack` for a durable consumer; gives the acked offset.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn ack(&self, consumer: ConsumerName, offset: u64) -> Result<u64, ClientError> {
        let params = EventsAckParams {
            of: Ack::Consumer(consumer),
            offset,
        };
        Ok(self.call::<api::EventsAck>(params).await?.acked_offset)
    }

    /// `agents.me`: AgentChat's object, unchanged.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn me(&self) -> Result<Box<RawValue>, ClientError> {
        self.call::<api::AgentsMe>(UpstreamParams::default()).await
    }

    /// `daemon.status`.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.call::<api::DaemonStatus>(NoParams {}).await
    }

    /// `daemon.health`.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn health(&self) -> Result<Health, ClientError> {
        self.call::<api::DaemonHealth>(NoParams {}).await
    }
}

/// Parameters that are JSON already.
struct Named(Box<RawValue>);

impl ToRpcParams for Named {
    fn to_rpc_params(self) -> Result<Option<Box<RawValue>>, serde_json::Error> {
        Ok(Some(self.0))
    }
}

/// How long to wait for an answer to a call with these parameters.
fn patience(params: &RawValue) -> Duration {
    #[derive(Deserialize)]
    struct Waits {
        timeout_ms: Option<u64>,
        wait_ms: Option<u64>,
    }
    let waits = serde_json::from_str::<Waits>(params.get()).ok();
    let told = waits.and_then(|waits| waits.timeout_ms.or(waits.wait_ms));
    let daemon = told.map_or(DAEMON_TIMEOUT, Duration::from_millis);
    (daemon + ANSWER_GRACE).min(LONGEST_CALL)
}

fn call_error(method: &str, after: Duration, error: CallError) -> ClientError {
    match error {
        CallError::Call(object) => ClientError::Rpc(RpcError {
            code: object.code(),
            message: object.message().to_owned(),
            data: object.data().map(ToOwned::to_owned),
        }),
        CallError::RequestTimeout => ClientError::Timeout {
            method: method.to_owned(),
            after,
        },
        CallError::ParseError(source) => ClientError::Json {
            method: method.to_owned(),
            source,
        },
        other => ClientError::Disconnected {
            reason: other.to_string(),
        },
    }
}

/// How much longer than the daemon the client waits, so that it is the daemon's answer that comes.
const ANSWER_GRACE: Duration = Duration::from_secs(30);
/// How long the daemon takes at most where a call says nothing of it (local-api: `timeout_ms`).
const DAEMON_TIMEOUT: Duration = Duration::from_secs(30);
/// A day, the longest `timeout_ms`, and the grace.
const LONGEST_CALL: Duration = Duration::from_secs(24 * 3600 + 30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_waits_as_long_as_the_daemon_may_take_and_a_little_more() {
        for (params, seconds) in [
            ("{}", 60),
            (r#"{"timeout_ms": null}"#, 60),
            (r#"{"timeout_ms": 5000}"#, 35),
            (r#"{"wait_ms": 60000}"#, 90),
            (r#"{"timeout_ms": 1000000000000}"#, 24 * 3600 + 30),
        ] {
            let params = RawValue::from_string(params.to_owned()).unwrap();
            assert_eq!(patience(&params), Duration::from_secs(seconds), "{params}");
        }
    }
}
