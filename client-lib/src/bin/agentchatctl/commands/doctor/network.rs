//! The way to AgentChat as this process sees it: the name, and a connection to its address.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::finding::Finding;
use crate::render::text;

/// Looks the name up and opens a connection; nothing is said over it.
pub(super) async fn look(status: &Value, findings: &mut Vec<Finding>) {
    let platform = status.get("platform").unwrap_or(&Value::Null);
    let Some(address) = text(platform, "base_url").and_then(host_and_port) else {
        return;
    };
    let (host, port) = (address.0.to_owned(), address.1);
    let name = host.clone();
    let looking = tokio::task::spawn_blocking(move || (name.as_str(), port).to_socket_addrs());
    let found = match timeout(PATIENCE, looking).await {
        Ok(Ok(Ok(found))) => found.collect::<Vec<_>>(),
        Ok(Ok(Err(error))) => return findings.push(unknown(&host, &error.to_string())),
        Ok(Err(_)) | Err(_) => return findings.push(unknown(&host, "no answer in time")),
    };
    let Some(first) = found.first().copied() else {
        return findings.push(unknown(&host, "no address"));
    };
    findings.push(Finding::ok("name", format!("{host} is {}", first.ip())));
    let opening = tokio::task::spawn_blocking(move || open(&found));
    findings.push(match opening.await {
        Ok(Ok(to)) => Finding::ok("reachable", format!("{to} takes connections")),
        Ok(Err(error)) => Finding::warn(
            "reachable",
            format!("{host} port {port} cannot be connected to ({error})"),
            "check the network and firewall; behind a proxy this is as it should be",
        ),
        Err(_) => Finding::warn("reachable", "it could not be looked at", "try again"),
    });
}

fn unknown(host: &str, why: &str) -> Finding {
    Finding::warn(
        "name",
        format!("{host} cannot be looked up ({why})"),
        "check the network and /etc/resolv.conf; behind a proxy this may be as it should be",
    )
}

fn open(found: &[SocketAddr]) -> Result<SocketAddr, std::io::Error> {
    let mut last = std::io::Error::from(std::io::ErrorKind::NotFound);
    for address in found.iter().take(MOST_ADDRESSES) {
        match TcpStream::connect_timeout(address, PATIENCE) {
            Ok(_) => return Ok(*address),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The host and the port of an http address.
fn host_and_port(address: &str) -> Option<(&str, u16)> {
    let (scheme, rest) = address.split_once("://")?;
    let usual = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let place = rest.split(['/', '?', '#']).next()?;
    let (host, port) = match place.rsplit_once(':') {
        // Colons of an address in brackets are none of a port.
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (place, usual),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then_some((host, port))
}

const PATIENCE: Duration = Duration::from_secs(3);
/// Of a name with many addresses.
const MOST_ADDRESSES: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (address, expected) in [
            ("https://api.agentchat.me", Some(("api.agentchat.me", 443))),
            ("http://127.0.0.1:8765/x", Some(("127.0.0.1", 8765))),
            ("http://[::1]:80", Some(("::1", 80))),
            ("https://[::1]/", Some(("::1", 443))),
            ("ftp://x", None),
            ("nonsense", None),
            ("https://", None),
        ] {
            assert_eq!(host_and_port(address), expected, "{address}");
        }
    }
}
