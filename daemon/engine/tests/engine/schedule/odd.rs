//! Rows that no sane platform sends: seqs that jump, repeat or lack, times and senders of any kind.
//!
//! There is no telling what the log should hold of them. But nothing may panic, spin or wait for
//! ever, and what the world checks at every step still holds.

use agentchatd_engine::{Input, Phase};

use crate::world::{Chances, Dice, Status, World, platform::ME};

use super::step::PLACES;

/// Runs one schedule to its end and checks what must hold even then.
pub(super) fn run(bytes: &[u8]) {
    let mut dice = Dice::of_bytes(bytes);
    let ack_mode = dice.chance(50);
    let chances = Chances {
        delay_ms: dice.between(0, 1_000),
        commit_ms: dice.between(0, 200),
        push_repeated: dice.between(0, 40),
        push_late: dice.between(0, 40),
        drain_repeated: dice.between(0, 60),
        ..Chances::default()
    };
    let mut world = World::new(ack_mode, 1, chances);
    world.settings.header_auth = dice.chance(20);
    world.start();
    for _ in 0..STEPS {
        if dice.is_spent() {
            break;
        }
        take(&mut world, &mut dice);
    }
    world.chances = Chances::default();
    world.run_for(3 * world.settings.reconcile_interval_ms + 1_000_000);
    check(&mut world);
}

fn take(world: &mut World, dice: &mut Dice) {
    let place = dice.pick(&PLACES);
    match dice.between(0, 15) {
        0..8 => {
            let id = write(world, dice, place);
            if dice.chance(80) {
                world.push(&id);
            }
        }
        8..11 => {
            let most = dice.pick(&[10, 5_000, 100_000]);
            world.run_for(dice.between(0, most));
        }
        11 => world.cut(dice.pick(&[None, Some(1001), Some(1013)]), "cut", true),
        12 => world.half_open(),
        13 => world.input(Input::DrainNow { ticket: 7 }),
        14 => world.crash(),
        _ if place.starts_with("grp_") && dice.chance(50) => world.platform.kick(place),
        _ => world.platform.hide(place),
    }
}

/// A message comes into being, and is not what it should be.
fn write(world: &mut World, dice: &mut Dice, place: &str) -> std::sync::Arc<str> {
    let sender = dice.pick(&["peer", "peer", ME]);
    let message = world.platform.make(place, sender, 0);
    let plain = message.row.seq.unwrap_or(0);
    let small = dice.between(1, 12);
    message.row.seq = match dice.between(0, 9) {
        0..3 => Some(plain),
        3 => None,
        4 => Some(small),
        5 => Some(plain + small),
        6 => Some(plain + 100 * small),
        7 => Some(plain + 1_000 * small),
        8 => Some(TOP - small),
        _ => Some(TOP),
    };
    message.row.created_at = match dice.between(0, 9) {
        0..6 => message.row.created_at,
        6 => None,
        7 => Some(0),
        // The ends of what a time stamp can say, years -9999 and 9999.
        8 => Some(-377_705_023_201_000_000),
        _ => Some(253_402_207_200_999_999),
    };
    match dice.between(0, 9) {
        0 => message.row.sender = None,
        1 => message.row.sender = Some("stranger".into()),
        2 => message.row.joined = Some(ME.into()),
        3 => message.row.joined = Some("stranger".into()),
        4 => message.null_id = true,
        5 => message.hidden = true,
        6 => message.status = Status::Delivered,
        _ => {}
    }
    message.row.message_id.clone()
}

fn check(world: &mut World) {
    assert_eq!(world.phase(), Phase::Ready, "it stands in the end");
    assert_eq!(world.store.parked_len(), 0, "nothing waits for ever");
    let waiting = world.platform.stored();
    let waiting: Vec<_> = waiting.iter().filter(|message| !message.null_id).collect();
    assert!(waiting.is_empty(), "never acknowledged: {waiting:?}");
    let before = world.inputs;
    world.run_for(world.settings.reconcile_interval_ms);
    let inputs = world.inputs - before;
    assert!(inputs < 400, "{inputs} inputs although nothing happens");
}

/// The largest seq that is read as one.
const TOP: u64 = i64::MAX as u64;
/// Steps of a schedule at most.
const STEPS: usize = 60;
