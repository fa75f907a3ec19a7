//! `fetch`: a file of a message, to the disk: whole, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agentchatd_client::files::download;
use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::attach::patience;
use super::progress::Progress;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Page, good, name, plain};
use crate::sentences;
use crate::session::Session;

/// Fetch a file that came with a message.
///
/// It appears under its name only when it is whole; Ctrl-C leaves nothing. On a terminal a bar shows how
/// far it came.
#[derive(Debug, Args)]
pub(crate) struct Fetch {
    /// The id of the attachment, as the message has it.
    #[arg(value_name = "ATTACHMENT_ID")]
    attachment_id: String,
    /// Where to; a file named as the id in this folder by default.
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
}

impl Fetch {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let target = self.target()?;
        if !self.force && fs::symlink_metadata(&target).is_ok() {
            return Err(exists(&target));
        }
        let socket = session.connect().await?.path().to_owned();
        let (temp, mut file) = temp(&target)?;
        let progress = Arc::new(Progress::new(session));
        let (bar, id, patience) = (
            Arc::clone(&progress),
            self.attachment_id.clone(),
            patience(session),
        );
        let work = move || {
            let moved = |bytes, of| bar.moved(bytes, of);
            let count = download(&socket, &id, patience, &mut file, moved)
                .map_err(|error| sentences::of_transfer("attachments.download", &error))?;
            file.sync_all().map_err(|error| unwritable(&error))?;
            Ok(count)
        };
        // The name is given here and not on the thread: after a signal nothing can appear any more.
        let fetched = tokio::select! {
            fetched = tokio::task::spawn_blocking(work) => fetched.unwrap_or_else(|_| Err(ended())),
            _ = interrupt.recv() => Err(ended()),
            _ = terminate.recv() => Err(ended()),
        };
        progress.clear();
        let placed = fetched.and_then(|count| self.place(&temp, &target).map(|()| count));
        let count = placed.inspect_err(|_| {
            // The one that failed is told; a leftover could only be told beside it.
            let _gone = fs::remove_file(&temp);
        })?;
        let shown = target.display().to_string();
        if session.output.json {
            let told = json!({"path": shown, "size": count});
            session.output.json_line(&told.to_string())?;
        } else {
            session.output.page(&Page::of(vec![
                good("fetched"),
                plain(" "),
                name(shown),
                plain(format!("  {count} bytes")),
            ]))?;
        }
        Ok(Exit::DONE)
    }

    fn target(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.output {
            return Ok(path.clone());
        }
        let id = &self.attachment_id;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !id.is_empty() && id.bytes().all(fits) {
            return Ok(PathBuf::from(id));
        }
        Err(Failure::usage(
            "an id of this form makes no file name; say where to with --output",
        ))
    }

    fn place(&self, temp: &Path, target: &Path) -> Result<(), Failure> {
        if self.force {
            return fs::rename(temp, target).map_err(|error| unwritable(&error));
        }
        // Unlike a rename, this takes nothing away that came there meanwhile.
        match fs::hard_link(temp, target) {
            Ok(()) => fs::remove_file(temp).map_err(|error| unwritable(&error)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(target)),
            Err(error) => Err(unwritable(&error)),
        }
    }
}

/// A file beside the target, so that it can become it in one step.
fn temp(target: &Path) -> Result<(PathBuf, File), Failure> {
    let Some(name) = target.file_name() else {
        return Err(Failure::usage(
            "the target is no file name; give one with --output",
        ));
    };
    let name = format!(".{}.{}.part", name.display(), std::process::id());
    let temp = target.with_file_name(name);
    let file = OpenOptions::new().write(true).create_new(true).open(&temp);
    Ok((temp, file.map_err(|error| unwritable(&error))?))
}

fn exists(target: &Path) -> Failure {
    Failure::failed(format!(
        "{} is there already, and nothing was fetched; give another --output, or --force",
        target.display()
    ))
}

fn unwritable(error: &io::Error) -> Failure {
    Failure::failed(format!(
        "the file cannot be written ({error}); give another --output"
    ))
}

fn ended() -> Failure {
    Failure::failed("it was ended before the file was whole, so there is none; start again")
}
