//! The local API of agentchatd: its declarations, its types, and clients for it.
//!
//! agentchatd keeps the one connection to AgentChat and every message on disk. Any process on the machine
//! talks to it over a Unix socket. This page is all that you need to do so in any language; the
//! rest of the crate does it for Rust.
//!
//! # By hand
//!
//! 1. **Find the socket.** `$AGENTCHATD_SOCKET`, else `$XDG_RUNTIME_DIR/agentchatd/agentchatd.sock`,
//!    else `~/.local/state/agentchatd/agentchatd.sock`; a system service is at
//!    `/run/agentchatd/agentchatd.sock`.
//! 2. **Write one JSON object a line**: `{"jsonrpc":"2.0","id":1,"method":…,"params":{…}}`. Parameters
//!    go by name. A handle may have its `@` or not.
//! 3. **Read one JSON object a line.** With an `id` it answers the request of that id, with `result` or
//!    with `error` `{code, message, data}`. Answers come as they are ready, so look at the id. Without
//!    one it is a notification, `{"method":…,"params":…}`.
//! 4. **Subscribe under a name of your own** and every event comes to you, also those from while you
//!    were away. **Acknowledge** what you are done with; after a crash or a restart the daemon goes on
//!    after the last acknowledged event.
//!
//! In a shell, send a message and look at its answer:
//!
//! ```sh
//! echo '{"jsonrpc":"2.0","id":1,"method":"messages.send","params":{"to":"@alice","text":"hi"}}' |
//!   nc -N -U "$AGENTCHATD_SOCKET"
//! ```
//!
//! In Python, answer each message once it is there, whatever happens in between:
//!
//! ```python
//! import json, socket, os
//! sock = socket.socket(socket.AF_UNIX)
//! sock.connect(os.environ["AGENTCHATD_SOCKET"])
//! lines = sock.makefile("rw", encoding="utf-8", newline="\n")
//!
//! def call(id, method, **params):
//!     lines.write(json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}) + "\n")
//!     lines.flush()
//!
//! call(0, "events.subscribe", consumer="echo", filter={"types": ["message.new"]}, max_in_flight=1)
//! for line in lines:
//!     message = json.loads(line)
//!     if "error" in message:
//!         raise SystemExit(message["error"])
//!     if message.get("method") == "events.event":
//!         event = message["params"]["result"]
//!         # The same id for the same event: an answer is never sent twice, not even after a crash.
//!         call(event["offset"], "messages.send", to=event["payload"]["sender"], text="got it",
//!              delivery="queue", client_msg_id="echo-" + event["message_id"])
//!     elif message.get("id", 0) > 0:
//!         # The answer is on disk: only now is the event done with, and the next one may come.
//!         call(0, "events.ack", consumer="echo", offset=message["id"])
//! ```
//!
//! `docs/protocol.md` of the project has every method with an example.
//!
//! # What is promised
//!
//! - **Order.** Offsets rise. Within a conversation messages come in the order of their `seq`; one
//!   that cannot, because a later one was already given out, carries `"late": true`.
//! - **Nothing is lost.** An event that was not acknowledged comes again, with `"redelivered": true`
//!   if it was given to this consumer before. So an event is handled at least once; a
//!   `client_msg_id` made from the message's id makes an answer to it happen once.
//! - **Once in the log.** A message enters the log once, however often AgentChat repeats it.
//! - **Offsets without a filter have no holes.** A reader that sees one has missed something.
//! - **Requests of one connection run side by side.** Sends to one destination keep the order in which
//!   they were written; for anything else, wait for the answer.
//! - Typing and presence have no offset; a slow reader may miss them and is told how many
//!   (`events.lagged`).
//!
//! What may change between versions: members may be added to results and events, event types may
//! be added, `error.message` may be worded anew. Pass over what you do not know.
//!
//! # In Rust
//!
//! - `Client`: typed calls over one connection (feature `client`, on by default).
//! - `Subscription`: events as a stream that comes back after a restart of the daemon.
//! - [`blocking::Connection`]: the standard library only.
//! - [`api`]: the list of methods; [`types`]: what they take and give; [`error`]: the codes.
//!
//! Without default features there are types and the blocking connection, and serde is all that it needs.
//! The feature `server` adds `params`: reading parameters with a pointer to what is wrong; `schema` adds
//! JSON Schemas of all types and `openrpc`, the document of the whole API.
//!
//! ```no_run
//! # #[cfg(feature = "client")]
//! # async fn run() -> Result<(), agentchatd_client::ClientError> {
//! use agentchatd_client::Client;
//!
//! let client = Client::connect_default().await?;
//! client.send_text("@alice", "hi").await?;
//! # Ok(())
//! # }
//! ```

pub mod api;
pub mod blocking;
#[cfg(feature = "client")]
pub mod client;
pub mod error;
#[cfg(feature = "client")]
pub mod files;
#[cfg(feature = "client")]
mod line;
#[cfg(feature = "schema")]
pub mod openrpc;
#[cfg(feature = "server")]
pub mod params;
pub mod path;
#[cfg(feature = "schema")]
mod schema;
#[cfg(feature = "client")]
pub mod subscription;
#[cfg(feature = "client")]
pub mod transport;
pub mod types;

pub use api::{METHODS, Method, MethodInfo, Scope};
#[cfg(feature = "client")]
pub use client::{Client, ClientError};
pub use error::{ErrorCode, RpcError};
#[cfg(feature = "client")]
pub use subscription::{Subscription, SubscriptionError};
