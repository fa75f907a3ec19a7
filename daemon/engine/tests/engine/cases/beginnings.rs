//! Where a conversation begins for us: birth, joining, hiding.

use agentchatd_engine::{GapReason, Input, Phase, Question};

use crate::world::{Status, World, platform::ME};

const BOB: &str = "conv_bob";
const CREW: &str = "grp_crew";

#[test]
fn a_conversation_first_seen_at_seq_seven_brings_what_came_after_the_birth_and_no_past() {
    let mut world = World::calm(false);
    world.past(BOB, 4);
    world.start();
    world.run_for(1_000);
    world.has_in_order(BOB, []);
    world.vanishes(BOB);
    world.vanishes(BOB);
    world.take_effects();
    world.arrives(BOB);
    world.has_in_order(BOB, 5..=7);
    assert_eq!(
        world.questions(BOB)[0],
        Question::Before(7),
        "asked at once"
    );
    assert_eq!(world.told(BOB), []);
    assert_eq!(world.store.conversations[BOB].anchor, 4);
    world.run_for(2 * world.settings.reconcile_interval_ms);
    world.has_in_order(BOB, 5..=7);
}

#[test]
fn an_older_row_that_still_waits_is_ours_and_delivered_ones_around_it_are_not() {
    let mut world = World::calm(true);
    world.past(BOB, 2);
    world.platform.make(BOB, "peer", 5_000_000);
    world.platform.make(BOB, ME, 4_000_000);
    world.platform.make(BOB, "peer", 3_000_000);
    world.start();
    world.run_for(5_000);
    world.has_in_order(BOB, [3, 5]);
    assert_eq!(world.told(BOB), [], "the past is no gap");
}

/// Messages of long ago, one of each sender; what waits still waits.
fn long_ago(world: &mut World, senders: &[(&str, bool)]) {
    const DAY_US: i64 = 24 * 3_600 * 1_000_000;
    for (sender, waits) in senders {
        let message = world.platform.make(BOB, sender, DAY_US);
        if !waits {
            message.status = Status::Delivered;
        }
    }
}

#[test]
fn the_past_behind_an_old_row_that_waits_from_the_very_beginning_is_not_imported() {
    let mut world = World::calm(true);
    long_ago(&mut world, &[("peer", true)]);
    long_ago(&mut world, &[("peer", false), (ME, false)].repeat(4));
    world.start();
    world.run_for(5_000);
    world.has_in_order(BOB, [1]);
    world.arrives(BOB);
    world.crash();
    world.run_for(2 * world.settings.reconcile_interval_ms);
    world.has_in_order(BOB, [1, 10]);
    assert_eq!(world.told(BOB), [], "the past is no gap");
}

#[test]
fn a_hole_of_the_past_alone_is_passed_without_a_word() {
    let mut world = World::calm(true);
    long_ago(&mut world, &[("peer", false), ("peer", false)]);
    long_ago(&mut world, &[("peer", true), (ME, false), (ME, false)]);
    world.start();
    world.run_for(5_000);
    world.arrives(BOB);
    world.take_effects();
    world.run_for(2_100);
    assert_eq!(world.questions(BOB), [Question::After(3)]);
    world.has_in_order(BOB, [3, 6]);
    assert_eq!(world.told(BOB), [], "the past is no gap");
}

#[test]
fn what_is_missing_or_found_beside_the_past_in_a_hole_is_told() {
    let mut world = World::started(true);
    world.arrives(BOB);
    long_ago(&mut world, &[(ME, false)]);
    world.vanishes(BOB);
    world.arrives(BOB);
    world.run_for(2_100);
    world.has_in_order(BOB, [1, 3, 4]);
    assert_eq!(world.told(BOB), [(GapReason::GapFilled, vec![])]);
    long_ago(&mut world, &[(ME, false)]);
    world.hidden(BOB);
    world.arrives(BOB);
    world.run_for(2_100);
    world.has_in_order(BOB, [1, 3, 4, 7]);
    let absent = (GapReason::AbsentUpstream, vec![(6, 6)]);
    assert_eq!(world.told(BOB)[1..], [absent]);
}

#[test]
fn what_comes_while_the_past_is_looked_through_is_not_taken_for_it() {
    let mut world = World::calm(false);
    world.past(BOB, 2);
    world.platform.make(BOB, "peer", 5_000_000);
    world.platform.make(BOB, ME, 4_000_000);
    world.platform.make(BOB, "peer", 3_000_000);
    world.start();
    world.run_to(Phase::Authenticating);
    // Begun before the birth, committed after it, and swallowed by a dead end.
    let message = world.platform.make(BOB, "peer", 1_000_000);
    message.status = Status::Delivered;
    world.run_for(world.settings.reconcile_interval_ms);
    world.has_in_order(BOB, [3, 5, 6]);
}

#[test]
fn a_past_conversation_that_nothing_moves_is_not_imported() {
    let mut world = World::calm(true);
    world.past(BOB, 10);
    world.start();
    world.run_for(3 * world.settings.reconcile_interval_ms);
    world.has_in_order(BOB, []);
    assert_eq!(world.questions(BOB), []);
}

#[test]
fn a_message_whose_stamp_lies_before_the_birth_is_found_in_a_conversation_that_is_new() {
    let mut world = World::started(false);
    world.run_for(1_000);
    world.vanishes(BOB);
    // The last of the conversation bears an earlier stamp than the one before it.
    let id = world.vanishes(BOB);
    let early = world.store.bound.as_ref().unwrap().1 - 1_000_000;
    world.platform.message_mut(&id).unwrap().row.created_at = Some(early);
    world.run_for(world.settings.reconcile_interval_ms);
    assert!(world.store.seqs(BOB).contains(&1));
}

#[test]
fn a_stamp_just_before_the_birth_does_not_end_the_way_back() {
    let mut world = World::started(false);
    world.run_for(1_000);
    for seq in 1..=250 {
        let id = world.vanishes(BOB);
        if seq == 150 {
            let early = world.store.bound.as_ref().unwrap().1 - 1_000_000;
            world.platform.message_mut(&id).unwrap().row.created_at = Some(early);
        }
    }
    world.arrives(BOB);
    world.run_for(10);
    assert_eq!(world.store.seqs(BOB)[..3], [1, 2, 3]);
    assert!(world.store.seqs(BOB).len() >= 250);
}

#[test]
fn a_group_joined_at_seq_forty_begins_there_without_a_gap() {
    let mut world = World::started(true);
    world.platform.kick(CREW);
    for _ in 1..40 {
        world.vanishes(CREW);
    }
    world.platform.join(CREW);
    // The notice itself is not pushed; history brings it with the first message.
    world.arrives(CREW);
    world.has_in_order(CREW, 40..=41);
    world.input(Input::DrainNow { ticket: 1 });
    world.run_for(world.settings.reconcile_interval_ms);
    world.has_in_order(CREW, 40..=41);
    assert_eq!(world.told(CREW), []);
}

#[test]
fn the_time_outside_of_a_group_is_no_gap() {
    let mut world = World::started(true);
    world.arrive(CREW, 3);
    world.platform.kick(CREW);
    for _ in 4..=9 {
        world.vanishes(CREW);
    }
    world.platform.join(CREW);
    world.arrives(CREW);
    world.run_for(world.settings.sync_interval_ms + 5_000);
    world.has_in_order(CREW, [1, 2, 3, 10, 11]);
    // The notice of the join was not pushed: that, and nothing else, was filled.
    assert_eq!(world.told(CREW), [(GapReason::GapFilled, vec![])]);
}

#[test]
fn pitfall_57_holes_of_a_group_that_is_closed_to_us_are_passed() {
    let mut world = World::started(true);
    world.arrives(CREW);
    world.vanishes(CREW);
    world.arrives(CREW);
    world.platform.kick(CREW);
    world.run_for(3_000);
    world.has_in_order(CREW, [1, 3]);
    assert_eq!(
        world.told(CREW),
        [(GapReason::AbsentUpstream, vec![(2, 2)])]
    );
}

#[test]
fn a_conversation_hidden_and_revived_goes_on_and_tells_what_the_hiding_took() {
    let mut world = World::started(true);
    world.arrive(BOB, 3);
    world.platform.hide(BOB);
    world.run_for(world.settings.reconcile_interval_ms);
    world.arrives(BOB);
    world.has_in_order(BOB, 1..=4);
    assert_eq!(world.told(BOB), []);
    world.vanishes(BOB);
    world.platform.hide(BOB);
    world.arrives(BOB);
    world.run_for(3_000);
    world.has_in_order(BOB, [1, 2, 3, 4, 6]);
    assert_eq!(world.told(BOB), [(GapReason::AbsentUpstream, vec![(5, 5)])]);
}

#[test]
fn a_walk_back_that_fails_does_not_move_a_beginning_that_was_found_meanwhile() {
    let mut world = World::started(false);
    world.run_for(1_000);
    let first = world.vanishes(BOB);
    world.vanishes(BOB);
    world.chances.refused = 100;
    world.arrives(BOB);
    world.push(&first);
    world.run_for(30_000);
    assert_eq!(world.store.conversations[BOB].anchor, 0);
    world.chances.refused = 0;
    world.run_for(3 * world.settings.reconcile_interval_ms);
    assert_eq!(world.store.seqs(BOB).len(), 3);
}

#[test]
fn a_first_contact_cut_off_by_a_crash_begins_anew() {
    let mut world = World::calm(false);
    world.past(BOB, 2);
    world.start();
    world.run_for(1_000);
    world.vanishes(BOB);
    world.holds_answers = true;
    world.arrives(BOB);
    world.crash();
    world.holds_answers = false;
    world.run_for(5_000);
    world.has_in_order(BOB, 3..=4);
}

#[test]
fn the_way_up_to_a_seq_out_of_all_reason_is_not_asked_page_by_page() {
    let mut world = World::started(true);
    for seq in [401, TOP] {
        let id = world.waits(CREW);
        let message = world.platform.message_mut(&id).unwrap();
        message.row.seq = Some(seq);
    }
    world.take_effects();
    world.input(Input::DrainNow { ticket: 1 });
    world.run_for(10_000);
    world.has_in_order(CREW, [401, TOP]);
    assert_eq!(world.told(CREW), [], "what lies between is no gap");
    let questions = world.questions(CREW);
    assert!(questions.len() < 10, "{questions:?}");
}

/// The largest seq that is read as one.
const TOP: u64 = i64::MAX as u64;
