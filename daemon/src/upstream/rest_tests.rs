use std::time::Duration;

use agentchatd_engine::Failure;
use tokio::net::TcpListener;

use super::super::testing::{KEY, Reply, Server, answer, header_of, rest};
use super::super::wire::Cursor;
use super::super::{ErrorClass, HistoryCursor, Method};
use super::*;

const VECTORS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/fixtures/vectors/requests-1.1.1.json"
));

const SHORT: Duration = Duration::from_millis(300);

fn ok(body: &str) -> Reply {
    answer("200 OK", &["content-type: application/json"], body)
}

/// Compares a request that was seen with the one of the official client.
fn assert_like_vector(seen: &str, rpc: &str, nth: usize) {
    let rows: Vec<serde_json::Value> = serde_json::from_str(VECTORS).unwrap();
    let http = &rows
        .iter()
        .filter(|row| row["rpc"] == rpc)
        .nth(nth)
        .unwrap()["http"];
    let expected = format!(
        "{} {} HTTP/1.1",
        http["method"].as_str().unwrap(),
        http["target"].as_str().unwrap()
    );
    assert_eq!(seen.lines().next().unwrap(), expected);
    for name in ["authorization", "content-type", "idempotency-key"] {
        let wanted = http["headers"][name].as_str().map(str::to_owned);
        assert_eq!(header_of(seen, name), wanted, "{name} of {rpc}");
    }
    let body = seen.split_once("\r\n\r\n").unwrap().1;
    match &http["json"] {
        serde_json::Value::Null => assert_eq!(body, ""),
        json => assert_eq!(
            &serde_json::from_str::<serde_json::Value>(body).unwrap(),
            json
        ),
    }
}

#[tokio::test]
async fn our_requests_are_those_of_the_official_client() {
    let server = Server::start(vec![ok("[]")]).await;
    let rest = server.rest();
    let _ = rest.me().await;
    rest.history("conv_1", HistoryCursor::Newest, 50)
        .await
        .unwrap();
    rest.history("conv_1", HistoryCursor::After(12), 50)
        .await
        .unwrap();
    rest.history("conv_1", HistoryCursor::Before(0), 7)
        .await
        .unwrap();
    rest.mark_read("msg_1").await.unwrap();
    rest.conversations(None, None).await.unwrap();
    rest.sync(500, None).await.unwrap();
    let body = r#"{"client_msg_id":"c-1","content":{"text":"hi"},"to":"@alice"}"#;
    let _ = rest.send(body.into(), SHORT).await;
    rest.call(Request::get(&["v1", "agents", "café/ü ?#%&+=@x"]))
        .await
        .unwrap();
    let seen = server.seen();
    let vectors = [
        ("agents.me", 0),
        ("messages.list", 0),
        ("messages.list", 1),
        ("messages.list", 2),
        ("messages.mark_read", 0),
        ("conversations.list", 0),
        ("sync.peek", 1),
        ("messages.send", 0),
        ("agents.get", 1),
    ];
    assert_eq!(seen.len(), vectors.len());
    for (request, (rpc, nth)) in seen.iter().zip(vectors) {
        assert_like_vector(request, rpc, nth);
    }
}

#[tokio::test]
async fn a_request_says_who_we_are_and_has_an_id_of_its_own() {
    let server = Server::start(vec![answer("503 Away", &[], ""), ok("{}")]).await;
    let request = Request::new(Method::PUT, &["v1", "presence"])
        .json("{}")
        .retry(true);
    server.rest().call(request).await.unwrap();
    let seen = server.seen();
    let version = env!("CARGO_PKG_VERSION");
    let agent = format!("agentchatd/{version}");
    for request in &seen {
        assert_eq!(header_of(request, "user-agent").unwrap(), agent);
        assert_eq!(
            header_of(request, "x-agentchat-client").unwrap(),
            "agentchatd"
        );
        assert_eq!(
            header_of(request, "x-agentchat-client-version").unwrap(),
            version
        );
        assert_eq!(header_of(request, "accept-encoding"), None);
    }
    let id = |n: usize| header_of(&seen[n], "x-request-id").unwrap();
    assert_eq!(seen.len(), 2, "one retry");
    assert!(id(0).len() == 36 && id(0) != id(1));
}

#[tokio::test]
async fn pitfall_46_a_redirect_is_not_followed_and_the_key_goes_nowhere_else() {
    let elsewhere = Server::start(vec![ok("{}")]).await;
    let location = format!("location: {}/stolen", elsewhere.base);
    for status in ["302 Found", "307 Temporary Redirect"] {
        let server = Server::start(vec![answer(status, &[&location], "")]).await;
        let failure = server.rest().me().await.unwrap_err();
        assert_eq!(failure.api().unwrap().class, ErrorClass::AgentChatError);
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn pitfall_52_a_proxys_page_and_an_empty_500_are_errors_without_a_code() {
    let html = answer(
        "502 Bad Gateway",
        &["content-type: text/html"],
        "<html>oops</html>",
    );
    let server = Server::start(vec![html, answer("500 Oops", &[], "")]).await;
    for status in [502, 500] {
        let failure = server.rest().send("{}".into(), SHORT).await.unwrap_err();
        let told = Failure::Status {
            status,
            code: None,
            retry_after_ms: None,
        };
        assert_eq!(failure.engine(), told);
        assert!(!failure.surely_undone(), "it may have landed");
    }
    assert_eq!(server.seen().len(), 2, "a send is never tried again here");
}

#[tokio::test]
async fn a_rate_limit_is_waited_out_and_told_where_there_is_no_time() {
    let limited = || {
        answer(
            "429 Slow",
            &["retry-after: 60"],
            r#"{"code":"RATE_LIMITED"}"#,
        )
    };
    let server = Server::start(vec![limited()]).await;
    let request = Request::get(&["v1", "mutes"]).retry(true);
    let failure = server.rest().call(request).await.unwrap_err();
    assert_eq!(failure.api().unwrap().retry_after_ms, Some(60_000));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_body_that_never_ends_or_drips_is_over_with_the_callers_time() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[".to_vec();
    let server = Server::start(vec![Reply::SayAndHang(head), Reply::SayAndHang(Vec::new())]).await;
    for _ in ["in the body", "before the head"] {
        let request = Request::get(&["v1", "messages", "sync"])
            .timeout(SHORT)
            .retry(true);
        let ApiFailure::Unavailable(away) = server.rest().call(request).await.unwrap_err() else {
            panic!("no answer was expected")
        };
        assert!(!away.unsent && away.reason.contains("300 ms"), "{away}");
    }
}

#[tokio::test]
async fn an_endless_error_body_is_cut_off_and_the_status_kept() {
    let head = b"HTTP/1.1 503 Away\r\nconnection: close\r\n\r\n".to_vec();
    let server = Server::start(vec![Reply::SayForEver(head, vec![b'x'; 65536])]).await;
    let failure = server.rest().me().await.unwrap_err();
    assert_eq!(failure.api().unwrap().status, 503);
}

#[tokio::test]
async fn a_refused_connection_is_known_to_have_sent_nothing_and_a_cut_one_is_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure = rest(&nobody).send("{}".into(), SHORT).await.unwrap_err();
    assert!(failure.surely_undone(), "{failure}");
    assert!(!failure.to_string().contains("127.0.0.1"), "{failure}");

    let server = Server::start(vec![Reply::Say(Vec::new())]).await;
    let failure = server.rest().send("{}".into(), SHORT).await.unwrap_err();
    assert!(!failure.surely_undone(), "{failure}");
    assert!(matches!(
        failure.engine(),
        Failure::Network { unsent: false, .. }
    ));
}

#[tokio::test]
async fn pitfall_01_a_sync_answer_of_another_shape_is_never_an_empty_page() {
    for body in [
        "{}",
        "null",
        "",
        "<html>",
        r#"{"messages":[]}"#,
        r#"{"envelopes":null}"#,
    ] {
        let server = Server::start(vec![ok(body)]).await;
        let failure = server.rest().sync(200, None).await.unwrap_err();
        assert!(
            matches!(failure.engine(), Failure::Shape { .. }),
            "{body}: {failure}"
        );
    }
}

#[tokio::test]
async fn a_cursor_goes_back_in_the_type_that_it_came_in() {
    let page = r#"{"envelopes":[{"delivery_id":4711,"message":{"id":"m","conversation_id":"c"}}]}"#;
    let acked = || ok(r#"{"acked":3}"#);
    let server = Server::start(vec![
        ok(page),
        acked(),
        acked(),
        ok("[]"),
        ok(r#"{"ok":true}"#),
    ])
    .await;
    let rest = server.rest();
    let drained = rest.sync(100, None).await.unwrap();
    let cursor = drained.value.cursor().unwrap();
    assert_eq!(rest.sync_ack(cursor).await.unwrap(), Some(3));
    let text = Cursor::Text("del_a b".into());
    assert_eq!(rest.sync_ack(&text).await.unwrap(), Some(3));
    rest.sync(100, Some(&text)).await.unwrap();
    assert_eq!(
        rest.sync_ack(cursor).await.unwrap(),
        None,
        "ok without a number"
    );
    let seen = server.seen();
    assert!(
        seen[1].ends_with(r#"{"last_delivery_id":4711}"#),
        "{}",
        seen[1]
    );
    assert!(
        seen[2].ends_with(r#"{"last_delivery_id":"del_a b"}"#),
        "{}",
        seen[2]
    );
    assert!(seen[3].starts_with("GET /v1/messages/sync?limit=100&after=del_a+b HTTP/1.1"));
}

#[tokio::test]
async fn a_sent_message_comes_back_with_its_status_its_bytes_and_the_warning() {
    let body = r#"{"id":"m1","conversation_id":"c1","seq":7,"big":12345678901234567890, "x":1.0}"#;
    let headers = [
        "x-backlog-warning: @Bob=5001",
        "date: Mon, 20 Apr 2026 10:00:00 GMT",
    ];
    let server = Server::start(vec![answer("201 Created", &headers, body), ok("{}")]).await;
    let sent = server.rest().send("{}".into(), SHORT).await.unwrap();
    assert_eq!(
        (sent.status, sent.row.seq, &*sent.row.body),
        (201, Some(7), body)
    );
    assert_eq!(sent.backlog_warning, Some(("bob".to_owned(), 5001)));
    let failure = server.rest().send("{}".into(), SHORT).await.unwrap_err();
    assert!(
        !failure.surely_undone(),
        "a 2xx of another shape may well be a sent message"
    );
}

#[tokio::test]
async fn me_tells_the_bare_handle_and_the_servers_clock() {
    let headers = ["date: Mon, 20 Apr 2026 10:00:00 GMT"];
    let body = r#" {"handle":"@Alice","status":"active","paused_by_owner":"none"} "#;
    let server = Server::start(vec![answer("200 OK", &headers, body)]).await;
    let me = server.rest().me().await.unwrap();
    assert_eq!(
        (me.handle.as_str(), me.status.as_deref()),
        ("alice", Some("active"))
    );
    assert_eq!(
        (me.date_ms, &*me.raw),
        (Some(1_776_679_200_000), body.trim())
    );
}

#[tokio::test]
async fn an_id_that_would_climb_the_path_is_refused_before_anything_is_sent() {
    let server = Server::start(vec![ok("[]")]).await;
    let failure = server
        .rest()
        .history("..", HistoryCursor::Newest, 50)
        .await
        .unwrap_err();
    assert!(matches!(failure, ApiFailure::Unsendable { .. }) && failure.surely_undone());
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn nothing_that_can_be_printed_holds_the_key() {
    let server = Server::start(vec![answer("401 No", &[], r#"{"code":"UNAUTHORIZED"}"#)]).await;
    let rest = server.rest();
    let failure = rest.me().await.unwrap_err();
    assert!(!format!("{rest:?} {failure:?} {failure}").contains(KEY));
}
