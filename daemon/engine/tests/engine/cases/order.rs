//! Order and repetition inside a conversation.

use agentchatd_engine::{GapReason, Input, Phase, Source};

use crate::world::{Status, World, wire::Frame};

const BOB: &str = "conv_bob";

#[test]
fn one_two_five_waits_and_takes_the_missing_rows_from_history() {
    let mut world = World::started(true);
    world.arrive(BOB, 2);
    world.vanishes(BOB);
    world.vanishes(BOB);
    world.arrives(BOB);
    world.run_for(1_900);
    world.has_in_order(BOB, 1..=2);
    world.run_for(200);
    world.has_in_order(BOB, 1..=5);
    assert_eq!(world.told(BOB), [(GapReason::GapFilled, vec![])]);
    assert_eq!(world.source(BOB, 4), Some(Source::GapFill));
    assert_eq!(world.source(BOB, 5), Some(Source::Live));
}

#[test]
fn one_two_three_six_waits_and_takes_the_missing_rows_from_history() {
    let mut world = World::started(false);
    world.arrive(BOB, 3);
    world.vanishes(BOB);
    world.vanishes(BOB);
    world.arrives(BOB);
    world.run_for(2_100);
    world.has_in_order(BOB, 1..=6);
    assert_eq!(world.told(BOB), [(GapReason::GapFilled, vec![])]);
}

#[test]
fn pitfall_66_a_hole_that_fills_by_itself_is_no_event_and_no_question() {
    let mut world = World::started(true);
    world.arrives(BOB);
    let late = world.waits(BOB);
    world.arrives(BOB);
    world.take_effects();
    world.push(&late);
    world.run_for(5_000);
    world.has_in_order(BOB, 1..=3);
    assert_eq!(world.told(BOB), []);
    assert_eq!(world.questions(BOB), []);
}

#[test]
fn a_live_frame_ahead_of_the_first_drain_waits_for_it() {
    let mut world = World::calm(true);
    world.start();
    world.run_to(Phase::Draining);
    world.waits(BOB);
    world.waits(BOB);
    let third = world.waits(BOB);
    world.holds_answers = true;
    world.push(&third);
    world.run_for(0);
    assert!(world.store.has(&third), "parked, and on disk");
    world.has_in_order(BOB, []);
    assert_eq!(world.questions(BOB), [], "the drain may bring what lacks");
    world.let_answers_through();
    world.has_in_order(BOB, 1..=3);
    assert_eq!(world.source(BOB, 2), Some(Source::Sync));
    assert_eq!(world.source(BOB, 3), Some(Source::Live));
}

#[test]
fn an_own_message_between_two_of_the_peers_is_no_hole() {
    let mut world = World::started(true);
    world.arrives(BOB);
    world.sends("bob", "cmid_1");
    world.run_for(0);
    world.arrives(BOB);
    world.has_in_order(BOB, 1..=3);
    assert!(world.has_sent(BOB, "cmid_1"));
    world.run_for(5_000);
    assert_eq!(world.questions(BOB), []);
    assert_eq!(world.told(BOB), []);
}

#[test]
fn a_reply_that_overtakes_the_answer_to_the_own_send_waits_for_it_without_a_question() {
    let mut world = World::started(true);
    world.arrives(BOB);
    world.holds_answers = true;
    world.sends("bob", "cmid_1");
    world.run_for(0);
    world.arrives(BOB);
    world.has_in_order(BOB, [1]);
    world.run_for(10_000);
    assert_eq!(world.questions(BOB), []);
    world.let_answers_through();
    world.has_in_order(BOB, 1..=3);
    assert_eq!(world.told(BOB), []);
}

#[test]
fn pitfall_08_low_seq_is_no_duplicate() {
    let mut world = World::started(true);
    world.arrive(BOB, 2);
    let third = world.hidden(BOB);
    world.arrives(BOB);
    world.run_for(3_000);
    world.has_in_order(BOB, [1, 2, 4]);
    world.push(&third);
    world.run_for(0);
    assert_eq!(world.store.seqs(BOB), [1, 2, 4, 3]);
    assert_eq!(world.late(BOB), [3]);
    assert!(world.acks().contains(&third));
}

#[test]
fn two_messages_with_one_seq_are_both_logged_and_neither_is_late() {
    let mut world = World::started(true);
    world.arrives(BOB);
    world.vanishes(BOB);
    let third = world.arrives(BOB);
    let mut twin = world.platform.message_mut(&third).unwrap().row.clone();
    twin.message_id = "msg_twin".into();
    let socket = world.wire.ours.unwrap();
    world.on_frame(socket, Frame::Message(twin));
    world.run_for(3_000);
    world.has_in_order(BOB, [1, 2, 3, 3]);
}

#[test]
fn a_row_without_a_seq_is_logged_at_once_and_holds_nothing_up() {
    let mut world = World::started(true);
    world.arrives(BOB);
    let odd = world.waits(BOB);
    world.platform.message_mut(&odd).unwrap().row.seq = None;
    world.push(&odd);
    world.push(&odd);
    world.run_for(0);
    assert!(world.store.is_logged(&odd));
    assert_eq!(world.acks().iter().filter(|id| **id == odd).count(), 2);
}

fn set_status(world: &mut World, id: &str, status: Status) {
    if let Some(message) = world.platform.message_mut(id) {
        message.status = status;
    }
}

/// Brings a message by one of the three ways.
fn bring(world: &mut World, id: &str, way: Source) {
    match way {
        Source::Live => world.push(id),
        Source::Sync => {
            set_status(world, id, Status::Stored);
            world.input(Input::DrainNow { ticket: 1 });
        }
        _ => {
            let wait = world.settings.reconcile_interval_ms;
            // Not by a sync on the way.
            set_status(world, id, Status::Delivered);
            world.run_for(wait);
        }
    }
    world.run_for(10);
}

#[test]
fn a_message_by_live_sync_and_history_in_every_order_stands_in_the_log_once() {
    let ways = [Source::Live, Source::Sync, Source::Reconcile];
    for first in 0..3 {
        for second in (0..3).filter(|way| *way != first) {
            let third = 3 - first - second;
            let mut world = World::started(true);
            world.arrives(BOB);
            let id = world.vanishes(BOB);
            for way in [first, second, third, first] {
                bring(&mut world, &id, ways[way]);
            }
            world.has_in_order(BOB, 1..=2);
            assert_eq!(world.source(BOB, 2), Some(ways[first]));
            assert_eq!(world.told(BOB), []);
        }
    }
}
