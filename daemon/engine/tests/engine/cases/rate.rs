//! The budget of all sends: what the platform's refusals teach of it, and what they do not.

use agentchatd_engine::{Lane, SendEnd};

use crate::world::{World, store::Ending};

const PEERS: [&str; 8] = ["ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal"];

fn to(peer: &str) -> Lane {
    Lane::To(peer.into())
}

fn group(name: &str) -> Lane {
    Lane::Conversation(name.into())
}

/// A world in which each step takes time, and the agents whom we know by now.
fn busy(known: &[&str]) -> World {
    let mut world = World::started(true);
    for peer in known {
        world.arrives(&format!("conv_{peer}"));
    }
    world.chances.delay_ms = 20;
    world.chances.commit_ms = 3;
    world.settings.outbox.concurrency = 8;
    world.crash();
    world.run_for(5_000);
    world
}

/// Puts so many sends in line, in turn over these lanes; their numbers go on from the last.
fn queue(world: &mut World, lanes: &[Lane], count: usize) {
    let before = world.store.outbox.len();
    for number in before..before + count {
        let lane = lanes[number % lanes.len()].clone();
        world.submit(number as u64, lane, &format!("cmid_{number}"), "text");
        world.run_for(1);
    }
}

/// Lets time pass until the platform took so many sends in all; how long that was.
fn until_taken(world: &mut World, count: usize) -> u64 {
    let begun = world.now_ms;
    while world.wire.taken.len() < count {
        assert!(world.run_once(begun + 3_600_000), "it comes to a halt");
    }
    world.now_ms - begun
}

/// Every entry was sent once, and those of a lane in the order in which they were put in line.
fn all_are_sent_in_order(world: &World) {
    for (id, entry) in &world.store.outbox {
        let sent = matches!(entry.ending, Some(Ending::Sent { .. }));
        assert!(sent, "{id}: {:?}", entry.ending);
    }
    let mut last = std::collections::BTreeMap::new();
    for (id, _) in &world.wire.taken {
        let lane = &world.store.outbox[id].draft.lane;
        let before = last.insert(lane.clone(), *id);
        assert!(before < Some(*id), "{id} after {before:?}");
    }
}

fn attempts(world: &World) -> u64 {
    let entries = world.store.outbox.values();
    entries.map(|entry| u64::from(entry.attempts)).sum()
}

#[test]
fn a_limit_below_ours_is_learned_and_every_send_lands_once_in_order() {
    for (limit, few) in [(5, 40), (10, 30), (30, 16)] {
        let mut world = busy(&PEERS);
        world.platform.limits.sends = Some(limit);
        queue(&mut world, &PEERS.map(to), 300);
        let took = until_taken(&mut world, 300);
        world.run_for(10_000);
        all_are_sent_in_order(&world);
        let refused = world.platform.limits.refused;
        assert!(refused <= few, "{refused} refusals at {limit}/s");
        let best = 300_000 / limit;
        assert!(took <= best * 2, "{took} ms where {best} would do");
        println!(
            "{limit}/s: {refused} refused of {}, {took} ms",
            attempts(&world)
        );
    }
}

#[test]
fn a_limit_that_names_no_time_is_learned_from_those_that_we_know() {
    let mut world = busy(&PEERS);
    world.platform.limits.sends = Some(10);
    world.platform.limits.tells_no_time = true;
    queue(&mut world, &PEERS.map(to), 300);
    until_taken(&mut world, 300);
    world.run_for(10_000);
    all_are_sent_in_order(&world);
    let refused = world.platform.limits.refused;
    assert!(refused <= 30, "{refused} refusals");
}

#[test]
fn the_cold_cap_slows_nobody_whom_we_know() {
    let mut world = busy(&["bob"]);
    for number in 0..20 {
        let lane = to(&format!("stranger{number}"));
        world.submit(number, lane, &format!("cold_{number}"), "capped");
    }
    queue(&mut world, &[to("bob")], 100);
    let took = until_taken(&mut world, 100);
    // One lane at 50 a second and up to 60 ms for each: it is bound by its own way.
    assert!(took < 7_000, "{took} ms");
}

#[test]
fn a_group_that_others_fill_slows_no_other_destination() {
    let mut world = busy(&PEERS);
    world.platform.limits.to_a_group = Some(1);
    for number in 0..20 {
        world.submit(
            1_000 + number,
            group("grp_one"),
            &format!("g_{number}"),
            "text",
        );
    }
    queue(&mut world, &PEERS.map(to), 300);
    let taken_of_others = |world: &World| {
        let direct = |id: &u64| matches!(world.store.outbox[id].draft.lane, Lane::To(_));
        world.wire.taken.iter().filter(|(id, _)| direct(id)).count()
    };
    let begun = world.now_ms;
    while taken_of_others(&world) < 300 {
        assert!(world.run_once(begun + 600_000));
    }
    let took = world.now_ms - begun;
    assert!(world.platform.limits.refused >= 3, "the group did refuse");
    assert!(took < 8_000, "{took} ms for 300 at 50 a second");
}

#[test]
fn groups_that_are_refused_side_by_side_teach_the_rate() {
    let mut world = busy(&[]);
    world.platform.limits.sends = Some(10);
    let groups = ["grp_a", "grp_b", "grp_c", "grp_d", "grp_e", "grp_f"].map(group);
    queue(&mut world, &groups, 300);
    until_taken(&mut world, 300);
    world.run_for(10_000);
    all_are_sent_in_order(&world);
    let refused = world.platform.limits.refused;
    assert!(refused <= 45, "{refused} refusals");
}

#[test]
fn a_final_refusal_teaches_no_rate() {
    let mut world = busy(&PEERS);
    for number in 0..40 {
        let lane = to(&format!("full{number}"));
        world.submit(number, lane, &format!("full_{number}"), "backlogged");
    }
    world.run_for(2_000);
    let failed = |id: &u64| world.store.ending(*id) == Some(&Ending::Ended(SendEnd::Failed));
    assert_eq!(
        world.store.outbox.keys().filter(|id| failed(id)).count(),
        40
    );
    queue(&mut world, &PEERS.map(to), 100);
    let took = until_taken(&mut world, 100);
    assert!(took < 3_000, "{took} ms for 100 at 50 a second");
}
