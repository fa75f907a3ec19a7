//! Whose key it is. The world checks on every request that it is made as the state's own agent.

use agentchatd_engine::{Effect, Input, Lane, Phase, Warning};

use crate::world::{
    Chances, Status, World,
    platform::{ME, status},
};

const BOB: &str = "conv_bob";

/// A world whose key is another agent's from now on, with work waiting that would be its ruin.
fn with_another_key() -> World {
    let mut world = World::started(true);
    world.arrives(BOB);
    world.vanishes(BOB);
    world.arrives(BOB);
    world.chances.refused = 100;
    world.sends("bob", "cmid_1");
    world.run_for(0);
    world.chances = Chances::default();
    world.platform.handle = "somebody".into();
    world.take_effects();
    world
}

#[test]
fn pitfall_42_another_agents_key_is_refused_and_nothing_is_done_in_its_name() {
    let mut world = with_another_key();
    world.crash();
    world.run_for(100);
    assert_eq!(world.phase(), Phase::Parked);
    let other = Warning::OtherAgent {
        expected: ME.into(),
        found: "somebody".into(),
    };
    assert!(world.warnings.contains(&other));
    world.input(Input::DrainNow { ticket: 5 });
    world.submit(2, Lane::To("ann".into()), "cmid_2", "text");
    world.run_for(3_600_000);
    let effects = world.take_effects();
    let failed = |effect: &Effect| {
        matches!(
            effect,
            Effect::Drained {
                ticket: 5,
                outcome: Err(_)
            }
        )
    };
    assert!(effects.iter().any(failed), "a drain is refused at once");
    assert_eq!(world.phase(), Phase::Parked, "no probe helps");
    world.has_in_order(BOB, [1]);
    // The right key is back: everything goes on where it stood.
    world.platform.handle = ME.into();
    world.input(Input::Credential);
    world.run_for(60_000);
    assert!(world.store.seqs(BOB).starts_with(&[1, 2, 3]));
    assert!(world.has_sent(BOB, "cmid_1"));
    assert!(world.has_sent("conv_ann", "cmid_2"));
}

#[test]
fn a_key_that_changes_while_the_daemon_runs_stops_what_is_under_way() {
    let mut world = with_another_key();
    world.chances.delay_ms = 300;
    world.waits(BOB);
    world.input(Input::DrainNow { ticket: 5 });
    world.input(Input::Credential);
    world.run_for(60_000);
    assert_eq!(world.phase(), Phase::Parked);
}

#[test]
fn an_answer_about_the_earlier_key_is_not_believed_of_the_next() {
    let mut world = World::calm(true);
    world.holds_answers = true;
    world.start();
    world.run_for(0);
    world.platform.handle = "somebody".into();
    world.input(Input::Credential);
    world.let_answers_through();
    world.run_for(1_000);
    // Only the answer that was asked for after the change counts.
    assert_eq!(world.store.bound.as_ref().unwrap().0, "somebody".into());
    assert_eq!(world.phase(), Phase::Ready);
}

/// Lets a request reach the platform with the old key, and changes the key while it is out.
fn with_a_new_key_while_out(is_awaited: impl Fn(&Input) -> bool) -> (World, Input) {
    let mut world = World::calm(true);
    world.waits(BOB);
    world.holds_answers = true;
    world.start();
    loop {
        world.run_for(0);
        let answer = world.held.remove(0);
        if is_awaited(&answer) {
            world.input(Input::Credential);
            // The new key is known before the old answer comes.
            world.run_for(0);
            world.let_answers_through();
            assert_eq!(world.phase(), Phase::Connecting);
            return (world, answer);
        }
        world.input(answer);
    }
}

#[test]
fn a_sync_that_is_refused_with_the_earlier_key_does_not_park_the_next() {
    let is_page = |input: &Input| matches!(input, Input::SyncPage(_));
    let is_ack = |input: &Input| matches!(input, Input::SyncAcked(_));
    let (mut world, _) = with_a_new_key_while_out(is_page);
    world.input(Input::SyncPage(Err(status(401, "UNAUTHORIZED"))));
    world.run_for(1_000);
    assert_eq!(world.phase(), Phase::Ready);
    let (mut world, _) = with_a_new_key_while_out(is_ack);
    // It was refused, so the page comes again, with the cursor of before.
    let id = world
        .store
        .messages(BOB)
        .next()
        .unwrap()
        .0
        .message_id
        .clone();
    world.platform.message_mut(&id).unwrap().status = Status::Stored;
    world.input(Input::SyncAcked(Err(status(401, "UNAUTHORIZED"))));
    world.run_for(1_000);
    assert_eq!(world.phase(), Phase::Ready);
    assert_eq!(world.warnings, []);
    // A page or an acknowledgement that did come is no harm either.
    for is_awaited in [is_page as fn(&Input) -> bool, is_ack] {
        let (mut world, answer) = with_a_new_key_while_out(is_awaited);
        world.answered(answer);
        world.run_for(1_000);
        assert_eq!(world.phase(), Phase::Ready);
        world.has_in_order(BOB, [1]);
    }
}

#[test]
fn a_key_that_changes_while_the_binding_is_written_is_asked_about_again() {
    let mut world = World::calm(true);
    world.chances.commit_ms = 1_000;
    world.start();
    while !world
        .take_effects()
        .iter()
        .any(|effect| matches!(effect, Effect::Commit(..)))
    {
        world.run_once(u64::MAX);
    }
    world.platform.handle = "somebody".into();
    world.input(Input::Credential);
    world.run_for(5_000);
    assert_eq!(world.store.bound.as_ref().unwrap().0, ME.into());
    assert_eq!(world.phase(), Phase::Parked);
}

#[test]
fn before_the_identity_is_known_nothing_but_it_is_asked() {
    let mut world = World::calm(true);
    world.input(Input::DrainNow { ticket: 5 });
    world.sends("bob", "cmid_1");
    world.run_for(60_000);
    let effects = world.take_effects();
    let asks = |effect: &&Effect| matches!(effect, Effect::Sync | Effect::Attempt { .. });
    assert_eq!(effects.iter().find(asks), None);
    world.start();
    world.run_for(1_000);
    assert!(world.has_sent(BOB, "cmid_1"));
}

#[test]
fn a_credential_that_goes_and_comes_leads_to_one_socket_at_a_time() {
    let mut world = World::started(true);
    world.chances.delay_ms = 500;
    world.input(Input::NoCredential("file is gone".into()));
    world.input(Input::Credential);
    world.input(Input::NoCredential("file is gone".into()));
    world.input(Input::Credential);
    world.run_for(60_000);
    assert_eq!(world.phase(), Phase::Ready);
    world.input(Input::NoCredential("not_configured".into()));
    world.run_for(60_000);
    assert_eq!(world.phase(), Phase::Disconnected);
    assert_eq!(world.wire.ours, None);
    // A key that is there and cannot be used is a fault, and shown as one.
    world.input(Input::NoCredential("key file can be read by others".into()));
    assert_eq!(world.phase(), Phase::Parked);
    world.input(Input::Credential);
    world.run_for(60_000);
    assert_eq!(world.phase(), Phase::Ready);
}
