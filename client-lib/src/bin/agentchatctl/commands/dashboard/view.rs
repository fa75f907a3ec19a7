//! What the page is told, as one JSON value.

use agentchatd_client::types::Timestamp;
use serde_json::{Value, json};

use super::link::Told;
use super::tidy::tidy;
use crate::render::{number, text};

/// Where the daemon is there: all that it said.
pub(super) fn here(told: Told, messages: Value, rates: Value, now: &Timestamp) -> Value {
    let total = told.consumers.as_array().map_or(0, Vec::len);
    let counts = told.figures.map(|figures| figures.outbox);
    let outbox: Vec<Value> = told.outbox.iter().map(entry).collect();
    json!({
        "at": now,
        "away": null,
        "status": tidy(told.status),
        "health": tidy(told.health),
        "consumers": tidy(most_behind_first(told.consumers)),
        "consumers_total": total,
        "outbox": {"counts": counts, "entries": tidy(outbox.into())},
        "messages": messages,
        "rates": rates,
    })
}

/// Where it is not: since when, and why; the rest is as it was.
pub(super) fn away(before: &Value, sentence: &str, since: &Timestamp, now: &Timestamp) -> Value {
    let mut view = before.clone();
    view["at"] = json!(now);
    view["away"] = tidy(json!({"since": since, "sentence": sentence}));
    view
}

/// Before anything was seen.
pub(super) fn nothing(now: &Timestamp) -> Value {
    json!({
        "at": now, "away": null, "status": null, "health": null, "consumers": [],
        "consumers_total": 0, "outbox": {"counts": null, "entries": []}, "messages": [], "rates": null,
    })
}

fn most_behind_first(mut consumers: Value) -> Value {
    if let Value::Array(items) = &mut consumers {
        items.sort_by_key(|item| std::cmp::Reverse(number(item, "lag")));
    }
    consumers
}

/// An entry of the outbox without its message, which the page does not show.
fn entry(entry: &Value) -> Value {
    let last_error = entry.get("last_error");
    json!({
        "id": text(entry, "outbox_id"),
        "state": text(entry, "state"),
        "to": text(entry, "to"),
        "conversation": text(entry, "conversation_id"),
        "attempts": number(entry, "attempts"),
        "created_at": text(entry, "created_at"),
        "error": last_error.and_then(|error| text(error, "message")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::list;

    #[test]
    fn a_daemon_that_is_away_leaves_what_was_seen_and_says_so() {
        let now = Timestamp::from_unix_ms(1_000);
        let later = Timestamp::from_unix_ms(9_000);
        let told = Told {
            status: json!({"version": "1"}),
            consumers: json!([{"name": "a", "lag": 1}, {"name": "b", "lag": 7}]),
            ..Told::default()
        };
        let seen = here(told, json!([]), Value::Null, &now);
        assert_eq!(seen["consumers"][0]["name"], "b");
        let view = away(&seen, "no daemon\u{202e}", &now, &later);
        assert_eq!(view["status"], json!({"version": "1"}));
        assert_eq!(view["away"]["sentence"], "no daemon");
        assert_eq!(view["at"], "1970-01-01T00:00:09.000Z");
        assert_eq!(list(&view, "consumers").len(), 2);
    }
}
