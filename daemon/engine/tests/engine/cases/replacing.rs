//! The key is replaced at the platform while the daemon runs: what is refused meanwhile refuses
//! nothing, and what follows where no new key comes.

use agentchatd_engine::{Effect, GapReason, Input, Lane, Phase};

use crate::world::World;

const BOB: &str = "conv_bob";
const HOLD_MS: u64 = 30_000;
/// Questions about a hole before it is given up.
const QUESTIONS: usize = 4;

/// A connected world in which nothing may park, unless a case says so.
fn connected() -> World {
    let mut world = World::started(true);
    world.may_park = false;
    world
}

/// What was told of sends that wait because of an answer.
fn refusals_of_sends(world: &mut World) -> usize {
    let told = |effect: &Effect| {
        matches!(
            effect,
            Effect::Delayed {
                failure: agentchatd_engine::Failure::Status { .. },
                ..
            }
        )
    };
    world
        .take_effects()
        .iter()
        .filter(|effect| told(effect))
        .count()
}

fn parked_for(world: &World) -> String {
    assert_eq!(world.phase(), Phase::Parked);
    world.engine.stats().link.reason.to_string()
}

#[test]
fn the_close_that_a_replacement_causes_is_held_until_the_new_key_comes() {
    let mut world = connected();
    world.arrives(BOB);
    world.replaces_key(HOLD_MS);
    world.waits(BOB);
    world.key_dies();
    world.run_for(5_000);
    assert_eq!(world.phase(), Phase::Disconnected);
    assert_eq!(world.engine.stats().link.retry_in_ms, None);
    world.waits(BOB);
    world.key_comes();
    world.run_for(0);
    assert_eq!(world.phase(), Phase::Ready, "at once, with no backoff");
    world.has_in_order(BOB, [1, 2, 3]);
    assert_eq!(world.engine.stats().link.attempt, 0);
}

#[test]
fn a_new_key_that_comes_before_the_close_leads_to_one_socket_after_it() {
    let mut world = connected();
    world.replaces_key(HOLD_MS);
    world.valid_key += 1;
    world.key_comes();
    world.run_for(0);
    assert_eq!(world.phase(), Phase::Ready);
    assert_eq!(world.engine.stats().connected_total, 2);
}

#[test]
fn sends_under_way_at_the_swap_land_once_and_nobody_is_told_of_a_refusal() {
    for is_early in [false, true] {
        let mut world = connected();
        world.chances.delay_ms = 200;
        world.replaces_key(HOLD_MS);
        for number in 0..6 {
            let id = format!("cmid_{number}");
            world.submit(
                number,
                Lane::To(format!("peer{number}").into()),
                &id,
                "text",
            );
            if number == 3 {
                world.run_for(40);
                world.key_dies();
            }
        }
        if !is_early {
            world.run_for(2_000);
        }
        world.key_comes();
        // Answers to what went out with the old key come after the new one.
        world.run_for(20_000);
        assert_eq!(refusals_of_sends(&mut world), 0);
        for number in 0..6 {
            assert!(world.has_sent(&format!("conv_peer{number}"), &format!("cmid_{number}")));
            assert_eq!(world.store.seqs(&format!("conv_peer{number}")), [1]);
        }
    }
}

#[test]
fn nothing_more_is_asked_with_a_key_that_was_refused_while_it_is_replaced() {
    let mut world = connected();
    world.replaces_key(HOLD_MS);
    world.valid_key += 1;
    world.sends("bob", "cmid_1");
    world.run_for(1);
    world.take_effects();
    world.sends("ann", "cmid_2");
    world.run_for(10_000);
    let asks = |effect: &&Effect| matches!(effect, Effect::Attempt { .. });
    assert_eq!(world.take_effects().iter().find(asks), None);
    world.key_comes();
    world.run_for(1_000);
    assert!(world.has_sent(BOB, "cmid_1") && world.has_sent("conv_ann", "cmid_2"));
}

#[test]
fn no_hole_is_given_up_because_its_question_was_refused_meanwhile() {
    let mut world = connected();
    world.arrives(BOB);
    world.vanishes(BOB);
    world.arrives(BOB);
    // All questions but the last before the hole is given up fail for another reason.
    world.chances.refused = 100;
    let mut asked = 0;
    while asked < QUESTIONS - 1 {
        assert!(world.run_once(u64::MAX));
        asked += world.questions(BOB).len();
    }
    world.run_for(0);
    world.chances.refused = 0;
    world.replaces_key(120_000);
    world.valid_key += 1;
    while world.questions(BOB).is_empty() {
        assert!(world.run_once(u64::MAX));
    }
    world.run_for(25_000);
    world.key_comes();
    world.run_for(10_000);
    world.has_in_order(BOB, [1, 2, 3]);
    let told = world.told(BOB);
    assert!(
        told.iter()
            .all(|(reason, _)| *reason == GapReason::GapFilled),
        "{told:?}"
    );
}

#[test]
fn without_a_new_key_the_refusal_that_was_held_counts() {
    let mut world = connected();
    world.replaces_key(HOLD_MS);
    world.key_dies();
    world.run_for(1_000);
    world.may_park = true;
    world.input(Input::ReplacementEnded { lost: None });
    assert_eq!(parked_for(&world), "API key rotated");
    assert_eq!(world.engine.stats().link.code, Some(1008));
}

#[test]
fn a_refusal_is_held_no_longer_than_told_and_never_for_ever() {
    for (within_ms, held_ms) in [(5_000, 5_000), (u64::MAX, 120_000)] {
        let mut world = connected();
        world.replaces_key(within_ms);
        world.key_dies();
        world.run_for(held_ms - 1);
        assert_eq!(world.phase(), Phase::Disconnected);
        world.may_park = true;
        world.run_for(1);
        assert_eq!(parked_for(&world), "API key rotated");
        // The key comes late, and is taken all the same.
        world.key_comes();
        world.run_for(1);
        assert_eq!(world.phase(), Phase::Ready);
    }
}

#[test]
fn a_replacement_that_failed_changes_nothing_for_a_connection_that_stands() {
    let mut world = connected();
    world.replaces_key(HOLD_MS);
    world.sends("bob", "cmid_1");
    world.run_for(1_000);
    world.input(Input::ReplacementEnded { lost: None });
    world.run_for(1_000);
    assert_eq!(world.phase(), Phase::Ready);
    assert_eq!(world.engine.stats().connected_total, 1);
    // And from then on a refusal is one.
    world.may_park = true;
    world.cut(Some(1008), "API key rotated", false);
    world.run_for(1);
    assert_eq!(parked_for(&world), "API key rotated");
}

#[test]
fn a_key_that_went_to_somebody_else_parks_with_that_reason_whatever_comes_first() {
    let lost = || Input::ReplacementEnded {
        lost: Some("the caller has it".into()),
    };
    let mut closed_first = connected();
    closed_first.replaces_key(HOLD_MS);
    closed_first.key_dies();
    closed_first.run_for(1);
    closed_first.may_park = true;
    closed_first.input(lost());
    assert_eq!(parked_for(&closed_first), "the caller has it");

    let mut told_first = connected();
    told_first.chances.delay_ms = 50;
    told_first.replaces_key(HOLD_MS);
    told_first.key_dies();
    told_first.may_park = true;
    told_first.input(lost());
    told_first.sends("bob", "cmid_1");
    told_first.run_for(1_000);
    assert_eq!(parked_for(&told_first), "the caller has it");
    told_first.input(Input::Credential);
    told_first.run_for(5_000);
    assert!(told_first.has_sent(BOB, "cmid_1"));
}

#[test]
fn a_parked_daemon_is_brought_back_by_a_recovery() {
    let mut world = World::started(true);
    world.key_dies();
    world.run_for(1);
    assert_eq!(world.phase(), Phase::Parked);
    world.replaces_key(HOLD_MS);
    world.run_for(1_000);
    assert_eq!(
        world.phase(),
        Phase::Parked,
        "as it was, until the key comes"
    );
    world.valid_key += 1;
    world.key_comes();
    world.run_for(1);
    assert_eq!(world.phase(), Phase::Ready);
}

#[test]
fn a_reload_in_the_middle_does_not_end_the_hold() {
    let mut world = connected();
    world.replaces_key(HOLD_MS);
    world.input(Input::Credential);
    world.run_for(1);
    world.key_dies();
    world.run_for(1_000);
    assert_eq!(world.phase(), Phase::Disconnected);
    world.key_comes();
    world.run_for(1);
    assert_eq!(world.phase(), Phase::Ready);
}
