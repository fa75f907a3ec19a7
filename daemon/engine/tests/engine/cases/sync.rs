//! Sync: cursors, late commits, muted rows, unreadable rows.

use agentchatd_engine::{Cursor, Effect, Input, Phase, Source, Warning};

use crate::world::{Chances, Status, World};

const BOB: &str = "conv_bob";

#[test]
fn pitfall_49_a_late_commit_behind_the_cursor_is_found_by_reading_from_the_start() {
    let mut world = World::calm(true);
    world.platform.make(BOB, "peer", 0);
    world.start();
    world.run_to(Phase::Connecting);
    world.run_for(0);
    // It began long before what is acknowledged already.
    world.platform.make(BOB, "peer", 9_000_000);
    world.input(Input::DrainNow { ticket: 1 });
    world.run_for(0);
    world.has_in_order(BOB, 1..=2);
    assert_eq!(world.source(BOB, 2), Some(Source::Sync));
}

#[test]
fn pitfall_56_an_ack_that_settles_more_than_the_rows_in_hand_leads_to_history_at_once() {
    let mut world = World::started(true);
    world.arrives(BOB);
    world.waits(BOB);
    world.holds_answers = true;
    world.input(Input::DrainNow { ticket: 1 });
    world.run_for(1);
    // Committed after the page was read and before it is acknowledged, with an earlier time.
    world.platform.make(BOB, "peer", 9_000_000);
    world.let_answers_through();
    let settled = Warning::AckedUnseen { held: 1, acked: 2 };
    assert!(world.warnings.contains(&settled));
    world.run_for(1_000);
    world.has_in_order(BOB, 1..=3);
    assert_eq!(world.source(BOB, 3), Some(Source::Reconcile));
}

#[test]
fn pitfall_19_muted_rows_come_by_sync_alone() {
    let mut world = World::started(false);
    world.arrives(BOB);
    world.waits(BOB);
    world.run_for(world.settings.sync_interval_ms + 1_000);
    world.has_in_order(BOB, 1..=2);
    assert_eq!(world.source(BOB, 2), Some(Source::Sync));
}

#[test]
fn pitfall_55_sync_order_is_not_seq_order_and_the_log_is() {
    let mut world = World::calm(true);
    for age in [1_000_000, 3_000_000, 2_000_000, 4_000_000] {
        world.platform.make(BOB, "peer", age);
    }
    world.start();
    world.run_for(10);
    world.has_in_order(BOB, 1..=4);
    for age in [1_000_000, 3_000_000, 2_000_000] {
        world.platform.make(BOB, "peer", age);
    }
    world.input(Input::DrainNow { ticket: 1 });
    world.run_for(10);
    world.has_in_order(BOB, 1..=7);
    assert_eq!(world.source(BOB, 6), Some(Source::Sync));
}

#[test]
fn pitfall_54_a_connect_drain_that_repeats_whole_batches_is_logged_once_and_each_frame_acknowledged()
 {
    let mut world = World::calm(true);
    world.chances = Chances {
        drain_repeated: 100,
        ..Chances::default()
    };
    world.start();
    world.run_to(Phase::Authenticating);
    let ids: Vec<_> = (1..=25).map(|_| world.waits(BOB)).collect();
    world.run_for(10);
    world.has_in_order(BOB, 1..=25);
    let acks = world.acks();
    for id in &ids {
        assert_eq!(acks.iter().filter(|acked| *acked == id).count(), 2);
    }
}

#[test]
fn rows_behind_an_unreadable_one_are_neither_acknowledged_nor_lost() {
    let mut world = World::calm(true);
    world.platform.make(BOB, "peer", 0);
    world.platform.make(BOB, "peer", 0).poisoned = true;
    let third = world.waits(BOB);
    world.start();
    world.run_for(10);
    assert!(world.warnings.contains(&Warning::PoisonedSyncPage));
    assert_eq!(world.phase(), Phase::Ready);
    // The connect drain brought it, and its own acknowledgement settled it alone.
    assert!(world.store.has(&third));
    for seq in 1..=3_u64 {
        assert!(world.store.seqs(BOB).contains(&seq));
    }
}

#[test]
fn pitfall_13_a_page_without_a_usable_cursor_ends_the_drain() {
    let mut world = World::started(true);
    let id = world.waits(BOB);
    world.platform.message_mut(&id).unwrap().null_id = true;
    world.take_effects();
    world.input(Input::DrainNow { ticket: 1 });
    world.run_for(10);
    assert!(world.store.is_logged(&id));
    assert!(world.warnings.contains(&Warning::StuckSync));
    let effects = world.take_effects();
    let syncs = effects.iter().filter(|effect| **effect == Effect::Sync);
    assert_eq!(syncs.count(), 1, "no loop");
}

#[test]
fn pitfall_06_a_cursor_is_acknowledged_only_after_its_page_is_on_disk() {
    let mut world = World::started(true);
    world.chances.commit_ms = 5_000;
    let id = world.waits(BOB);
    world.take_effects();
    world.input(Input::DrainNow { ticket: 1 });
    let is_ack = |effect: &Effect| matches!(effect, Effect::SyncAck(_));
    while !world.store.has(&id) {
        let effects = world.take_effects();
        assert!(
            !effects.iter().any(is_ack),
            "acknowledged before the commit"
        );
        world.run_once(u64::MAX);
    }
    assert!(world.take_effects().iter().any(is_ack));
    assert!(matches!(&world.store.seen, Some(Cursor(text)) if text.contains("del_")));
}

#[test]
fn a_drain_that_ran_at_the_hello_reads_once_more_after_it() {
    let mut world = World::calm(true);
    world.start();
    world.run_to(Phase::Authenticating);
    // An empty page is on its way when a row comes to be stored and hello.ok is said.
    world.holds_answers = true;
    world.input(Input::DrainNow { ticket: 1 });
    world.run_to(Phase::Draining);
    world.run_for(0);
    let id = world.waits(BOB);
    world.let_answers_through();
    world.run_for(10);
    assert_eq!(world.phase(), Phase::Ready);
    assert!(world.store.is_logged(&id));
    assert_eq!(
        world.platform.message_mut(&id).unwrap().status,
        Status::Delivered
    );
}

#[test]
fn a_page_that_was_on_its_way_at_the_hello_is_not_the_one_that_is_waited_for() {
    let mut world = World::calm(true);
    world.start();
    world.run_to(Phase::Authenticating);
    world.waits(BOB);
    world.holds_answers = true;
    world.input(Input::DrainNow { ticket: 1 });
    world.run_to(Phase::Draining);
    world.run_for(0);
    let id = world.waits(BOB);
    world.holds_answers = false;
    for input in std::mem::take(&mut world.held) {
        world.answered(input);
    }
    world.run_to(Phase::Ready);
    assert!(world.store.is_logged(&id));
}

/// One step of a world whose traffic never rests: so many rows wait before it.
fn step_under_traffic(world: &mut World, waiting: usize) {
    while world.platform.stored().len() < waiting {
        world.waits(BOB);
    }
    world.run_once(u64::MAX);
}

#[test]
fn under_traffic_that_never_rests_the_connection_becomes_ready_and_holes_are_asked_about() {
    let mut world = World::calm(true);
    world.chances.delay_ms = 100;
    world.start();
    while world.phase() != Phase::Ready {
        step_under_traffic(&mut world, 1);
        assert!(world.now_ms < 10_000, "never ready");
    }
    world.arrives("conv_ann");
    world.vanishes("conv_ann");
    world.arrives("conv_ann");
    let until = world.now_ms + 2 * world.settings.gap_window_ms;
    while world.now_ms < until {
        step_under_traffic(&mut world, 1);
    }
    world.has_in_order("conv_ann", 1..=3);
    assert_eq!(world.engine.stats().parked, 0);
}

#[test]
fn pages_that_stay_full_hold_the_connection_up_for_half_a_minute_at_most() {
    let mut world = World::calm(true);
    world.chances.delay_ms = 2_000;
    world.start();
    while world.wire.ours.is_none() {
        step_under_traffic(&mut world, 45);
        assert!(world.now_ms < 45_000, "never dialled");
    }
    assert!(world.now_ms >= 30_000, "a backlog comes before the socket");
    while world.phase() != Phase::Ready {
        step_under_traffic(&mut world, 45);
        assert!(world.now_ms < 100_000, "never ready");
    }
}

#[test]
fn a_backlog_of_pages_is_stored_and_acknowledged_before_the_socket() {
    for count in [39, 40, 41] {
        let mut world = World::calm(false);
        world.chances.delay_ms = 200;
        let ids: Vec<_> = (0..count).map(|_| world.waits(BOB)).collect();
        world.start();
        while world.wire.ours.is_none() {
            world.run_once(10_000);
        }
        assert!(ids.iter().all(|id| world.store.is_logged(id)));
        assert!(world.platform.stored().is_empty(), "acknowledged");
    }
}

#[test]
fn a_drain_that_is_asked_for_reads_a_page_that_is_asked_for_after_the_call() {
    let mut world = World::started(true);
    world.holds_answers = true;
    world.input(Input::DrainNow { ticket: 1 });
    world.run_for(0);
    // The page of the first call is read, and empty; its answer is on the way.
    let id = world.waits(BOB);
    world.input(Input::DrainNow { ticket: 2 });
    world.take_effects();
    world.holds_answers = false;
    for input in std::mem::take(&mut world.held) {
        world.answered(input);
    }
    let ended = |effects: &[Effect]| -> Vec<u64> {
        let tickets = effects.iter().filter_map(|effect| match effect {
            Effect::Drained { ticket, .. } => Some(*ticket),
            _ => None,
        });
        tickets.collect()
    };
    assert_eq!(ended(&world.take_effects()), [1]);
    assert!(!world.store.is_logged(&id));
    while ended(&world.take_effects()).is_empty() {
        assert!(world.run_once(1_000), "the second call is never answered");
    }
    assert!(world.store.is_logged(&id));
}
