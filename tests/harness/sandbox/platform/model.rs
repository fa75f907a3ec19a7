//! The platform's tables. Numbers are indexes into vectors that only grow.

use super::draft::Held;
use super::idempotency::Kept;
use super::ids::Ids;
use super::time::Stamp;
use crate::sandbox::options::SyncForm;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

macro_rules! row_number {
    ($($name:ident: $what:literal),+ $(,)?) => {$(
        #[doc = concat!("Row number of ", $what, ".")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(pub(crate) u32);

        impl $name {
            /// The number the next row of a table will have.
            pub(crate) fn next<T>(table: &[T]) -> Self {
                Self(u32::try_from(table.len()).expect("a table holds fewer than 2^32 rows"))
            }

            pub(crate) fn index(self) -> usize {
                self.0 as usize
            }
        }
    )+};
}

row_number!(
    AgentNo: "an agent",
    ConversationNo: "a conversation",
    MessageNo: "a message",
    EnvelopeNo: "an envelope",
);

/// What the community's enforcement made of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// Nothing is wrong.
    Active,
    /// May write only into conversations that exist.
    Restricted,
    /// REST refuses it; sockets are closed with 1008.
    Suspended,
    /// Gone; its key is unknown.
    Deleted,
}

/// What the owner allows the agent to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerPause {
    /// Everything.
    None,
    /// Receiving only.
    Send,
    /// Nothing: no pushes, no drain, an empty sync.
    Full,
}

/// Who may write to an agent, or add it to groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxMode {
    /// Everybody.
    Open,
    /// Only agents in its contact book.
    ContactsOnly,
}

/// The parts of the options that the rules read.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) form: SyncForm,
    pub(crate) context: bool,
    pub(crate) sends_per_second: Option<u32>,
    pub(crate) group_sends_per_second: Option<u32>,
    pub(crate) cold_cap: Option<usize>,
    pub(crate) awaiting_reply: bool,
    pub(crate) contacts_join_at_once: bool,
    pub(crate) keep_backlog_counter: bool,
    pub(crate) push_group_events: bool,
    pub(crate) discoverable: bool,
    pub(crate) conversation_cap: usize,
    pub(crate) retry_after: Option<i64>,
    pub(crate) mutes_per_second: Option<u32>,
    pub(crate) invites_per_day: Option<u32>,
    pub(crate) directory_caps: bool,
    pub(crate) address_caps: bool,
    pub(crate) code_caps: bool,
    pub(crate) april: bool,
}

/// A stored message.
#[derive(Debug)]
pub(crate) struct StoredMessage {
    pub(crate) id: Box<str>,
    pub(crate) conversation: ConversationNo,
    pub(crate) seq: u64,
    pub(crate) sender: AgentNo,
    pub(crate) client_msg_id: Box<str>,
    pub(crate) kind: &'static str,
    /// Content as JSON text, as it will be sent out.
    pub(crate) content: Box<str>,
    pub(crate) metadata: Box<str>,
    pub(crate) created_at: Stamp,
    /// Its envelopes stand next to each other: the first one and how many.
    pub(crate) envelopes: (EnvelopeNo, u32),
    /// Dropped by retention: in no history and no sync any more.
    pub(crate) purged: bool,
}

/// How far one recipient's copy has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeliveryState {
    Stored,
    Delivered,
    Read,
    /// Thrown away on leave, kick or deletion.
    Flushed,
}

/// Place of an envelope in its owner's sync: creation time, then number.
pub(crate) type Position = (Stamp, u32);

/// One recipient's copy of a message.
#[derive(Debug)]
pub(crate) struct Envelope {
    pub(crate) message: MessageNo,
    pub(crate) owner: AgentNo,
    pub(crate) delivery: u128,
    pub(crate) position: Position,
    pub(crate) state: DeliveryState,
    pub(crate) delivered_at: Option<Stamp>,
    pub(crate) read_at: Option<Stamp>,
    /// The whole number that the 1.0.3 form shows in place of the delivery id.
    pub(crate) number: u64,
}

/// A direct conversation or a group.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) id: Box<str>,
    pub(crate) kind: ConversationKind,
    /// `messages[seq - 1]`: seq is dense.
    pub(crate) messages: Vec<MessageNo>,
    pub(crate) created_at: Stamp,
    pub(crate) updated_at: Stamp,
    /// Who hid it and when; rows created at or before that moment stay hidden.
    pub(crate) hidden: HashMap<AgentNo, Stamp>,
    /// Who hid it and has seen no newer message in it.
    pub(crate) out_of_list: HashSet<AgentNo>,
}

/// What a conversation is beyond its messages.
#[derive(Debug)]
pub(crate) enum ConversationKind {
    Direct {
        parties: [AgentNo; 2],
        established: bool,
    },
    Group(Box<Group>),
}

/// A group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) avatar_url: Option<String>,
    pub(crate) creator: AgentNo,
    pub(crate) members: Vec<Member>,
    pub(crate) invites: Vec<Invite>,
    pub(crate) deleted: Option<(AgentNo, Stamp)>,
    pub(crate) window: (i64, u32),
}

/// A member of a group, present or former.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) agent: AgentNo,
    pub(crate) admin: bool,
    pub(crate) joined_at: Stamp,
    pub(crate) joined_seq: u64,
    pub(crate) left: bool,
}

/// An open invite.
#[derive(Debug)]
pub(crate) struct Invite {
    pub(crate) id: String,
    pub(crate) agent: AgentNo,
    pub(crate) inviter: AgentNo,
    pub(crate) created_at: Stamp,
}

/// An agent's account.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) id: String,
    pub(crate) handle: String,
    pub(crate) key: Option<String>,
    pub(crate) email: String,
    pub(crate) display_name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) status: AccountStatus,
    /// A test has put the status there: blocks and reports do not change it.
    pub(crate) pinned: bool,
    pub(crate) paused: OwnerPause,
    pub(crate) inbox_mode: InboxMode,
    pub(crate) group_invite_policy: InboxMode,
    pub(crate) created_at: Stamp,
    pub(crate) updated_at: Stamp,
    /// Envelopes still `stored`, in the order of sync.
    pub(crate) stored: BTreeMap<Position, EnvelopeNo>,
    pub(crate) conversations: Vec<ConversationNo>,
    pub(crate) contacts: BTreeMap<AgentNo, Contact>,
    /// Whom it blocks, and since when.
    pub(crate) blocks: HashMap<AgentNo, Stamp>,
    pub(crate) reports: HashMap<AgentNo, Stamp>,
    pub(crate) muted: BTreeMap<MuteTarget, Mute>,
    pub(crate) hidden_messages: HashSet<MessageNo>,
    /// The backlog counter when somebody set it by hand.
    pub(crate) backlog_override: Option<u64>,
    pub(crate) window: (i64, u32),
    pub(crate) mute_window: (i64, u32),
    pub(crate) presence: Presence,
    pub(crate) envelope_count: u64,
}

/// A row of a contact book.
#[derive(Debug)]
pub(crate) struct Contact {
    pub(crate) added_at: Stamp,
    pub(crate) notes: Option<String>,
}

/// What an agent has muted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MuteTarget {
    Agent(AgentNo),
    Conversation(ConversationNo),
}

/// How long, and since when.
#[derive(Debug)]
pub(crate) struct Mute {
    pub(crate) until: Option<Stamp>,
    pub(crate) created_at: Stamp,
}

/// What others see of an agent's presence.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    pub(crate) status: Option<String>,
    pub(crate) custom_message: Option<String>,
    pub(crate) last_seen: Option<Stamp>,
}

/// Everything the platform knows.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) rules: Rules,
    pub(crate) ids: Ids,
    pub(crate) agents: Vec<Agent>,
    pub(crate) conversations: Vec<Conversation>,
    pub(crate) messages: Vec<StoredMessage>,
    pub(crate) envelopes: Vec<Envelope>,
    pub(crate) by_handle: HashMap<String, AgentNo>,
    pub(crate) by_key: HashMap<String, AgentNo>,
    pub(crate) by_conversation_id: HashMap<Box<str>, ConversationNo>,
    pub(crate) by_message_id: HashMap<Box<str>, MessageNo>,
    pub(crate) by_delivery: HashMap<u128, EnvelopeNo>,
    pub(crate) by_client_msg_id: HashMap<(AgentNo, Box<str>), MessageNo>,
    pub(crate) direct: HashMap<(AgentNo, AgentNo), ConversationNo>,
    pub(crate) attachments: HashMap<String, super::uploads::Attachment>,
    pub(crate) codes: super::codes::Codes,
    pub(crate) windows: super::limits::Windows,
    /// Addresses of people who own agents: no agent registers with one.
    pub(crate) owner_emails: HashSet<String>,
    pub(crate) storage: super::storage::Storage,
    pub(crate) avatars: super::avatars::Avatars,
    pub(crate) idempotent: HashMap<(AgentNo, String), Kept>,
    /// Calls with an `Idempotency-Key` that are under way, and since when.
    pub(crate) running: HashMap<(AgentNo, String), Stamp>,
    pub(crate) webhooks: Vec<super::webhooks::Webhook>,
    pub(crate) replies: super::reply::Replies,
    pub(crate) held: Vec<Held>,
    pub(crate) sync_faults: crate::sandbox::faults::SyncFaults,
    pub(crate) history_faults: VecDeque<crate::sandbox::faults::PageFault>,
    pub(crate) dress: crate::sandbox::faults::Dress,
    /// The last creation time given out; the next one is later, so that order is total.
    pub(crate) last_stamp: Stamp,
    /// Handles of deleted agents, which are never given out again.
    pub(crate) retired: BTreeSet<String>,
}
