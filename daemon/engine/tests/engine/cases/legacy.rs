//! A server that marks on send: what a dead end swallowed, history and the conversation list
//! bring back.

use agentchatd_engine::{Phase, Source};

use crate::world::{Chances, World};

const BOB: &str = "conv_bob";
const ANN: &str = "conv_ann";

#[test]
fn pitfall_18_a_crash_before_the_commit_loses_nothing_that_was_marked_on_send() {
    let mut world = World::started(false);
    world.arrives(BOB);
    world.chances.commit_ms = 5_000;
    world.arrives(BOB);
    world.arrives(ANN);
    world.has_in_order(BOB, [1]);
    world.crash();
    world.chances = Chances::default();
    assert!(
        world.platform.stored().is_empty(),
        "sync will not show them"
    );
    world.run_for(10_000);
    world.has_in_order(BOB, 1..=2);
    world.has_in_order(ANN, [1]);
}

#[test]
fn pitfall_65_a_half_open_cut_loses_nothing() {
    let mut world = World::started(false);
    world.arrives(BOB);
    world.half_open();
    world.arrive(BOB, 5);
    world.arrive(ANN, 3);
    assert!(world.platform.stored().is_empty());
    world.has_in_order(BOB, [1]);
    world.run_for(world.settings.liveness_ms + 60_000);
    assert_eq!(world.phase(), Phase::Ready);
    world.has_in_order(BOB, 1..=6);
    world.has_in_order(ANN, 1..=3);
    assert_eq!(world.source(ANN, 2), Some(Source::Reconcile));
}

#[test]
fn pitfall_50_a_refused_handshake_that_eats_the_backlog_loses_nothing() {
    let mut world = World::calm(false);
    world.chances.dial_refused = 100;
    world.start();
    world.run_to(Phase::Disconnected);
    for _ in 0..4 {
        world.waits(BOB);
    }
    world.ghost();
    world.arrives(BOB);
    assert!(world.platform.stored().is_empty());
    world.chances = Chances::default();
    world.run_for(60_000);
    world.has_in_order(BOB, 1..=5);
    assert_eq!(world.told(BOB), []);
}

#[test]
fn pitfall_50_an_abandoned_handshake_that_eats_the_backlog_loses_nothing() {
    let mut world = World::started(false);
    world.arrive(BOB, 2);
    world.chances.hello_late = 100;
    world.cut(Some(1001), "Server shutting down", false);
    world.run_to(Phase::Authenticating);
    // They come after the sync before the dial; the late hello marks them for a dead socket.
    for _ in 0..3 {
        world.waits(BOB);
    }
    world.run_to(Phase::Disconnected);
    world.ghost();
    assert!(world.platform.stored().is_empty());
    world.chances = Chances::default();
    world.run_for(120_000);
    world.has_in_order(BOB, 1..=5);
}

#[test]
fn what_waited_from_before_the_birth_is_stored_before_the_socket_is_dialled() {
    let mut world = World::calm(false);
    world.past(BOB, 3);
    let ids: Vec<_> = (0..30).map(|_| world.waits(BOB)).collect();
    world.start();
    while world.wire.ours.is_none() {
        world.run_once(1_000);
    }
    assert!(ids.iter().all(|id| world.store.has(id)));
    world.run_for(1_000);
    world.has_in_order(BOB, 4..=33);
}
