//! Telling systemd how we are, by datagrams to `$NOTIFY_SOCKET`.
//!
//! The protocol is a handful of lines, so there is no library for it: a datagram of `NAME=value`
//! lines. Nothing here waits: where systemd does not listen, a datagram is lost and the daemon
//! goes on. Outside systemd every call does nothing.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::config::Environment;

/// The line to the service manager.
#[derive(Debug)]
pub struct Notifier {
    line: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// The line that the environment names; a silent one where it names none.
    #[must_use]
    pub fn of(env: &Environment) -> Self {
        Self {
            line: open(env),
            watchdog: watchdog(env, std::process::id()),
        }
    }

    /// How often [`Notifier::watchdog`] must be called at the least: twice in the time that
    /// systemd waits. `None` where it does not watch.
    #[must_use]
    pub fn watchdog_interval(&self) -> Option<Duration> {
        self.watchdog.map(|limit| limit / 2)
    }

    /// The socket serves; also sent when a reload is over.
    pub fn ready(&self) {
        self.send("READY=1");
    }

    /// A reload begins. [`Notifier::ready`] ends it.
    pub fn reloading(&self) {
        // Systemd wants the time, so as not to take an older READY for the end of this reload.
        if let Ok(now) = clock_gettime(ClockId::CLOCK_MONOTONIC) {
            let micros = Duration::from(now).as_micros();
            self.send(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
        }
    }

    /// One line for `systemctl status`.
    pub fn status(&self, text: &str) {
        // A line break would begin another assignment.
        let line: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        self.send(&format!("STATUS={line}"));
    }

    /// The main loop turns and storage answers.
    pub fn watchdog(&self) {
        self.send("WATCHDOG=1");
    }

    /// The daemon is on its way out.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    fn send(&self, text: &str) {
        if let Some((socket, address)) = &self.line
            && let Err(error) = socket.send_to_addr(text.as_bytes(), address)
        {
            tracing::debug!(%error, "systemd did not take a notification");
        }
    }
}

fn open(env: &Environment) -> Option<(UnixDatagram, SocketAddr)> {
    let name = env.var("NOTIFY_SOCKET")?;
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(abstract_name) => SocketAddr::from_abstract_name(abstract_name),
        None => SocketAddr::from_pathname(name),
    };
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    Some((socket, address.ok()?))
}

fn watchdog(env: &Environment, own_pid: u32) -> Option<Duration> {
    // The variables are inherited; the pid tells whether they are meant for us.
    let for_us = env
        .text("WATCHDOG_PID")
        .is_none_or(|pid| pid.parse() == Ok(own_pid));
    let micros: u64 = env.text("WATCHDOG_USEC")?.parse().ok()?;
    (for_us && micros > 0).then(|| Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tempfile::TempDir;

    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Environment {
        Environment::of_pairs(Path::new("/"), pairs.iter().copied())
    }

    fn receive(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        socket
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn each_notification_is_one_datagram() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("notify");
        let systemd = UnixDatagram::bind(&path).unwrap();
        let notifier = Notifier::of(&env(&[("NOTIFY_SOCKET", path.to_str().unwrap())]));
        notifier.ready();
        assert_eq!(receive(&systemd), "READY=1");
        notifier.status("ready\nREADY=1");
        assert_eq!(receive(&systemd), "STATUS=ready READY=1");
        notifier.watchdog();
        assert_eq!(receive(&systemd), "WATCHDOG=1");
        notifier.reloading();
        let text = receive(&systemd);
        let micros = text.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!(micros.parse::<u64>().unwrap() > 0);
        notifier.stopping();
        assert_eq!(receive(&systemd), "STOPPING=1");
    }

    #[test]
    fn a_name_that_begins_with_an_at_sign_is_an_abstract_one() {
        let name = format!("agentchatd-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let systemd = UnixDatagram::bind_addr(&address).unwrap();
        Notifier::of(&env(&[("NOTIFY_SOCKET", &format!("@{name}"))])).ready();
        assert_eq!(receive(&systemd), "READY=1");
    }

    #[test]
    fn outside_systemd_nothing_happens() {
        let notifier = Notifier::of(&env(&[]));
        notifier.ready();
        assert_eq!(notifier.watchdog_interval(), None);
        Notifier::of(&env(&[("NOTIFY_SOCKET", "/no/such/socket")])).ready();
    }

    #[test]
    fn the_watchdog_is_fed_twice_in_its_time_and_only_where_it_is_ours() {
        let both = env(&[("WATCHDOG_USEC", "30000000"), ("WATCHDOG_PID", "7")]);
        assert_eq!(watchdog(&both, 7), Some(Duration::from_secs(30)));
        assert_eq!(watchdog(&both, 8), None);
        let notifier = Notifier::of(&env(&[("WATCHDOG_USEC", "30000000")]));
        assert_eq!(notifier.watchdog_interval(), Some(Duration::from_secs(15)));
        assert_eq!(watchdog(&env(&[("WATCHDOG_USEC", "0")]), 7), None);
    }
}
