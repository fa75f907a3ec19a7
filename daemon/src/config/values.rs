//! Values of the configuration that are more than a number or a text: parsed once, here, and
//! right by construction afterwards.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The address of the platform, with the path prefix that it may have and without a final slash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl {
    rest: String,
    socket: String,
    exposed: bool,
}

impl BaseUrl {
    /// The prefix of every REST address, without a final slash: `https://api.agentchat.me`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.rest
    }

    /// The address of the socket: the same place with `ws` or `wss`, and `/v1/ws`.
    #[must_use]
    pub fn socket_url(&self) -> &str {
        &self.socket
    }

    /// True where the key would travel in the clear to another machine.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.exposed
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let url = Url::parse(&text).map_err(|_| ValueError("not an absolute URL"))?;
        let plain = match url.scheme() {
            "https" => false,
            "http" => true,
            _ => return Err(ValueError("the scheme must be https or http")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ValueError("must not hold a user name or a password")); // the key goes elsewhere
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ValueError("must not hold a query or a fragment"));
        }
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(ValueError("must name a host")),
        };
        let rest = format!(
            "{}{}",
            url.origin().ascii_serialization(),
            url.path().trim_end_matches('/')
        );
        let socket = format!("ws{}/v1/ws", rest.trim_start_matches("http"));
        Ok(Self {
            rest,
            socket,
            exposed: plain && !loopback,
        })
    }
}

impl From<BaseUrl> for String {
    fn from(url: BaseUrl) -> Self {
        url.rest
    }
}

/// The address of a proxy. It may hold a password, so `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProxyUrl(String);

impl ProxyUrl {
    /// The address as it was given. Not for messages.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ProxyUrl {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let url = Url::parse(&text).map_err(|_| ValueError("not an absolute URL"))?;
        if !PROXY_SCHEMES.contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
            return Err(ValueError(
                "must be http://, https://, socks5:// or socks5h:// and a host",
            ));
        }
        Ok(Self(text))
    }
}

impl From<ProxyUrl> for String {
    fn from(proxy: ProxyUrl) -> Self {
        proxy.0
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyUrl(..)")
    }
}

/// The permission bits of the socket, written as octal text (`"0600"`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileMode(u32);

impl FileMode {
    /// For the owner alone.
    pub const PRIVATE: Self = Self(0o600);
    /// For the owner and the group.
    pub const GROUP: Self = Self(0o660);

    /// The bits, as `chmod` takes them.
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// The permissions of a file that is there, out of all that `stat` tells.
    #[must_use]
    pub fn of_file(mode: u32) -> Self {
        Self(mode & 0o777)
    }

    /// True where anybody may connect.
    #[must_use]
    pub fn lets_all_in(self) -> bool {
        self.0 & 0o002 != 0
    }

    /// True where members of the file's group may connect (that takes the right to write).
    #[must_use]
    pub fn lets_group_in(self) -> bool {
        self.0 & 0o020 != 0
    }
}

impl TryFrom<String> for FileMode {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let digits = (3..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let bits = u32::from_str_radix(&text, 8)
            .ok()
            .filter(|bits| digits && *bits <= 0o777);
        match bits {
            Some(bits) if bits & 0o600 == 0o600 => Ok(Self(bits)),
            Some(_) => Err(ValueError("the owner must be able to read and write")),
            None => Err(ValueError("not three or four octal digits")),
        }
    }
}

impl From<FileMode> for String {
    fn from(mode: FileMode) -> Self {
        format!("{:04o}", mode.0)
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// When the platform is told that a message arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AckPolicy {
    /// Once its row is committed to the log.
    Stored,
}

/// What a commit waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// An fsync before any acknowledgement: survives a power cut.
    Full,
    /// SQLite's write-ahead log without an fsync for each commit: survives a crash of the daemon.
    Normal,
}

/// How the key is shown to the platform's socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMethod {
    /// In the first frame.
    Hello,
    /// In the `Authorization` header of the handshake.
    Header,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Nothing at all.
    Off,
    /// What makes the daemon stop.
    Error,
    /// What somebody should look at.
    Warn,
    /// Changes that a user cares about.
    Info,
    /// The conditions behind decisions.
    Debug,
    /// Each step.
    Trace,
}

impl LogLevel {
    /// The level of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Off,
            Self::Error,
            Self::Warn,
            Self::Info,
            Self::Debug,
            Self::Trace,
        ]
        .into_iter()
        .find(|level| level.name() == name)
    }

    /// The name, as in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// What a log line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Journald's form where standard error goes to the journal, the human form elsewhere.
    Auto,
    /// Lines for people, coloured on a terminal.
    Human,
    /// One JSON object a line.
    Json,
    /// Lines that begin with the priority that journald understands (`<6>`).
    Journald,
}

/// Why a value was not taken. The words never repeat the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(&'static str);

const PROXY_SCHEMES: [&str; 4] = ["http", "https", "socks5", "socks5h"];

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Result<BaseUrl, ValueError> {
        BaseUrl::try_from(text.to_owned())
    }

    #[test]
    fn a_path_prefix_is_kept_and_the_socket_stands_beside_it() {
        let url = base("https://Gate.example:8443/agents/").unwrap();
        assert_eq!(url.as_str(), "https://gate.example:8443/agents");
        assert_eq!(url.socket_url(), "wss://gate.example:8443/agents/v1/ws");
        let url = base("http://127.0.0.1:9/").unwrap();
        assert_eq!(
            (url.as_str(), url.socket_url()),
            ("http://127.0.0.1:9", "ws://127.0.0.1:9/v1/ws")
        );
    }

    #[test]
    fn an_address_with_a_login_a_query_or_another_scheme_is_refused_and_not_repeated() {
        for text in [
            "https://me:hunter2@api.example",
            "https://hunter2@api.example",
            "https://api.example/?hunter2",
            "https://api.example/#hunter2",
            "ftp://hunter2.example",
            "hunter2",
            "",
        ] {
            let error = base(text).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn plain_http_is_exposed_unless_it_stays_on_this_machine() {
        for text in [
            "http://localhost:1",
            "http://a.localhost",
            "http://127.9.9.9",
            "http://[::1]:1",
        ] {
            assert!(!base(text).unwrap().is_exposed(), "{text}");
        }
        for text in [
            "http://api.example",
            "http://localhost.example",
            "http://10.0.0.1",
            "http://[::2]",
        ] {
            assert!(base(text).unwrap().is_exposed(), "{text}");
        }
        assert!(!base("https://api.example").unwrap().is_exposed());
    }

    #[test]
    fn a_mode_is_three_or_four_octal_digits_that_leave_the_owner_in() {
        let mode = |text: &str| FileMode::try_from(text.to_owned());
        assert_eq!(mode("0600"), Ok(FileMode::PRIVATE));
        assert_eq!(mode("660"), Ok(FileMode::GROUP));
        for text in [
            "0060", "0o600", "1777", "+600", "600 ", "68", "0800", "", "00600",
        ] {
            assert!(mode(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_proxy_keeps_its_password_to_itself() {
        let proxy = ProxyUrl::try_from("http://u:hunter2@proxy.example:3128".to_owned()).unwrap();
        assert!(!format!("{proxy:?}").contains("hunter2"));
        assert!(ProxyUrl::try_from("gopher://proxy".to_owned()).is_err());
    }
}
