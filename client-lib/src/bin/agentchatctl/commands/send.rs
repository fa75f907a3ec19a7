//! `send`: one message.

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use agentchatd_client::types::{Address, Handle, Id};
use clap::Args;
use serde_json::{Map, Value, json};

use super::{attach, conversations};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Page, dim, good, name, plain, warn};
use crate::render::{number, text};
use crate::session::{Hub, Session, millis};
use crate::values::{Target, Time};

/// Send a message.
///
/// It is on the daemon's disk before the first attempt. Without --queue the command ends when AgentChat
/// has answered; where that takes longer than --timeout, the message stays in the outbox and goes on.
#[derive(Debug, Args)]
pub(crate) struct Send {
    /// To whom: @handle, or the id of a conversation.
    to: Target,
    /// The text; `-`, or nothing with a pipe behind it, reads it from standard input.
    text: Option<String>,
    /// End as soon as the message is on disk, network or not.
    #[arg(long)]
    queue: bool,
    /// Send this file with it.
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// The id of the message that it answers.
    #[arg(long, value_name = "ID")]
    reply_to: Option<String>,
    /// Structured data to send with it, a JSON object.
    #[arg(long, value_name = "JSON", value_parser = object)]
    json_data: Option<Value>,
    /// Your own id of the message: the same one again sends nothing twice.
    #[arg(long, value_name = "ID")]
    client_msg_id: Option<String>,
    /// Give the message up after this time: 90s, 10m, 1d.
    #[arg(long, value_name = "TIME")]
    expires_in: Option<Time>,
}

impl Send {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let text = self.text()?;
        let hub = session.connect().await?;
        let to = address(&hub, &self.to).await?;
        let attachment = match &self.file {
            Some(path) => Some(upload(session, &hub, path, &to).await?),
            None => None,
        };
        let params = self.params(&to, text, attachment);
        let answer = hub.call("messages.send", &Value::Object(params)).await?;
        session.print(&answer, |outcome, _| page(outcome, &to))
    }

    /// The text, from wherever it comes; none where something else is sent.
    fn text(&self) -> Result<Option<String>, Failure> {
        let something_else = self.file.is_some() || self.json_data.is_some();
        match self.text.as_deref() {
            Some("-") => stdin().map(Some),
            Some(text) => Ok(Some(text.to_owned())),
            None if something_else => Ok(None),
            None if std::io::stdin().is_terminal() => Err(Failure::usage(
                "there is nothing to send; give a text, --file or --json-data, or pipe a text in",
            )),
            None => stdin().map(Some),
        }
    }

    fn params(
        &self,
        to: &Target,
        text: Option<String>,
        attachment: Option<String>,
    ) -> Map<String, Value> {
        let mut params = Map::new();
        to.name_in(&mut params);
        let kind = match (&attachment, &self.json_data) {
            (Some(_), _) => Some("file"),
            (None, Some(_)) => Some("structured"),
            (None, None) => None,
        };
        if let Some(kind) = kind {
            let mut content = Map::new();
            content.extend(text.map(|text| ("text".to_owned(), text.into())));
            content.extend(attachment.map(|id| ("attachment_id".to_owned(), id.into())));
            let data = self.json_data.clone();
            content.extend(data.map(|data| ("data".to_owned(), data)));
            params.insert("content".into(), content.into());
            params.insert("type".into(), kind.into());
        } else {
            params.insert("text".into(), text.into());
        }
        if let Some(id) = &self.reply_to {
            params.insert("metadata".into(), json!({"reply_to": id}));
        }
        if let Some(id) = &self.client_msg_id {
            params.insert("client_msg_id".into(), id.as_str().into());
        }
        if let Some(time) = self.expires_in {
            params.insert("expires_in_ms".into(), millis(time.0).into());
        }
        if self.queue {
            params.insert("delivery".into(), "queue".into());
        }
        params
    }
}

/// AgentChat takes the id of a group, and a handle for everything else. So the id of a direct
/// conversation becomes the handle of the other agent.
async fn address(hub: &Hub, to: &Target) -> Result<Target, Failure> {
    Ok(match to {
        Target::Conversation(id) if !id.starts_with(GROUP) => {
            let agent = conversations::agent_of(hub, id).await?;
            agent.map_or_else(|| to.clone(), Target::Agent)
        }
        Target::Agent(_) | Target::Conversation(_) => to.clone(),
    })
}

/// Uploads a file for this recipient; the attachment's id.
async fn upload(session: &Session, hub: &Hub, path: &Path, to: &Target) -> Result<String, Failure> {
    let address = match to {
        Target::Agent(handle) => Handle::new(handle).map(Address::To).ok(),
        Target::Conversation(id) => Id::new(id).map(Address::Conversation).ok(),
    };
    let address = address.ok_or_else(|| {
        Failure::usage(format!(
            "{to} cannot be a recipient; give @handle or the id of a group"
        ))
    })?;
    let uploaded = attach::with_progress(session, hub, path, None, &address).await?;
    Ok(uploaded.attachment_id)
}

fn stdin() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::stdin()
        .lock()
        .take(MAX_TEXT_BYTES + 1)
        .read_to_end(&mut bytes);
    read.map_err(|error| {
        Failure::failed(format!(
            "standard input cannot be read ({error}); give the text as an argument"
        ))
    })?;
    if bytes.len() as u64 > MAX_TEXT_BYTES {
        return Err(Failure::failed(
            "the text is larger than AgentChat takes; send it as a file with --file",
        ));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| {
        Failure::failed("standard input is not UTF-8 text; send it as a file with --file")
    })?;
    if text.ends_with('\n') {
        // The line end that `echo` adds.
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err(Failure::usage(
            "standard input is empty; give a text, or pipe one in",
        ));
    }
    Ok(text)
}

fn object(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err("it is JSON, but no object such as {\"key\": 1}".to_owned()),
        Err(error) => Err(format!("it is no JSON: {error}")),
    }
}

fn page(outcome: &Value, to: &Target) -> Page {
    let to = name(to.to_string());
    if let Some(id) = text(outcome, "outbox_id") {
        return Page::of(vec![
            good("queued"),
            plain(" to "),
            to,
            dim(format!("  agentchatctl outbox get {id}")),
        ]);
    }
    let null = Value::Null;
    let message = outcome.get("message").unwrap_or(&null);
    let id = text(message, "id").unwrap_or("-");
    let word = if outcome.get("replayed") == Some(&Value::Bool(true)) {
        warn("sent before")
    } else {
        good("sent")
    };
    let mut page = Page::of(vec![
        word,
        plain(format!(" {id} to ")),
        to,
        dim(format!(
            "  {}",
            text(message, "conversation_id").unwrap_or("-")
        )),
    ]);
    if let Some(warning) = outcome
        .get("backlog_warning")
        .filter(|value| value.is_object())
    {
        let count = number(warning, "undelivered_count").unwrap_or_default();
        page.add(vec![warn(format!(
            "the recipient has {count} messages unread"
        ))]);
    }
    page
}

/// How ids of groups begin.
const GROUP: &str = "grp_";
/// More than AgentChat takes in any form; it refuses the rest by its own measure.
const MAX_TEXT_BYTES: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        send: Send,
    }

    fn params(args: &[&str], attachment: Option<&str>) -> Value {
        let line = Line::parse_from(std::iter::once(&"send").chain(args));
        let text = line.send.text.clone();
        line.send
            .params(&line.send.to, text, attachment.map(str::to_owned))
            .into()
    }

    #[test]
    fn a_text_goes_to_a_handle_or_a_conversation() {
        assert_eq!(
            params(&["@bob", "hi"], None),
            json!({"to": "bob", "text": "hi"})
        );
        assert_eq!(
            params(&["grp_1", "hi", "--queue", "--expires-in", "90s"], None),
            json!({"conversation_id": "grp_1", "text": "hi", "delivery": "queue",
                   "expires_in_ms": 90_000})
        );
    }

    #[test]
    fn a_file_and_data_go_with_the_text_in_one_content() {
        assert_eq!(
            params(
                &[
                    "@bob",
                    "look",
                    "--json-data",
                    r#"{"n":1}"#,
                    "--reply-to",
                    "msg_1"
                ],
                Some("att_1")
            ),
            json!({"to": "bob", "type": "file", "metadata": {"reply_to": "msg_1"},
                   "content": {"text": "look", "attachment_id": "att_1", "data": {"n": 1}}})
        );
        assert_eq!(
            params(
                &["@bob", "--json-data", r#"{"n":1}"#, "--client-msg-id", "c"],
                None
            ),
            json!({"to": "bob", "type": "structured", "content": {"data": {"n": 1}},
                   "client_msg_id": "c"})
        );
    }

    #[test]
    fn outcomes_are_told_apart() {
        let to: Target = "@bob".parse().unwrap();
        let sent = json!({"message": {"id": "msg_1", "conversation_id": "conv_1"},
                          "replayed": false, "backlog_warning": {"undelivered_count": 6000}});
        assert_eq!(
            page(&sent, &to).text(false),
            "sent msg_1 to @bob  conv_1\nthe recipient has 6000 messages unread\n"
        );
        let again = json!({"message": {"id": "msg_1"}, "replayed": true});
        assert!(
            page(&again, &to)
                .text(false)
                .starts_with("sent before msg_1")
        );
        let queued = json!({"queued": true, "outbox_id": "obx_1"});
        assert!(
            page(&queued, &to)
                .text(false)
                .ends_with("@bob  agentchatctl outbox get obx_1\n")
        );
    }
}
