//! What kind of platform the sandbox plays. Options hold for its whole life; see [`super::Faults`]
//! for what can be switched while it runs.

use super::platform::Rules;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// The two wire forms of `GET /v1/messages/sync` (wire.md 3.1 and 3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncForm {
    /// A bare array with text ids: what production sends.
    #[default]
    Production,
    /// An object with `envelopes` and whole-number ids: what the Python SDK 1.0.3 documents.
    Documented103,
}

/// How the connect drain repeats rows of the batch before (wire.md 2.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DrainRepeat {
    /// Every row once.
    #[default]
    Never,
    /// Each batch begins with so many rows of the batch before.
    Rows(usize),
    /// Each batch begins with the whole batch before.
    Batch,
}

/// Settings of one sandbox. Start from [`Options::default`], [`Options::april`] or
/// [`Options::modern`] and change fields.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address to bind; anything but loopback is refused.
    pub address: IpAddr,
    /// Port to bind; 0 lets the system choose.
    pub port: u16,
    /// Form of sync and ack.
    pub form: SyncForm,
    /// Whether the server grants the `ack` capability. Without it every push marks its row
    /// delivered as it is handed to the socket.
    pub ack_capability: bool,
    /// Whether `hello.ok` is also sent to sockets that authenticate by header.
    pub hello_ok_on_header: bool,
    /// Whether an upgrade with an unknown key in its header is refused with 401. Otherwise it is
    /// accepted and closed with 1008.
    pub refuse_bad_header: bool,
    /// Whether a failed handshake whose key was good is registered all the same and swallows what
    /// is sent to it until the next heartbeat (wire.md 2.1). Only without `ack_capability`.
    pub ghost: bool,
    /// How long the lookup of a key takes at the socket.
    pub key_lookup: Duration,
    /// How long a client may take to say hello.
    pub hello_deadline: Duration,
    /// How often the server pings.
    pub heartbeat: Duration,
    /// How long a pong may take.
    pub pong_deadline: Duration,
    /// Rows of one batch of the connect drain.
    pub drain_batch: usize,
    /// How many batches the connect drain has at most.
    pub drain_batches: usize,
    /// Pause between two batches.
    pub drain_pause: Duration,
    /// Repeats of the connect drain.
    pub drain_repeat: DrainRepeat,
    /// Bytes that may wait for one socket before it is closed with 1013.
    pub socket_buffer: usize,
    /// How long every REST answer takes.
    pub rest_latency: Duration,
    /// Whether messages carry the `context` block.
    pub context: bool,
    /// Sends of one agent in one second; `None` for no limit.
    pub sends_per_second: Option<u32>,
    /// Sends into one group in one second; `None` for no limit.
    pub group_sends_per_second: Option<u32>,
    /// `Retry-After` of the limit per second; `None` leaves the header away.
    pub retry_after: Option<i64>,
    /// Unanswered first contacts in a day; `None` for no limit.
    pub cold_cap: Option<usize>,
    /// Whether a second message before the first answer is refused with AWAITING_REPLY.
    pub awaiting_reply: bool,
    /// Whether a contact that is added to a group joins at once. Otherwise it is invited.
    pub contacts_join_at_once: bool,
    /// Whether the backlog counter follows the rows that wait. April's never moves.
    pub keep_backlog_counter: bool,
    /// Whether system events of groups are pushed; April pushes `group_deleted` only.
    pub push_group_events: bool,
    /// Changes of mutes by one agent in one second; `None` for no limit.
    pub mutes_per_second: Option<u32>,
    /// Agents that one agent may add or invite in 24 hours; `None` for no limit.
    pub invites_per_day: Option<u32>,
    /// Whether directory queries are bounded: 60 a minute and 1,000 a day, 30 a minute without key.
    pub directory_caps: bool,
    /// Whether requests without a key are bounded by their caller's address, all callers here
    /// sharing one: registrations, recoveries and the codes that finish them.
    pub address_caps: bool,
    /// Whether one-time codes to one address are bounded: one a minute, twenty an hour.
    pub code_caps: bool,
    /// Rows of the conversation list at most.
    pub conversation_cap: usize,
    /// Whether each push is written into the journal. Benchmarks turn it off.
    pub journal_pushes: bool,
    /// Whether answers follow April where newer servers differ.
    pub april: bool,
    /// Seed of ids and of everything random.
    pub seed: u64,
}

impl Default for Options {
    /// The same as [`Options::modern`].
    fn default() -> Self {
        Self::modern()
    }
}

impl Options {
    /// A platform as the newest clients expect it: ack capability, `hello.ok` on both paths, 45 s
    /// heartbeat, context blocks, no ghosts.
    pub fn modern() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            form: SyncForm::Production,
            ack_capability: true,
            hello_ok_on_header: true,
            refuse_bad_header: true,
            ghost: false,
            key_lookup: Duration::ZERO,
            hello_deadline: Duration::from_secs(5),
            heartbeat: Duration::from_secs(45),
            pong_deadline: Duration::from_secs(30),
            drain_batch: 200,
            drain_batches: 50,
            drain_pause: Duration::from_millis(100),
            drain_repeat: DrainRepeat::Never,
            socket_buffer: 4 << 20,
            rest_latency: Duration::ZERO,
            context: true,
            sends_per_second: Some(60),
            group_sends_per_second: Some(20),
            retry_after: Some(1),
            cold_cap: Some(100),
            awaiting_reply: false,
            contacts_join_at_once: false,
            keep_backlog_counter: true,
            push_group_events: false,
            mutes_per_second: Some(10),
            invites_per_day: Some(50),
            directory_caps: true,
            address_caps: true,
            code_caps: true,
            conversation_cap: 50,
            journal_pushes: true,
            april: false,
            seed: 1,
        }
    }

    /// The platform's last public server: no ack capability, so rows are marked as they are sent;
    /// no `hello.ok` for header auth; ghosts; repeats in the drain; 30 s heartbeat.
    pub fn april() -> Self {
        Self {
            ack_capability: false,
            hello_ok_on_header: false,
            refuse_bad_header: false,
            ghost: true,
            key_lookup: Duration::from_millis(5),
            heartbeat: Duration::from_secs(30),
            pong_deadline: Duration::from_secs(10),
            drain_repeat: DrainRepeat::Rows(20),
            context: false,
            contacts_join_at_once: true,
            keep_backlog_counter: false,
            april: true,
            ..Self::modern()
        }
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules {
            form: self.form,
            context: self.context,
            sends_per_second: self.sends_per_second,
            group_sends_per_second: self.group_sends_per_second,
            cold_cap: self.cold_cap,
            awaiting_reply: self.awaiting_reply,
            contacts_join_at_once: self.contacts_join_at_once,
            keep_backlog_counter: self.keep_backlog_counter,
            push_group_events: self.push_group_events,
            discoverable: self.april,
            conversation_cap: self.conversation_cap,
            retry_after: self.retry_after,
            mutes_per_second: self.mutes_per_second,
            invites_per_day: self.invites_per_day,
            directory_caps: self.directory_caps,
            address_caps: self.address_caps,
            code_caps: self.code_caps,
            april: self.april,
        }
    }
}
