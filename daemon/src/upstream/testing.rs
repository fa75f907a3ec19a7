//! A tiny HTTP server for tests: it says what it is told to say and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{ApiKey, Platform, PlatformConfig, Rest, RestConfig, RetryPolicy};

pub(super) const KEY: &str = "ac_live_test";

/// What has to happen soon. Under a paused clock this costs nothing.
pub(super) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(SOON, future)
        .await
        .expect("it did not happen in time")
}

/// Longer than every deadline of a connection.
const SOON: Duration = Duration::from_secs(20);

/// One answer, and what follows it.
#[derive(Clone)]
pub(super) enum Reply {
    /// These bytes, then the end of the connection.
    Say(Vec<u8>),
    /// These bytes, then silence with the connection open.
    SayAndHang(Vec<u8>),
    /// These bytes over and over, as long as somebody reads.
    SayForEver(Vec<u8>, Vec<u8>),
}

/// An answer of that status, with extra header lines.
pub(super) fn answer(status: &str, headers: &[&str], body: &str) -> Reply {
    let mut head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
    for line in headers {
        head.push_str(line);
        head.push_str("\r\n");
    }
    Reply::Say(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

pub(super) struct Server {
    pub(super) base: String,
    seen: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Serves one reply to each connection; the last one again and again.
    pub(super) async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let log = Arc::clone(&seen);
        tasks.spawn(async move {
            let mut conversations = JoinSet::new();
            for turn in 0_usize.. {
                let (stream, _) = listener.accept().await.unwrap();
                let reply = replies[turn.min(replies.len() - 1)].clone();
                conversations.spawn(serve(stream, reply, Arc::clone(&log)));
            }
        });
        Self {
            base,
            seen,
            _tasks: tasks,
        }
    }

    /// The requests so far, heads and bodies.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// REST against it, with quick retries.
    pub(super) fn rest(&self) -> Rest {
        rest(&self.base)
    }
}

pub(super) fn platform(base: &str) -> Platform {
    Platform::new(&PlatformConfig {
        base_url: base.into(),
        ..PlatformConfig::default()
    })
    .unwrap()
}

pub(super) fn rest(base: &str) -> Rest {
    let retry = RetryPolicy {
        max_retries: 3,
        base_delay: Duration::from_millis(1),
        max_delay: Duration::from_millis(4),
    };
    let config = RestConfig {
        timeout: Duration::from_secs(10),
        retry,
    };
    Rest::new(platform(base), Some(ApiKey::new(KEY).unwrap()), config)
}

/// The value of a header in a request that was seen.
pub(super) fn header_of(request: &str, name: &str) -> Option<String> {
    request
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
}

async fn serve(mut stream: TcpStream, reply: Reply, log: Arc<Mutex<Vec<String>>>) {
    let Some(request) = read_request(&mut stream).await else {
        return;
    };
    log.lock().unwrap().push(request);
    match reply {
        Reply::Say(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Reply::SayAndHang(bytes) => {
            let _ = stream.write_all(&bytes).await;
            std::future::pending::<()>().await;
        }
        Reply::SayForEver(first, more) => {
            let _ = stream.write_all(&first).await;
            while stream.write_all(&more).await.is_ok() {}
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = header_of(head, "content-length").map_or(0, |n| n.parse().unwrap());
            if body.len() >= length {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
