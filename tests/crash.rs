//! The daemon and its consumer are killed with SIGKILL, at each named step and at random moments,
//! many times, while the platform misbehaves and messages flow both ways. At the end nothing is lost, nothing stands
//! twice in the log, order is kept, and the platform was never told of a message that the
//! database on disk lacked.
//!
//! `AGENTCHATD_KILLS` sets the number of kills (1,000), `AGENTCHATD_CRASH_SEED` the schedule.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

#[path = "crash/matrix.rs"]
mod matrix;
#[path = "crash/run.rs"]
mod run;
#[path = "crash/verdict.rs"]
mod verdict;

use agentchatd_tests::sandbox::Options;

#[test]
fn kills_on_a_platform_that_waits_for_acknowledgements_lose_double_and_disorder_nothing() {
    run::campaign("modern", Options::modern(), run::kills() / 2, &[]);
}

#[test]
fn kills_on_a_platform_that_marks_on_send_lose_double_and_disorder_nothing() {
    let kills = run::kills().div_ceil(2);
    // Nothing is acknowledged over the socket there.
    run::campaign("april", Options::april(), kills, &["acked"]);
}
