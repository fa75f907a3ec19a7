//! The arguments of `doctor`, and the order of its checks.

use std::io;
use std::path::{Path, PathBuf};

use agentchatd_client::path::Surroundings;
use agentchatd_client::{Client, ClientError};
use clap::Args;
use serde_json::{Value, json};

use super::finding::{Finding, exit, halves, json as as_json, page};
use super::{daemon, files, network};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::text;
use crate::sentences;
use crate::session::{Hub, Session};

/// Look at the socket, the daemon, its files and the way to AgentChat; each line says what to do.
///
/// It changes nothing, and looks at what it can where no daemon runs. Exit status: 0 where nothing fails
/// (warnings are none), 1 otherwise.
#[derive(Debug, Args)]
pub(crate) struct Doctor {}

impl Doctor {
    pub(crate) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let mut findings = Vec::new();
        let socket = socket(session, &mut findings).await;
        let mut told = Told::default();
        if socket.is_some() {
            told = ask(session, &mut findings).await;
        }
        let state_dir = told.state_dir().or_else(|| {
            let surroundings = Surroundings::of_process();
            socket
                .is_none()
                .then(|| surroundings.state_dir(None))
                .flatten()
        });
        if let Some(dir) = state_dir {
            files::state_dir(&dir, &mut findings);
        }
        if !told.status.is_null() {
            daemon::key(&told.status, &mut findings);
            network::look(&told.status, &mut findings).await;
            daemon::connection(&told.status, &mut findings);
            daemon::clock(&told.status, &mut findings);
            daemon::outbox(&told.status, &told.health, &mut findings);
            daemon::readers(&told.health, &mut findings);
            daemon::words(&told.status, &told.health, &mut findings);
        }
        if session.output.json {
            session.output.json_line(&as_json(&findings).to_string())?;
        } else {
            session.output.page(&page(&findings))?;
        }
        Ok(exit(&findings))
    }
}

/// What the daemon says of itself.
#[derive(Debug, Default)]
struct Told {
    status: Value,
    health: Value,
}

impl Told {
    fn state_dir(&self) -> Option<PathBuf> {
        let path = text(self.status.get("storage")?, "path")?;
        Path::new(path).parent().map(Path::to_owned)
    }
}

/// The place where the daemon answers, as every other command finds it.
async fn socket(session: &Session, findings: &mut Vec<Finding>) -> Option<PathBuf> {
    let places = Surroundings::of_process().client_sockets(session.global.socket.as_deref());
    let mut tried: Vec<(PathBuf, io::Error)> = Vec::new();
    for place in places {
        match Client::connect(&place).await {
            Ok(_) => {
                let place_told = place.display();
                findings.push(Finding::ok("socket", format!("{place_told} answers")));
                files::socket(&place, findings);
                return Some(place);
            }
            Err(ClientError::Connect { path, source }) => tried.push((path, source)),
            Err(_) => {}
        }
    }
    let (what, mend) = halves(&sentences::no_daemon(&tried));
    findings.push(Finding::fail("socket", what, mend));
    None
}

async fn ask(session: &Session, findings: &mut Vec<Finding>) -> Told {
    let Ok(hub) = session.connect().await else {
        return Told::default();
    };
    let status = value_of(&hub, "daemon.status", findings).await;
    if status.is_null() {
        return Told::default();
    }
    daemon::version(&status, findings);
    let health = value_of(&hub, "daemon.health", findings).await;
    Told { status, health }
}

/// An answer; nothing where there is none, with the finding that says so.
async fn value_of(hub: &Hub, method: &str, findings: &mut Vec<Finding>) -> Value {
    match hub.value(method, &json!({})).await {
        Ok(value) => value,
        Err(failure) => {
            let (what, mend) = halves(&failure.sentence.unwrap_or_default());
            findings.push(Finding::fail("daemon", what, mend));
            Value::Null
        }
    }
}
