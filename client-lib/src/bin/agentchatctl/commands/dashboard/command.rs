//! The command: its flags, its port, what it prints, its end.

use std::convert::Infallible;
use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use super::access::Access;
use super::look::Look;
use super::server;
use super::site::Site;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Page, dim, name, plain};
use crate::session::{Session, complain};

/// Show the daemon's state in a browser: a page on a loopback port, for reading only.
///
/// It prints an address that works once, in one browser; start it again for another. The page stays up
/// to date, says so when the daemon goes away, and comes back with it. Ctrl-C ends it.
#[derive(Debug, Args)]
pub(crate) struct Dashboard {
    /// The port on 127.0.0.1; a free one by default.
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 0,
        hide_default_value = true
    )]
    port: u16,
    /// Open it in a browser with `xdg-open`. Other users may see the address in the list of processes
    /// until it is used.
    #[arg(long)]
    open: bool,
}

impl Dashboard {
    pub(in crate::commands) async fn run(self, session: &Session) -> Result<Exit, Failure> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let socket = session.connect().await?.path().to_owned();
        let listener = self.listen().await?;
        let authority = authority(listener.local_addr()?);
        let access = Access::new(authority).map_err(|error| {
            Failure::failed(format!("the system gives no random numbers ({error})"))
        })?;
        let access = Arc::new(access);
        let (look, latest) = Look::new(socket.clone());
        let site = Arc::new(Site::new(Arc::clone(&access), latest));
        let mut opened = None;
        if let Some(address) = access.address() {
            tell(session, &socket.display().to_string(), &address)?;
            if self.open {
                opened = Some(address);
            }
        }
        let opening = async {
            if let Some(address) = opened {
                open(&address).await;
            }
            pending::<Infallible>().await
        };
        tokio::select! {
            never = server::serve(listener, site) => match never {},
            never = look.go_on() => match never {},
            never = opening => match never {},
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(Exit::DONE)
    }

    async fn listen(&self) -> Result<TcpListener, Failure> {
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await;
        bound.map_err(|error| {
            Failure::failed(format!(
                "the port {} of 127.0.0.1 cannot be had ({error}); leave --port out, or give another",
                self.port
            ))
        })
    }
}

fn tell(session: &Session, socket: &str, address: &str) -> Result<(), Failure> {
    if session.output.json {
        let json = json!({"url": address, "socket": socket});
        return Ok(session.output.json_line(&json.to_string())?);
    }
    let mut page = Page::of(vec![plain("dashboard of the daemon at "), plain(socket)]);
    page.add(vec![plain("    "), name(address)]);
    page.add(vec![dim(
        "the address works once, in one browser; Ctrl-C ends it",
    )]);
    Ok(session.output.page(&page)?)
}

/// Starts the browser, and tells where none came; the address stands there for that. Giving it up ends
/// no browser.
async fn open(address: &str) {
    let started = Command::new("xdg-open")
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C ends this program, and not the browser that it may have started.
        .process_group(0)
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return not_opened(&format!("cannot be started ({error})")),
    };
    if let Ok(status) = child.wait().await
        && !status.success()
    {
        not_opened(&format!("opened nothing ({status})"));
    }
}

fn not_opened(why: &str) {
    complain(&format!(
        "agentchatctl: xdg-open {why}; open the address yourself\n"
    ));
}

/// As a browser names the address in `Host` and `Origin`: without the port that goes without saying.
fn authority(address: SocketAddr) -> String {
    match address.port() {
        80 => address.ip().to_string(),
        _ => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_port_is_not_named() {
        let named = |port| authority(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        assert_eq!(
            (named(80), named(8080)),
            ("127.0.0.1".to_owned(), "127.0.0.1:8080".to_owned())
        );
    }
}
