use super::*;

fn settings() -> OutboxSettings {
    OutboxSettings {
        concurrency: 2,
        rate_per_second: 50,
        base_delay_ms: 250,
        max_delay_ms: 8_000,
    }
}

fn at(ms: u64) -> Now {
    Now {
        mono: Millis(ms),
        wall_us: WALL_US + i64::try_from(ms).unwrap() * 1_000,
    }
}

/// The wall clock when a test begins: not near the end of a month.
const WALL_US: i64 = 1_700_000_000_000_000;

fn to(handle: &str) -> Lane {
    Lane::To(handle.into())
}

fn status(status: u16, code: &str, retry_after_ms: Option<u64>) -> Failure {
    Failure::Status {
        status,
        code: (!code.is_empty()).then(|| code.into()),
        retry_after_ms,
    }
}

/// Accepts an entry whose first attempt is under way, if its lane is free.
fn accept(outbox: &mut Outbox, id: u64, handle: &str) -> bool {
    let sending = outbox.reserve(&to(handle), Millis(0));
    outbox.accepted(id, to(handle), sending, Millis(1_000_000), at(0));
    sending
}

fn fail(outbox: &mut Outbox, id: u64, failure: Failure, now: Now) -> Outcome {
    outbox.failed(id, failure, "{}".into(), now, &mut Jitter::new(1))
}

fn started(outbox: &mut Outbox, now: Now) -> Vec<u64> {
    let id = |start| match start {
        Start::Attempt(_, id) | Start::Expired(_, id) => id,
        Start::Search(effect) => panic!("{effect:?}"),
    };
    outbox.start(now).into_iter().map(id).collect()
}

fn searches(outbox: &mut Outbox, now: Now) -> usize {
    let starts = outbox.start(now);
    assert!(starts.iter().all(|start| matches!(start, Start::Search(_))));
    starts.len()
}

#[test]
fn while_held_nothing_is_sent_or_searched_but_time_runs_out() {
    let mut outbox = Outbox::new(settings());
    outbox.hold(true);
    assert!(!accept(&mut outbox, 1, "alice"));
    accept(&mut outbox, 2, "bob");
    assert!(started(&mut outbox, at(0)).is_empty());
    outbox.entries.get_mut(&2).unwrap().ambiguous = true;
    let due = outbox.next_due().unwrap();
    assert!(due > Millis(0), "no timer fires for ever");
    assert_eq!(started(&mut outbox, at(2_000_000)), [1], "expired");
    outbox.hold(false);
    assert_eq!(searches(&mut outbox, at(2_000_000)), 1);
}

#[test]
fn a_lane_keeps_its_order_and_holds_up_no_other() {
    let mut outbox = Outbox::new(settings());
    assert!(accept(&mut outbox, 1, "alice"));
    assert!(!accept(&mut outbox, 2, "alice"), "behind the first");
    assert!(accept(&mut outbox, 3, "bob"), "another lane");
    assert!(started(&mut outbox, at(0)).is_empty());
    outbox.settled(1, Millis(5));
    assert_eq!(started(&mut outbox, at(5)), [2]);
}

#[test]
fn two_sends_to_one_lane_on_their_way_to_disk_do_not_both_start() {
    let mut outbox = Outbox::new(settings());
    assert!(outbox.reserve(&to("alice"), Millis(0)));
    assert!(!outbox.reserve(&to("alice"), Millis(0)));
}

#[test]
fn no_more_lanes_than_allowed_are_sent_to_at_once() {
    let mut outbox = Outbox::new(settings());
    assert!(accept(&mut outbox, 1, "a"));
    assert!(accept(&mut outbox, 2, "b"));
    assert!(!accept(&mut outbox, 3, "c"));
    assert!(started(&mut outbox, at(0)).is_empty());
    outbox.settled(1, Millis(1));
    assert_eq!(started(&mut outbox, at(1)), [3]);
}

#[test]
fn pitfall_31_a_retry_after_is_honoured_in_full() {
    let mut outbox = Outbox::new(settings());
    accept(&mut outbox, 1, "alice");
    let outcome = fail(
        &mut outbox,
        1,
        status(429, "RATE_LIMITED", Some(60_000)),
        at(0),
    );
    assert!(matches!(outcome, Outcome::Wait { .. }));
    assert!(started(&mut outbox, at(59_999)).is_empty());
    assert_eq!(started(&mut outbox, at(75_000)), [1]);
}

#[test]
fn pitfall_58_a_limit_without_a_time_waits_longer_each_time() {
    let mut outbox = Outbox::new(settings());
    let sending = outbox.reserve(&to("alice"), Millis(0));
    outbox.accepted(1, to("alice"), sending, Millis(u64::MAX), at(0));
    let mut now = 0;
    let mut last = 0;
    for round in 1..=14 {
        fail(&mut outbox, 1, status(429, "RATE_LIMITED", None), at(now));
        let wait = outbox.next_due().unwrap().0 - now;
        assert!(wait >= 1_000, "{wait}");
        assert!(round > 12 || wait > last, "{wait} after {last}");
        last = wait;
        now += wait;
        assert_eq!(started(&mut outbox, at(now)), [1]);
    }
    assert!(last >= 3_600_000, "up to an hour: {last}");
}

#[test]
fn a_first_attempt_that_a_rule_refuses_has_failed() {
    let mut outbox = Outbox::new(settings());
    accept(&mut outbox, 1, "alice");
    let outcome = fail(&mut outbox, 1, status(403, "BLOCKED", None), at(0));
    assert!(matches!(
        outcome,
        Outcome::End(Op::OutboxEnded {
            end: SendEnd::Failed,
            ..
        })
    ));
}

#[test]
fn a_retry_that_a_rule_refuses_is_looked_for_in_history_first() {
    let mut outbox = Outbox::new(settings());
    accept(&mut outbox, 1, "alice");
    fail(&mut outbox, 1, status(502, "", None), at(0));
    assert_eq!(started(&mut outbox, at(10_000)), [1]);
    let outcome = fail(&mut outbox, 1, status(403, "BLOCKED", None), at(10_000));
    assert!(matches!(outcome, Outcome::Search));
    assert_eq!(searches(&mut outbox, at(10_000)), 1);
    let outcome = outbox.searched(1, Ok(()), at(10_000));
    assert!(matches!(
        outcome,
        Outcome::End(Op::OutboxEnded {
            end: SendEnd::Failed,
            ..
        })
    ));
}

#[test]
fn pitfall_51_a_plain_500_is_tried_twelve_times_at_most() {
    let mut outbox = Outbox::new(settings());
    accept(&mut outbox, 1, "alice");
    let mut now = 0;
    for attempt in 1..12 {
        let outcome = fail(&mut outbox, 1, status(500, "", None), at(now));
        assert!(matches!(outcome, Outcome::Wait { .. }), "attempt {attempt}");
        now += 60_000;
        assert_eq!(started(&mut outbox, at(now)), [1]);
    }
    let outcome = fail(&mut outbox, 1, status(500, "", None), at(now));
    assert!(matches!(outcome, Outcome::Search));
}

#[test]
fn an_entry_that_may_have_landed_never_expires_unsearched() {
    let mut outbox = Outbox::new(settings());
    accept(&mut outbox, 1, "alice");
    let cut = Failure::Network {
        reason: "reset".into(),
        unsent: false,
    };
    fail(&mut outbox, 1, cut, at(0));
    assert_eq!(searches(&mut outbox, at(2_000_000)), 1);
    let lost = || Failure::Network {
        reason: "refused".into(),
        unsent: true,
    };
    let mut now = 2_000_000;
    for _ in 1..SEARCHES {
        let outcome = outbox.searched(1, Err(lost()), at(now));
        assert!(matches!(outcome, Outcome::Search));
        assert_eq!(searches(&mut outbox, at(now)), 0, "not at once");
        now = outbox.next_due().unwrap().0;
        assert_eq!(searches(&mut outbox, at(now)), 1);
    }
    assert!(now > 2_020_000, "an outage of seconds decides nothing");
    let outcome = outbox.searched(1, Err(lost()), at(now));
    assert!(matches!(
        outcome,
        Outcome::End(Op::OutboxEnded {
            end: SendEnd::Unknown,
            ..
        })
    ));
}

#[test]
fn an_entry_that_surely_did_not_land_expires() {
    let mut outbox = Outbox::new(settings());
    accept(&mut outbox, 1, "alice");
    fail(
        &mut outbox,
        1,
        Failure::Network {
            reason: "refused".into(),
            unsent: true,
        },
        at(0),
    );
    let starts = outbox.start(at(2_000_000));
    assert!(matches!(
        starts[..],
        [Start::Expired(
            Op::OutboxEnded {
                end: SendEnd::Expired,
                ..
            },
            1
        )]
    ));
}

#[test]
fn a_wall_clock_that_jumps_expires_no_send_and_keeps_none_alive() {
    const DAY_US: i64 = 86_400_000_000;
    let unsent = || Failure::Network {
        reason: "refused".into(),
        unsent: true,
    };
    for jump_us in [DAY_US, -DAY_US] {
        let jumped = |ms: u64| Now {
            wall_us: at(ms).wall_us + jump_us,
            ..at(ms)
        };
        let mut outbox = Outbox::new(settings());
        accept(&mut outbox, 1, "alice");
        let outcome = fail(&mut outbox, 1, unsent(), jumped(10));
        assert!(matches!(outcome, Outcome::Wait { .. }), "{outcome:?}");
        assert_eq!(started(&mut outbox, jumped(9_000)), [1]);
        fail(&mut outbox, 1, unsent(), jumped(9_010));
        let starts = outbox.start(jumped(1_000_000));
        assert!(matches!(starts[..], [Start::Expired(_, 1)]), "{starts:?}");
    }
}

#[test]
fn the_rate_holds_over_all_lanes() {
    let mut outbox = Outbox::new(OutboxSettings {
        concurrency: 1_000,
        ..settings()
    });
    let at_once = (0..200)
        .filter(|&id| accept(&mut outbox, id, &format!("peer-{id}")))
        .count();
    assert_eq!(at_once, 10, "a fifth of a second's worth");
    assert_eq!(started(&mut outbox, at(100)).len(), 5);
    assert!(outbox.next_due().unwrap() <= Millis(120));
}

#[test]
fn a_restart_goes_on_where_the_records_say() {
    let mut outbox = Outbox::new(settings());
    let record = |id, next_attempt_us| OutboxRecord {
        id,
        lane: to("alice"),
        attempts: 1,
        poison: 0,
        ambiguous: true,
        next_attempt_us: WALL_US + next_attempt_us,
        told: false,
        accepted_us: WALL_US,
        expires_us: i64::MAX,
    };
    outbox.restore(record(4, 500_000), at(0));
    outbox.restore(record(5, 0), at(0));
    assert!(
        started(&mut outbox, at(499)).is_empty(),
        "the second waits behind the first"
    );
    assert_eq!(started(&mut outbox, at(500)), [4]);
}
