//! Holes: filled, proven absent, given up, and what survives a restart.

use agentchatd_engine::{GapReason, Question, Source};

use crate::world::{Chances, World};

const BOB: &str = "conv_bob";

#[test]
fn pitfall_11_a_hole_that_history_proves_absent_is_told_and_passed() {
    let mut world = World::started(true);
    world.arrive(BOB, 2);
    world.hidden(BOB);
    world.arrives(BOB);
    world.run_for(2_100);
    world.has_in_order(BOB, [1, 2, 4]);
    assert_eq!(world.told(BOB), [(GapReason::AbsentUpstream, vec![(3, 3)])]);
}

#[test]
fn pitfall_10_a_hole_over_two_hundred_rows_is_read_page_by_page() {
    let mut world = World::started(false);
    world.arrives(BOB);
    for _ in 2..=450 {
        world.vanishes(BOB);
    }
    world.arrives(BOB);
    world.run_for(2_100);
    world.has_in_order(BOB, 1..=451);
    let pages = [1, 201, 401].map(Question::After);
    assert_eq!(world.questions(BOB), pages);
    assert_eq!(world.told(BOB), [(GapReason::GapFilled, vec![])]);
}

#[test]
fn pitfall_53_an_empty_history_page_is_not_the_end_where_later_rows_exist() {
    let mut world = World::started(false);
    world.arrives(BOB);
    for _ in 2..=230 {
        world.hidden(BOB);
    }
    for _ in 231..=300 {
        world.vanishes(BOB);
    }
    world.arrives(BOB);
    world.run_for(2_100);
    world.has_in_order(BOB, [1].into_iter().chain(231..=301));
    let absent = |range| (GapReason::AbsentUpstream, vec![range]);
    assert_eq!(world.told(BOB), [absent((2, 201)), absent((202, 230))]);
}

#[test]
fn pitfall_53_an_empty_page_on_the_way_back_is_not_the_end_either() {
    let mut world = World::started(false);
    world.run_for(1_000);
    for _ in 1..=10 {
        world.vanishes(BOB);
    }
    for _ in 11..=220 {
        world.hidden(BOB);
    }
    world.arrives(BOB);
    world.run_for(100);
    world.has_in_order(BOB, (1..=10).chain([221]));
}

#[test]
fn what_the_first_page_of_a_wide_hole_proves_absent_is_told_though_the_rest_fills_by_itself() {
    let mut world = World::started(false);
    world.arrives(BOB);
    world.hidden(BOB);
    let rest: Vec<_> = (3..=230).map(|_| world.vanishes(BOB)).collect();
    world.arrives(BOB);
    world.run_for(1_990);
    world.holds_answers = true;
    world.run_for(100);
    // The first page is let through, the second never comes: the pushes do.
    let first = world.held.remove(0);
    world.answered(first);
    assert_eq!(world.told(BOB), [], "not on disk yet");
    world.run_for(10);
    for id in &rest {
        world.push(id);
    }
    world.run_for(100);
    assert_eq!(world.store.seqs(BOB).len(), 230);
    let told = world.told(BOB);
    assert_eq!(told, [(GapReason::AbsentUpstream, vec![(2, 2)])]);
}

#[test]
fn a_parked_row_that_history_hides_is_not_told_as_missing() {
    let mut world = World::started(true);
    world.arrives(BOB);
    world.vanishes(BOB);
    world.arrives(BOB);
    let fourth = world.arrives(BOB);
    world.vanishes(BOB);
    world.platform.message_mut(&fourth).unwrap().hidden = true;
    world.run_for(2_100);
    world.has_in_order(BOB, 1..=5);
    assert_eq!(world.told(BOB), [(GapReason::GapFilled, vec![])]);
}

#[test]
fn pitfall_07_parked_rows_outlive_a_restart() {
    let mut world = World::started(false);
    world.arrives(BOB);
    world.vanishes(BOB);
    let third = world.arrives(BOB);
    assert!(world.store.has(&third) && !world.store.is_logged(&third));
    world.crash();
    // History does not show it: the parked copy is the only one.
    world.platform.message_mut(&third).unwrap().hidden = true;
    world.run_for(3_000);
    world.has_in_order(BOB, 1..=3);
    assert_eq!(world.source(BOB, 3), Some(Source::Live));
}

#[test]
fn an_ack_does_not_wait_for_the_hole() {
    let mut world = World::started(true);
    world.arrives(BOB);
    world.vanishes(BOB);
    let third = world.arrives(BOB);
    world.run_for(1);
    assert!(world.acks().contains(&third));
    world.has_in_order(BOB, [1]);
}

#[test]
fn pitfall_11_behind_five_hundred_parked_rows_the_hole_is_given_up_visibly_and_filled_later() {
    let mut world = World::started(false);
    world.arrives(BOB);
    world.vanishes(BOB);
    world.arrive(BOB, 499);
    world.has_in_order(BOB, [1]);
    world.arrives(BOB);
    world.has_in_order(BOB, [1].into_iter().chain(3..=502));
    assert_eq!(world.told(BOB), [(GapReason::BufferOverflow, vec![(2, 2)])]);
    assert!(world.store.conversations[BOB].holes.contains(2));
    world.run_for(2 * world.settings.reconcile_interval_ms);
    assert_eq!(world.late(BOB), [2], "asked about again, and found");
    assert!(world.store.conversations[BOB].holes.is_empty());
}

#[test]
fn pitfall_11_a_hole_whose_history_cannot_be_read_is_given_up_visibly_and_filled_later() {
    let mut world = World::started(false);
    world.arrives(BOB);
    world.vanishes(BOB);
    world.arrives(BOB);
    world.chances = Chances {
        refused: 100,
        ..Chances::default()
    };
    world.run_for(30_000);
    world.has_in_order(BOB, [1, 3]);
    assert_eq!(world.told(BOB), [(GapReason::GapFillFailed, vec![(2, 2)])]);
    world.chances = Chances::default();
    world.run_for(2 * world.settings.reconcile_interval_ms);
    assert_eq!(world.late(BOB), [2]);
}

#[test]
fn a_comparison_that_meets_nothing_but_hidden_rows_is_not_remembered_as_complete() {
    let mut world = World::started(false);
    world.arrives(BOB);
    world.run_for(world.settings.reconcile_interval_ms);
    let before = world.store.reconciled_us;
    assert!(before.is_some());
    // More than one reading passes over, and a row at the end that shows that they exist.
    for _ in 0..10_500 {
        world.hidden(BOB);
    }
    world.vanishes(BOB);
    while world.store.gaps(BOB).is_empty() {
        assert!(world.run_once(u64::MAX));
    }
    world.run_for(1_000);
    assert_eq!(
        world.store.reconciled_us, before,
        "nothing is known of the end"
    );
    assert_eq!(world.store.seqs(BOB), [1]);
    world.run_for(world.settings.reconcile_interval_ms / 2);
    assert_eq!(
        world.store.seqs(BOB),
        [1, 10_502],
        "asked again before its time"
    );
    assert!(world.store.reconciled_us > before);
}

#[test]
fn pitfall_20_a_lost_last_push_with_nothing_after_it_is_found_by_the_comparison() {
    let mut world = World::started(false);
    world.arrive(BOB, 2);
    world.vanishes(BOB);
    world.vanishes("conv_new");
    world.run_for(world.settings.reconcile_interval_ms + 1_000);
    world.has_in_order(BOB, 1..=3);
    assert_eq!(world.source(BOB, 3), Some(Source::Reconcile));
    world.has_in_order("conv_new", [1]);
}
