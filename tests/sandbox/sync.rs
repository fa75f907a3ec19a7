//! Sync, ack and rows that commit late (wire.md 3).

use super::client::{Api, pair};
use agentchatd_tests::sandbox::{
    Draft, Event, Late, Options, OwnerPause, PageFault, Setting, SyncForm, To,
};
use serde_json::{Value, json};
use std::time::Duration;

const SYNC: &str = "/v1/messages/sync";
const ACK: &str = "/v1/messages/sync/ack";

async fn ack(api: &Api, cursor: &Value) -> Value {
    api.post(ACK, &json!({ "last_delivery_id": cursor }))
        .await
        .json()["acked"]
        .clone()
}

#[tokio::test]
async fn pages_go_from_cursor_to_cursor_and_an_ack_covers_all_conversations() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    sandbox.agent("carol");
    for n in 0..3 {
        sandbox.send("bob", To::Handle("alice"), Draft::text(&format!("b{n}")));
        sandbox.send("carol", To::Handle("alice"), Draft::text(&format!("c{n}")));
    }
    let api = Api::new(&sandbox, &alice);
    let first = api.get(&format!("{SYNC}?limit=0x4")).await;
    assert_eq!(first.seqs(), [1, 1, 2, 2]);
    let cursor = first.column("delivery_id")[3].clone();
    let after = format!("{SYNC}?after={}", cursor.as_str().expect("a text"));
    assert_eq!(api.get(&after).await.seqs(), [3, 3]);
    assert_eq!(ack(&api, &cursor).await, 4);
    assert_eq!(ack(&api, &cursor).await, 0);
    assert_eq!(ack(&api, &json!("junk")).await, 0);
    assert_eq!(api.get(SYNC).await.seqs(), [3, 3]);
    assert_eq!(
        api.get(&after).await.seqs(),
        [3, 3],
        "a delivered cursor still has a place"
    );
    assert_eq!(api.get(&format!("{SYNC}?after=junk")).await.text, "[]");
    for bad in ["0", "-1", "1.5", "abc"] {
        assert_eq!(
            api.get(&format!("{SYNC}?limit={bad}")).await.status,
            400,
            "{bad}"
        );
    }
    assert_eq!(
        api.post(ACK, &json!({ "last_delivery_id": 5 }))
            .await
            .status,
        400
    );
    let acked = sandbox.journal().acked_message_ids("alice");
    assert_eq!(acked.len(), 4);
}

#[tokio::test]
async fn the_form_of_1_0_3_has_whole_numbers() {
    let options = Options {
        form: SyncForm::Documented103,
        ..Options::default()
    };
    let (sandbox, alice, _bob) = pair(options).await;
    for n in 0..3 {
        sandbox.send("bob", To::Handle("alice"), Draft::text(&format!("{n}")));
    }
    let api = Api::new(&sandbox, &alice);
    let page = api.get(SYNC).await.json();
    assert_eq!(page["envelopes"][2]["delivery_id"], 3);
    assert_eq!(page["envelopes"][2]["message"]["status"], "stored");
    let rest = api.get(&format!("{SYNC}?after=2")).await.json();
    assert_eq!(rest["envelopes"].as_array().map(Vec::len), Some(1));
    assert_eq!(ack(&api, &json!(2)).await, 2);
    assert_eq!(
        api.post(ACK, &json!({ "last_delivery_id": "2" }))
            .await
            .status,
        400
    );
    let left = api.get(SYNC).await.json();
    assert_eq!(left["envelopes"][0]["delivery_id"], 3);
}

#[tokio::test]
async fn a_row_that_commits_after_the_page_is_settled_unseen_by_its_ack() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let to = To::Handle("alice");
    sandbox.send("bob", to, "one");
    sandbox.send_late("bob", to, Draft::text("late").quiet(), Late::AfterPage);
    sandbox.send("bob", to, "two");
    let api = Api::new(&sandbox, &alice);
    let page = api.get(SYNC).await;
    assert_eq!(page.seqs(), [1, 2]);
    assert_eq!(
        ack(&api, &page.column("delivery_id")[1]).await,
        3,
        "more than the page held"
    );
    assert_eq!(api.get(SYNC).await.text, "[]");
    let conversation = &page.column("conversation_id")[0];
    let history = format!(
        "/v1/messages/{}?after_seq=2",
        conversation.as_str().expect("a text")
    );
    assert_eq!(api.get(&history).await.seqs(), [3]);
}

#[tokio::test]
async fn a_row_that_commits_after_the_ack_is_found_only_from_the_start() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let to = To::Handle("alice");
    sandbox.send_late("bob", to, Draft::text("late").quiet(), Late::AfterAck);
    sandbox.send("bob", to, "one");
    let api = Api::new(&sandbox, &alice);
    let cursor = api.get(SYNC).await.column("delivery_id")[0].clone();
    assert_eq!(ack(&api, &cursor).await, 1);
    let after = format!("{SYNC}?after={}", cursor.as_str().expect("a text"));
    assert_eq!(api.get(&after).await.text, "[]");
    assert_eq!(api.get(SYNC).await.seqs(), [2]);
}

#[tokio::test]
async fn held_rows_wait_for_their_release_and_old_positions_sort_first() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let to = To::Handle("alice");
    sandbox.send_late("bob", to, "held", Late::OnRelease);
    sandbox.send("bob", to, "one");
    sandbox.send(
        "bob",
        to,
        Draft::text("two").backdated(Duration::from_secs(5)),
    );
    let api = Api::new(&sandbox, &alice);
    assert_eq!(api.get(SYNC).await.seqs(), [2, 1]);
    sandbox.release_held();
    assert_eq!(api.get(SYNC).await.seqs(), [2, 3, 1]);
    assert_eq!(
        sandbox
            .journal()
            .count(|event| matches!(event, Event::LateCommit { .. })),
        1
    );
}

#[tokio::test]
async fn pages_can_be_empty_short_null_poisoned_reversed_or_no_pages() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let sent: Vec<_> = (0..4)
        .map(|n| sandbox.send("bob", To::Handle("alice"), Draft::text(&n.to_string())))
        .collect();
    let api = Api::new(&sandbox, &alice);
    sandbox.faults(|faults| {
        faults.sync.next = [
            PageFault::Empty,
            PageFault::Short(1),
            PageFault::NullIds,
            PageFault::PoisonAt(1),
            PageFault::Reversed,
            PageFault::WrongShape,
        ]
        .into();
    });
    assert_eq!(api.get(SYNC).await.text, "[]");
    assert_eq!(api.get(SYNC).await.seqs(), [1]);
    assert_eq!(
        api.get(SYNC).await.column("delivery_id"),
        vec![Value::Null; 4]
    );
    let poisoned = api.get(SYNC).await;
    assert_eq!(poisoned.column("id")[1], 7);
    assert_eq!(poisoned.column("seq")[2], 3);
    assert_eq!(api.get(SYNC).await.seqs(), [4, 3, 2, 1]);
    assert!(api.get(SYNC).await.json().is_object());
    sandbox.faults(|faults| {
        faults.sync.poisoned.insert(sent[2].id.clone());
        faults.sync.null_ids.insert(sent[3].id.clone());
        faults.sync.stale_after = true;
    });
    let lasting = api.get(SYNC).await;
    assert_eq!(
        (&lasting.column("id")[2], &lasting.column("delivery_id")[3]),
        (&json!(7), &Value::Null)
    );
    let after = format!(
        "{SYNC}?after={}",
        lasting.column("delivery_id")[0].as_str().expect("text")
    );
    assert_eq!(api.get(&after).await.text, "[]");
    sandbox.faults(|faults| faults.sync.page_cap = Some(2));
    assert_eq!(api.get(SYNC).await.column("id").len(), 2);
}

#[tokio::test]
async fn a_full_pause_empties_sync_and_makes_acks_no_ops() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let sent = sandbox.send("bob", To::Handle("alice"), "x");
    sandbox.set_pause("alice", OwnerPause::Full);
    let api = Api::new(&sandbox, &alice);
    assert_eq!(api.get(SYNC).await.text, "[]");
    assert_eq!(ack(&api, &json!(5)).await, 0);
    assert_eq!(
        api.get(&format!("/v1/messages/{}", sent.conversation_id))
            .await
            .seqs(),
        [1]
    );
    sandbox.set_pause("alice", OwnerPause::None);
    sandbox.set("alice", &Setting::Settled(sent.id));
    assert_eq!(
        api.get(SYNC).await.text,
        "[]",
        "somebody else who answers for alice had it"
    );
}
