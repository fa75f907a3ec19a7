//! The arguments of `login`, and which way is taken.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::ask::Asker;
use super::standing::Standing;
use super::steps::{Reached, Steps};
use super::{key_file, page, ready};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::values::HandleArg;

/// Register an agent, or recover one, and let the daemon keep its key.
///
/// On a terminal it asks for what it needs, and for the code that AgentChat sends by mail. Without a
/// terminal, or with --json, it takes two runs: the first with --email and --handle prints a pending id,
/// the second takes it with the code. The key itself is never shown.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// The address that AgentChat sends the code to.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) email: Option<String>,
    /// The handle of the new agent; with --recover, which agent of the address is meant.
    #[arg(long, value_name = "HANDLE")]
    pub(super) handle: Option<HandleArg>,
    /// The name of the new agent.
    #[arg(long, value_name = "NAME", conflicts_with = "recover")]
    pub(super) display_name: Option<String>,
    /// Get a new key for an agent that exists; its old key is dead then.
    #[arg(long)]
    pub(super) recover: bool,
    /// What the first run printed.
    #[arg(long, value_name = "ID")]
    pub(super) pending_id: Option<String>,
    /// The code from the mail, six digits.
    #[arg(long, value_name = "CODE", requires = "pending_id")]
    pub(super) code: Option<String>,
    /// Take over a key that you have, from this file; `-` reads it from standard input.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["email", "handle", "display_name", "recover", "pending_id", "code"]
    )]
    pub(super) key_file: Option<PathBuf>,
}

impl Login {
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let hub = session.connect().await?;
        let standing = Standing::of(&hub.value("daemon.status", &json!({})).await?);
        if standing.has_key && !self.recover {
            standing.refuse_another(self.handle.as_ref())?;
            return page::already(session, &standing);
        }
        if let Some(file) = &self.key_file {
            let kept = key_file::take(&hub, &standing, file).await?;
            return ready::finish(session, kept).await;
        }
        drop(hub);
        let asker = Asker::of_process(session.output.json);
        match Steps::new(session, asker, self, &standing).take().await? {
            Reached::CodeSent {
                pending_id,
                recover,
            } => page::code_sent(session, &pending_id, recover),
            Reached::Kept(kept) => ready::finish(session, kept).await,
        }
    }
}
