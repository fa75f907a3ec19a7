//! Wishes of callers for entries in the outbox: try again, take back.

use agentchatd_engine::{Effect, Input, Lane, SendEnd, Steered};

use crate::world::{Chances, World, store::Ending};

const BOB: &str = "conv_bob";
const HOUR_MS: i64 = 3_600_000;

fn bob() -> Lane {
    Lane::To("bob".into())
}

fn ended(end: SendEnd) -> Option<Ending> {
    Some(Ending::Ended(end))
}

/// A world in which every answer is lost on its way.
fn deaf() -> World {
    let mut world = World::started(true);
    world.chances.answer_lost = 100;
    world
}

#[test]
fn a_failed_entry_is_tried_again_behind_what_waits_in_its_lane() {
    let mut world = World::started(true);
    world.submit(1, bob(), "cmid_1", "refused");
    world.run_for(10);
    assert_eq!(world.store.ending(1).cloned(), ended(SendEnd::Failed));
    world.chances.delay_ms = 1_000;
    world.submit(2, bob(), "cmid_2", "text");
    world.submit(3, bob(), "cmid_3", "text");
    let entry = world.store.outbox.get_mut(&1).expect("it is there");
    entry.draft.body = "text".into();
    world.take_effects();
    world.retry(1, HOUR_MS);
    world.run_for(0);
    assert_eq!(world.steered(), [Steered::Revived]);
    world.crash();
    world.run_for(60_000);
    let taken: Vec<u64> = world.wire.taken.iter().map(|(id, _)| *id).collect();
    assert_eq!(taken, [2, 3, 1], "also after a crash");
    world.has_in_order(BOB, 1..=3);
}

#[test]
fn an_expired_entry_gets_a_new_time() {
    let mut world = World::started(true);
    world.input(Input::NoCredential("file is gone".into()));
    let soon = world.platform.now_us + 1_000_000;
    world.submit_until(1, bob(), "cmid_1", "text", soon);
    world.run_for(30_000);
    assert_eq!(world.store.ending(1).cloned(), ended(SendEnd::Expired));
    world.retry(1, HOUR_MS);
    world.run_for(30_000);
    assert_eq!(world.store.ending(1), None, "it waits for the key");
    world.input(Input::Credential);
    world.run_for(60_000);
    assert!(world.has_sent(BOB, "cmid_1"));
}

#[test]
fn an_unknown_entry_that_had_landed_is_no_second_message() {
    let mut world = deaf();
    let soon = world.platform.now_us + 1_000_000;
    world.submit_until(1, bob(), "cmid_1", "text", soon);
    world.run_for(600_000);
    assert_eq!(world.store.ending(1).cloned(), ended(SendEnd::Unknown));
    world.take_effects();
    world.cancel(1);
    world.run_for(0);
    assert_eq!(world.steered(), [Steered::Over], "nobody knows");
    world.chances = Chances::default();
    world.retry(1, HOUR_MS);
    world.run_for(60_000);
    let sent = Some(&Ending::Sent { replayed: true });
    assert_eq!(world.store.ending(1), sent);
    world.has_in_order(BOB, [1]);
}

#[test]
fn an_unknown_entry_stays_one_that_may_have_landed_over_a_crash() {
    let mut world = deaf();
    let soon = world.platform.now_us + 1_000_000;
    world.submit_until(1, bob(), "cmid_1", "once", soon);
    world.run_for(600_000);
    assert_eq!(world.store.ending(1).cloned(), ended(SendEnd::Unknown));
    world.input(Input::NoCredential("file is gone".into()));
    world.retry(1, HOUR_MS);
    world.run_for(0);
    world.crash();
    world.take_effects();
    world.cancel(1);
    assert_eq!(world.steered(), [Steered::MayHaveLanded]);
    world.chances = Chances::default();
    world.run_for(60_000);
    assert!(matches!(world.store.ending(1), Some(Ending::Sent { .. })));
}

#[test]
fn what_was_sent_or_cancelled_is_not_tried_again() {
    let mut world = World::started(true);
    world.submit(1, bob(), "cmid_1", "text");
    world.submit(2, bob(), "cmid_2", "refused");
    world.run_for(10);
    world.cancel(2);
    world.run_for(10);
    assert_eq!(world.store.ending(2).cloned(), ended(SendEnd::Cancelled));
    world.take_effects();
    for id in [1, 2] {
        world.retry(id, HOUR_MS);
    }
    world.cancel(1);
    world.run_for(10);
    assert_eq!(world.steered(), [Steered::Over; 3]);
    assert_eq!(world.wire.taken.len(), 1);
}

#[test]
fn a_retry_ends_a_wait_of_our_own_but_not_one_that_the_platform_told() {
    for (body, goes_out) in [("capped", true), ("limited", false)] {
        let mut world = World::started(true);
        world.submit(1, bob(), "cmid_1", body);
        world.run_for(0);
        world.take_effects();
        for crashes in [false, true] {
            if crashes {
                world.crash();
                world.run_for(500);
                world.take_effects();
            }
            world.retry(1, HOUR_MS);
            world.run_for(0);
            let effects = world.take_effects();
            let is_attempt = |effect: &Effect| matches!(effect, Effect::Attempt { id: 1 });
            assert_eq!(effects.iter().any(is_attempt), goes_out, "{body}");
            if goes_out {
                break;
            }
        }
        assert_eq!(world.store.ending(1), None);
    }
}

#[test]
fn a_cancelled_entry_frees_its_lane_at_once_and_is_never_sent() {
    let mut world = World::started(true);
    world.submit(1, bob(), "cmid_1", "limited");
    world.submit(2, bob(), "cmid_2", "text");
    world.submit(3, bob(), "cmid_3", "text");
    world.run_for(0);
    world.take_effects();
    world.cancel(2);
    world.run_for(0);
    assert_eq!(world.steered(), [Steered::Cancelled]);
    assert!(world.wire.taken.is_empty(), "the head still waits");
    world.cancel(1);
    world.run_for(10);
    assert_eq!(world.steered(), [Steered::Cancelled]);
    let taken: Vec<u64> = world.wire.taken.iter().map(|(id, _)| *id).collect();
    assert_eq!(taken, [3]);
    world.crash();
    world.run_for(600_000);
    assert_eq!(world.wire.taken.len(), 1);
    assert_eq!(world.store.ending(1).cloned(), ended(SendEnd::Cancelled));
}

#[test]
fn what_is_under_way_or_may_have_landed_is_not_called_cancelled() {
    let mut world = World::started(true);
    world.chances.delay_ms = 1_000;
    world.chances.answer_lost = 100;
    world.submit(1, bob(), "cmid_1", "text");
    world.run_for(0);
    world.take_effects();
    world.cancel(1);
    assert_eq!(world.steered(), [Steered::UnderWay]);
    let delayed = |effect: &Effect| matches!(effect, Effect::Delayed { .. });
    while !world.take_effects().iter().any(delayed) {
        assert!(world.run_once(60_000));
    }
    world.cancel(1);
    assert_eq!(world.steered(), [Steered::MayHaveLanded]);
    world.chances = Chances::default();
    world.run_for(60_000);
    let sent = Some(&Ending::Sent { replayed: true });
    assert_eq!(world.store.ending(1), sent);
}

#[test]
fn two_wishes_at_once_are_both_answered_as_things_stand() {
    let mut world = World::started(true);
    world.submit(1, bob(), "cmid_1", "refused");
    world.run_for(10);
    world.input(Input::NoCredential("file is gone".into()));
    world.take_effects();
    world.retry(1, HOUR_MS);
    world.retry(1, HOUR_MS);
    world.cancel(1);
    world.cancel(1);
    world.run_for(10);
    use Steered::{Cancelled, Revived, UnderWay, Woken};
    assert_eq!(world.steered(), [Revived, Woken, UnderWay, Cancelled]);
    assert_eq!(world.store.ending(1).cloned(), ended(SendEnd::Cancelled));
}
