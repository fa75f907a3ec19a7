//! Pitfalls of messages on their way into the log.

use agentchatd_engine::{Failure, GapReason, Input, Phase, Question, Source, Warning};

use crate::world::{
    Status, World,
    platform::{ME, status},
};

const BOB: &str = "conv_bob";
const ANN: &str = "conv_ann";
const CREW: &str = "grp_crew";

#[test]
fn pitfall_01_a_page_of_another_shape_is_told_and_never_taken_for_an_empty_one() {
    let mut world = World::started(true);
    world.waits(BOB);
    world.holds_answers = true;
    world.input(Input::DrainNow { ticket: 1 });
    world.run_for(0);
    world.held.clear();
    world.holds_answers = false;
    let reason = "a page is neither a list nor an object with envelopes";
    let failure = Failure::Shape {
        reason: reason.into(),
    };
    world.input(Input::SyncPage(Err(failure)));
    let told = Warning::BadShape {
        what: reason.into(),
    };
    assert!(world.warnings.contains(&told));
    assert_eq!(world.store.seqs(BOB), [] as [u64; 0]);
    // It is asked again long before the next regular one.
    world.run_for(world.settings.sync_interval_ms / 2);
    world.has_in_order(BOB, [1]);
}

#[test]
fn pitfall_07_what_waits_behind_a_hole_outlives_the_connection() {
    for ack_mode in [true, false] {
        let mut world = World::started(ack_mode);
        world.arrives(BOB);
        world.vanishes(BOB);
        let third = world.arrives(BOB);
        // Settled, and history does not show it: what we have of it is all there is.
        world.run_for(10);
        assert!(world.platform.stored().is_empty());
        world.platform.message_mut(&third).unwrap().hidden = true;
        world.cut(None, "reset", true);
        world.run_to(Phase::Disconnected);
        world.run_to(Phase::Ready);
        world.run_for(5_000);
        world.has_in_order(BOB, 1..=3);
        assert_eq!(world.source(BOB, 3), Some(Source::Live));
    }
}

#[test]
fn pitfall_09_the_last_seq_is_known_after_a_day_of_silence_a_cut_and_a_restart() {
    let forgets: [fn(&mut World); 3] = [
        |world| world.run_for(24 * 3_600_000),
        |world| {
            world.cut(None, "reset", true);
            world.run_to(Phase::Disconnected);
        },
        World::crash,
    ];
    let mut world = World::started(true);
    world.arrive(BOB, 2);
    let mut top = 2;
    for forget in forgets {
        forget(&mut world);
        world.run_to(Phase::Ready);
        world.run_for(10_000);
        world.take_effects();
        world.vanishes(BOB);
        world.arrives(BOB);
        world.has_in_order(BOB, 1..=top);
        world.run_for(2_100);
        assert_eq!(world.questions(BOB), [Question::After(top)]);
        top += 2;
        world.has_in_order(BOB, 1..=top);
        let filled = (GapReason::GapFilled, vec![]);
        assert_eq!(world.told(BOB).last(), Some(&filled));
    }
}

#[test]
fn pitfall_10_rows_of_history_are_not_acknowledged_and_own_ones_are_known_as_own() {
    let mut world = World::started(true);
    let first = world.arrives(BOB);
    // Sent by another program of this agent.
    world.platform.make(BOB, ME, 0);
    world.vanishes(BOB);
    let fourth = world.arrives(BOB);
    world.run_for(3_000);
    world.has_in_order(BOB, 1..=4);
    assert_eq!(world.source(BOB, 2), Some(Source::GapFill));
    assert_eq!(world.acks(), [first, fourth]);
    // The store of this world holds each row's mark as own against its sender.
    let own = world.store.messages(BOB).nth(1).unwrap().0;
    assert_eq!(own.sender.as_deref(), Some(ME));
}

#[test]
fn pitfall_12_a_short_page_is_not_the_end_of_a_drain() {
    let mut world = World::started(true);
    world.platform.sync_rows = 3;
    for _ in 0..10 {
        world.waits(BOB);
    }
    world.input(Input::DrainNow { ticket: 1 });
    world.run_for(0);
    world.has_in_order(BOB, 1..=10);
    assert_eq!(world.source(BOB, 10), Some(Source::Sync));
    assert!(world.platform.stored().is_empty());
}

#[test]
fn pitfall_14_a_cursor_settles_no_live_row_that_is_still_on_its_way_to_disk() {
    let mut world = World::started(true);
    world.chances.commit_ms = 5_000;
    let live = world.arrives(BOB);
    let behind = world.waits(ANN);
    world.input(Input::DrainNow { ticket: 1 });
    assert!(!world.store.has(&live), "still under way");
    while !world.platform.stored().is_empty() {
        for id in [&live, &behind] {
            let is_settled = world.platform.message_mut(id).unwrap().status == Status::Delivered;
            assert!(!is_settled || world.store.has(id), "{id} is not on disk");
        }
        assert!(world.run_once(60_000), "never settled");
    }
    assert!(world.store.is_logged(&live) && world.store.is_logged(&behind));
}

#[test]
fn pitfall_20_rows_that_somebody_else_settled_are_logged_and_raise_no_alarm() {
    let mut world = World::started(true);
    world.arrives(BOB);
    let shown = world.waits(BOB);
    world.waits(BOB);
    world.holds_answers = true;
    world.input(Input::DrainNow { ticket: 1 });
    world.run_for(0);
    // A webhook is faster than our acknowledgement, and takes a row that no page had shown.
    world.platform.mark(&shown);
    world.vanishes(BOB);
    world.let_answers_through();
    world.run_for(world.settings.reconcile_interval_ms);
    world.has_in_order(BOB, 1..=4);
    assert_eq!(world.warnings, []);
}

#[test]
fn pitfall_38_an_acknowledgement_that_was_lost_on_the_way_is_made_again() {
    let mut world = World::started(true);
    world.chances.delay_ms = 200;
    let id = world.waits(BOB);
    world.push(&id);
    while !world.acks().contains(&id) {
        assert!(world.run_once(60_000), "never acknowledged");
    }
    world.cut(None, "reset", true);
    world.run_for(200);
    assert_eq!(world.platform.stored().len(), 1, "it was lost");
    world.run_to(Phase::Ready);
    world.run_for(5_000);
    assert!(world.platform.stored().is_empty());
    world.has_in_order(BOB, [1]);
}

#[test]
fn pitfall_39_a_burst_is_logged_whole_and_in_order_while_the_disk_is_slow() {
    let mut world = World::started(true);
    world.chances.commit_ms = 5_000;
    for _ in 0..300 {
        for place in [BOB, ANN] {
            let id = world.waits(place);
            world.push(&id);
        }
    }
    world.run_for(60_000);
    world.has_in_order(BOB, 1..=300);
    world.has_in_order(ANN, 1..=300);
    assert!(world.platform.stored().is_empty());
}

#[test]
fn pitfall_61_a_row_of_a_hidden_conversation_is_stored_and_not_looked_up_in_history() {
    const EVE: &str = "conv_eve";
    let mut world = World::calm(true);
    world.past(EVE, 4);
    world.start();
    world.run_for(1_000);
    world.arrive(BOB, 2);
    for place in [BOB, ANN, EVE] {
        world.waits(place);
        world.platform.hide(place);
    }
    world.take_effects();
    world.input(Input::DrainNow { ticket: 1 });
    world.run_for(10);
    world.has_in_order(BOB, 1..=3);
    world.has_in_order(ANN, [1]);
    world.has_in_order(EVE, [5]);
    assert!(world.platform.stored().is_empty());
    assert_eq!(world.questions(BOB), []);
    world.run_for(2 * world.settings.reconcile_interval_ms);
    world.has_in_order(BOB, 1..=3);
    assert_eq!(world.told(BOB), []);
}

#[test]
fn pitfall_62_each_answer_that_ends_a_group_closes_its_holes_and_no_other_does() {
    for (number, code, ends) in [
        (410, "GROUP_DELETED", true),
        (404, "GROUP_NOT_FOUND", true),
        (403, "FORBIDDEN", true),
        (404, "", false),
        (403, "", false),
        (500, "INTERNAL_ERROR", false),
    ] {
        let mut world = World::started(true);
        world.arrives(CREW);
        world.vanishes(CREW);
        world.arrives(CREW);
        world.platform.history_says = Some(status(number, code));
        world.run_for(2_100);
        let absent = vec![(GapReason::AbsentUpstream, vec![(2, 2)])];
        let expected = if ends { absent } else { vec![] };
        assert_eq!(world.told(CREW), expected, "{number} {code}");
        world.platform.history_says = None;
        world.run_for(30_000);
        if ends {
            world.has_in_order(CREW, [1, 3]);
            assert!(world.store.conversations[CREW].holes.is_empty());
        } else {
            world.has_in_order(CREW, 1..=3);
            assert_eq!(world.told(CREW), [(GapReason::GapFilled, vec![])]);
        }
        assert_eq!(world.phase(), Phase::Ready, "{number} {code}");
    }
}
