use agentchatd_engine::Failure;
use proptest::prelude::*;

use super::*;

fn read(json: &str) -> agentchatd_engine::Row {
    row_from_json(json).unwrap()
}

/// A message with its two ids and the members given.
fn with(members: &str) -> agentchatd_engine::Row {
    read(&format!(r#"{{"id":"m","conversation_id":"c",{members}}}"#))
}

#[test]
fn the_body_is_the_servers_own_text_byte_for_byte() {
    let json = "{ \"z\" : 12345678901234567890123, \"id\":\"m\",\t\"a\": [1.0, 1e400, \"\\ud800\"],\n \"conversation_id\":\"c\" }";
    assert_eq!(&*read(&format!("  {json}\n")).body, json);
}

#[test]
fn pitfall_35_a_message_needs_two_ids_and_nothing_else() {
    let row = read(r#"{"id":"m","conversation_id":"c"}"#);
    assert_eq!((&*row.message_id, &*row.conversation_id), ("m", "c"));
    assert_eq!(
        (row.seq, row.sender, row.created_at, row.undelivered),
        (None, None, None, false)
    );
    let long = "x".repeat(257);
    for id in ["null", "7", "\"\"", "{}", &format!("\"{long}\"")] {
        for json in [
            format!(r#"{{"id":{id},"conversation_id":"c"}}"#),
            format!(r#"{{"id":"m","conversation_id":{id}}}"#),
        ] {
            assert!(row_from_json(&json).is_err(), "{json}");
        }
    }
    assert!(row_from_json(r#"{"id":"m"}"#).is_err());
    assert!(row_from_json(r#"["id"]"#).is_err());
    let longest = "x".repeat(256);
    assert_eq!(
        *read(&format!(r#"{{"id":"{longest}","conversation_id":"c"}}"#)).message_id,
        longest
    );
}

#[test]
fn an_optional_member_of_another_type_counts_as_absent() {
    for seq in [
        "\"7\"",
        "-1",
        "0",
        "7.5",
        "1e2",
        "9223372036854775808",
        "null",
        "[7]",
        "true",
    ] {
        assert_eq!(with(&format!(r#""seq":{seq}"#)).seq, None, "{seq}");
    }
    assert_eq!(
        with(r#""seq":9223372036854775807"#).seq,
        Some(i64::MAX as u64)
    );
    assert_eq!(
        with(r#""seq":9007199254740993"#).seq,
        Some(9_007_199_254_740_993)
    );
    let odd =
        with(r#""sender":{},"client_msg_id":5,"created_at":9,"status":[],"type":1,"content":"x""#);
    assert_eq!(
        (odd.sender, odd.client_msg_id, odd.created_at),
        (None, None, None)
    );
}

#[test]
fn of_two_equal_names_the_last_counts_and_an_escaped_name_is_the_same_name() {
    assert_eq!(with(r#""seq":1,"seq":2"#).seq, Some(2));
    assert_eq!(with(r#""s\u0065q":3"#).seq, Some(3));
    assert_eq!(
        &*read(r#"{"id":"a","id":"b","conversation_id":"c\u0021"}"#).message_id,
        "b"
    );
}

#[test]
fn a_sender_is_bare_and_lower_case_and_falls_back_to_the_other_name() {
    let sender = |members: &str| with(members).sender;
    assert_eq!(sender(r#""sender":"@Alice""#).as_deref(), Some("alice"));
    assert_eq!(
        sender(r#""sender":null,"sender_handle":"BOB""#).as_deref(),
        Some("bob")
    );
    assert_eq!(
        sender(r#""sender":"@","sender_handle":"x""#).as_deref(),
        Some("x")
    );
    assert_eq!(sender(r#""sender":"""#), None);
}

#[test]
fn timestamps_are_read_in_every_form_that_the_platform_writes() {
    let at = |text: &str| with(&format!(r#""created_at":"{text}""#)).created_at;
    let base = 1_782_900_000_000_000;
    for (text, micros) in [
        ("2026-07-01T10:00:00Z", 0),
        ("2026-07-01T10:00:00+00:00", 0),
        ("2026-07-01T12:00:00+02:00", 0),
        ("2026-07-01 10:00:00.92+00:00", 920_000),
        ("2026-07-01T10:00:00.081Z", 81_000),
        ("2026-07-01T10:00:00.123456+00:00", 123_456),
        ("2026-07-01T10:00:00.123456789Z", 123_456),
        ("2026-07-01 10:00:00+00", 0),
    ] {
        assert_eq!(at(text), Some(base + micros), "{text}");
    }
    for text in [
        "",
        "yesterday",
        "2026-07-01T10:00:00",
        "2026-13-01T10:00:00Z",
    ] {
        assert_eq!(at(text), None, "{text}");
    }
}

#[test]
fn only_a_stored_row_is_undelivered() {
    assert!(with(r#""status":"stored""#).undelivered);
    assert!(!with(r#""status":"delivered""#).undelivered);
}

#[test]
fn pitfall_47_only_a_notice_that_the_platform_made_tells_who_joined() {
    let joined = |kind: &str, event: &str, mark: &str| {
        let data = format!(r#"{{"schema_version":1,"event":"{event}","agent_handle":"@Me"}}"#);
        with(&format!(
            r#""type":"{kind}","content":{{"data":{data}}},{mark}"#
        ))
        .joined
    };
    let minted = r#""client_msg_id":"sys_m""#;
    let context = |kind: &str| format!(r#""context":{{"sender":{{"kind":"{kind}"}}}}"#);
    for mark in [minted, &context("system")] {
        let who = joined("system", "member_joined", mark);
        assert_eq!(who.as_deref(), Some("me"), "{mark}");
        assert_eq!(joined("system", "member_left", mark), None);
        assert_eq!(joined("text", "member_joined", mark), None);
    }
    for forged in [
        r#""client_msg_id":"sys_other""#,
        r#""client_msg_id":"sys_""#,
        r#""client_msg_id":"m""#,
        r#""metadata":{"context":{"sender":{"kind":"system"}}}"#,
        &context("agent"),
    ] {
        assert_eq!(joined("system", "member_joined", forged), None, "{forged}");
    }
}

#[test]
fn frames_are_told_apart_by_type_and_unknown_ones_are_kept() {
    let Frame::Message(row) = frame(
        r#"{"payload":{"id":"m","conversation_id":"c","n":1.0},"type":"message.new","id":"x"}"#,
    ) else {
        panic!()
    };
    assert_eq!(&*row.body, r#"{"id":"m","conversation_id":"c","n":1.0}"#);
    assert_eq!(
        frame(r#"{"type":"hello.ok"}"#),
        Frame::HelloOk { ack: false }
    );
    assert_eq!(
        frame(r#"{"type":"hello.ok","capabilities":"ack"}"#),
        Frame::HelloOk { ack: false }
    );
    let both = r#"{"type":"hello.ok","capabilities":[7,"new","ack"]}"#;
    assert_eq!(frame(both), Frame::HelloOk { ack: true });
    let Frame::Event(event) = frame(
        r#"{"type":"message.read","payload":{"message_id":"m","conversation_id":"c","x" :1}}"#,
    ) else {
        panic!()
    };
    assert_eq!(
        (&*event.kind, event.message_id.as_deref()),
        ("message.read", Some("m"))
    );
    assert_eq!(
        &*event.payload,
        r#"{"message_id":"m","conversation_id":"c","x" :1}"#
    );
    let Frame::Event(deleted) = frame(r#"{"type":"group.deleted","payload":{"group_id":"g"}}"#)
    else {
        panic!()
    };
    assert_eq!(deleted.conversation_id.as_deref(), Some("g"));
    let Frame::Event(new) = frame(r#"{"type":"some.future.thing"}"#) else {
        panic!()
    };
    assert_eq!((&*new.kind, &*new.payload), ("some.future.thing", "null"));
}

#[test]
fn pitfall_35_what_is_no_frame_is_reported_and_never_a_failure() {
    let deep = format!(
        r#"{{"type":"message.new","payload":{}"#,
        "[".repeat(100_000)
    );
    for text in [
        "",
        "null",
        "[]",
        "7",
        "{",
        r#"{"type":7}"#,
        r#"{"type":""}"#,
        &deep,
    ] {
        assert!(
            matches!(frame(text), Frame::Unreadable { .. }),
            "{:.40}",
            text
        );
    }
    for payload in ["null", "[]", r#"{"id":"m"}"#] {
        let text = format!(r#"{{"type":"message.new","payload":{payload}}}"#);
        assert!(matches!(frame(&text), Frame::Unreadable { .. }), "{text}");
    }
    assert!(matches!(
        frame(r#"{"type":"message.new"}"#),
        Frame::Unreadable { .. }
    ));
}

#[test]
fn nesting_without_end_inside_a_message_is_passed_over() {
    let nested = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let json = format!(r#"{{"content":{{"data":{nested}}},"id":"m","conversation_id":"c"}}"#);
    assert_eq!(&*read(&json).body, json);
    let text = format!(r#"{{"type":"message.new","payload":{json}}}"#);
    assert!(matches!(frame(&text), Frame::Message(_)));
}

#[test]
fn pitfall_01_both_forms_of_a_sync_page_are_told_by_their_shape() {
    let array = sync_page(r#" [{"id":"m","conversation_id":"c","delivery_id":"del_1"}]"#).unwrap();
    assert_eq!(array.cursor(), Some(&Cursor::Text("del_1".into())));
    let object =
        r#"{"envelopes":[{"delivery_id":4711,"message":{"id":"m","conversation_id":"c"}}]}"#;
    let envelopes = sync_page(object).unwrap();
    assert_eq!(envelopes.cursor(), Some(&Cursor::Integer("4711".into())));
    assert_eq!(
        &*envelopes.rows[0].body,
        r#"{"id":"m","conversation_id":"c"}"#
    );
    assert_eq!(sync_page("[]").unwrap(), SyncPage::default());
    for bad in [
        "",
        "null",
        "{}",
        "\"x\"",
        "[",
        r#"{"envelopes":{}}"#,
        r#"{"messages":[]}"#,
    ] {
        assert!(
            matches!(sync_page(bad), Err(Failure::Shape { .. })),
            "{bad}"
        );
    }
}

#[test]
fn a_page_ends_before_its_first_unreadable_row() {
    let page = sync_page(
        r#"[{"id":"a","conversation_id":"c","delivery_id":"d1"},
            {"id":"b","conversation_id":"c","delivery_id":null},
            {"conversation_id":"c","delivery_id":"d3"},
            {"id":"d","conversation_id":"c","delivery_id":"d4"}]"#,
    )
    .unwrap();
    assert_eq!(page.rows.len(), 2);
    assert_eq!(page.ids, [Some(Cursor::Text("d1".into())), None]);
    assert_eq!(
        (page.cursor(), page.covered()),
        (Some(&Cursor::Text("d1".into())), 1)
    );
    assert!(page.poisoned.unwrap().starts_with("row 3 of 4"));
    let poisoned = sync_page(r#"{"envelopes":[{"delivery_id":1,"message":null}]}"#).unwrap();
    assert!(poisoned.rows.is_empty() && poisoned.poisoned.is_some());
}

#[test]
fn a_cursor_is_a_text_or_an_integer_of_any_size_and_nothing_else() {
    for json in [
        r#""del_\"x""#,
        "4711",
        "-3",
        "123456789012345678901234567890",
    ] {
        let cursor = Cursor::from_json(json).unwrap();
        assert_eq!(cursor.to_json(), json);
    }
    for json in ["null", r#""""#, "1.5", "1e3", "true", "[]", "{}", ""] {
        assert_eq!(Cursor::from_json(json), None, "{json}");
    }
}

#[test]
fn an_acknowledgement_tells_its_number_where_it_has_one() {
    assert_eq!(acked(r#"{"acked":12}"#), Some(12));
    for body in [
        r#"{"ok":true}"#,
        r#"{"acked":-1}"#,
        r#"{"acked":"3"}"#,
        "",
        "[]",
    ] {
        assert_eq!(acked(body), None, "{body}");
    }
}

#[test]
fn lists_pass_over_what_they_cannot_read_and_count_it() {
    let page = history(r#"[{"id":"a","conversation_id":"c"},5,{"id":"b","conversation_id":"c"}]"#)
        .unwrap();
    assert_eq!((page.items.len(), page.unreadable), (2, 1));
    let list = conversations(
        r#"[{"id":"grp_1","type":"group","last_message_at":"2026-07-01T10:00:00Z","newest_unread_seq":9},
            {"id":"conv_1","last_message_at":null},{"type":"direct"}]"#,
    )
    .unwrap();
    assert_eq!((list.items.len(), list.unreadable), (2, 1));
    assert_eq!(
        list.items[0].last_message_at_us,
        Some(1_782_900_000_000_000)
    );
    assert_eq!(list.items[0].newest_unread_seq, Some(9));
    assert_eq!(
        &*list.items[1].raw,
        r#"{"id":"conv_1","last_message_at":null}"#
    );
    assert!(history(r#"{"messages":[]}"#).is_err() && conversations("").is_err());
}

/// JSON texts of any make, with the names that the readers look for among them.
fn json() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "id",
        "conversation_id",
        "seq",
        "sender",
        "created_at",
        "content",
        "data",
        "event",
        "type",
        "payload",
        "delivery_id",
        "message",
        "envelopes",
        "capabilities",
        "x",
    ]);
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<i128>().prop_map(|n| n.to_string()),
        any::<f64>()
            .prop_filter("finite", |f| f.is_finite())
            .prop_map(|f| format!("{f:e}")),
        any::<String>().prop_map(|s| serde_json::Value::from(s).to_string()),
        prop::sample::select(vec![
            "\"system\"",
            "\"message.new\"",
            "\"\\ud800\"",
            "\"m\""
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|v| format!("[{}]", v.join(", "))),
            prop::collection::vec((name.clone(), inner), 0..8).prop_map(|v| {
                let members: Vec<String> = v
                    .into_iter()
                    .map(|(name, value)| format!("\"{name}\" :{value}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = (frame(&text), sync_page(&text), history(&text), conversations(&text), acked(&text));
    }

    #[test]
    fn no_json_makes_a_reader_panic_and_pages_are_made_of_its_own_slices(text in json()) {
        let _ = (frame(&text), history(&text), conversations(&text), acked(&text));
        if let Ok(page) = sync_page(&text) {
            prop_assert_eq!(page.rows.len(), page.ids.len());
            for row in &page.rows {
                prop_assert!(text.contains(&*row.body));
            }
        }
    }

    #[test]
    fn a_body_goes_through_a_frame_unchanged(extra in json(), blank in "[ \t\n]{0,3}") {
        let body =
            format!("{{{blank}\"extra\":{extra},{blank}\"id\":\"m\",\"conversation_id\":\"c\"}}");
        let text = format!("{{\"type\":\"message.new\",{blank}\"payload\":{blank}{body}{blank}}}");
        match frame(&text) {
            Frame::Message(row) => prop_assert_eq!(&*row.body, body.as_str()),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
