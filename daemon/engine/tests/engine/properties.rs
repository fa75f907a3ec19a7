//! Generated arrivals against a plain reference: a failure shrinks to a short list of steps that
//! pastes into a named case.

use std::collections::{BTreeMap, BTreeSet};

use agentchatd_engine::{Input, Question, Row};
use proptest::prelude::*;

use crate::world::{Status, Store, World};

const PLACES: [&str; 2] = ["conv_ann", "conv_bob"];

/// What happens to a world whose messages were all made beforehand.
#[derive(Debug, Clone)]
enum Step {
    /// This message is pushed, again perhaps.
    Push(usize, u64),
    /// These wait, and sync is run.
    Sync(usize, Vec<u64>),
    Wait(u64),
    Crash,
    Cut,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let place = 0..PLACES.len();
    let seq = 1..=SEQS;
    let step = prop_oneof![
        8 => (place.clone(), seq.clone()).prop_map(|(place, seq)| Step::Push(place, seq)),
        2 => (place, proptest::collection::vec(seq, 1..5))
            .prop_map(|(place, seqs)| Step::Sync(place, seqs)),
        2 => (0_u64..4_000).prop_map(Step::Wait),
        1 => Just(Step::Crash),
        1 => Just(Step::Cut),
    ];
    proptest::collection::vec(step, 0..40)
}

/// The reference: what was seen, and what history shows. Nothing else decides what the log holds.
#[derive(Debug, Default)]
struct Reference {
    seen: [BTreeSet<u64>; PLACES.len()],
    hidden: [BTreeSet<u64>; PLACES.len()],
}

impl Reference {
    fn expected(&self, place: usize) -> BTreeSet<u64> {
        let visible = (1..=SEQS).filter(|seq| !self.hidden[place].contains(seq));
        visible.chain(self.seen[place].iter().copied()).collect()
    }
}

fn id(place: usize, seq: u64) -> String {
    format!("msg_{}_{seq}", PLACES[place])
}

fn take(world: &mut World, reference: &mut Reference, step: Step) {
    match step {
        Step::Push(place, seq) => {
            let ours = world.wire.ours.as_ref();
            if ours.is_some_and(|socket| world.wire.registered.contains_key(socket)) {
                reference.seen[place].insert(seq);
            }
            world.push(&id(place, seq));
            world.run_for(0);
        }
        Step::Sync(place, seqs) => {
            for seq in seqs {
                let message = world.platform.message_mut(&id(place, seq));
                message.expect("made beforehand").status = Status::Stored;
                reference.seen[place].insert(seq);
            }
            world.input(Input::DrainNow { ticket: 1 });
            world.run_for(0);
        }
        Step::Wait(ms) => world.run_for(ms),
        Step::Crash => world.crash(),
        Step::Cut => world.cut(None, "reset", false),
    }
}

/// In rising order, but for rows marked late: exactly those above which a higher seq stands.
fn check_order(store: &Store, place: &str) -> Result<(), TestCaseError> {
    let mut top = 0;
    let mut ids = BTreeSet::new();
    for (row, _, late) in store.messages(place) {
        let seq = row.seq.unwrap_or(0);
        prop_assert_eq!(late, seq < top, "seq {} behind {}", seq, top);
        prop_assert!(
            ids.insert(row.message_id.clone()),
            "once in the log: {:?}",
            row
        );
        top = top.max(seq);
    }
    Ok(())
}

/// Every seq that is not in the log was told as missing, and was so when it was told.
fn check_gaps(store: &Store, place: &str, logged: &BTreeSet<u64>) -> Result<(), TestCaseError> {
    let gaps = store.gaps(place);
    let told: BTreeSet<u64> = gaps
        .iter()
        .flat_map(|gap| gap.missing.iter().flat_map(|&(from, to)| from..=to))
        .collect();
    let top = logged.last().copied().unwrap_or(0);
    for seq in 1..=top {
        prop_assert!(
            logged.contains(&seq) || told.contains(&seq),
            "{} is passed in silence",
            seq
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_arrives_however_often_the_log_is_whole_and_in_order(
        steps in steps(),
        hidden in proptest::collection::vec((0..PLACES.len(), 2..=SEQS), 0..6),
    ) {
        let mut world = World::started(true);
        let mut reference = Reference::default();
        for place in PLACES {
            // The first is known, so that what lacks is a gap and no past.
            world.arrives(place);
            for _ in 2..=SEQS {
                world.vanishes(place);
            }
        }
        for (place, seq) in hidden {
            world.platform.message_mut(&id(place, seq)).expect("made beforehand").hidden = true;
            reference.hidden[place].insert(seq);
        }
        for step in steps {
            take(&mut world, &mut reference, step);
            for place in PLACES {
                check_order(&world.store, place)?;
            }
        }
        world.run_for(3 * world.settings.reconcile_interval_ms);
        for (number, place) in PLACES.iter().enumerate() {
            let logged: BTreeSet<u64> = world.store.seqs(place).into_iter().collect();
            prop_assert_eq!(&logged, &reference.expected(number));
            check_order(&world.store, place)?;
            check_gaps(&world.store, place, &logged)?;
        }
        prop_assert_eq!(world.store.parked_len(), 0);
        // Quiet: syncs, pings and comparisons are all that goes on.
        let before = world.inputs;
        world.run_for(world.settings.reconcile_interval_ms);
        prop_assert!(world.inputs - before < 150, "{} inputs", world.inputs - before);
    }

    #[test]
    fn history_is_asked_in_steps_that_miss_nothing(
        present in proptest::collection::btree_set(2_u64..900, 0..60),
        top in 900_u64..1_000,
    ) {
        let mut world = World::started(false);
        world.arrives("conv_bob");
        for seq in 2..top {
            if present.contains(&seq) {
                world.vanishes("conv_bob");
            } else {
                world.hidden("conv_bob");
            }
        }
        world.arrives("conv_bob");
        world.run_for(3_000);
        let mut expected: Vec<u64> = present.iter().copied().collect();
        expected.insert(0, 1);
        expected.push(top);
        prop_assert_eq!(world.store.seqs("conv_bob"), expected);
        let questions = world.questions("conv_bob");
        let pages: BTreeMap<u64, usize> = questions.iter().filter_map(|question| match question {
            Question::After(seq) => Some((*seq, 1)),
            Question::Before(_) | Question::Newest => None,
        }).collect();
        prop_assert!(pages.len() <= 6, "no page is read twice: {:?}", questions);
    }

    #[test]
    fn rows_with_any_seq_neither_panic_nor_stop_the_conversation(
        seqs in proptest::collection::vec(prop_oneof![1..20_u64, any::<u64>().prop_map(|n| n.max(1) >> 1)], 1..20),
    ) {
        let mut world = World::started(true);
        for (number, seq) in seqs.iter().enumerate() {
            let message_id = format!("odd_{number}");
            let row = Row {
                message_id: message_id.as_str().into(),
                conversation_id: "conv_bob".into(),
                seq: Some((*seq).max(1)),
                sender: Some("bob".into()),
                client_msg_id: None,
                created_at: None,
                undelivered: false,
                joined: None,
                body: "{}".into(),
            };
            let socket = world.wire.ours.expect("connected");
            world.on_frame(socket, crate::world::wire::Frame::Message(row));
        }
        world.run_for(600_000);
        for number in 0..seqs.len() {
            let logged = world.store.is_logged(&format!("odd_{number}"));
            prop_assert!(logged, "{} waits for ever", number);
        }
    }
}

/// Messages of a conversation.
const SEQS: u64 = 14;
