//! Every bad shape of parameters is refused with a pointer to what is wrong.

use agentchatd_client::api::{self, Method};
use agentchatd_client::error::InvalidParamsData;
use agentchatd_client::params::parse_params;
use agentchatd_client::types::{AckMode, Address, Content, Cursor, Start};
use agentchatd_client::{ErrorCode, METHODS, RpcError};

/// The path at which `M` refuses these parameters.
fn path_of<M: Method>(params: &str) -> String {
    match parse_params::<M>(Some(params)) {
        Ok(_) => panic!("{} took {params}", M::NAME),
        Err(error) => {
            let error = RpcError::from(error);
            assert_eq!(error.kind(), Some(ErrorCode::InvalidParams));
            error
                .data_as::<InvalidParamsData>()
                .expect("the error has data")
                .path
        }
    }
}

fn taken<M: Method>(params: &str) -> M::Params {
    match parse_params::<M>(Some(params)) {
        Ok(params) => params,
        Err(error) => panic!("{} refused {params}: {error}", M::NAME),
    }
}

#[test]
fn a_bad_subscribe_is_pointed_at() {
    for (params, path) in [
        (r#"{"colour":1}"#, "/colour"),
        (r#"{"consumer":"a b"}"#, "/consumer"),
        (r#"{"consumer":""}"#, "/consumer"),
        (r#"{"consumer":7}"#, "/consumer"),
        (r#"{"from":"yesterday"}"#, "/from"),
        (r#"{"from":7}"#, "/from"),
        (r#"{"from":{"offset":-1}}"#, "/from/offset"),
        (r#"{"from":{"time":"noon"}}"#, "/from/time"),
        (r#"{"from":{}}"#, "/from/offset"),
        (r#"{"from":{"place":1}}"#, "/from/place"),
        (r#"{"filter":[]}"#, "/filter"),
        (r#"{"filter":[["message.new"]]}"#, "/filter"),
        (r#"{"from":[]}"#, "/from"),
        (r#"{"filter":{"types":"message.new"}}"#, "/filter/types"),
        (r#"{"filter":{"types":[1]}}"#, "/filter/types/0"),
        (r#"{"filter":{"types":["a",null]}}"#, "/filter/types/1"),
        (r#"{"filter":{"senders":["a",{}]}}"#, "/filter/senders/1"),
        (r#"{"filter":{"mentions_me":"yes"}}"#, "/filter/mentions_me"),
        (r#"{"filter":{"a/b~c":1}}"#, "/filter/a~1b~0c"),
        (r#"{"ack":"later"}"#, "/ack"),
        (r#"{"max_in_flight":0}"#, "/max_in_flight"),
        (r#"{"max_in_flight":10001}"#, "/max_in_flight"),
        (r#"{"max_in_flight":-1}"#, "/max_in_flight"),
        (r#"{"max_in_flight":1.5}"#, "/max_in_flight"),
        (
            r#"{"max_in_flight":99999999999999999999}"#,
            "/max_in_flight",
        ),
        (r#"{"max_in_flight":"5"}"#, "/max_in_flight"),
        (r#"{"mode":"shared"}"#, "/mode"),
        (r#"{"mode":"mine"}"#, "/mode"),
        (r#"{"takeover":1}"#, "/takeover"),
        (r#"{"timeout_ms":1}"#, "/timeout_ms"),
        (r#"{"consumer":"a","consumer":"b"}"#, "/consumer"),
        (r#"["a"]"#, ""),
    ] {
        assert_eq!(path_of::<api::EventsSubscribe>(params), path, "{params}");
    }
}

#[test]
fn a_bad_send_is_pointed_at() {
    for (params, path) in [
        (r#"{"text":"hi"}"#, "/to"),
        (r#"{"to":"a","conversation_id":"c","text":"hi"}"#, "/to"),
        (r#"{"to":"a"}"#, "/text"),
        (r#"{"to":"a","text":"hi","data":{}}"#, "/text"),
        (r#"{"to":"a","attachment_id":"x","content":"y"}"#, "/text"),
        (r#"{"to":1,"text":"hi"}"#, "/to"),
        (r#"{"to":"a\u0000","text":"hi"}"#, "/to"),
        (
            r#"{"conversation_id":"..","text":"hi"}"#,
            "/conversation_id",
        ),
        (r#"{"conversation_id":"","text":"hi"}"#, "/conversation_id"),
        (r#"{"to":"a","text":"\u0000"}"#, "/text"),
        (r#"{"to":"a","text":1}"#, "/text"),
        (r#"{"to":"a","data":[]}"#, "/data"),
        (r#"{"to":"a","data":{"k":["\u0000"]}}"#, "/data/k/0"),
        (r#"{"to":"a","data":{"a: b":"\u0000"}}"#, "/data/a: b"),
        (r#"{"to":"a","content":7}"#, "/content"),
        (r#"{"to":"a","content":"\u0000"}"#, "/content"),
        (r#"{"to":"a","content":{"text":"\u0000"}}"#, "/content/text"),
        (r#"{"to":"a","text":"x","metadata":"m"}"#, "/metadata"),
        (
            r#"{"to":"a","text":"x","metadata":{"m":"\u0000"}}"#,
            "/metadata/m",
        ),
        (r#"{"to":"a","text":"x","type":"\u0000"}"#, "/type"),
        (
            r#"{"to":"a","text":"x","client_msg_id":""}"#,
            "/client_msg_id",
        ),
        (
            r#"{"to":"a","text":"x","client_msg_id":"a\u0000"}"#,
            "/client_msg_id",
        ),
        (r#"{"to":"a","text":"x","delivery":"pigeon"}"#, "/delivery"),
        (r#"{"to":"a","text":"x","timeout_ms":0}"#, "/timeout_ms"),
        (
            r#"{"to":"a","text":"x","expires_in_ms":-5}"#,
            "/expires_in_ms",
        ),
        (r#"{"to":"a","text":"x","body":"y"}"#, "/body"),
        (r#"["a","x"]"#, ""),
    ] {
        assert_eq!(path_of::<api::MessagesSend>(params), path, "{params}");
    }
}

#[test]
fn the_other_methods_point_too() {
    assert_eq!(path_of::<api::EventsAck>("{}"), "/offset");
    assert_eq!(path_of::<api::EventsAck>(r#"{"offset":1}"#), "/consumer");
    let both = r#"{"offset":1,"consumer":"a","subscription":"s"}"#;
    assert_eq!(path_of::<api::EventsAck>(both), "/consumer");
    assert_eq!(
        path_of::<api::EventsAck>(r#"{"consumer":"a","offset":-1}"#),
        "/offset"
    );
    assert_eq!(
        path_of::<api::EventsAck>(r#"{"consumer":"a","offsets":[1]}"#),
        "/offsets"
    );
    assert_eq!(path_of::<api::EventsFetch>(r#"{"limit":0}"#), "/limit");
    assert_eq!(path_of::<api::EventsFetch>(r#"{"limit":1001}"#), "/limit");
    assert_eq!(
        path_of::<api::EventsFetch>(r#"{"wait_ms":60001}"#),
        "/wait_ms"
    );
    assert_eq!(
        path_of::<api::EventsFetch>(r#"{"from":"now","after":1}"#),
        "/from"
    );
    assert_eq!(path_of::<api::EventsUnsubscribe>("{}"), "/subscription");
    assert_eq!(path_of::<api::EventsUnsubscribe>("[7]"), "/0");
    assert_eq!(path_of::<api::ConsumersDelete>(r#"["a","b"]"#), "/1");
    assert_eq!(path_of::<api::ConsumersDelete>("[]"), "/name");
    assert_eq!(path_of::<api::ConsumersDelete>(r#"["a b"]"#), "/0");
    assert_eq!(path_of::<api::ConsumersSeek>(r#"{"name":"a"}"#), "/to");
    assert_eq!(
        path_of::<api::ConsumersSeek>(r#"{"name":"a","to":{"time":"x"}}"#),
        "/to/time"
    );
    assert_eq!(path_of::<api::MessagesList>("{}"), "/conversation_id");
    let two = r#"{"conversation_id":"c","before_seq":1,"after_seq":2}"#;
    assert_eq!(path_of::<api::MessagesList>(two), "/before_seq");
    let huge = r#"{"conversation_id":"c","after_seq":9223372036854775808}"#;
    assert_eq!(path_of::<api::MessagesList>(huge), "/after_seq");
    assert_eq!(path_of::<api::MessagesMarkRead>("{}"), "/message_id");
    assert_eq!(
        path_of::<api::AgentsMe>(r#"{"timeout_ms":"1"}"#),
        "/timeout_ms"
    );
    assert_eq!(path_of::<api::OutboxList>(r#"{"state":"lost"}"#), "/state");
    assert_eq!(path_of::<api::SyncPeek>(r#"{"limit":0}"#), "/limit");
    assert_eq!(
        path_of::<api::DaemonVersion>(r#"{"timeout_ms":1}"#),
        "/timeout_ms"
    );
    assert_eq!(path_of::<api::DaemonVersion>("[1]"), "");
}

#[test]
fn null_stands_for_left_out_wherever_a_member_is_optional() {
    let subscribe = taken::<api::EventsSubscribe>(
        r#"{"consumer":null,"from":null,"filter":null,"replace_filter":null,"ack":null,
            "max_in_flight":null,"mode":null,"takeover":null}"#,
    );
    assert_eq!(subscribe, Default::default());
    assert_eq!(subscribe.max_in_flight.get(), 256);
    let send = taken::<api::MessagesSend>(
        r#"{"to":"@Bob","conversation_id":null,"text":null,"content":"hi","data":null,"type":null,
            "metadata":null,"client_msg_id":null,"delivery":null,"timeout_ms":null,
            "expires_in_ms":null,"idempotency_key":null,"attachment_id":null}"#,
    );
    assert_eq!(send.address, Address::To("bob".parse().unwrap()));
    assert_eq!(send.content, Content::Text("hi".parse().unwrap()));
    assert_eq!(send.timeout_ms.get(), 30_000);
    let fetch = taken::<api::EventsFetch>(
        r#"{"consumer":null,"from":null,"after":null,"limit":null,"wait_ms":null,"filter":null}"#,
    );
    assert_eq!((fetch.limit.get(), fetch.wait_ms.get()), (100, 0));
}

#[test]
fn nothing_and_an_empty_array_are_the_empty_object() {
    assert!(parse_params::<api::DaemonStatus>(None).is_ok());
    taken::<api::DaemonStatus>(" {} ");
    taken::<api::DaemonStatus>("[]");
    taken::<api::AgentsMe>("[ ]");
}

#[test]
fn one_parameter_goes_by_position() {
    assert_eq!(taken::<api::ConsumersDelete>(r#"["a"]"#).name.as_str(), "a");
    assert_eq!(
        taken::<api::EventsUnsubscribe>(r#"["s"]"#)
            .subscription
            .as_str(),
        "s"
    );
    assert_eq!(
        taken::<api::MessagesMarkRead>(r#"["m"]"#)
            .message_id
            .as_str(),
        "m"
    );
}

#[test]
fn good_shapes_mean_what_the_contract_says() {
    let durable = taken::<api::EventsSubscribe>(r#"{"consumer":"a","from":{"offset":7}}"#);
    assert_eq!(durable.ack_mode(), AckMode::Manual);
    assert_eq!(durable.from, Start::Offset(7));
    assert_eq!(
        taken::<api::EventsSubscribe>("{}").ack_mode(),
        AckMode::Auto
    );
    let list = taken::<api::MessagesList>(r#"{"conversation_id":"c","after_seq":2}"#);
    assert!(matches!(list.cursor, Some(Cursor::AfterSeq(seq)) if seq.get() == 2));
    let send = taken::<api::MessagesSend>(
        r#"{"conversation_id":"c","content":{"z":1e400,"text":"x","a":12345678901234567890123}}"#,
    );
    let upstream = send.content.to_upstream();
    assert_eq!(
        upstream.get(),
        r#"{"z":1e400,"text":"x","a":12345678901234567890123}"#
    );
}

#[test]
fn parameters_are_written_as_they_are_read() {
    fn round<M: Method>(params: &str)
    where
        M::Params: PartialEq + std::fmt::Debug,
    {
        let first = taken::<M>(params);
        let written = serde_json::to_string(&first).unwrap();
        assert_eq!(taken::<M>(&written), first, "{written}");
    }
    round::<api::EventsSubscribe>(
        r#"{"consumer":"a","from":"earliest","ack":"auto","takeover":true}"#,
    );
    round::<api::EventsSubscribe>(r#"{"filter":{"include_own":false,"senders":["@x"]}}"#);
    round::<api::EventsAck>(r#"{"subscription":"s","offset":18446744073709551615}"#);
    round::<api::EventsFetch>(r#"{"consumer":"a","from":"now","after":3,"wait_ms":60000}"#);
    round::<api::ConsumersSeek>(r#"{"name":"a","to":{"time":"2026-11-23T12:00:00Z"}}"#);
    round::<api::MessagesSend>(r#"{"to":"@a","data":{"k":1},"type":"x","delivery":"queue"}"#);
    round::<api::MessagesSend>(r#"{"conversation_id":"c","attachment_id":"att_1"}"#);
    round::<api::MessagesSend>(r#"{"to":"a","content":{"text":"t"},"metadata":{"m":null}}"#);
    round::<api::MessagesList>(r#"{"conversation_id":"c","around_message_id":"m","limit":3}"#);
    round::<api::MessagesMarkRead>(r#"{"message_id":"m","idempotency_key":"k"}"#);
    round::<api::OutboxList>(r#"{"state":"queued","after":4}"#);
    round::<api::SyncPeek>(r#"{"limit":500,"after":"del_1"}"#);
    round::<api::ConversationsList>(r#"{"limit":3,"offset":1}"#);
}

#[test]
fn the_list_of_methods_is_that_of_the_contract() {
    let names: Vec<_> = METHODS.iter().map(|method| method.name).collect();
    assert_eq!(
        names,
        [
            "events.subscribe",
            "events.ack",
            "events.fetch",
            "events.unsubscribe",
            "consumers.list",
            "consumers.delete",
            "consumers.seek",
            "agents.register",
            "agents.verify",
            "agents.recover",
            "agents.recover_verify",
            "agents.rotate_key",
            "agents.rotate_key_verify",
            "agents.me",
            "agents.get",
            "agents.update",
            "agents.delete",
            "agents.set_avatar",
            "agents.remove_avatar",
            "messages.send",
            "messages.list",
            "messages.mark_read",
            "messages.delete",
            "conversations.list",
            "conversations.participants",
            "conversations.context",
            "conversations.hide",
            "groups.create",
            "groups.get",
            "groups.update",
            "groups.delete",
            "groups.add_member",
            "groups.remove_member",
            "groups.promote_member",
            "groups.demote_member",
            "groups.leave",
            "groups.list_invites",
            "groups.accept_invite",
            "groups.reject_invite",
            "contacts.add",
            "contacts.list",
            "contacts.check",
            "contacts.update_notes",
            "contacts.remove",
            "contacts.block",
            "contacts.unblock",
            "contacts.report",
            "mutes.mute_agent",
            "mutes.mute_conversation",
            "mutes.unmute_agent",
            "mutes.unmute_conversation",
            "mutes.list",
            "mutes.agent_status",
            "mutes.conversation_status",
            "presence.get",
            "presence.update",
            "presence.get_batch",
            "directory.search",
            "webhooks.create",
            "webhooks.list",
            "webhooks.get",
            "webhooks.delete",
            "groups.set_avatar",
            "groups.remove_avatar",
            "attachments.create_upload",
            "attachments.upload",
            "attachments.download_url",
            "attachments.download",
            "webhooks.verify",
            "typing.start",
            "typing.stop",
            "realtime.send",
            "sync.peek",
            "sync.drain",
            "outbox.list",
            "outbox.get",
            "outbox.retry",
            "outbox.cancel",
            "daemon.version",
            "daemon.status",
            "daemon.health",
            "daemon.reload",
            "daemon.set_log_level",
            "daemon.shutdown",
            "rpc.discover",
        ]
    );
}
