//! The platform's state and rules, without any I/O.
//!
//! Everything here is a plain function over [`Platform`]: a request and the time go in, an answer
//! and a list of effects (pushes, closes, facts for the journal) come out. The sockets live next
//! door in `hub`; HTTP lives in `http`.

mod accounts;
mod answer;
mod avatars;
mod codes;
mod contacts;
mod conversations;
mod deliver;
mod direct;
mod directory;
mod draft;
mod enforcement;
mod group_members;
mod groups;
mod history;
mod idempotency;
mod ids;
mod json;
mod late;
mod limits;
mod meta;
mod model;
mod mutes;
mod presence;
mod read;
mod recovery;
mod registration;
mod render;
mod reply;
mod routes;
mod send;
mod storage;
mod sync;
mod time;
mod uploads;
mod validate;
mod webhooks;

pub(crate) use answer::{Answer, Body, Effect, Outcome};
pub(crate) use deliver::Settled;
pub use draft::{Content, Draft, Late, To};
pub(crate) use idempotency::Key;
pub use model::{AccountStatus, InboxMode, OwnerPause};
pub(crate) use model::{
    AgentNo, DeliveryState, EnvelopeNo, MessageNo, MuteTarget, Platform, Rules,
};
pub(crate) use render::Form;
pub use render::Message;
pub(crate) use routes::Request;
pub(crate) use storage::Refusal;
pub(crate) use time::Stamp;
