//! Long waits: how often the platform is asked in them, counted over hours and days; and what
//! becomes of a send that may have landed long ago.

use agentchatd_engine::{Effect, Input, Lane, SendEnd};

use crate::world::{World, store::Ending};

const BOB: &str = "conv_bob";
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

fn bob() -> Lane {
    Lane::To("bob".into())
}

/// Attempts, and inputs of any kind, while an entry with this body waits for so long.
fn waited(body: &str, ms: u64) -> (World, u64, u64) {
    let mut world = World::started(true);
    world.take_effects();
    world.submit(1, bob(), "cmid_1", body);
    let before = world.inputs;
    let mut attempts = 0;
    let until = world.now_ms + ms;
    while world.run_once(until) {
        let is_attempt = |effect: &Effect| matches!(effect, Effect::Attempt { .. });
        attempts += world
            .take_effects()
            .iter()
            .filter(|e| is_attempt(e))
            .count() as u64;
    }
    let inputs = world.inputs - before;
    (world, attempts, inputs)
}

/// Inputs of a day in which nothing happens: syncs, comparisons, pings, and their timers.
const QUIET_DAY: u64 = 24 * 60 * 10;

#[test]
fn at_the_cold_cap_the_tries_grow_apart_to_an_hour() {
    let (world, attempts, inputs) = waited("capped", 3 * DAY_MS);
    assert_eq!(world.store.ending(1), None, "it goes on");
    // 1 s doubled to an hour takes twelve tries and 70 minutes; then one an hour and a bit.
    assert!(
        (12 + 50..=12 + 72).contains(&attempts),
        "{attempts} tries in three days"
    );
    assert!(inputs < 3 * QUIET_DAY, "{inputs} inputs");
}

#[test]
fn a_time_that_the_platform_told_is_waited_out_each_time() {
    let (world, attempts, inputs) = waited("limited", DAY_MS);
    assert_eq!(world.store.ending(1), None, "it goes on");
    assert!(
        (1_100..=1_441).contains(&attempts),
        "{attempts} tries at a minute each"
    );
    assert!(inputs < 2 * QUIET_DAY, "{inputs} inputs");
}

#[test]
fn a_full_recipient_and_an_owners_pause_are_asked_once() {
    for body in ["backlogged", "paused"] {
        let (world, attempts, inputs) = waited(body, DAY_MS);
        let failed = Ending::Ended(SendEnd::Failed);
        assert_eq!(world.store.ending(1), Some(&failed), "{body}");
        assert_eq!(attempts, 1, "{body}");
        assert!(inputs < QUIET_DAY, "{inputs} inputs");
    }
}

#[test]
fn without_a_key_nothing_is_tried_and_timers_are_few() {
    let mut world = World::started(true);
    world.input(Input::NoCredential("file is gone".into()));
    world.submit(1, bob(), "cmid_1", "text");
    world.take_effects();
    let before = world.inputs;
    world.run_for(DAY_MS);
    let asks = |effect: &Effect| {
        !matches!(
            effect,
            Effect::Commit(..) | Effect::Queued { .. } | Effect::State(_)
        )
    };
    let asked: Vec<_> = world.take_effects().into_iter().filter(asks).collect();
    assert_eq!(asked, []);
    // One look at what runs out of time every ten seconds.
    assert!(world.inputs - before < 9_000, "{}", world.inputs - before);
}

#[test]
fn a_refused_account_is_probed_ever_more_slowly_and_sends_wait() {
    let mut world = World::started(true);
    world.valid_key += 1;
    world.cut(Some(1008), "Account suspended", false);
    world.submit(1, bob(), "cmid_1", "text");
    world.take_effects();
    world.run_for(DAY_MS);
    let effects = world.take_effects();
    let count = |is: fn(&Effect) -> bool| effects.iter().filter(|e| is(e)).count();
    let probes = count(|effect| matches!(effect, Effect::Identify));
    // 60 s doubled to 15 minutes, each up to a quarter longer.
    assert!(
        (24 * 3 + 2..=24 * 4 + 4).contains(&probes),
        "{probes} probes in a day"
    );
    assert_eq!(count(|effect| matches!(effect, Effect::Dial)), 0);
    assert_eq!(count(|effect| matches!(effect, Effect::Attempt { .. })), 0);
}

#[test]
fn what_may_have_landed_yesterday_is_looked_for_before_it_is_tried_again() {
    let mut world = World::started(true);
    world.submit(1, bob(), "cmid_1", "away once it landed");
    world.run_for(HOUR_MS);
    assert_eq!(world.store.ending(1), None);
    world.platform.forgets_ids = true;
    world.run_for(2 * DAY_MS);
    assert_eq!(
        world.store.ending(1),
        Some(&Ending::Sent { replayed: true })
    );
    world.has_in_order(BOB, [1]);
    assert_eq!(world.store.outbox[&1].attempts, 1, "found, not sent again");
}

#[test]
fn what_is_surely_not_there_is_tried_again_after_any_time() {
    let mut world = World::started(true);
    world.submit(1, bob(), "cmid_1", "away");
    world.run_for(HOUR_MS);
    world.crash();
    let entry = world.store.outbox.get_mut(&1).expect("it is there");
    entry.draft.body = "text".into();
    world.take_effects();
    world.run_for(2 * DAY_MS);
    assert_eq!(
        world.store.ending(1),
        Some(&Ending::Sent { replayed: false })
    );
    let searched = |effect: &Effect| matches!(effect, Effect::FindSent { .. });
    assert_eq!(
        world.take_effects().iter().filter(|e| searched(e)).count(),
        1
    );
    world.has_in_order(BOB, [1]);
}

#[test]
fn where_nobody_can_tell_any_more_it_ends_as_unknown() {
    let mut world = World::started(true);
    world.submit(1, bob(), "cmid_1", "away");
    world.run_for(DAY_MS);
    assert_eq!(world.store.ending(1), None);
    world.chances.refused = 100;
    world.run_for(DAY_MS);
    let unknown = Ending::Ended(SendEnd::Unknown);
    assert_eq!(world.store.ending(1), Some(&unknown));
    assert_eq!(
        world.store.outbox[&1].attempts, 1,
        "a second one may be a second message"
    );
}
