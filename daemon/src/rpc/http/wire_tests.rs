//! The clocks of a connection, with hyper on it.

use std::convert::Infallible;
use std::pin::pin;

use bytes::Bytes;
use futures_util::poll;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio_util::task::TaskTracker;

use crate::rpc::http::answer;

use super::*;

#[tokio::test]
async fn a_piece_counts_as_written_with_the_flush_after_it_and_not_before() {
    let flow = Flow::new(b"");
    flow.flush();
    flow.hand();
    let mut waiting = std::pin::pin!(flow.written(1));
    assert!(poll!(&mut waiting).is_pending());
    flow.flush();
    assert!(poll!(&mut waiting).is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_client_may_be_idle_for_longer_than_a_head_may_take() {
    let flow = Flow::new(b"");
    assert_eq!(flow.deadline(), Some(Instant::now() + IDLE_TIME));
    flow.read_some();
    assert_eq!(flow.deadline(), Some(Instant::now() + HEAD_TIME));
    tokio::time::advance(HEAD_TIME / 2).await;
    flow.read_some();
    assert_eq!(flow.deadline(), Some(Instant::now() + HEAD_TIME / 2));
    let under_way = flow.enter(Some(0));
    assert_eq!(flow.deadline(), None);
    drop(under_way);
    assert_eq!(flow.deadline(), None, "the socket has not got the answer");
    flow.flush();
    assert_eq!(flow.deadline(), Some(Instant::now() + IDLE_TIME));
}

/// Serves answers of so many bytes, and says what is known of the connection and its client.
fn served(bytes: usize) -> (Arc<Flow>, UnixStream) {
    let (client, server) = UnixStream::pair().unwrap();
    let (read, write) = server.into_split();
    let flow = Flow::new(b"");
    let wire = Wire::new(Arc::new(read), write, Arc::clone(&flow));
    let of = Arc::clone(&flow);
    let service = service_fn(move |request: Request<Incoming>| {
        let under_way = of.enter(request.body().size_hint().exact());
        async move {
            request.into_body().collect().await.unwrap();
            let answer = answer::json(StatusCode::OK, Bytes::from(vec![b'x'; bytes]));
            Ok::<_, Infallible>(answer::until_written(answer, under_way))
        }
    });
    let io = TokioIo::new(wire);
    TaskTracker::new().spawn(
        http1::Builder::new()
            .half_close(true)
            .serve_connection(io, service),
    );
    (flow, client)
}

/// Reads so many answers, bodies included.
async fn read_answers(client: &mut UnixStream, answers: usize, bytes: usize) {
    let mut all = Vec::new();
    let whole = |all: &[u8]| {
        let text = String::from_utf8_lossy(all);
        let bodies: usize = text
            .split("\r\n\r\n")
            .skip(1)
            .map(|part| part.find("HTTP/1.1").unwrap_or(part.len()))
            .sum();
        bodies == answers * bytes
    };
    while !whole(&all) {
        let read = client.read_buf(&mut all);
        let read = tokio::time::timeout(Duration::from_secs(20), read).await;
        assert!(
            read.expect("it comes").unwrap() > 0,
            "cut off at {}",
            all.len()
        );
    }
}

#[tokio::test]
async fn a_reader_that_reads_late_is_not_idle_and_gets_all() {
    let (flow, mut client) = served(LARGE);
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    client.readable().await.unwrap();
    {
        let under_way = pin!(async {
            while flow.lock().busy > 0 || !flow.lock().unwritten {
                flow.changed().await;
            }
        });
        let in_time = tokio::time::timeout(Duration::from_secs(20), under_way);
        in_time.await.expect("hyper has all of it");
    }
    assert_eq!(flow.deadline(), None, "the client has read nothing of it");
    read_answers(&mut client, 1, LARGE).await;
    assert!(flow.deadline().is_some());
}

#[tokio::test]
async fn half_a_head_that_came_with_a_request_has_the_time_of_a_head() {
    let chunked =
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
    let told = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nab\n";
    let get = "\r\nGET / HTTP/1.1\nhost: x\n\n";
    for (requests, answers) in [
        (get.to_owned(), 1),
        (told.repeat(3), 3),
        (format!("{get}{told}{get}"), 3),
        (chunked.to_owned(), 1),
        (format!("{told}{chunked}"), 2),
    ] {
        for (rest, allowed) in [("", IDLE_TIME), ("GET / HT", HEAD_TIME)] {
            let (flow, mut client) = served(5);
            client
                .write_all(format!("{requests}{rest}").as_bytes())
                .await
                .unwrap();
            read_answers(&mut client, answers, 5).await;
            let over = async {
                while flow.deadline().is_none() || flow.lock().begun == rest.is_empty() {
                    flow.changed().await;
                }
            };
            let over = tokio::time::timeout(Duration::from_secs(20), over).await;
            assert!(over.is_ok(), "{requests:?} {rest:?}: not {allowed:?}");
            let left = flow.deadline().unwrap() - Instant::now();
            assert!(left <= allowed && left > allowed - HEAD_TIME, "{left:?}");
        }
    }
}

/// More than a socket and hyper's buffer hold.
const LARGE: usize = 4 << 20;
