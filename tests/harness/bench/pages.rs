//! The platform's pages alone: the same sync that the daemon makes, by a client that looks at
//! nothing but the cursor.

use crate::stage::Stage;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

/// Reads and acknowledges everything that waits for the agent: seconds.
pub(crate) fn drain(stage: &Stage) -> io::Result<f64> {
    let stream = TcpStream::connect(stage.sandbox.address())?;
    stream.set_nodelay(true)?;
    let mut platform = Platform {
        stream: BufReader::new(stream),
        key: stage.key.clone(),
    };
    let begun = Instant::now();
    loop {
        let page = platform.call("GET", "/v1/messages/sync?limit=500", "")?;
        let Some(cursor) = last_cursor(&page) else {
            return Ok(begun.elapsed().as_secs_f64());
        };
        let body = format!("{{\"last_delivery_id\":\"{cursor}\"}}");
        platform.call("POST", "/v1/messages/sync/ack", &body)?;
    }
}

struct Platform {
    stream: BufReader<TcpStream>,
    key: String,
}

impl Platform {
    /// One request; the answer's body. Knows as much of HTTP as the sandbox needs.
    fn call(&mut self, method: &str, path: &str, body: &str) -> io::Result<String> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: sandbox\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.key,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        String::from_utf8(answer).map_err(io::Error::other)
    }
}

fn last_cursor(page: &str) -> Option<&str> {
    let (_, after) = page.rsplit_once("\"delivery_id\":\"")?;
    after.split_once('"').map(|(cursor, _)| cursor)
}
