//! The storage as a hostile host: what it is told, and what it may not do.

use futures_util::stream;

use super::super::testing::{Reply, Server, answer as reply, header_of, rest, soon};
use super::*;

fn pieces(count: usize) -> BoxStream<'static, io::Result<Bytes>> {
    stream::iter((0..count).map(|_| Ok(Bytes::from_static(b"abcd")))).boxed()
}

fn upload(bytes: &(dyn Fn() -> BoxStream<'static, io::Result<Bytes>> + Send + Sync)) -> Upload<'_> {
    Upload {
        content_type: "text/plain",
        size: 8,
        bytes,
    }
}

async fn whole(mut download: Download) -> Result<Vec<u8>, ApiFailure> {
    let mut all = Vec::new();
    while let Some(piece) = download.next().await? {
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

#[tokio::test]
async fn pitfall_46_the_storage_is_told_nothing_of_us() {
    let server = Server::start(vec![reply("200 OK", &[], "abc")]).await;
    let url = format!("{}/up?token=t", server.base);
    let rest = server.rest();
    let bytes = || pieces(2);
    rest.put_file(&url, &upload(&bytes), None).await.unwrap();
    let download = rest.get_file(&url, None).await.unwrap();
    assert_eq!(whole(download).await.unwrap(), b"abc");
    let seen = server.seen();
    assert!(seen[0].starts_with("PUT /up?token=t ") && seen[0].ends_with("\r\n\r\nabcdabcd"));
    assert_eq!(header_of(&seen[0], "content-length").as_deref(), Some("8"));
    assert_eq!(
        header_of(&seen[0], "content-type").as_deref(),
        Some("text/plain")
    );
    assert_eq!(header_of(&seen[0], "transfer-encoding"), None);
    for request in &seen {
        for name in [
            "authorization",
            "user-agent",
            "cookie",
            "referer",
            "x-request-id",
            "x-agentchat-client",
        ] {
            assert_eq!(header_of(request, name), None, "{request}");
        }
    }
}

#[tokio::test]
async fn a_storage_that_is_away_for_a_moment_gets_the_bytes_again() {
    let away = reply("503 Unavailable", &[], "<Error/>");
    let server = Server::start(vec![away, reply("200 OK", &[], "")]).await;
    let bytes = || pieces(2);
    let (rest, upload) = (server.rest(), upload(&bytes));
    rest.put_file(&server.base, &upload, None).await.unwrap();
    assert!(server.seen()[1].ends_with("abcdabcd"));
}

#[tokio::test]
async fn a_refusal_is_told_in_the_storages_name_and_a_redirect_is_not_followed() {
    let there = Server::start(vec![reply("200 OK", &[], "")]).await;
    let location = format!("location: {}", there.base);
    for (status, said) in [
        ("403 Forbidden", "the file storage answered 403 Forbidden"),
        (
            "307 Temporary Redirect",
            "the file storage answered 307 Temporary Redirect; a redirect is not followed",
        ),
    ] {
        let body = r#"{"code":"UNAUTHORIZED","message":"not ours"}"#;
        let server = Server::start(vec![reply(status, &[&location], body)]).await;
        let bytes = || pieces(2);
        let rest = server.rest();
        let put = rest.put_file(&server.base, &upload(&bytes), None).await;
        let got = rest.get_file(&server.base, None).await.map(drop);
        for failure in [put.unwrap_err(), got.unwrap_err()] {
            let error = failure.api().expect("an answer");
            assert_eq!((error.message.as_str(), &error.code), (said, &None));
        }
    }
    assert!(there.seen().is_empty());
}

#[tokio::test]
async fn only_addresses_that_can_do_no_harm_are_used() {
    let secure = rest("https://127.0.0.1:1");
    let plain = rest("http://127.0.0.1:1");
    for (rest, address) in [
        (&secure, "http://127.0.0.1:1/x"),
        (&plain, "http://storage.example/x"),
        (&plain, "file:///etc/passwd"),
        (&plain, "ftp://127.0.0.1/x"),
        (&plain, "http://user:word@127.0.0.1:1/x"),
        (&plain, "/x"),
    ] {
        let failure = rest.get_file(address, None).await.map(drop).unwrap_err();
        assert!(
            matches!(failure, ApiFailure::Shape { .. }),
            "{address}: {failure}"
        );
    }
}

#[tokio::test]
async fn a_platform_elsewhere_does_not_lead_to_this_machine() {
    let elsewhere = rest("https://platform.example");
    for host in [
        "127.0.0.1",
        "127.9.9.9",
        "2130706433",
        "localhost",
        "0.0.0.0",
        "169.254.169.254",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[febf::1]",
        "[::ffff:169.254.169.254]",
        "[::ffff:127.0.0.1]",
    ] {
        let address = format!("https://{host}:1/x");
        let failure = elsewhere
            .get_file(&address, None)
            .await
            .map(drop)
            .unwrap_err();
        let told = failure.to_string();
        assert!(told.contains("this machine"), "{host}: {told}");
    }
    let server = Server::start(vec![reply("200 OK", &[], "abc")]).await;
    server.rest().get_file(&server.base, None).await.unwrap();
}

#[tokio::test]
async fn a_file_that_ends_too_early_is_none() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_vec();
    let server = Server::start(vec![Reply::Say(half)]).await;
    let download = server.rest().get_file(&server.base, None).await.unwrap();
    assert_eq!(download.size, Some(10));
    let failure = whole(download).await.unwrap_err();
    assert!(failure.to_string().contains("file storage"), "{failure}");
}

#[tokio::test]
async fn bytes_that_fail_end_the_upload_without_another_attempt() {
    let server = Server::start(vec![reply("200 OK", &[], "")]).await;
    let attempts = std::sync::atomic::AtomicUsize::new(0);
    let bytes = || {
        attempts.fetch_add(1, Ordering::Relaxed);
        stream::iter([Ok(Bytes::from("abcd")), Err(io::Error::other("it changed"))]).boxed()
    };
    let put = server.rest();
    let failure = soon(put.put_file(&server.base, &upload(&bytes), None)).await;
    let failure = failure.unwrap_err();
    assert!(
        matches!(failure, ApiFailure::Unsendable { .. }),
        "{failure:?}"
    );
    assert!(failure.to_string().contains("it changed"), "{failure}");
    assert_eq!(attempts.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_transfer_ends_when_nothing_moves_and_not_before() {
    let moved = Notify::new();
    let slow = async {
        for _ in 0..5 {
            tokio::time::sleep(IDLE - Duration::from_secs(1)).await;
            moved.notify_one();
        }
    };
    assert_eq!(moving(slow, &moved).await, Some(()));
    let started = Instant::now();
    assert_eq!(moving(std::future::pending::<()>(), &moved).await, None);
    assert!(started.elapsed() < IDLE * 2);
}

#[tokio::test]
async fn the_callers_time_bounds_the_whole() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_vec();
    let server = Server::start(vec![Reply::SayAndHang(head)]).await;
    let deadline = Instant::now() + Duration::from_millis(200);
    let rest = server.rest();
    let got = rest.get_file(&server.base, Some(deadline)).await.unwrap();
    let failure = soon(whole(got)).await.unwrap_err();
    assert!(failure.to_string().contains(LATE), "{failure}");
}
