//! One connection: which protocol it speaks, and NDJSON from its first byte to its last.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jsonrpsee::Methods;
use tokio::io::{AsyncReadExt, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use crate::rpc::client::{Client, Present, Shared};
use crate::rpc::http;
use crate::rpc::ndjson::{Frame, Framer};
use crate::rpc::outgoing;
use crate::rpc::outlet;
use crate::rpc::peer::{Caller, Peer};
use crate::rpc::session::{Input, Session};

/// Serves a connection to its end.
pub(crate) async fn serve(stream: UnixStream, shared: Arc<Shared>, methods: Methods) {
    // The peer may be gone before anyone asked who it is.
    let Ok(peer) = Peer::of(&stream) else { return };
    let caller = shared.access.caller(peer);
    let (mut read, write) = stream.into_split();
    let mut head = [0; HEAD_BYTES];
    let length = tokio::select! {
        length = read.read(&mut head) => length.unwrap_or(0),
        () = shared.stopping.cancelled() => 0,
    };
    let head = &head[..length];
    let _present = Present::new(&shared);
    match head.first() {
        None => {}
        Some(byte) if byte.is_ascii_uppercase() => {
            http::serve(read, write, head, shared, caller, methods).await;
        }
        // NDJSON, also where the first line is neither: like any other line that is no JSON it
        // costs the client that line and not the connection.
        Some(_) => lines(read, write, head, shared, caller, methods).await,
    }
}

/// Serves a connection that speaks NDJSON.
async fn lines(
    mut read: OwnedReadHalf,
    write: OwnedWriteHalf,
    head: &[u8],
    shared: Arc<Shared>,
    caller: Caller,
    methods: Methods,
) {
    let (outgoing, queue) = outgoing::queue();
    let framer = Framer::new(head, shared.limits.max_request_bytes);
    let client = Arc::new(Client::new(Arc::clone(&shared), caller, outgoing));
    let writer = queue.write_to(outlet::Lines::new(write), &client);
    let lines = Lines {
        framer,
        read: &mut read,
    };
    let lingers = Session::new(client, methods).run(lines).await;
    // The write half stays open until the queue is empty; the answer that explains an early end is
    // to reach a client that is still writing.
    let _write = writer.await;
    if lingers {
        linger(&read).await;
    }
}

/// The requests of an NDJSON connection.
#[derive(Debug)]
struct Lines<'a> {
    framer: Framer,
    read: &'a mut OwnedReadHalf,
}

impl Input for Lines<'_> {
    async fn next(&mut self) -> io::Result<Frame> {
        self.framer.next(self.read).await
    }

    fn not_json(&mut self) {
        self.framer.skip_line();
    }

    fn hung_up(&self) -> bool {
        hung_up(self.read)
    }
}

/// True where the other end is closed for reading as well: nobody is there any more.
pub(crate) fn hung_up(read: &OwnedReadHalf) -> bool {
    let ready = read.as_ref().ready(Interest::WRITABLE).now_or_never();
    matches!(ready, Some(Ok(ready)) if ready.is_write_closed())
}

/// Reads what still comes and throws it away for a while, so that a client that writes first and
/// reads then is not cut off before it has read why.
pub(crate) async fn linger(read: &OwnedReadHalf) {
    let mut waste = vec![0; LINGER_BYTES];
    let swallow = async {
        while read.readable().await.is_ok() {
            match read.try_read(&mut waste) {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Ok(0) | Err(_) => break,
            }
        }
    };
    let _ = timeout(LINGER, swallow).await;
}

/// How much is read to tell the protocol.
const HEAD_BYTES: usize = 1024;

/// How long input is thrown away at an early end.
pub(crate) const LINGER: Duration = Duration::from_secs(2);

/// How much of it at a time.
const LINGER_BYTES: usize = 64 << 10;
