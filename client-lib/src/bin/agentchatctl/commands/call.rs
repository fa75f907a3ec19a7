//! `call`: any method of the local API, JSON in and JSON out.

use std::io::Read as _;

use clap::Args;
use serde_json::value::RawValue;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Call any method of the daemon's API.
///
/// The result is printed as it is, laid out on a terminal. docs/protocol.md has the methods.
#[derive(Debug, Args)]
pub(crate) struct Call {
    /// The method, such as `contacts.list`.
    method: String,
    /// The parameters as JSON, `-` for standard input; `{}` where left out.
    #[arg(value_name = "JSON", allow_hyphen_values = true)]
    params: Option<String>,
}

impl Call {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let params = match self.params.as_deref() {
            None => "{}".to_owned(),
            Some("-") => stdin()?,
            Some(json) => json.to_owned(),
        };
        let params = RawValue::from_string(params.trim().to_owned()).map_err(|error| {
            Failure::usage(format!(
                "the parameters are no JSON ({error}); write them such as '{{\"limit\": 5}}'"
            ))
        })?;
        let hub = session.connect().await?;
        let answer = hub.call_raw(&self.method, params).await?;
        session.output.json_pretty(answer.get())?;
        Ok(Exit::DONE)
    }
}

fn stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin()
        .lock()
        .take(MAX_BYTES)
        .read_to_string(&mut text);
    read.map_err(|error| {
        Failure::failed(format!(
            "standard input cannot be read ({error}); give the parameters as an argument"
        ))
    })?;
    Ok(text)
}

/// The daemon takes no larger request.
const MAX_BYTES: u64 = 1 << 30;
