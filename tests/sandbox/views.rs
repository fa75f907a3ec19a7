//! History, its holes, the conversation list, groups (wire.md 1.7, 1.8 and 4.4).

use super::client::{Api, Sock, pair, quick_april};
use agentchatd_tests::sandbox::{Draft, Dress, Options, PageFault, Sandbox, Setting, To};
use serde_json::{Value, json};

#[tokio::test]
async fn history_pages_may_be_short_or_empty_with_rows_behind_them() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let sent: Vec<_> = (1..=6)
        .map(|n| {
            let from = if n == 2 {
                ("alice", "bob")
            } else {
                ("bob", "alice")
            };
            sandbox.send(from.0, To::Handle(from.1), Draft::text(&n.to_string()))
        })
        .collect();
    let api = Api::new(&sandbox, &alice);
    for n in [3, 4] {
        assert_eq!(
            api.delete(&format!("/v1/messages/{}", sent[n - 1].id))
                .await
                .status,
            200
        );
    }
    let page = |query: &str| {
        let path = format!("/v1/messages/{}{query}", sent[0].conversation_id);
        let api = api.clone();
        async move { api.get(&path).await }
    };
    assert_eq!(page("").await.seqs(), [6, 5, 2, 1]);
    assert_eq!(page("?after_seq=1&limit=2").await.seqs(), [2]);
    assert_eq!(page("?after_seq=2&limit=2").await.text, "[]");
    assert_eq!(page("?after_seq=4&limit=2").await.seqs(), [5, 6]);
    assert_eq!(page("?before_seq=5&limit=2").await.text, "[]");
    assert_eq!(page("?limit=0").await.seqs(), [6]);
    assert_eq!(page("?before_seq=5&after_seq=1").await.status, 400);
    assert_eq!(page("?after_seq=-1").await.status, 400);
    assert_eq!(page("?after_seq=99999999999999999999").await.status, 500);
    sandbox.purge(&sent[0].conversation_id, &(1..=5));
    assert_eq!(
        page("?after_seq=0").await.seqs(),
        [6],
        "retention leaves no trace"
    );
    sandbox.faults(|faults| faults.history = [PageFault::Empty].into());
    assert_eq!(page("?after_seq=0").await.text, "[]");
    assert_eq!(
        api.get("/v1/messages/conv_unknown").await.code(),
        "FORBIDDEN"
    );
}

#[tokio::test]
async fn a_hidden_conversation_comes_back_without_its_past_but_sync_knows_no_hide() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let old = sandbox.send("bob", To::Handle("alice"), "old");
    let api = Api::new(&sandbox, &alice);
    let path = format!("/v1/conversations/{}", old.conversation_id);
    assert_eq!(api.delete(&path).await.status, 200);
    assert_eq!(api.get("/v1/conversations").await.text, "[]");
    assert_eq!(api.get("/v1/messages/sync").await.seqs(), [1]);
    sandbox.send("bob", To::Handle("alice"), "new");
    let history = format!("/v1/messages/{}?after_seq=0", old.conversation_id);
    assert_eq!(api.get(&history).await.seqs(), [2]);
    let list = api.get("/v1/conversations").await;
    assert_eq!(list.column("id"), [json!(old.conversation_id)]);
    assert_eq!(list.column("unread_count"), [json!(2)]);
    let context = api.get(&format!("{path}/context")).await.json();
    assert_eq!(context["counterparty"]["handle"], "bob");
}

#[tokio::test]
async fn marking_as_read_tells_the_sender_and_leaves_sync() {
    let (sandbox, alice, bob) = pair(quick_april()).await;
    let sent = sandbox.send("bob", To::Handle("alice"), "x");
    let mut sender = Sock::ready(&sandbox, &bob).await;
    let api = Api::new(&sandbox, &alice);
    let path = format!("/v1/messages/{}/read", sent.id);
    let read = api.post(&path, &json!({})).await.json();
    assert_eq!(
        (&read["status"], read.get("delivery_id")),
        (&json!("read"), None)
    );
    let frame = sender.frame().await;
    assert_eq!(
        (&frame["type"], &frame["payload"]["read_by"]),
        (&json!("message.read"), &json!("alice"))
    );
    assert_eq!(api.get("/v1/messages/sync").await.text, "[]");
    assert_eq!(
        api.post("/v1/messages/msg_x/read", &json!({})).await.status,
        500
    );
}

#[tokio::test]
async fn a_member_sees_a_group_from_its_join_on_and_a_kicked_one_hears_nothing() {
    let (sandbox, alice, bob) = pair(Options::default()).await;
    let carol = sandbox.agent("carol");
    let group = sandbox.group("alice", "holes", &["bob"]);
    for n in 0..3 {
        sandbox.send(
            "alice",
            To::Conversation(&group),
            Draft::text(&n.to_string()),
        );
    }
    sandbox.set("carol", &Setting::JoinGroup(group.clone()));
    sandbox.send("bob", To::Conversation(&group), "hello carol");
    let history = format!("/v1/messages/{group}?after_seq=0");
    let (to_bob, to_carol) = (Api::new(&sandbox, &bob), Api::new(&sandbox, &carol));
    assert_eq!(to_bob.get(&history).await.seqs(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(to_carol.get(&history).await.seqs(), [5, 6]);
    let waiting = to_carol.get("/v1/messages/sync").await;
    assert_eq!(
        waiting.column("content")[0]["data"]["event"],
        "member_joined"
    );
    let mut socket = Sock::ready(&sandbox, &carol).await;
    assert_eq!(socket.seqs(2).await, [5, 6]);
    let kick = format!("/v1/groups/{group}/members/carol");
    assert_eq!(Api::new(&sandbox, &alice).delete(&kick).await.status, 200);
    socket.silence().await;
    assert_eq!(to_carol.get("/v1/messages/sync").await.text, "[]");
    assert_eq!(to_carol.get(&history).await.status, 403);
    let send = json!({"conversation_id": group, "client_msg_id": "k", "content": {"text": "?"}});
    assert_eq!(
        to_carol.post("/v1/messages", &send).await.code(),
        "GROUP_NOT_FOUND"
    );
}

#[tokio::test]
async fn a_deletion_is_pushed_even_to_those_who_muted_and_answers_410_on_four_routes() {
    let (sandbox, alice, bob) = pair(Options::default()).await;
    let group = sandbox.group("alice", "gone", &["bob"]);
    sandbox.set("bob", &Setting::MuteConversation(group.clone()));
    let mut socket = Sock::ready(&sandbox, &bob).await;
    assert_eq!(socket.seqs(1).await, [1]);
    sandbox.send("alice", To::Conversation(&group), "not heard");
    socket.silence().await;
    let deleted = Api::new(&sandbox, &alice)
        .delete(&format!("/v1/groups/{group}"))
        .await;
    assert_eq!(deleted.status, 200);
    assert_eq!(
        socket.frame().await["payload"]["content"]["data"]["event"],
        "group_deleted"
    );
    assert_eq!(socket.frame().await["type"], "group.deleted");
    let api = Api::new(&sandbox, &bob);
    assert_eq!(
        api.get(&format!("/v1/groups/{group}")).await.code(),
        "GROUP_DELETED"
    );
    assert_eq!(api.get(&format!("/v1/messages/{group}")).await.status, 410);
    let leave = api
        .post(&format!("/v1/groups/{group}/leave"), &json!({}))
        .await;
    assert_eq!(leave.code(), "GROUP_NOT_FOUND");
}

#[tokio::test]
async fn a_full_inbox_is_skipped_in_groups_and_its_hole_is_filled_by_history() {
    let (sandbox, alice, bob) = pair(Options::default()).await;
    let group = sandbox.group("alice", "full", &["bob"]);
    sandbox.set_backlog("bob", Some(10_000));
    let body = json!({"conversation_id": group, "client_msg_id": "s", "content": {"text": "x"}});
    let sent = Api::new(&sandbox, &alice)
        .post("/v1/messages", &body)
        .await
        .json();
    assert_eq!(sent["skipped_recipients"], json!(["bob"]));
    let api = Api::new(&sandbox, &bob);
    assert_eq!(api.get("/v1/messages/sync").await.seqs(), [1]);
    let history = api.get(&format!("/v1/messages/{group}?after_seq=1")).await;
    assert_eq!(history.column("delivery_id"), [Value::Null]);
}

#[tokio::test]
async fn invites_contacts_mutes_and_presence_answer_in_their_forms() {
    let (sandbox, alice, bob) = pair(Options::default()).await;
    let (to_alice, to_bob) = (Api::new(&sandbox, &alice), Api::new(&sandbox, &bob));
    let made = to_alice
        .post("/v1/groups", &json!({"name":"g","member_handles":["@Bob"]}))
        .await;
    assert_eq!(made.json()["add_results"][0]["outcome"], "invited");
    let invite = to_bob.get("/v1/groups/invites").await.column("id")[0].clone();
    let accept = format!(
        "/v1/groups/invites/{}/accept",
        invite.as_str().expect("a text")
    );
    assert_eq!(
        to_bob.post(&accept, &json!({})).await.json()["member_count"],
        2
    );
    assert_eq!(
        to_bob.post(&accept, &json!({})).await.code(),
        "INVITE_NOT_FOUND"
    );
    assert_eq!(
        to_alice
            .post("/v1/contacts", &json!({"handle":"bob"}))
            .await
            .status,
        201
    );
    assert_eq!(
        to_alice.get("/v1/presence/bob").await.json()["status"],
        "offline"
    );
    assert_eq!(to_bob.get("/v1/presence/alice").await.status, 404);
    let mute = json!({"target_kind":"agent","target_handle":"bob"});
    assert_eq!(to_alice.post("/v1/mutes", &mute).await.status, 201);
    assert_eq!(to_alice.delete("/v1/mutes/agent/bob").await.status, 200);
    assert_eq!(to_alice.get("/v1/mutes").await.json()["mutes"], json!([]));
    let report = to_alice.post("/v1/contacts/bob/report", &json!({})).await;
    assert_eq!(report.status, 200);
    assert_eq!(
        to_bob.send("alice", "x").await.code(),
        "BLOCKED",
        "a report also blocks"
    );
}

#[tokio::test]
async fn message_objects_can_be_dressed_up_without_a_change_of_meaning() {
    let (sandbox, alice, _bob) = pair(Options::default()).await;
    let dress = Dress {
        extra: Some(r#""future":{"n":9007199254740993}"#.into()),
        reversed: true,
        bare: false,
    };
    sandbox.faults(|faults| faults.dress = dress);
    let raw = r#"{"text":"x","data":{"n":12345678901234567890,"f":1.0}}"#;
    let sent = sandbox.send("bob", To::Handle("alice"), Draft::raw(raw));
    let page = Api::new(&sandbox, &alice)
        .get("/v1/messages/sync")
        .await
        .text;
    assert!(
        page.contains(raw) && page.contains("9007199254740993"),
        "{page}"
    );
    let place = |member: &str| page.find(&format!("\"{member}\":")).expect("a member");
    assert!(place("future") < place("conversation_id"));
    let rows: Vec<Value> = serde_json::from_str(&page).expect("still JSON");
    assert_eq!(rows[0]["id"], sent.id);
}

#[tokio::test]
async fn the_list_is_capped_and_newest_first() {
    let options = Options {
        conversation_cap: 2,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.expect("a sandbox");
    let alice = sandbox.agent("alice");
    for peer in ["bob", "carol", "dave"] {
        sandbox.agent(peer);
        sandbox.send(peer, To::Handle("alice"), peer);
    }
    let list = Api::new(&sandbox, &alice).get("/v1/conversations").await;
    assert_eq!(
        list.column("last_message_preview"),
        [json!("dave"), json!("carol")]
    );
}
