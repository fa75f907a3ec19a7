//! Pitfalls of the connection.

use agentchatd_engine::{Effect, Input, Phase, SocketEnd, Warning};

use crate::world::{Chances, World, wire::Frame};

const BOB: &str = "conv_bob";
const HOUR_MS: u64 = 3_600_000;

fn dials(effects: &[Effect]) -> usize {
    let dials = effects.iter().filter(|effect| **effect == Effect::Dial);
    dials.count()
}

/// The phases that were announced, each change once.
fn phases(effects: &[Effect]) -> Vec<Phase> {
    let mut phases: Vec<Phase> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::State(state) => Some(state.phase),
            _ => None,
        })
        .collect();
    phases.dedup();
    phases
}

/// Runs until the dial is under way.
fn run_to_dial(world: &mut World) -> u64 {
    loop {
        if let Some(socket) = world.wire.ours {
            return socket;
        }
        assert!(world.run_once(world.now_ms + HOUR_MS), "never dialled");
    }
}

#[test]
fn pitfall_02_a_life_just_short_of_stable_resets_nothing_and_the_fifth_in_a_row_is_told() {
    let mut world = World::started(true);
    for round in 1..=8 {
        world.run_to(Phase::Ready);
        world.run_for(world.settings.stable_after_ms - 2);
        world.cut(Some(1001), "Heartbeat timeout", false);
        world.run_to(Phase::Disconnected);
        assert_eq!(world.engine.stats().link.attempt, round);
        let is_rapid = |warning: &Warning| matches!(warning, Warning::RapidReconnects { .. });
        assert_eq!(world.warnings.iter().any(is_rapid), round >= 5, "{round}");
    }
}

#[test]
fn pitfall_03_an_upgrade_that_is_accepted_and_then_closed_with_1008_is_a_refusal() {
    for header_auth in [false, true] {
        let mut world = World::calm(true);
        world.settings.header_auth = header_auth;
        world.crash();
        // Over REST the key is accepted all the while, so that each probe leads to a dial.
        while world.run_once(HOUR_MS) && world.now_ms < HOUR_MS {
            if world.phase() == Phase::Authenticating {
                world.cut(Some(1008), "Invalid token", false);
            }
        }
        assert_eq!(world.phase(), Phase::Parked);
        let dials = dials(&world.take_effects());
        assert!((2..=8).contains(&dials), "{dials} in an hour");
    }
}

#[test]
fn pitfall_22_every_end_of_a_dial_and_of_a_handshake_leads_to_the_next_attempt() {
    let refused = |status| SocketEnd {
        refused: Some(status),
        ..SocketEnd::default()
    };
    let closed = |code| SocketEnd {
        code: Some(code),
        ..SocketEnd::default()
    };
    let broken = SocketEnd::default();
    let of_dial = [200, 302, 404, 429, 500, 502, 503].map(refused);
    let of_hello = [1000, 1001, 1002, 1006, 1011, 1013, 4000].map(closed);
    for end in of_dial.into_iter().chain([broken.clone()]) {
        let mut world = World::calm(true);
        world.start();
        let socket = run_to_dial(&mut world);
        world.on_frame(socket, Frame::Closed(end));
        assert_eq!(world.phase(), Phase::Disconnected);
        world.run_to(Phase::Ready);
    }
    for end in of_hello.into_iter().chain([broken]) {
        let mut world = World::calm(true);
        world.start();
        world.run_to(Phase::Authenticating);
        let socket = world.wire.ours.unwrap();
        world.on_frame(socket, Frame::Closed(end));
        assert_eq!(world.phase(), Phase::Disconnected);
        world.run_to(Phase::Ready);
    }
}

#[test]
fn pitfall_24_a_liveness_timeout_and_the_close_after_it_lead_to_one_connection() {
    let mut world = World::started(true);
    let before = world.wire.last;
    world.chances.delay_ms = 3_000;
    world.half_open();
    world.take_effects();
    world.run_to(Phase::Disconnected);
    // The end is told a second time, by whatever is left of the old socket.
    world.input(Input::SocketClosed(SocketEnd::default()));
    world.run_to(Phase::Ready);
    world.run_for(HOUR_MS);
    assert_eq!(dials(&world.take_effects()), 1);
    assert_eq!(world.wire.last, before + 1);
}

#[test]
fn pitfall_25_a_first_connection_that_fails_is_tried_again_like_any_other() {
    let mut world = World::calm(true);
    world.chances.refused = 100;
    world.may_park = false;
    world.start();
    world.run_for(6 * HOUR_MS);
    assert!(world.engine.stats().link.attempt > 300);
    world.chances = Chances::default();
    world.run_for(world.settings.backoff_max_ms);
    assert_eq!(world.phase(), Phase::Ready);
}

#[test]
fn pitfall_27_a_connection_is_ready_once_whatever_goes_on_behind_it() {
    let mut world = World::calm(true);
    world.start();
    world.run_for(1);
    let on_the_way = [
        Phase::Connecting,
        Phase::Authenticating,
        Phase::Draining,
        Phase::Ready,
    ];
    assert_eq!(phases(&world.take_effects()), on_the_way);
    for ticket in 1..=20 {
        world.arrives(BOB);
        world.vanishes(BOB);
        world.arrives(BOB);
        world.waits(BOB);
        world.input(Input::DrainNow { ticket });
        world.run_for(world.settings.reconcile_interval_ms);
    }
    let effects = world.take_effects();
    assert!(effects.contains(&Effect::Sync) && effects.contains(&Effect::ListConversations));
    assert_eq!(phases(&effects), []);
}

#[test]
fn pitfall_28_no_number_of_failed_attempts_is_taken_for_a_refusal() {
    let mut world = World::calm(true);
    world.chances.dial_refused = 100;
    world.may_park = false;
    world.start();
    world.run_for(48 * HOUR_MS);
    let attempts = dials(&world.take_effects());
    assert!(attempts > 1_000, "{attempts}");
    assert_eq!(world.engine.stats().link.attempt as usize, attempts);
    world.chances = Chances::default();
    world.run_for(world.settings.backoff_max_ms);
    assert_eq!(world.phase(), Phase::Ready);
}

#[test]
fn pitfall_48_the_first_reconnect_after_a_deploy_is_spread_over_its_whole_width() {
    let wait = |seed| {
        let mut world = World::new(true, seed, Chances::default());
        world.start();
        world.run_to(Phase::Ready);
        world.run_for(2 * world.settings.stable_after_ms);
        world.cut(Some(1001), "Server shutting down", false);
        world.run_to(Phase::Disconnected);
        let cut_at = world.now_ms;
        run_to_dial(&mut world);
        world.now_ms - cut_at
    };
    let waits: Vec<u64> = (0..200).map(wait).collect();
    // From half the shortest wait to twice of it; each quarter of that has its share.
    for from in [250, 438, 625, 813] {
        let share = waits
            .iter()
            .filter(|wait| (from..from + 188).contains(*wait));
        assert!(share.count() > 25, "{from}: {waits:?}");
    }
    assert!(waits.iter().all(|wait| (250..=1_000).contains(wait)));
}

#[test]
fn pitfall_50_a_handshake_under_way_is_not_cut_off_by_a_stop_or_by_another_key() {
    let wishes = [
        Input::Shutdown,
        Input::Credential,
        Input::NoCredential("not_configured".into()),
    ];
    let is_close = |effect: &Effect| matches!(effect, Effect::Close { .. });
    for (wish, seed) in wishes.iter().flat_map(|wish| [(wish, 1), (wish, 2)]) {
        for (is_answered, is_dialling) in [(true, true), (true, false), (false, false)] {
            let mut world = World::new(false, seed, Chances::default());
            world.keeps_effects = true;
            world.chances.delay_ms = 3_000;
            world.chances.hello_late = if is_answered { 0 } else { 100 };
            world.start();
            run_to_dial(&mut world);
            if !is_dialling {
                world.run_to(Phase::Authenticating);
            }
            let socket = world.wire.last;
            let begun_at = world.now_ms;
            world.input(wish.clone());
            while !world.take_effects().iter().any(is_close) {
                assert!(world.run_once(60_000), "never closed");
            }
            assert_eq!(world.wire.last, socket);
            assert_eq!(world.wire.said_hello, is_answered, "{wish:?}");
            // A stop does not wait for ever: for the upgrade, and then for the answer.
            let most = 6_000 + world.settings.hello_timeout_ms;
            assert!(world.now_ms - begun_at <= most);
            world.chances = Chances::default();
            world.run_for(60_000);
            let is_back = *wish == Input::Credential;
            assert_eq!(world.phase() == Phase::Ready, is_back, "{wish:?}");
            assert_eq!(world.wire.ours.is_some(), is_back, "{wish:?}");
        }
    }
}
