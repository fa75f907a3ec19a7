//! Seeded schedules against a hostile platform, the daemon dying at any point.
//!
//! `AGENTCHATD_SIM_SCHEDULES` sets how many schedules run, `AGENTCHATD_SIM_SEED` runs one of them
//! alone and prints its trace. Equal seeds give equal traces.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::schedule::{Plan, Schedule};

/// Runs one schedule; what was wrong, if anything.
fn outcome(plan: Plan) -> Result<u64, String> {
    let run = catch_unwind(AssertUnwindSafe(|| {
        let mut schedule = Schedule::new(plan, false);
        schedule.run();
        schedule.hostile_points
    }));
    run.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.unwrap_or_else(|| "panicked".to_owned())
    })
}

/// The trace of a schedule, up to where it fails.
fn trace(plan: Plan) -> Vec<String> {
    let mut schedule = Schedule::new(plan, true);
    // Only the trace is wanted here; a failure shows in it as its end.
    let failed = catch_unwind(AssertUnwindSafe(|| schedule.run())).is_err();
    let mut lines = schedule.world.trace.take().unwrap_or_default();
    if failed {
        lines.push("== failed here".to_owned());
    }
    lines
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn no_schedule_loses_repeats_or_disorders_a_message() {
    if let Some(seed) = from_environment("AGENTCHATD_SIM_SEED") {
        let lines = trace(Plan::large(seed));
        println!("{}", lines.join("\n"));
        assert_eq!(outcome(Plan::large(seed)).err(), None, "seed {seed}");
        return;
    }
    let count = from_environment("AGENTCHATD_SIM_SCHEDULES").unwrap_or(SCHEDULES);
    let next = AtomicU64::new(0);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= count {
                return None;
            }
            if let Err(text) = outcome(Plan::large(seed)) {
                next.store(count, Ordering::Relaxed);
                return Some((seed, text));
            }
        }
    };
    let failure = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mine = work();
        mine.or_else(|| other.join().expect("panics are caught"))
    });
    if let Some((seed, text)) = failure {
        println!("{}", trace(Plan::large(seed)).join("\n"));
        panic!("AGENTCHATD_SIM_SEED={seed} fails: {text}");
    }
}

#[test]
fn a_crash_at_any_point_of_a_small_schedule_breaks_nothing() {
    let mut crashes = 0;
    for seed in 0..SMALL_SCHEDULES {
        let points = outcome(Plan::small(seed, None)).expect("it runs without a crash");
        for crash in 1..=points {
            let plan = Plan::small(seed, Some(crash));
            if let Err(text) = outcome(plan) {
                println!("{}", trace(plan).join("\n"));
                panic!("{plan:?} fails: {text}");
            }
        }
        crashes += points;
    }
    assert!(
        crashes > 20 * SMALL_SCHEDULES,
        "schedules do something: {crashes}"
    );
}

#[test]
fn equal_seeds_give_equal_traces() {
    for seed in 0..20 {
        let (first, second) = (trace(Plan::large(seed)), trace(Plan::large(seed)));
        assert!(first.len() > 20, "the schedule does something");
        assert_eq!(first, second);
    }
}

/// Small schedules, each run once for every point at which the daemon may die.
const SMALL_SCHEDULES: u64 = 60;

/// Schedules of an ordinary run.
const SCHEDULES: u64 = 10_000;
