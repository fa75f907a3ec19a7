//! `status`: all about the daemon's state.

use clap::Args;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Fields, Page, bad, good, name, plain, warn};
use crate::render::{handle, length, list, moment, number, text};
use crate::session::Session;

/// Show the state of the daemon: connection, log, outbox, storage, warnings.
#[derive(Debug, Args)]
pub(crate) struct Status {}

impl Status {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        session
            .show("daemon.status", json!({}), |status, _| page(status))
            .await
    }
}

fn page(status: &Value) -> Page {
    let null = Value::Null;
    let part = |member: &str| status.get(member).unwrap_or(&null);
    let count = |value: &Value, member: &str| number(value, member).unwrap_or_default();
    let mut fields = Fields::default();
    fields.add(
        "daemon",
        plain(format!(
            "{} (pid {}), up {}",
            text(status, "version").unwrap_or("-"),
            count(status, "pid"),
            length(count(status, "uptime_ms"))
        )),
    );
    agent(&mut fields, part("agent"));
    connection(&mut fields, part("connection"));
    let log = part("log");
    let offsets = match (number(log, "first_offset"), number(log, "last_offset")) {
        (Some(first), Some(last)) => format!(", offsets {first} to {last}"),
        _ => String::new(),
    };
    fields.add(
        "log",
        plain(format!(
            "{} events{offsets}, {}",
            count(log, "events"),
            size(count(log, "bytes"))
        )),
    );
    let order = part("ordering");
    fields.add(
        "order",
        plain(format!(
            "{} conversations, {} messages wait, holes: {} open, {} filled, {} absent, {} failed",
            count(order, "conversations"),
            count(order, "parked"),
            count(order, "gaps_open"),
            count(order, "gaps_recovered"),
            count(order, "gaps_absent"),
            count(order, "gaps_failed"),
        )),
    );
    let outbox = part("outbox");
    fields.add(
        "outbox",
        plain(format!(
            "{} queued, {} under way, {} failed",
            count(outbox, "queued"),
            count(outbox, "in_flight"),
            count(outbox, "failed")
        )),
    );
    fields.add(
        "readers",
        plain(format!(
            "{} consumers, {} subscriptions, {} clients",
            count(status, "consumers"),
            count(status, "subscriptions"),
            count(status, "clients")
        )),
    );
    let storage = part("storage");
    fields.add(
        "storage",
        plain(format!(
            "{}, {}, durability {}",
            text(storage, "path").unwrap_or("-"),
            size(count(storage, "bytes")),
            text(storage, "durability").unwrap_or("-")
        )),
    );
    let socket = part("socket");
    if let Some(path) = text(socket, "path") {
        let given = socket.get("handed_over") == Some(&Value::Bool(true));
        let how = if given {
            ", made by the service manager"
        } else {
            ""
        };
        fields.add("socket", plain(format!("{path}{how}")));
    }
    fields.add_some("configuration", text(status, "config_path"));
    for warning in list(status, "warnings").iter().filter_map(Value::as_str) {
        fields.add("warning", warn(warning));
    }
    fields.page()
}

fn agent(fields: &mut Fields, agent: &Value) {
    if text(agent, "handle").is_none() {
        fields.add("agent", warn("none yet"));
        return;
    }
    let mut line = vec![name(handle(agent, "handle"))];
    if let Some(status) = text(agent, "status").filter(|status| *status != "active") {
        line.push(warn(format!("  {status}")));
    }
    if let Some(paused) = text(agent, "paused_by_owner").filter(|paused| *paused != "none") {
        line.push(warn(format!("  paused by its owner: {paused}")));
    }
    fields.add_line("agent", line);
}

fn connection(fields: &mut Fields, connection: &Value) {
    let state = text(connection, "state").unwrap_or("unknown");
    let mut line = vec![match state {
        "ready" => good(state),
        "parked" | "stopped" => bad(state),
        _ => warn(state),
    }];
    if let Some(reason) = text(connection, "reason") {
        line.push(plain(format!(" ({reason})")));
    }
    if let Some(since) = text(connection, "since") {
        line.push(plain(format!(" since {}", moment(since))));
    }
    fields.add_line("connection", line);
    if let Some(close) = connection
        .get("last_close")
        .filter(|close| close.is_object())
    {
        let code = number(close, "code").map_or_else(|| "-".to_owned(), |code| code.to_string());
        fields.add(
            "last close",
            plain(format!(
                "{code} {} at {}",
                text(close, "reason").unwrap_or_default(),
                text(close, "at").map_or_else(String::new, moment)
            )),
        );
    }
}

/// Bytes in a unit that people read.
fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB"];
    let mut unit = None;
    let mut tenths = bytes.saturating_mul(10);
    for name in units {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1024;
        unit = Some(name);
    }
    match unit {
        None => format!("{bytes} bytes"),
        Some(unit) => format!("{}.{} {unit}", tenths / 10, tenths % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit_that_people_read() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(5 << 20), "5.0 MiB");
        assert_eq!(size(3 << 40), "3072.0 GiB");
    }

    #[test]
    fn a_daemon_without_a_key_is_told_as_such() {
        let status = json!({"agent": null, "connection": {"state": "disconnected",
                            "reason": "not_configured"}, "warnings": ["the key is missing"]});
        let text = page(&status).text(false);
        assert!(text.contains("agent       none yet\n"), "{text}");
        assert!(
            text.contains("connection  disconnected (not_configured)\n"),
            "{text}"
        );
        assert!(text.contains("warning     the key is missing\n"), "{text}");
    }
}
