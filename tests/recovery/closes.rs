//! Where each end of a connection leads (`wire.md` 2.2), with the real daemon; one socket at a time;
//! what an overload leads to.

use crate::{no_polling, quietly, stage};
use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::sandbox::{ConnectFault, Cut, Event};
use agentchatd_tests::stage::{SOON, Stage, until};
use serde_json::{Value, json};
use std::time::Duration;

/// What must follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Follows {
    /// Another connection by itself.
    Dial,
    /// The same, not before so many seconds.
    DialAfter(u64),
    /// None until the daemon is told to look again.
    Park,
}

use Follows::{Dial, DialAfter, Park};

/// The rows of the table that a connection which stands can meet, and codes that it does not name.
const CLOSES: [(u16, &str, Follows); 14] = [
    (1000, "", Dial),
    (1001, "Heartbeat timeout", Dial),
    (1001, "Server shutting down", Dial),
    (1008, "HELLO frame required", Park),
    (1008, "HELLO frame required first", Park),
    (1008, "Invalid token", Park),
    (1008, "API key rotated", Park),
    (1008, "Account deleted", Park),
    (1008, "Account suspended", Park),
    (1011, "keepalive ping timeout", Dial),
    (1013, "overload", Dial),
    (4401, "unauthorized", Park),
    (4403, "forbidden", Park),
    (4999, "nobody knows", Dial),
];

/// Refusals of the upgrade, with the Retry-After that comes along.
const REFUSALS: [(u16, Option<&str>, Follows); 10] = [
    (401, None, Park),
    (403, None, Park),
    (403, Some("1"), Park),
    (429, None, Dial),
    (429, Some("1"), DialAfter(1)),
    (500, None, Dial),
    (502, None, Dial),
    (503, None, Dial),
    (503, Some("1"), DialAfter(1)),
    (504, Some("0"), Dial),
];

/// The times at which upgrades arrived.
fn connects(stage: &Stage) -> Vec<Duration> {
    let entries = stage.sandbox.journal().entries();
    let connects = entries
        .iter()
        .filter(|entry| matches!(entry.event, Event::Connect { .. }));
    connects.map(|entry| entry.at).collect()
}

/// The number of connections that came to stand, and whether there is one now.
fn stands(daemon: &Daemon) -> (u64, bool) {
    let status = daemon.status_until(|_| true).expect("it answers");
    let connection = &status["connection"];
    let total = connection["connected_total"].as_u64().expect("a number");
    (total, connection["state"] == "ready")
}

/// Looks where the end that was just brought about leads; `before` is how things stood.
fn check(stage: &Stage, daemon: &Daemon, before: (u64, usize), follows: Follows, what: &str) {
    let (total, count) = before;
    match follows {
        Dial | DialAfter(_) => {
            until(what, || match stands(daemon) {
                (now, true) if now > total => Ok(()),
                other => Err(format!("{other:?}")),
            });
        }
        Park => {
            let parked = |status: &Value| status["connection"]["state"] == "parked";
            let status = daemon.status_until(parked).expect(what);
            assert_eq!(status["connection"]["connected_total"], total, "{what}");
            let mut raw = stage.connect(daemon);
            raw.silent();
            assert_eq!(connects(stage).len(), count, "no socket is opened: {what}");
            raw.ok("daemon.reload", json!({}));
            stage.settle(daemon);
        }
    }
}

#[test]
fn each_close_and_each_refusal_leads_where_the_table_says() {
    for auth in ["hello", "header"] {
        let mut stage = stage();
        no_polling(&mut stage);
        stage.env("AGENTCHATD_REALTIME_AUTH", auth);
        let daemon = stage.ready();
        let break_off = |stage: &Stage, cut: Cut| {
            assert_eq!(stage.sandbox.cut("dora", &cut), 1, "one socket stands");
        };
        for (code, reason, follows) in CLOSES {
            let what = format!("{code} {reason}, by {auth}");
            let before = (stands(&daemon).0, connects(&stage).len());
            let reason = reason.to_owned();
            break_off(
                &stage,
                Cut::Clean {
                    code,
                    reason: reason.clone(),
                },
            );
            check(&stage, &daemon, before, follows, &what);
            let status = daemon.status_until(|_| true).expect("it answers");
            let last = &status["connection"]["last_close"];
            assert_eq!(last["code"], code, "{what}");
            assert_eq!(
                last["reason"].as_str().unwrap_or_default(),
                reason,
                "{what}"
            );
        }
        for cut in [Cut::Reset, Cut::Drop, Cut::MidFrame] {
            let before = (stands(&daemon).0, connects(&stage).len());
            break_off(&stage, cut.clone());
            check(
                &stage,
                &daemon,
                before,
                Dial,
                &format!("{cut:?}, by {auth}"),
            );
        }
        for (status, retry_after, follows) in REFUSALS {
            let what = format!("upgrade refused with {status}, {retry_after:?}, by {auth}");
            let retry_after = retry_after.map(str::to_owned);
            let refuse = ConnectFault::Refuse {
                status,
                retry_after,
            };
            stage
                .sandbox
                .faults(|faults| faults.connect.push_back(refuse));
            let before = (stands(&daemon).0, connects(&stage).len() + 1);
            break_off(&stage, Cut::Drop);
            check(&stage, &daemon, before, follows, &what);
            if let DialAfter(seconds) = follows {
                let times = connects(&stage);
                let waited = times[times.len() - 1] - times[times.len() - 2];
                assert!(waited >= Duration::from_secs(seconds), "{waited:?}, {what}");
            }
        }
        let early = [
            (ConnectFault::ResetUpgrade, Dial),
            (at_open(1001), Dial),
            (at_open(1008), Park),
            (at_open(4401), Park),
            (after_hello(1008), Park),
            (after_hello(1013), Dial),
            (after_hello(4403), Park),
        ];
        for (fault, follows) in early {
            let what = format!("{fault:?}, by {auth}");
            stage
                .sandbox
                .faults(|faults| faults.connect.push_back(fault));
            let (total, count) = (stands(&daemon).0, connects(&stage).len() + 1);
            break_off(&stage, Cut::Drop);
            // One that ends after hello.ok may have counted as one that stood.
            stage.seen_from(0, |_| connects(&stage).len() >= count);
            let parked = |status: &Value| status["connection"]["state"] == "parked";
            if follows == Park {
                let status = daemon.status_until(parked).expect(&what);
                let total = status["connection"]["connected_total"].as_u64();
                check(
                    &stage,
                    &daemon,
                    (total.unwrap_or_default(), count),
                    Park,
                    &what,
                );
            } else {
                stage.seen_from(0, |_| connects(&stage).len() > count);
                check(&stage, &daemon, (total, count), follows, &what);
            }
        }
    }
}

fn at_open(code: u16) -> ConnectFault {
    let reason = "at open".into();
    ConnectFault::CloseAtOpen { code, reason }
}

fn after_hello(code: u16) -> ConnectFault {
    let reason = "after hello.ok".into();
    ConnectFault::CloseAfterHelloOk { code, reason }
}

#[test]
fn an_overload_is_drained_before_the_next_socket_and_parks_nothing() {
    let mut stage = stage();
    no_polling(&mut stage);
    // The next socket comes after 30 s at the earliest; what waits must not wait for it.
    stage.env("AGENTCHATD_REALTIME_BACKOFF_MIN_MS", "60000");
    stage.env("AGENTCHATD_REALTIME_BACKOFF_MAX_MS", "60000");
    let daemon = stage.ready();
    for number in 0..50 {
        quietly(&stage, &number.to_string());
    }
    let overload = Cut::Clean {
        code: 1013,
        reason: "overload".into(),
    };
    assert_eq!(stage.sandbox.cut("dora", &overload), 1);
    assert_eq!(stage.log_is_whole(&daemon).len(), 50);
    let settled = || !stage.sandbox.rows_by_state("dora").contains_key("stored");
    until("all rows are acknowledged", || {
        if settled() {
            Ok(())
        } else {
            Err("not yet".into())
        }
    });
    assert_eq!(connects(&stage).len(), 1, "no second socket so far");
    let status = daemon.status_until(|_| true).expect("it answers");
    assert_eq!(status["connection"]["state"], "disconnected", "{status}");
}

#[test]
fn a_half_open_connection_is_given_up_when_its_time_is_over() {
    let mut stage = stage();
    no_polling(&mut stage);
    stage.env("AGENTCHATD_REALTIME_LIVENESS_MS", "1000");
    let daemon = stage.ready();
    // It would stay up for longer than this test waits for anything.
    let silent = Cut::Silent { for_: 4 * SOON };
    let before = stage.sandbox.journal().elapsed();
    assert_eq!(stage.sandbox.cut("dora", &silent), 1);
    until("the next connection", || match connects(&stage).len() {
        2 => Ok(()),
        other => Err(other.to_string()),
    });
    stage.settle(&daemon);
    let again = connects(&stage)[1];
    assert!(again > before, "{again:?} after {before:?}");
    let status = daemon.status_until(|_| true).expect("it answers");
    assert_eq!(status["connection"]["last_close"]["code"], 4000, "{status}");
}

#[test]
fn whatever_ends_a_connection_the_next_one_begins_after_it() {
    const ROUNDS: u64 = 40;
    let mut stage = stage();
    no_polling(&mut stage);
    let daemon = stage.ready();
    let journal = stage.sandbox.journal();
    let clean = |code| Cut::Clean {
        code,
        reason: String::new(),
    };
    let cuts = [
        Cut::Reset,
        clean(1001),
        Cut::Drop,
        clean(1013),
        Cut::MidFrame,
        clean(4999),
        Cut::HalfOpen {
            for_: Duration::from_millis(20),
        },
        clean(1000),
    ];
    // Where in the journal each connection was ended by the platform.
    let mut ended_at = vec![0];
    for round in 0..ROUNDS {
        ended_at.push(journal.len());
        let cut = &cuts[usize::try_from(round).expect("few") % cuts.len()];
        assert!(stage.sandbox.cut("dora", cut) >= 1, "{cut:?}");
        until("the next connection", || match stands(&daemon) {
            (total, true) if total == round + 2 => Ok(()),
            other => Err(format!("{other:?}")),
        });
    }
    let entries = journal.entries();
    let opened: Vec<(u64, usize)> = entries
        .iter()
        .filter_map(|entry| match entry.event {
            Event::Connect { socket, .. } => Some((socket, entry.index)),
            _ => None,
        })
        .collect();
    assert_eq!(
        opened.len() as u64,
        ROUNDS + 1,
        "one connection for each end"
    );
    for ((socket, index), ended) in opened.iter().zip(&ended_at) {
        assert!(
            index >= ended,
            "socket {socket} was opened beside the one before"
        );
    }
}
