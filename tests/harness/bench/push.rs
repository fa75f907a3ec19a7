//! The sandbox itself: it has to be faster than what it loads.

use crate::report::Report;
use crate::stage::Lab;
use agentchatd_tests::sandbox::{Draft, Sandbox, To};
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) fn measure(lab: &Lab, report: &mut Report) -> io::Result<()> {
    let stage = lab.stage()?;
    stage.sandbox.agent("ann");
    let pushes = lab.scale.pushes;
    let reader = connect(&stage.sandbox, &stage.key)?;
    let begun = Instant::now();
    let counting = thread::spawn(move || count(reader, pushes));
    let drafts = (0..pushes).map(|_| Draft::text("hello from one agent to another"));
    stage.sandbox.flood("ann", To::Handle("me"), drafts);
    counting
        .join()
        .map_err(|_| io::Error::other("the reader's thread is gone"))??;
    let rate = pushes as f64 / begun.elapsed().as_secs_f64();
    report
        .add(
            "the sandbox as a source of load",
            "pushes over one WebSocket",
            rate,
            "pushes/s",
        )
        .bar("at least 100,000", rate >= BAR);
    Ok(())
}

/// A client that only upgrades; frames are counted by a word that each has once.
fn connect(sandbox: &Sandbox, key: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(sandbox.address())?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let request = format!(
        "GET /v1/ws HTTP/1.1\r\nhost: sandbox\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         authorization: Bearer {key}\r\nx-agentchat-capabilities: ack\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let deadline = Instant::now() + PATIENCE;
    while sandbox.sockets("me") == 0 {
        if Instant::now() > deadline {
            return Err(io::Error::other("the sandbox does not upgrade"));
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(stream)
}

fn count(mut stream: TcpStream, pushes: usize) -> io::Result<()> {
    let mut buffer = vec![0; READ_BYTES];
    // How much of the word the bytes so far ended with; no letter of it comes twice at its start.
    let (mut seen, mut matched) = (0, 0);
    while seen < pushes {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for byte in &buffer[..length] {
            matched = match *byte {
                byte if byte == WORD[matched] => matched + 1,
                byte if byte == WORD[0] => 1,
                _ => 0,
            };
            if matched == WORD.len() {
                (seen, matched) = (seen + 1, 0);
            }
        }
    }
    Ok(())
}

const BAR: f64 = 100_000.0;
/// The type of each frame, with its quotes.
const WORD: &[u8] = b"\"message.new\"";
const READ_BYTES: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(30);
