//! `history`: the messages of a conversation, as AgentChat has them.

use clap::Args;
use serde_json::{Map, Value};

use super::conversations;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render;
use crate::session::Session;
use crate::values::Target;

/// Show the messages of a conversation, the oldest first.
///
/// Each line begins with the message's place in the conversation, for --before and --after. --json
/// prints AgentChat's own order.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// Which: @handle for the direct conversation with an agent, or an id.
    conversation: Target,
    /// Those before this place.
    #[arg(long, value_name = "SEQ", conflicts_with = "after")]
    before: Option<u64>,
    /// Those after this place.
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// How many at most, 1 to 200.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
}

impl History {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let hub = session.connect().await?;
        let id = match &self.conversation {
            Target::Conversation(id) => id.clone(),
            Target::Agent(handle) => conversations::with_agent(&hub, handle).await?,
        };
        let mut params = Map::new();
        params.insert("conversation_id".into(), id.into());
        params.insert("limit".into(), self.limit.into());
        params.extend(self.before.map(|seq| ("before_seq".to_owned(), seq.into())));
        params.extend(self.after.map(|seq| ("after_seq".to_owned(), seq.into())));
        let answer = hub.call("messages.list", &Value::Object(params)).await?;
        session.print(&answer, |messages, _| render::history(messages))
    }
}
