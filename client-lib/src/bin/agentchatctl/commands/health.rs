//! `health`: whether messages get through, as text and as an exit status.

use agentchatd_client::types::Verdict;
use clap::Args;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Fields, Page, Span, Table, View, bad, good, name, plain, warn};
use crate::render::{flag, length, list, moment, number, text};
use crate::session::{Session, value};

/// Tell whether messages get through; the exit status says it, too.
///
/// Exit status: 0 ok, 1 degraded or starting, 2 parked, 3 down, 4 no daemon.
#[derive(Debug, Args)]
pub(crate) struct Health {}

impl Health {
    pub(super) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let hub = session.connect().await?;
        // A daemon that is there and does not answer is down.
        let answer = hub.call("daemon.health", &json!({})).await;
        let answer = answer.map_err(|failure| Failure {
            exit: Exit::DOWN,
            ..failure
        })?;
        let health = value(&answer)?;
        session.print(&answer, page)?;
        Ok(exit(&health))
    }
}

fn exit(health: &Value) -> Exit {
    let verdict = health.get("verdict").cloned().map(serde_json::from_value);
    match verdict {
        Some(Ok(Verdict::Ok)) => Exit::DONE,
        Some(Ok(Verdict::Starting | Verdict::Degraded)) => Exit::DEGRADED,
        Some(Ok(Verdict::Parked)) => Exit::PARKED,
        // A verdict that this version does not know is no reason to call it well.
        Some(Ok(Verdict::Down) | Err(_)) | None => Exit::DOWN,
    }
}

fn verdict(word: &str) -> Span {
    match word {
        "ok" => good(word),
        "starting" | "degraded" => warn(word),
        _ => bad(word),
    }
}

fn page(health: &Value, view: View) -> Page {
    let mut fields = Fields::default();
    fields.add(
        "health",
        verdict(text(health, "verdict").unwrap_or("unknown")),
    );
    fields.add_some("since", text(health, "since").map(moment).as_deref());
    for reason in list(health, "reasons") {
        let code = text(reason, "code").unwrap_or("-");
        let message = text(reason, "message").unwrap_or("-");
        fields.add_line("reason", vec![warn(code), plain(format!(": {message}"))]);
    }
    let null = Value::Null;
    let receive = health.get("receive").unwrap_or(&null);
    fields.add_some(
        "last heard",
        text(receive, "last_frame_at").map(moment).as_deref(),
    );
    fields.add_some(
        "last sync",
        text(receive, "last_sync_at").map(moment).as_deref(),
    );
    if let Some(gaps) = number(receive, "gaps_open").filter(|gaps| *gaps > 0) {
        fields.add("holes open", warn(gaps.to_string()));
    }
    let send = health.get("send").unwrap_or(&null);
    let waits = number(send, "oldest_queued_age_ms").map(length);
    fields.add_some("oldest unsent", waits.as_deref());
    if let Some(failing) = number(send, "failing").filter(|failing| *failing > 0) {
        fields.add("failing sends", warn(failing.to_string()));
    }
    let mut page = fields.page();
    let consumers = list(health, "consumers");
    if !consumers.is_empty() {
        let mut table = Table::new(&["CONSUMER", "BEHIND", "OLDEST", "ATTACHED"]);
        for consumer in consumers {
            let oldest = number(consumer, "oldest_unacked_age_ms").map(length);
            table.row(vec![
                name(text(consumer, "name").unwrap_or("-")),
                plain(number(consumer, "lag").unwrap_or_default().to_string()),
                plain(oldest.as_deref().unwrap_or("-")),
                plain(if flag(consumer, "attached") {
                    "yes"
                } else {
                    "no"
                }),
            ]);
        }
        page.add(Vec::new());
        page.append(table.page(view, ""));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_has_its_exit_status() {
        for (word, expected) in [
            ("ok", Exit::DONE),
            ("starting", Exit::DEGRADED),
            ("degraded", Exit::DEGRADED),
            ("parked", Exit::PARKED),
            ("down", Exit::DOWN),
            ("something new", Exit::DOWN),
        ] {
            assert_eq!(exit(&json!({"verdict": word})), expected, "{word}");
        }
        assert_eq!(exit(&json!({})), Exit::DOWN);
    }

    #[test]
    fn reasons_and_consumers_are_shown() {
        let health = json!({
            "verdict": "degraded", "since": "2026-11-23T12:00:00Z",
            "reasons": [{"code": "gap", "message": "a hole is open"}],
            "receive": {"gaps_open": 1}, "send": {"failing": 0},
            "consumers": [{"name": "bot", "lag": 3, "attached": false}],
        });
        assert_eq!(
            page(&health, View::plain()).text(false),
            "health      degraded\nsince       2026-11-23 12:00:00Z\nreason      gap: a hole is \
             open\nholes open  1\n\nCONSUMER  BEHIND  OLDEST  ATTACHED\nbot       3       -       \
             no\n"
        );
    }
}
