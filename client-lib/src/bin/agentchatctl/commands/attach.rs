//! `attach`: uploads a file, and sends it where that is wanted.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use agentchatd_client::files::{Upload, upload};
use agentchatd_client::types::{Address, Handle, Id, UploadedFile};
use clap::Args;
use serde_json::{Value, json};

use super::progress::Progress;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Fields, Page, good, name, plain};
use crate::render::text;
use crate::sentences;
use crate::session::{Hub, Session};
use crate::values::HandleArg;

/// Upload a file for one recipient; with --send, send it at once.
///
/// It prints the id by which a message names the file. On a terminal a bar shows how far it came.
#[derive(Debug, Args)]
pub(crate) struct Attach {
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The agent that it is for.
    #[arg(long, value_name = "HANDLE", required_unless_present = "conversation")]
    to: Option<HandleArg>,
    /// The group that it is for.
    #[arg(long, value_name = "ID", conflicts_with = "to")]
    conversation: Option<String>,
    /// What it is, `image/png` for example; told from the name where it is left out.
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// Send it, with this text if there is one.
    #[arg(long, value_name = "TEXT", num_args = 0..=1, default_missing_value = "")]
    send: Option<String>,
}

impl Attach {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let address = self.address()?;
        let hub = session.connect().await?;
        let kind = self.content_type.clone();
        let uploaded = with_progress(session, &hub, &self.file, kind, &address).await?;
        let mut told = json!({
            "attachment_id": uploaded.attachment_id, "size": uploaded.size,
            "sha256": uploaded.sha256,
        });
        if let Some(words) = &self.send {
            let params = message(&address, &uploaded.attachment_id, words);
            told["sent"] = hub.value("messages.send", &params).await?;
        }
        if session.output.json {
            session.output.json_line(&told.to_string())?;
        } else {
            session.output.page(&page(&told))?;
        }
        Ok(Exit::DONE)
    }

    fn address(&self) -> Result<Address, Failure> {
        let wrong = |error: &dyn std::fmt::Display| {
            Failure::usage(format!("the recipient cannot be one ({error}); correct it"))
        };
        match (&self.to, &self.conversation) {
            (Some(HandleArg(handle)), _) => Handle::new(handle)
                .map(Address::To)
                .map_err(|error| wrong(&error)),
            (None, id) => Id::new(id.as_deref().unwrap_or_default())
                .map(Address::Conversation)
                .map_err(|error| wrong(&error)),
        }
    }
}

/// Uploads a file through the daemon, with a bar on a terminal. The bytes go over the socket, so it
/// does not matter whether the daemon may read the file.
pub(super) async fn with_progress(
    session: &Session,
    hub: &Hub,
    file: &Path,
    content_type: Option<String>,
    address: &Address,
) -> Result<UploadedFile, Failure> {
    let (socket, file, to) = (hub.path().to_owned(), file.to_owned(), address.clone());
    let progress = Arc::new(Progress::new(session));
    let (bar, patience) = (Arc::clone(&progress), patience(session));
    let work = move || send_file(&socket, &file, content_type.as_deref(), &to, patience, &bar);
    let uploaded = tokio::task::spawn_blocking(work).await;
    progress.clear();
    uploaded.map_err(|_| Failure::failed("the upload failed; look with `agentchatctl health`"))?
}

fn send_file(
    socket: &Path,
    path: &Path,
    content_type: Option<&str>,
    address: &Address,
    patience: Duration,
    progress: &Progress,
) -> Result<UploadedFile, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::failed(format!(
            "the file {} cannot be read ({error}); check its name",
            path.display()
        ))
    };
    // Looked at before it is opened, for opening a pipe would wait for a writer.
    let meta = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !meta.is_file() {
        return Err(unreadable(&"it is no regular file"));
    }
    let mut file = File::open(path).map_err(|error| unreadable(&error))?;
    let size = file.metadata().map_err(|error| unreadable(&error))?.len();
    let filename = path.file_name().and_then(|name| name.to_str());
    let filename = filename.ok_or_else(|| unreadable(&"its name is not UTF-8"))?;
    let request = Upload {
        filename,
        content_type,
        address,
        size,
        patience,
    };
    let moved = |bytes| {
        progress.moved(bytes, Some(size));
        if bytes == size {
            progress.wait("on its way to AgentChat");
        }
    };
    upload(socket, &request, &mut file, moved)
        .map_err(|error| sentences::of_transfer("attachments.upload", &error))
}

/// How long the daemon may say nothing; it has limits of its own.
pub(super) fn patience(session: &Session) -> Duration {
    session.global.timeout.map_or(PATIENCE, |time| time.0)
}

fn message(address: &Address, attachment_id: &str, words: &str) -> Value {
    let mut content = json!({"attachment_id": attachment_id});
    if !words.is_empty() {
        content["text"] = words.into();
    }
    let mut params = json!({"type": "file", "content": content});
    match address {
        Address::To(handle) => params["to"] = handle.as_str().into(),
        Address::Conversation(id) => params["conversation_id"] = id.as_str().into(),
    }
    params
}

fn page(told: &Value) -> Page {
    let mut fields = Fields::default();
    fields.add(
        "attachment",
        name(text(told, "attachment_id").unwrap_or("-")),
    );
    fields.add("size", plain(format!("{} bytes", told["size"])));
    fields.add_some("sha256", text(told, "sha256"));
    if let Some(id) = text(&told["sent"]["message"], "id") {
        fields.add_line("message", vec![good("sent"), plain(format!(" {id}"))]);
    }
    fields.page()
}

/// A large file on a slow line.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_sent_with_its_words_or_without() {
        let to = Address::To(Handle::new("bob").unwrap());
        assert_eq!(
            message(&to, "att_1", "look"),
            json!({"to": "bob", "type": "file", "content": {"attachment_id": "att_1", "text": "look"}})
        );
        let group = Address::Conversation(Id::new("grp_1").unwrap());
        assert_eq!(
            message(&group, "att_1", ""),
            json!({"conversation_id": "grp_1", "type": "file", "content": {"attachment_id": "att_1"}})
        );
    }
}
