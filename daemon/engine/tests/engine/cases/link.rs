//! The connection's life, and what is acknowledged over it.

use std::sync::Arc;

use agentchatd_engine::{Effect, Input, Millis, Phase, Warning};

use crate::world::{World, wire::Frame};

const BOB: &str = "conv_bob";

/// The longest wait announced since the last look.
fn longest_wait(world: &mut World) -> u64 {
    let effects = world.take_effects().into_iter();
    let waits = effects.filter_map(|effect| match effect {
        Effect::State(state) => state.retry_in_ms,
        _ => None,
    });
    waits.max().unwrap_or(0)
}

#[test]
fn pitfall_02_connections_that_live_shortly_do_not_reset_the_backoff() {
    let mut world = World::started(true);
    for _ in 0..12 {
        world.run_to(Phase::Ready);
        world.run_for(5_000);
        world.cut(Some(1001), "Heartbeat timeout", false);
        world.run_to(Phase::Disconnected);
    }
    assert_eq!(world.engine.stats().link.attempt, 12);
    assert!(longest_wait(&mut world) > 10_000);
    let rapid = |warning: &Warning| matches!(warning, Warning::RapidReconnects { .. });
    assert!(world.warnings.iter().any(rapid));
    world.run_to(Phase::Ready);
    world.run_for(world.settings.stable_after_ms);
    world.cut(Some(1001), "Heartbeat timeout", false);
    world.run_to(Phase::Disconnected);
    assert_eq!(
        world.engine.stats().link.attempt,
        1,
        "a stable life resets it"
    );
}

#[test]
fn pitfall_05_our_own_1008_refuses_nothing() {
    let mut world = World::calm(true);
    world.chances.hello_late = 100;
    world.start();
    let own = Effect::Close {
        code: 1008,
        reason: "HELLO ack timeout",
    };
    while !world.take_effects().contains(&own) {
        assert_ne!(world.phase(), Phase::Parked);
        world.run_once(60_000_000);
    }
    world.run_for(1);
    assert_eq!(world.phase(), Phase::Disconnected);
    world.chances.hello_late = 0;
    world.run_to(Phase::Ready);
}

#[test]
fn pitfall_04_a_1008_of_the_platform_parks_and_a_slow_probe_goes_on() {
    let mut world = World::started(true);
    world.cut(Some(1008), "API key rotated", false);
    world.run_for(1);
    assert_eq!(world.phase(), Phase::Parked);
    assert_eq!(world.engine.stats().link.code, Some(1008));
    world.take_effects();
    world.run_for(59_000);
    let effects = world.take_effects();
    assert_eq!(effects, [], "nothing is asked, dialled or sent");
    world.run_for(20_000);
    assert_eq!(
        world.phase(),
        Phase::Ready,
        "the probe found the key in order"
    );
}

#[test]
fn a_refused_upgrade_is_tried_again_and_a_401_parks() {
    let mut world = World::calm(true);
    world.chances.dial_refused = 100;
    world.start();
    world.run_to(Phase::Disconnected);
    world.chances.dial_refused = 0;
    world.run_to(Phase::Ready);
    let end = agentchatd_engine::SocketEnd {
        refused: Some(401),
        ..Default::default()
    };
    let socket = world.wire.ours.unwrap();
    world.on_frame(socket, Frame::Closed(end));
    assert_eq!(world.phase(), Phase::Parked);
}

#[test]
fn pitfall_17_on_the_header_path_a_missing_hello_ok_is_no_failure() {
    let mut world = World::calm(false);
    world.settings.header_auth = true;
    world.chances.hello_late = 100;
    world.crash();
    world.run_for(world.settings.hello_timeout_ms);
    assert_eq!(world.phase(), Phase::Ready);
    assert!(!world.engine.stats().ack_mode);
}

#[test]
fn on_the_header_path_a_late_hello_ok_turns_acknowledgements_on() {
    let mut world = World::calm(true);
    world.settings.header_auth = true;
    world.chances.hello_late = 100;
    // Seeds differ in how late; one that is later than we wait.
    while world.phase() != Phase::Ready || world.engine.stats().ack_mode {
        world.crash();
        world.run_for(world.settings.hello_timeout_ms);
    }
    let early = world.waits(BOB);
    let frame = Frame::Message(world.platform.message_mut(&early).unwrap().row.clone());
    let socket = world.wire.ours.unwrap();
    world.on_frame(socket, frame);
    world.run_for(10_000);
    assert!(world.engine.stats().ack_mode);
    assert!(
        world.platform.stored().is_empty(),
        "settled by a sync at once"
    );
    let id = world.arrives(BOB);
    assert!(world.acks().contains(&id));
}

#[test]
fn pitfall_06_nothing_is_acknowledged_before_it_is_committed() {
    let mut world = World::started(true);
    world.chances.commit_ms = 5_000;
    let id = world.arrives(BOB);
    while !world.store.has(&id) {
        assert_eq!(world.acks(), [] as [Arc<str>; 0]);
        world.run_once(u64::MAX);
    }
    assert_eq!(world.acks(), [id]);
}

#[test]
fn pitfall_38_a_repeat_is_acknowledged_again_but_not_before_its_first_appearance_is_stored() {
    let mut world = World::started(true);
    world.chances.commit_ms = 5_000;
    let id = world.arrives(BOB);
    world.push(&id);
    world.run_for(0);
    assert_eq!(world.acks(), [] as [Arc<str>; 0]);
    world.run_for(20_000);
    assert_eq!(world.acks(), [Arc::clone(&id), Arc::clone(&id)]);
    world.push(&id);
    world.run_for(20_000);
    assert_eq!(world.acks(), [id]);
}

#[test]
fn what_an_earlier_socket_brought_is_not_acknowledged_on_the_next() {
    let mut world = World::started(true);
    world.chances.commit_ms = 60_000;
    let id = world.arrives(BOB);
    world.cut(None, "reset", false);
    world.run_to(Phase::Disconnected);
    world.chances.commit_ms = 0;
    world.run_to(Phase::Ready);
    world.run_for(1_000);
    assert!(world.store.is_logged(&id));
    assert!(
        world.platform.stored().is_empty(),
        "sync or the next drain settled it"
    );
}

#[test]
fn pitfall_15_a_message_before_the_hello_ok_is_kept_and_acknowledged_after_it() {
    let mut world = World::calm(true);
    world.start();
    world.run_to(Phase::Authenticating);
    // Nothing but this frame will ever show it.
    let id = world.hidden(BOB);
    let frame = Frame::Message(world.platform.message_mut(&id).unwrap().row.clone());
    let socket = world.wire.ours.unwrap();
    world.on_frame(socket, frame);
    assert_eq!(world.acks(), [] as [Arc<str>; 0]);
    world.run_for(1);
    assert_eq!(world.acks(), [id]);
    world.has_in_order(BOB, [1]);
}

#[test]
fn a_silent_connection_is_closed_and_dialled_anew() {
    let mut world = World::started(true);
    world.half_open();
    world.run_for(world.settings.liveness_ms);
    let effects = world.take_effects();
    let closes = |effect: &Effect| matches!(effect, Effect::Close { code: 4000, .. });
    assert!(effects.iter().any(closes));
    world.run_to(Phase::Ready);
}

#[test]
fn after_a_shutdown_nothing_is_dialled() {
    let mut world = World::started(true);
    world.input(Input::Shutdown);
    world.run_for(10_000);
    world.take_effects();
    assert_eq!(world.phase(), Phase::Stopped);
    world.run_for(3_600_000);
    assert_eq!(world.take_effects(), []);
    assert_eq!(world.engine.next_timeout(), None::<Millis>);
}
