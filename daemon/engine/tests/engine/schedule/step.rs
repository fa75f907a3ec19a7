//! The steps of a schedule, and how hostile the world around it is.

use crate::world::{Chances, Dice};

/// Something that a schedule does to the world.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A peer writes, so many messages at once.
    Write {
        to: &'static str,
        count: u64,
    },
    /// Another client of ours writes.
    WriteElsewhere {
        to: &'static str,
    },
    Send {
        to: &'static str,
        body: &'static str,
        expires_ms: u64,
    },
    /// A caller wants one of the entries tried again.
    Retry {
        which: u64,
        expires_ms: u64,
    },
    /// A caller takes one of the entries back.
    Cancel {
        which: u64,
    },
    Hide {
        what: &'static str,
    },
    HideOne {
        of: &'static str,
    },
    Mute {
        what: &'static str,
    },
    Kick {
        from: &'static str,
    },
    Join {
        what: &'static str,
    },
    Cut {
        code: Option<u16>,
        loses: bool,
    },
    HalfOpen,
    DrainNow,
    NewKey,
    /// The key is replaced; the new one comes after so many milliseconds more.
    Rotate {
        dies_ms: u64,
        comes_ms: u64,
    },
    Crash,
}

pub(crate) const PLACES: [&str; 5] = ["conv_ann", "conv_bob", "conv_cid", "grp_one", "grp_two"];
/// In which all steps are taken.
pub(crate) const SPAN_MS: u64 = 120_000;

pub(crate) fn chances(dice: &mut Dice) -> Chances {
    let mut some = |most: u64| {
        let on = dice.chance(50);
        if on { dice.between(0, most) } else { 0 }
    };
    Chances {
        delay_ms: some(1_500),
        commit_ms: some(400),
        push_dropped: some(30),
        push_repeated: some(40),
        push_late: some(40),
        drain_repeated: some(60),
        refused: some(35),
        answer_lost: some(30),
        dial_refused: some(40),
        hello_late: some(40),
        commit_late: some(50),
        poisoned: some(4),
        null_id: some(10),
        skipped: some(20),
    }
}

pub(crate) fn step(dice: &mut Dice) -> Step {
    let place = dice.pick(&PLACES);
    let group = dice.pick(&PLACES[3..]);
    match dice.between(0, 99) {
        0..34 => Step::Write {
            to: place,
            count: match dice.between(0, 199) {
                // Holes over a page, and more rows than may wait behind one.
                0 => dice.between(150, 600),
                _ => dice.between(1, 6),
            },
        },
        34..38 => Step::Retry {
            which: dice.between(0, 99),
            expires_ms: dice.between(10_000, 400_000),
        },
        38..41 => Step::Cancel {
            which: dice.between(0, 99),
        },
        41..47 => Step::WriteElsewhere { to: place },
        47..62 => Step::Send {
            to: place,
            body: dice.pick(&["text", "text", "text", "once", "refused"]),
            expires_ms: dice.between(10_000, 400_000),
        },
        62..64 => Step::Hide { what: place },
        64..68 => Step::HideOne { of: place },
        68..70 => Step::Mute { what: place },
        70..72 => Step::Kick { from: group },
        72..74 => Step::Join { what: group },
        74..82 => Step::Cut {
            code: dice.pick(&[None, Some(1001), Some(1013), Some(1000)]),
            loses: dice.chance(50),
        },
        82..90 => Step::HalfOpen,
        90..93 => Step::DrainNow,
        93..94 => Step::NewKey,
        94..97 => Step::Rotate {
            dies_ms: dice.between(0, 3_000),
            comes_ms: dice.between(0, 3_000),
        },
        _ => Step::Crash,
    }
}
