//! The sandbox itself, as tests hold it.

use super::faults::Faults;
use super::http;
use super::journal::Journal;
use super::link::Cut;
use super::options::Options;
use super::platform::{Draft, Late, Message, To};
use super::shared::Shared;
use super::storage;
use bytes::Bytes;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// The sandbox did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is not loopback.
    #[error("the sandbox binds to loopback only, not to {0}")]
    NotLoopback(SocketAddr),
    /// The address could not be bound.
    #[error("cannot bind to {address}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// A running stand-in for the platform. It stops when it is dropped; [`Sandbox::shutdown`] also
/// waits for its connections.
#[derive(Debug)]
pub struct Sandbox {
    pub(crate) shared: Arc<Shared>,
    address: SocketAddr,
    storage: SocketAddr,
}

/// An agent with its key.
#[derive(Clone, PartialEq, Eq)]
pub struct Agent {
    handle: String,
    key: String,
}

impl std::fmt::Debug for Agent {
    /// Without the key, so that it never gets into test output by accident.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent")
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}

impl Agent {
    /// Its handle.
    pub fn handle(&self) -> &str {
        &self.handle
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl Sandbox {
    /// Starts a sandbox on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address is not loopback or cannot be bound.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let wanted = SocketAddr::new(options.address, options.port);
        if !wanted.ip().is_loopback() {
            return Err(StartError::NotLoopback(wanted));
        }
        let bind = |source| StartError::Bind {
            address: wanted,
            source,
        };
        let listener = TcpListener::bind(wanted).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        // The files stand at another port, as they stand at another host in earnest.
        let files = TcpListener::bind((wanted.ip(), 0)).await.map_err(bind)?;
        let storage = files.local_addr().map_err(bind)?;
        let shared = Shared::new(options);
        shared.lock().platform.storage.base = format!("http://{storage}");
        shared
            .tasks
            .spawn(http::listen(Arc::clone(&shared), listener));
        shared
            .tasks
            .spawn(storage::listen(Arc::clone(&shared), files));
        Ok(Self {
            shared,
            address,
            storage,
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the storage host listens, `http://127.0.0.1:PORT`.
    pub fn storage_url(&self) -> String {
        format!("http://{}", self.storage)
    }

    /// The bytes of an attachment that the storage host has.
    pub fn stored_file(&self, attachment_id: &str) -> Option<Vec<u8>> {
        let bytes = self.shared.lock().platform.storage.bytes(attachment_id);
        bytes.map(Vec::from)
    }

    /// Puts other bytes in the place of an attachment's, whatever was announced; false where there
    /// is no such attachment.
    pub fn replace_file(&self, attachment_id: &str, bytes: Vec<u8>) -> bool {
        let mut state = self.shared.lock();
        state
            .platform
            .storage
            .replace(attachment_id, Bytes::from(bytes))
    }

    /// The agent with this handle; made, with the key `ac_sandbox_<handle>`, when there is none.
    pub fn agent(&self, handle: &str) -> Agent {
        self.agent_with_key(handle, &format!("ac_sandbox_{handle}"))
    }

    /// The same, with this key if the agent is new. A deleted agent has an empty key.
    pub fn agent_with_key(&self, handle: &str, key: &str) -> Agent {
        let (handle, key) = self.shared.agent(handle, key);
        Agent { handle, key }
    }

    /// Sends a message as an agent, without HTTP and without gates. It is stored, pushed and
    /// journalled like any other; a `client_msg_id` used before gives the original message.
    ///
    /// # Panics
    ///
    /// When the sender, the recipient or the conversation is unknown: a mistake of the test.
    pub fn send(&self, from: &str, to: To<'_>, draft: impl Into<Draft>) -> Message {
        self.shared
            .send(from, to, &draft.into())
            .expect("sender and target of a send are made before it")
    }

    /// Sends many messages as fast as the sandbox can; how many. It does not wait for sockets: let
    /// their tasks run in between (batches of some hundred, then a yield), or mind
    /// [`Options::socket_buffer`].
    ///
    /// # Panics
    ///
    /// When the sender, the recipient or the conversation is unknown: a mistake of the test.
    pub fn flood(&self, from: &str, to: To<'_>, drafts: impl IntoIterator<Item = Draft>) -> usize {
        self.shared
            .flood(from, to, drafts.into_iter())
            .expect("sender and target of a send are made before it")
    }

    /// Begins a row now and commits it later; see [`Late`].
    ///
    /// # Panics
    ///
    /// When the sender, the recipient or the conversation is unknown: a mistake of the test.
    pub fn send_late(&self, from: &str, to: To<'_>, draft: impl Into<Draft>, when: Late) {
        let held =
            self.shared
                .lock()
                .platform
                .hold(from, to, draft.into(), when, self.shared.now());
        assert!(held, "sender and target of a send are made before it");
    }

    /// Commits the rows that wait for [`Late::OnRelease`].
    pub fn release_held(&self) {
        self.shared.release_held();
    }

    /// Looks at the fault switches and changes them.
    pub fn faults<T>(&self, change: impl FnOnce(&mut Faults) -> T) -> T {
        self.shared.faults(change)
    }

    /// Cuts every socket of an agent; the number of sockets that were cut.
    pub fn cut(&self, handle: &str, cut: &Cut) -> usize {
        let state = self.shared.lock();
        let Some(agent) = state.platform.by_handle.get(handle).copied() else {
            return 0;
        };
        self.shared.cut(&state, agent, cut)
    }

    /// The journal.
    pub fn journal(&self) -> &Journal {
        &self.shared.journal
    }

    /// Lets time pass for the platform, whose clock is ahead of the wall clock from now on: codes
    /// run out, windows of limits end, blocks grow old. Its timers are not moved.
    pub fn pass_time(&self, time: Duration) {
        self.shared.pass(time);
    }

    /// A moment of the platform's clock, so much later than now, as the platform writes it.
    pub fn time_after(&self, time: Duration) -> String {
        self.shared.now().after(time).to_string()
    }

    /// Makes an address that of a person who owns agents: no agent can register with it.
    pub fn owner_email(&self, email: &str) {
        let mut state = self.shared.lock();
        state.platform.owner_emails.insert(email.to_lowercase());
    }

    /// Stops the sandbox: sockets are closed with 1001, connections end.
    pub async fn shutdown(self) {
        self.stop().await;
    }

    /// The same for a sandbox that others hold as well.
    pub async fn stop(&self) {
        self.shared.tasks.finish().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.tasks.stop();
    }
}
