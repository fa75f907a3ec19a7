//! The sandbox in a process of its own.
//!
//! It prints one line of JSON when it is ready, `{"base_url":…,"storage_url":…,
//! "agents":{handle:key}}`, serves until it is killed, and can be steered under `/_sandbox/`.

use agentchatd_tests::sandbox::{Draft, Event, Options, Sandbox, SyncForm, To};
use clap::{Parser, ValueEnum};
use serde_json::{Map, Value, json};
use std::io::Write as _;
use std::time::Duration;

/// A stand-in for the AgentChat platform, on loopback.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Port to listen on; 0 lets the system choose.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Form of sync and ack.
    #[arg(long, value_enum, default_value_t = Form::Production)]
    form: Form,
    /// Behave like the platform's last public server: no acknowledgements, rows marked as sent.
    #[arg(long)]
    april: bool,
    /// An agent to begin with; its key is `ac_sandbox_<handle>` unless given.
    #[arg(long = "agent", value_name = "HANDLE[:KEY]")]
    agents: Vec<String>,
    /// Start the agent `echo`, which answers every message with its content.
    #[arg(long)]
    echo: bool,
    /// No limit on messages per second, registrations and one-time codes.
    #[arg(long)]
    unlimited: bool,
}

/// The wire forms of sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// What production sends.
    Production,
    /// What the Python SDK 1.0.3 documents.
    #[value(name = "1.0.3")]
    Documented103,
}

/// How often the echo looks whether anything happened at all.
const ECHO_PATIENCE: Duration = Duration::from_secs(3_600);
const ECHO: &str = "echo";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let mut options = if arguments.april {
        Options::april()
    } else {
        Options::modern()
    };
    options.port = arguments.port;
    if arguments.form == Form::Documented103 {
        options.form = SyncForm::Documented103;
    }
    if arguments.unlimited {
        options.sends_per_second = None;
        options.group_sends_per_second = None;
        options.address_caps = false;
        options.code_caps = false;
    }
    let sandbox = Sandbox::start(options).await?;
    let mut agents = Map::new();
    for name in &arguments.agents {
        let agent = match name.split_once(':') {
            Some((handle, key)) => sandbox.agent_with_key(handle, key),
            None => sandbox.agent(name),
        };
        agents.insert(agent.handle().to_owned(), Value::from(agent.key()));
    }
    if arguments.echo {
        sandbox.agent(ECHO);
    }
    let ready = json!({
        "base_url": sandbox.base_url(),
        "storage_url": sandbox.storage_url(),
        "agents": agents,
    });
    let mut out = std::io::stdout();
    writeln!(out, "{ready}")?;
    out.flush()?;
    if arguments.echo {
        echo(&sandbox).await;
    }
    std::future::pending::<()>().await;
    Ok(())
}

/// Answers every message to `echo` in the conversation it came from.
async fn echo(sandbox: &Sandbox) {
    let mut next = 0;
    loop {
        let fits = |event: &Event| matches!(event, Event::Sent { agent, replay: false, .. } if agent != ECHO);
        let seen = sandbox
            .journal()
            .wait_from(next, |e| fits(&e.event), ECHO_PATIENCE)
            .await;
        let Ok(entry) = seen else { continue };
        next = entry.index + 1;
        let Event::Sent {
            conversation_id,
            message_id,
            ..
        } = entry.event
        else {
            continue;
        };
        let own = sandbox.messages_for(ECHO);
        let message = own
            .get(&conversation_id)
            .and_then(|rows| rows.iter().find(|message| message.id == message_id));
        if let Some(message) = message {
            let reply =
                Draft::from(message.content.clone()).metadata(json!({ "reply_to": message_id }));
            sandbox.send(ECHO, To::Conversation(&conversation_id), reply);
        }
    }
}
