//! Sends: order in a lane, retries that landed, honest ends.

use agentchatd_engine::{Effect, Input, Lane, SendEnd};

use crate::world::{Chances, World, store::Ending};

const BOB: &str = "conv_bob";

fn bob() -> Lane {
    Lane::To("bob".into())
}

#[test]
fn a_send_whose_answer_was_lost_is_one_message() {
    let mut world = World::started(true);
    world.chances.answer_lost = 100;
    world.sends("bob", "cmid_1");
    world.run_for(0);
    world.chances = Chances::default();
    world.run_for(5_000);
    assert_eq!(
        world.store.ending(1),
        Some(&Ending::Sent { replayed: true })
    );
    world.has_in_order(BOB, [1]);
}

#[test]
fn pitfall_33_a_retry_that_a_rule_refuses_after_the_first_landed_is_found_in_history() {
    let mut world = World::started(true);
    world.chances.answer_lost = 100;
    world.submit(1, bob(), "cmid_1", "once");
    world.run_for(0);
    world.chances = Chances::default();
    world.run_for(5_000);
    assert_eq!(
        world.store.ending(1),
        Some(&Ending::Sent { replayed: true })
    );
    assert!(world.has_sent(BOB, "cmid_1"));
}

#[test]
fn a_refusal_fails_at_once_and_the_lane_goes_on() {
    let mut world = World::started(true);
    world.submit(1, bob(), "cmid_1", "refused");
    world.submit(2, bob(), "cmid_2", "text");
    world.run_for(10);
    let failed = Ending::Ended(SendEnd::Failed);
    assert_eq!(world.store.ending(1), Some(&failed));
    assert_eq!(
        world.store.ending(2),
        Some(&Ending::Sent { replayed: false })
    );
}

#[test]
fn pitfall_51_content_that_always_meets_a_500_is_set_aside() {
    let mut world = World::started(true);
    world.submit(1, bob(), "cmid_1", "poison");
    world.submit(2, bob(), "cmid_2", "text");
    world.run_for(3_600_000);
    let failed = Ending::Ended(SendEnd::Failed);
    assert_eq!(world.store.ending(1), Some(&failed));
    assert!(world.has_sent(BOB, "cmid_2"));
}

#[test]
fn a_lane_keeps_its_order_over_failures_and_a_crash() {
    let mut world = World::started(true);
    world.chances.answer_lost = 60;
    world.chances.delay_ms = 200;
    for number in 1..=10 {
        world.submit(number, bob(), &format!("cmid_{number}"), "text");
    }
    world.run_for(1_400);
    world.crash();
    world.run_for(300);
    world.crash();
    world.run_for(600_000);
    let taken: Vec<u64> = world.wire.taken.iter().map(|(id, _)| *id).collect();
    assert_eq!(taken, (1..=10).collect::<Vec<u64>>());
    world.has_in_order(BOB, 1..=10);
}

#[test]
fn one_id_twice_is_one_send() {
    let mut world = World::started(true);
    world.submit(1, bob(), "cmid_1", "text");
    world.submit(2, bob(), "cmid_1", "text");
    world.submit(3, bob(), "cmid_1", "another text");
    world.run_for(10);
    let effects = world.take_effects();
    let known = |ticket, same| Effect::Known {
        ticket,
        id: 1,
        same,
    };
    assert!(effects.contains(&known(2, true)));
    assert!(effects.contains(&known(3, false)));
    world.has_in_order(BOB, [1]);
}

#[test]
fn a_search_outage_of_seconds_leaves_no_send_unknown() {
    let mut world = World::started(true);
    world.chances.answer_lost = 100;
    world.submit(1, bob(), "cmid_1", "once");
    world.run_for(0);
    world.chances = Chances::default();
    while !world
        .take_effects()
        .iter()
        .any(|effect| matches!(effect, Effect::FindSent { .. }))
    {
        assert!(world.run_once(60_000));
    }
    world.chances.refused = 100;
    world.run_for(5_000);
    assert_eq!(world.store.ending(1), None, "still looked for");
    world.chances = Chances::default();
    world.run_for(60_000);
    assert_eq!(
        world.store.ending(1),
        Some(&Ending::Sent { replayed: true })
    );
}

#[test]
fn a_send_that_runs_out_of_time_expires_without_an_identity_too() {
    let mut world = World::started(true);
    world.input(Input::NoCredential("file is gone".into()));
    let soon = world.platform.now_us + 1_000_000;
    world.submit_until(1, bob(), "cmid_1", "text", soon);
    world.run_for(30_000);
    let expired = Ending::Ended(SendEnd::Expired);
    assert_eq!(world.store.ending(1), Some(&expired));
}

#[test]
fn pitfall_32_nothing_is_attempted_before_it_is_on_disk() {
    let mut world = World::started(true);
    world.chances.commit_ms = 5_000;
    world.take_effects();
    world.sends("bob", "cmid_1");
    let is_attempt = |effect: &Effect| matches!(effect, Effect::Attempt { .. });
    while world.store.outbox.is_empty() {
        assert!(!world.take_effects().iter().any(is_attempt));
        world.run_once(u64::MAX);
    }
    assert!(world.take_effects().iter().any(is_attempt));
}
