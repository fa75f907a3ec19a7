//! What the daemon says of itself, judged.

use serde_json::Value;

use super::finding::Finding;
use crate::render::{handle, length, list, number, text};

type Findings = Vec<Finding>;

/// Both programs come from one source.
pub(super) fn version(status: &Value, findings: &mut Findings) {
    let own = env!("CARGO_PKG_VERSION");
    let its = text(status, "version").unwrap_or("unknown");
    findings.push(if its == own {
        Finding::ok("version", format!("agentchatd and agentchatctl are {own}"))
    } else {
        Finding::warn(
            "version",
            format!("agentchatd is {its}, agentchatctl is {own}"),
            "install both from one release, and restart the daemon",
        )
    });
}

/// Whether there is a key, and AgentChat takes it.
pub(super) fn key(status: &Value, findings: &mut Findings) {
    let connection = part(status, "connection");
    let state = text(connection, "state").unwrap_or("unknown");
    let reason = text(connection, "reason").unwrap_or("no reason given");
    let agent = handle(part(status, "agent"), "handle");
    findings.push(match (state, reason) {
        (_, "not_configured") => Finding::fail(
            "key",
            "the daemon has none",
            "make or recover an agent with `agentchatctl login`, or take a key over with \
             `agentchatctl login --key-file`",
        ),
        ("parked", reason) => Finding::fail(
            "key",
            format!("refused: {reason}"),
            "get a new one with `agentchatctl login --recover`, or write to AgentChat's support if \
             the account is the reason",
        ),
        ("ready" | "draining", _) => Finding::ok("key", format!("accepted, the agent is {agent}")),
        _ => Finding::warn(
            "key",
            "there is one, and AgentChat has not been asked yet",
            "wait until the daemon is connected, and look again",
        ),
    });
}

/// The connection to AgentChat, which has TLS in it.
pub(super) fn connection(status: &Value, findings: &mut Findings) {
    let connection = part(status, "connection");
    let state = text(connection, "state").unwrap_or("unknown");
    let secure = text(part(status, "platform"), "base_url")
        .is_some_and(|address| address.starts_with("https:"));
    let how = if secure { "with TLS" } else { "without TLS" };
    let reason = text(connection, "reason").unwrap_or("no reason given");
    findings.push(match state {
        "ready" => Finding::ok("connection", format!("stands, {how}")),
        "parked" => Finding::fail("connection", "none while parked", "mend the key first"),
        _ if reason == "not_configured" => {
            Finding::fail("connection", "none without a key", "mend the key first")
        }
        _ => {
            let attempts = number(connection, "attempt").unwrap_or_default();
            Finding::fail(
                "connection",
                format!("{state} after {attempts} attempts ({reason})"),
                "check the network, a proxy and the machine's certificates; the daemon goes on \
                 trying",
            )
        }
    });
}

/// This machine's clock against AgentChat's.
pub(super) fn clock(status: &Value, findings: &mut Findings) {
    let offset = part(status, "platform").get("clock_offset_ms");
    let Some(offset) = offset.and_then(Value::as_i64) else {
        findings.push(Finding::warn(
            "clock",
            "not compared with AgentChat's yet",
            "look again when the daemon is connected",
        ));
        return;
    };
    let by = length(offset.unsigned_abs());
    let way = if offset > 0 { "behind" } else { "ahead of" };
    let message = format!("{by} {way} AgentChat's");
    let mend = "set the machine's clock, with `timedatectl set-ntp true` for example";
    findings.push(match offset.unsigned_abs() {
        0..=CLOCK_OK_MS => Finding::ok("clock", "agrees with AgentChat's"),
        ms if ms <= CLOCK_WARN_MS => Finding::warn("clock", message, mend),
        _ => Finding::fail("clock", message, mend),
    });
}

/// Messages that do not get out.
pub(super) fn outbox(status: &Value, health: &Value, findings: &mut Findings) {
    let outbox = part(status, "outbox");
    let waits = number(part(health, "send"), "oldest_queued_age_ms").unwrap_or_default();
    let queued = number(outbox, "queued").unwrap_or_default();
    let failed = number(outbox, "failed").unwrap_or_default();
    if waits > OUTBOX_STUCK_MS {
        findings.push(Finding::fail(
            "outbox",
            format!("stuck: {queued} wait, the oldest for {}", length(waits)),
            "look at their errors with `agentchatctl outbox list`",
        ));
    } else if failed > 0 {
        findings.push(Finding::warn(
            "outbox",
            format!("{failed} messages were given up"),
            "`agentchatctl outbox list --state failed` shows why, `agentchatctl outbox retry` sends \
             one again",
        ));
    } else {
        findings.push(Finding::ok("outbox", format!("{queued} waiting")));
    }
}

/// Consumers that nobody reads for any more.
pub(super) fn readers(health: &Value, findings: &mut Findings) {
    let consumers = list(health, "consumers");
    let before = findings.len();
    for consumer in consumers {
        let name = text(consumer, "name").unwrap_or("-");
        let lag = number(consumer, "lag").unwrap_or_default();
        let age = number(consumer, "oldest_unacked_age_ms").unwrap_or_default();
        if lag > 0 && (lag > LAG_EVENTS || age > LAG_MS) {
            findings.push(Finding::warn(
                "consumers",
                format!(
                    "{name} is {lag} events behind, the oldest waits for {}",
                    length(age)
                ),
                format!(
                    "start its program, or `agentchatctl consumers seek {name} now`, or \
                     `agentchatctl consumers delete {name}`"
                ),
            ));
        }
    }
    if findings.len() == before {
        let count = consumers.len();
        findings.push(Finding::ok(
            "consumers",
            format!("{count}, none far behind"),
        ));
    }
}

/// What the daemon has to say by itself.
pub(super) fn words(status: &Value, health: &Value, findings: &mut Findings) {
    for reason in list(health, "reasons") {
        let message = text(reason, "message").unwrap_or("-");
        match text(reason, "code").unwrap_or_default() {
            // Told above, each in its place.
            "not_connected" | "parked" | "outbox_stuck" => {}
            "storage_error" => findings.push(Finding::fail(
                "storage",
                message,
                "make room or mend the disk, then restart the daemon",
            )),
            _ => findings.push(Finding::warn(
                "health",
                message,
                "it should mend itself; the daemon's log says more",
            )),
        }
    }
    for warning in list(status, "warnings").iter().filter_map(Value::as_str) {
        findings.push(Finding::warn(
            "warning",
            warning,
            "mend it, then `agentchatctl call daemon.reload` or a restart",
        ));
    }
}

fn part<'v>(value: &'v Value, member: &str) -> &'v Value {
    value.get(member).unwrap_or(&Value::Null)
}

/// `Date` has no fraction, and answers take their time.
const CLOCK_OK_MS: u64 = 10_000;
const CLOCK_WARN_MS: u64 = 300_000;
/// As the daemon's own health counts it.
const OUTBOX_STUCK_MS: u64 = 300_000;
const LAG_EVENTS: u64 = 10_000;
/// A day.
const LAG_MS: u64 = 86_400_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::finding::Level;
    use super::*;

    fn level(look: impl Fn(&mut Findings)) -> Level {
        let mut findings = Vec::new();
        look(&mut findings);
        for found in &findings {
            assert_eq!(found.mend.is_none(), found.level == Level::Ok, "{found:?}");
        }
        findings.last().expect("a finding").level
    }

    #[test]
    fn the_key_is_judged_by_what_agentchat_made_of_it() {
        for (state, reason, expected) in [
            ("ready", None, Level::Ok),
            ("disconnected", Some("not_configured"), Level::Fail),
            ("parked", Some("no"), Level::Fail),
            ("connecting", Some("first"), Level::Warn),
        ] {
            let status = json!({"connection": {"state": state, "reason": reason}});
            assert_eq!(
                level(|findings| key(&status, findings)),
                expected,
                "{state}"
            );
            let stands = level(|findings| connection(&status, findings));
            assert_eq!(stands == Level::Ok, state == "ready");
        }
    }

    #[test]
    fn a_clock_may_be_a_little_off() {
        for (offset, expected) in [
            (json!(null), Level::Warn),
            (json!(-2_000), Level::Ok),
            (json!(60_000), Level::Warn),
            (json!(-3_600_000), Level::Fail),
        ] {
            let status = json!({"platform": {"clock_offset_ms": offset}});
            assert_eq!(
                level(|findings| clock(&status, findings)),
                expected,
                "{offset}"
            );
        }
    }

    #[test]
    fn what_is_stuck_or_forgotten_is_named() {
        let none = json!({});
        assert_eq!(level(|f| outbox(&none, &none, f)), Level::Ok);
        let failed = json!({"outbox": {"failed": 1}});
        assert_eq!(level(|f| outbox(&failed, &none, f)), Level::Warn);
        let stuck = json!({"send": {"oldest_queued_age_ms": 400_000}});
        assert_eq!(level(|f| outbox(&none, &stuck, f)), Level::Fail);
        assert_eq!(level(|f| readers(&none, f)), Level::Ok);
        let old =
            json!({"consumers": [{"name": "b", "lag": 1, "oldest_unacked_age_ms": LAG_MS + 1}]});
        assert_eq!(level(|f| readers(&old, f)), Level::Warn);
        let disk = json!({"reasons": [{"code": "storage_error", "message": "full"}]});
        assert_eq!(level(|f| words(&none, &disk, f)), Level::Fail);
        let warned = json!({"warnings": ["so"]});
        assert_eq!(level(|f| words(&warned, &none, f)), Level::Warn);
        let other = json!({"version": "9.9.9"});
        assert_eq!(level(|f| version(&other, f)), Level::Warn);
    }
}
