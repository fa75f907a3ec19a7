//! The daemon's own counters, from `GET /metrics` on its socket.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// What of the figures is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Messages of others that entered the log since the daemon started.
    pub(super) received: u64,
    /// Messages that AgentChat took.
    pub(super) sent: u64,
    /// Entries of the outbox by state.
    pub(super) outbox: BTreeMap<String, u64>,
}

/// Asks for them; they are no reason to call the daemon away, so an error is for the caller to pass
/// over.
pub(super) async fn ask(socket: &Path) -> io::Result<Figures> {
    let asked = timeout(PATIENCE, text(socket)).await;
    let text = asked.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok(read(&text))
}

async fn text(socket: &Path) -> io::Result<String> {
    let stream = UnixStream::connect(socket).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let request = Request::get("/metrics")
        .header("host", "localhost")
        .header("connection", "close")
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let answer = async {
        let answer = sender
            .send_request(request)
            .await
            .map_err(io::Error::other)?;
        let body = Limited::new(answer.into_body(), MAX_BYTES).collect().await;
        Ok::<_, io::Error>(body.map_err(io::Error::other)?.to_bytes())
    };
    // The connection has to be driven while its answer is waited for.
    let (answer, _) = tokio::join!(answer, connection);
    let bytes = answer?;
    String::from_utf8(bytes.to_vec()).map_err(io::Error::other)
}

/// Reads Prometheus' text form; lines that are not wanted or not understood are passed over.
fn read(text: &str) -> Figures {
    let mut figures = Figures::default();
    for line in text.lines() {
        let Some((series, value)) = line.rsplit_once(' ') else {
            continue;
        };
        let Ok(value) = value.parse::<u64>() else {
            continue;
        };
        let label = |name: &str| {
            let labels = series.strip_prefix(name)?.strip_prefix('{')?;
            labels.strip_suffix("\"}")?.split_once("=\"")
        };
        if let Some((_, source)) = label("agentchatd_messages_total") {
            if source != "local" {
                figures.received += value;
            }
        } else if let Some((_, result)) = label("agentchatd_send_seconds_count") {
            if result == "taken" {
                figures.sent += value;
            }
        } else if let Some((_, state)) = label("agentchatd_outbox") {
            figures.outbox.insert(state.to_owned(), value);
        }
    }
    figures
}

const PATIENCE: Duration = Duration::from_secs(2);
const MAX_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_found_among_the_rest() {
        let figures = read(
            "# HELP agentchatd_messages Messages\n\
             agentchatd_messages_total{source=\"local\"} 5\n\
             agentchatd_messages_total{source=\"live\"} 7\n\
             agentchatd_messages_total{source=\"sync\"} 2\n\
             agentchatd_send_seconds_sum{result=\"taken\"} 0.5\n\
             agentchatd_send_seconds_count{result=\"taken\"} 4\n\
             agentchatd_send_seconds_count{result=\"refused\"} 1\n\
             agentchatd_outbox{state=\"queued\"} 3\n\
             agentchatd_outbox{state=} x\n\
             nonsense\n",
        );
        assert_eq!((figures.received, figures.sent), (9, 4));
        assert_eq!(figures.outbox, BTreeMap::from([("queued".to_owned(), 3)]));
    }
}
