//! Where each end of a connection leads (`wire.md` 2.2): every close code and every refusal of the
//! upgrade, at every stage, on both paths.

use agentchatd_engine::{Effect, LinkState, Phase, SocketEnd};

use crate::world::{World, wire::Frame};

/// What must follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    /// Another socket after the backoff.
    Dial,
    /// The same, with what waits fetched in the meantime.
    DrainAndDial,
    /// Another socket, and not before so many milliseconds.
    DialAfter(u64),
    /// No socket until the key is found to be in order, and no question for a minute.
    Park,
}

use Follows::{Dial, DialAfter, DrainAndDial, Park};

/// Every row of the table; `None` is the end without a close frame, which it calls 1006.
const CLOSES: [(Option<u16>, &str, Follows); 20] = [
    (Some(1000), "", Dial),
    (Some(1001), "Heartbeat timeout", Dial),
    (Some(1001), "Server shutting down", Dial),
    (None, "reset by peer", Dial),
    (Some(1006), "", Dial),
    (Some(1008), "HELLO frame required", Park),
    (Some(1008), "HELLO frame required first", Park),
    (Some(1008), "Invalid token", Park),
    (Some(1008), "API key rotated", Park),
    (Some(1008), "Account deleted", Park),
    (Some(1008), "Account suspended", Park),
    (Some(1011), "keepalive ping timeout", Dial),
    (Some(1013), "overload", DrainAndDial),
    (Some(4401), "unauthorized", Park),
    (Some(4403), "forbidden", Park),
    // Not in the table: they say nothing of the key.
    (Some(1002), "protocol error", Dial),
    (Some(1005), "", Dial),
    (Some(1009), "too big", Dial),
    (Some(1012), "service restart", Dial),
    (Some(4999), "nobody knows", Dial),
];

/// Refusals of the upgrade (`wire.md` 2.1, 2.2, 11.23), with the Retry-After that came along.
const REFUSALS: [(u16, Option<u64>, Follows); 14] = [
    (401, None, Park),
    (401, Some(90_000), Park),
    (403, None, Park),
    (429, None, Dial),
    (429, Some(90_000), DialAfter(90_000)),
    (429, Some(0), Dial),
    (500, None, Dial),
    (502, None, Dial),
    (503, None, Dial),
    (503, Some(90_000), DialAfter(90_000)),
    (504, Some(45_000), DialAfter(45_000)),
    (400, None, Dial),
    (404, None, Dial),
    (302, None, Dial),
];

/// The stages in which a socket may end.
const STAGES: [Phase; 3] = [Phase::Connecting, Phase::Authenticating, Phase::Ready];

/// A world whose socket is in this stage.
fn in_stage(stage: Phase, header_auth: bool) -> World {
    let mut world = World::calm(true);
    world.settings.header_auth = header_auth;
    if stage == Phase::Authenticating {
        world.chances.hello_late = 100;
    }
    world.crash();
    while world.phase() != stage || world.wire.ours.is_none() {
        assert!(world.run_once(60_000), "{stage:?} is never reached");
    }
    world.chances.hello_late = 0;
    world.take_effects();
    world
}

/// Ends the socket and looks where that leads.
fn check(stage: Phase, header_auth: bool, end: SocketEnd, follows: Follows) {
    let what = format!("{end:?} while {stage:?}, header: {header_auth}");
    let mut world = in_stage(stage, header_auth);
    let socket = world.wire.ours.expect("it is there");
    let (code, reason) = (end.code, end.reason.clone());
    world.on_frame(socket, Frame::Closed(end));
    let effects = world.take_effects();
    let state = world.engine.stats().link;
    assert_eq!(state.code, code, "{what}");
    assert_eq!(state.reason, reason, "{what}");
    let syncs = effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Sync));
    assert_eq!(
        syncs.count(),
        usize::from(follows == DrainAndDial),
        "{what}"
    );
    match follows {
        Dial | DrainAndDial => dials_within(&mut world, &state, 0, 1_000, &what),
        DialAfter(ms) => dials_within(&mut world, &state, ms, ms, &what),
        Park => parks(&mut world, &state, &what),
    }
    world.run_to(Phase::Ready);
}

fn dials_within(world: &mut World, state: &LinkState, least: u64, most: u64, what: &str) {
    assert_eq!(state.phase, Phase::Disconnected, "{what}");
    let wait = state.retry_in_ms.expect("a time is told");
    assert!((least..=most).contains(&wait), "{wait} ms, {what}");
    world.run_for(wait.saturating_sub(1));
    let dials = |world: &mut World| world.take_effects().contains(&Effect::Dial);
    assert!(!dials(world), "not before, {what}");
    world.run_for(1);
    assert!(dials(world), "then, {what}");
}

fn parks(world: &mut World, state: &LinkState, what: &str) {
    assert_eq!(state.phase, Phase::Parked, "{what}");
    let wait = state.retry_in_ms.expect("a probe is due");
    assert!((60_000..=75_000).contains(&wait), "{wait} ms, {what}");
    world.run_for(wait - 1);
    let asks = |effect: &Effect| !matches!(effect, Effect::Commit(..));
    let asked: Vec<_> = world.take_effects().into_iter().filter(asks).collect();
    assert_eq!(asked, [], "{what}");
    world.run_for(1);
    let effects = world.take_effects();
    assert_eq!(effects.first(), Some(&Effect::Identify), "{what}");
}

#[test]
fn each_close_code_leads_where_the_table_says_at_every_stage() {
    for (code, reason, follows) in CLOSES {
        for stage in STAGES {
            for header_auth in [false, true] {
                let end = SocketEnd {
                    code,
                    reason: reason.into(),
                    ..SocketEnd::default()
                };
                check(stage, header_auth, end, follows);
            }
        }
    }
}

#[test]
fn each_refusal_of_the_upgrade_leads_where_the_table_says() {
    for (status, retry_after_ms, follows) in REFUSALS {
        for header_auth in [false, true] {
            let end = SocketEnd {
                refused: Some(status),
                retry_after_ms,
                reason: "the upgrade was refused".into(),
                ..SocketEnd::default()
            };
            check(Phase::Connecting, header_auth, end, follows);
        }
    }
}

#[test]
fn a_close_of_our_own_parks_with_no_code() {
    for (code, _, _) in CLOSES {
        for stage in STAGES {
            let end = SocketEnd {
                code,
                reason: "ours".into(),
                by_us: true,
                ..SocketEnd::default()
            };
            check(stage, false, end, Dial);
        }
    }
}

#[test]
fn an_overload_is_drained_at_once_while_the_next_socket_waits() {
    let mut world = World::started(true);
    for _ in 0..100 {
        world.waits("conv_bob");
    }
    world.cut(Some(1013), "overload", true);
    world.run_for(0);
    assert_eq!(world.phase(), Phase::Disconnected);
    assert_eq!(world.store.seqs("conv_bob").len(), 100, "before any socket");
    assert!(world.platform.stored().is_empty(), "and acknowledged");
    world.run_to(Phase::Ready);
    world.has_in_order("conv_bob", 1..=100);
}
