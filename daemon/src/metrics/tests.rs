use std::collections::BTreeSet;
use std::time::Duration;

use agentchatd_client::types::Status;
use serde_json::json;

use super::{Form, FrameKind, Metrics, SendResult, Snapshot, close_reason};

fn status(consumers: u64) -> Status {
    serde_json::from_value(json!({
        "version": "1.2.3", "pid": 1, "started_at": "2026-11-23T12:00:00Z", "uptime_ms": 61_500,
        "agent": null,
        "connection": {"state": "ready", "reason": null, "since": "2026-11-23T12:00:00Z",
                       "attempt": 0, "ack_mode": null, "last_close": null,
                       "connected_total": 3, "rapid_reconnects": 0},
        "sync": {"last_delivery_id": null, "acked_delivery_id": null, "last_drain_at": null,
                 "drained_total": 0},
        "log": {"first_offset": 1, "last_offset": 42, "events": 42, "bytes": 10},
        "ordering": {"conversations": 1, "parked": 0, "gaps_open": 2, "gaps_recovered": 5,
                     "gaps_absent": 1, "gaps_failed": 0},
        "outbox": {"queued": 0, "in_flight": 0, "failed": 0},
        "consumers": consumers, "subscriptions": 4, "clients": 6,
        "storage": {"path": "x", "bytes": 4096, "durability": "full"},
        "config_path": null, "warnings": []
    }))
    .unwrap()
}

fn text(metrics: &Metrics, lags: &[(String, u64)]) -> String {
    let outbox = [("failed".to_owned(), 7)];
    let now = Snapshot {
        status: &status(1),
        lags,
        outbox: &outbox,
    };
    metrics.render(&now, Form::Open)
}

/// A process in which everything has happened once.
fn busy() -> Metrics {
    let metrics = Metrics::new();
    metrics.frame(FrameKind::Message);
    metrics.logged("sync");
    metrics.committed(Duration::from_millis(3), 12, 2);
    metrics.retained(Duration::from_millis(30), 64);
    metrics.acked_by_socket();
    metrics.acked_by_sync(9);
    metrics.sent(SendResult::Taken, Duration::from_millis(40));
    metrics.disconnected(close_reason(Some(1013), None));
    metrics.called(Some("daemon.version"), None);
    metrics.called(None, Some(-32601));
    metrics
}

#[test]
fn what_was_counted_and_what_is_known_stand_in_one_text() {
    let text = text(&busy(), &[("hook".into(), 17)]);
    for line in [
        "agentchatd_frames_total{type=\"message\"} 1",
        "agentchatd_messages_total{source=\"sync\"} 1",
        "agentchatd_duplicates_total 2",
        "agentchatd_gaps_total{outcome=\"recovered\"} 5",
        "agentchatd_gaps_open 2",
        "agentchatd_acks_total{via=\"sync\"} 9",
        "agentchatd_acks_total{via=\"socket\"} 1",
        "agentchatd_commit_seconds_bucket{le=\"0.005\"} 1",
        "agentchatd_commit_seconds_bucket{le=\"0.0025\"} 0",
        "agentchatd_commit_rows_sum 12.0",
        "agentchatd_retention_seconds_bucket{le=\"0.05\"} 1",
        "agentchatd_retention_removed_total 64",
        "agentchatd_outbox{state=\"failed\"} 7",
        "agentchatd_outbox{state=\"queued\"} 0",
        "agentchatd_send_seconds_count{result=\"taken\"} 1",
        "agentchatd_disconnects_total{reason=\"close_1013\"} 1",
        "agentchatd_connects_total 3",
        "agentchatd_connection{state=\"ready\"} 1",
        "agentchatd_connection{state=\"parked\"} 0",
        "agentchatd_subscribers 4",
        "agentchatd_clients 6",
        "agentchatd_consumer_lag{consumer=\"hook\"} 17",
        "agentchatd_rpc_calls_total{method=\"daemon.version\",outcome=\"ok\"} 1",
        "agentchatd_rpc_calls_total{method=\"unknown\",outcome=\"-32601\"} 1",
        "agentchatd_log_last_offset 42",
        "agentchatd_uptime_seconds 61",
    ] {
        assert!(
            text.lines().any(|have| have == line),
            "{line} is not in\n{text}"
        );
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn a_consumer_that_is_gone_is_not_told_of_any_more() {
    let metrics = Metrics::new();
    assert!(text(&metrics, &[("hook".into(), 17)]).contains("hook"));
    assert!(!text(&metrics, &[]).contains("hook"));
}

#[test]
fn a_hostile_consumer_name_stays_inside_of_its_label() {
    let text = text(&Metrics::new(), &[("a\"} 1\nb".into(), 1)]);
    assert!(text.contains(r#"{consumer="a\"} 1\nb"} 1"#), "{text}");
}

#[test]
fn the_documentation_lists_each_figure_with_its_help_text() {
    let document = include_str!("../../../docs/metrics.md");
    let listed: BTreeSet<(String, String)> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `agentchatd_"))
        .map(|line| {
            let (name, rest) = line.split_once('`').unwrap();
            let help = rest.rsplit('|').nth(1).unwrap().trim();
            (format!("agentchatd_{name}"), help.to_owned())
        })
        .collect();
    let text = text(&busy(), &[("hook".into(), 17)]);
    let served: BTreeSet<(String, String)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# HELP "))
        .map(|line| {
            let (name, help) = line.split_once(' ').unwrap();
            (name.to_owned(), help.trim_end_matches('.').to_owned())
        })
        .collect();
    assert_eq!(listed, served);
}

#[test]
fn the_plain_form_is_given_unless_the_other_is_asked_for() {
    assert_eq!(Form::wanted(None), Form::Plain);
    assert_eq!(Form::wanted(Some("text/plain, */*")), Form::Plain);
    let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2";
    assert_eq!(Form::wanted(Some(prometheus)), Form::Open);
}
