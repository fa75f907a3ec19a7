//! Pitfalls of sends.

use agentchatd_engine::{Effect, Lane, SendEnd};

use crate::world::{Chances, World, store::Ending};

const BOB: &str = "conv_bob";

/// A world in which a send was answered in these words, and another to the same peer followed.
fn answered(words: &str) -> World {
    let mut world = World::started(true);
    world.take_effects();
    let bob = || Lane::To("bob".into());
    world.submit(1, bob(), "cmid_1", &format!("answers {words}"));
    world.submit(2, bob(), "cmid_2", "text");
    world.run_for(60_000);
    let failed = Ending::Ended(SendEnd::Failed);
    assert_eq!(world.store.ending(1), Some(&failed), "{words}");
    let sent = Ending::Sent { replayed: false };
    assert_eq!(world.store.ending(2), Some(&sent), "{words}");
    world
}

#[test]
fn pitfall_29_a_403_on_a_send_is_about_that_send_and_not_about_the_connection() {
    for code in ["BLOCKED", "RESTRICTED", "FORBIDDEN", "AWAITING_REPLY", ""] {
        let mut world = answered(&format!("403 {code}"));
        let effects = world.take_effects();
        let disturbs = |effect: &&Effect| matches!(effect, Effect::State(_) | Effect::Close { .. });
        assert_eq!(effects.iter().find(disturbs), None, "{code}");
    }
}

#[test]
fn pitfall_30_a_409_is_no_sign_that_the_message_landed() {
    let world = answered("409 CONFLICT");
    assert!(!world.has_sent(BOB, "cmid_1"));
    // Nor is it where an earlier attempt was lost.
    let mut world = World::started(true);
    world.chances.refused = 100;
    world.submit(1, Lane::To("bob".into()), "cmid_1", "answers 409 CONFLICT");
    world.run_for(0);
    world.chances = Chances::default();
    world.run_for(60_000);
    let failed = Ending::Ended(SendEnd::Failed);
    assert_eq!(world.store.ending(1), Some(&failed));
    assert!(!world.has_sent(BOB, "cmid_1"));
}

#[test]
fn pitfall_31_a_429_that_says_no_for_good_is_attempted_once() {
    for code in ["RECIPIENT_BACKLOGGED", "AWAITING_REPLY"] {
        let mut world = answered(&format!("429 {code}"));
        let effects = world.take_effects();
        let attempts = effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Attempt { id: 1 }));
        assert_eq!(attempts.count(), 1, "{code}");
    }
}

#[test]
fn pitfall_63_a_talk_that_is_closed_to_us_fails_the_send_and_stays_open_to_the_next() {
    let mut world = World::started(true);
    let bob = || Lane::To("bob".into());
    world.arrives(BOB);
    world.submit(1, bob(), "cmid_1", "text");
    world.submit(2, bob(), "cmid_2", "answers 403 INBOX_RESTRICTED");
    world.submit(3, bob(), "cmid_3", "text");
    world.run_for(60_000);
    let ends: Vec<_> = (1..=3).map(|id| world.store.ending(id).cloned()).collect();
    let sent = || Some(Ending::Sent { replayed: false });
    let failed = Some(Ending::Ended(SendEnd::Failed));
    assert_eq!(ends, [sent(), failed, sent()]);
    world.arrives(BOB);
    world.has_in_order(BOB, 1..=4);
}
