//! The table of keys: of what kind each is, what it may hold, and whether a reload takes it up.
//! The single source of every range.

/// One key of the configuration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// True where SIGHUP takes a new value up; the others need a restart.
    pub(super) reloads: bool,
}

/// What a key may hold.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Text whose form is checked when it is read; the words say what is allowed.
    Text(&'static str),
    /// A path, made absolute from where it was written.
    Path,
    /// A whole number in a range, both ends included.
    Integer { min: u64, max: u64 },
    /// Yes or no.
    Boolean,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of texts.
    List(&'static str),
}

impl Key {
    /// The name with its section, as messages use it.
    pub(super) fn full_name(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The variables that set it, the first one winning.
    pub(super) fn variables(&self) -> Vec<String> {
        let own = format!("AGENTCHATD_{}_{}", self.section, self.name).to_ascii_uppercase();
        match (self.section, self.name) {
            ("agent", "base_url") => vec![own, BASE_URL_VARIABLE.to_owned()],
            ("socket", "path") => vec![SOCKET_VARIABLE.to_owned(), own],
            _ => vec![own],
        }
    }

    /// What is allowed, in words.
    pub(super) fn allowed(&self) -> String {
        match self.kind {
            Kind::Text(words) | Kind::List(words) => words.to_owned(),
            Kind::Path => "a path".to_owned(),
            Kind::Integer { min, max: TOP } => format!("a whole number from {min}"),
            Kind::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Kind::Boolean => "true or false".to_owned(),
            Kind::Word(words) => words
                .iter()
                .map(|w| format!("\"{w}\""))
                .collect::<Vec<_>>()
                .join(", "),
        }
    }
}

/// The key of that name, if there is one.
pub(super) fn find(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter()
        .find(|key| key.section == section && key.name == name)
}

/// The names of all sections, in the order of the documentation.
pub(super) fn sections() -> Vec<&'static str> {
    let mut names: Vec<_> = KEYS.iter().map(|key| key.section).collect();
    names.dedup();
    names
}

/// The variable that names the configuration file.
pub(super) const CONFIG_VARIABLE: &str = "AGENTCHATD_CONFIG";
/// The variable that names the state directory.
pub(super) const STATE_DIR_VARIABLE: &str = "AGENTCHATD_STATE_DIR";
/// The variable that names the socket.
pub(super) const SOCKET_VARIABLE: &str = "AGENTCHATD_SOCKET";
/// The variable with the platform's address that the official SDKs read as well.
const BASE_URL_VARIABLE: &str = "AGENTCHAT_BASE_URL";

/// Where the documentation gives no upper end, the daemon's own arithmetic sets one: any number
/// up to here stands for a time of milliseconds, or a count, that can be added to a clock of
/// today without leaving 63 bits.
const TOP: u64 = 1 << 52;
const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const HOUR_MS: u64 = 3_600_000;
const DAY_S: u64 = 86_400;

const fn key(section: &'static str, name: &'static str, kind: Kind) -> Key {
    Key {
        section,
        name,
        kind,
        reloads: false,
    }
}

const fn reloading(section: &'static str, name: &'static str, kind: Kind) -> Key {
    Key {
        section,
        name,
        kind,
        reloads: true,
    }
}

const fn from(min: u64) -> Kind {
    Kind::Integer { min, max: TOP }
}

const fn range(min: u64, max: u64) -> Kind {
    Kind::Integer { min, max }
}

const WHO: Kind = Kind::List("a list of uid:N, gid:N, user names and @group names");

/// Every key, in the order of the documentation.
pub(super) const KEYS: &[Key] = &[
    key(
        "agent",
        "base_url",
        Kind::Text("an https address; http for loopback alone"),
    ),
    key("agent", "allow_insecure", Kind::Boolean),
    reloading("agent", "api_key_file", Kind::Path),
    key("agent", "ack", Kind::Word(&["stored"])),
    key("socket", "path", Kind::Path),
    key(
        "socket",
        "mode",
        Kind::Text("octal digits in quotes, \"0600\" to \"0777\""),
    ),
    key("socket", "group", Kind::Text("the name of a group")),
    key("socket", "max_request_bytes", range(64 * KIB, 1024 * MIB)),
    key("socket", "max_connections", range(1, 65_535)),
    key("socket", "max_subscriptions", range(1, 4096)),
    key("storage", "durability", Kind::Word(&["full", "normal"])),
    key("storage", "retention_days", range(1, 3650)),
    key("storage", "retention_bytes", from(MIB)),
    key("realtime", "hello_timeout_ms", range(100, 60_000)),
    key("realtime", "gap_window_ms", range(0, 60_000)),
    key("realtime", "backoff_min_ms", range(10, HOUR_MS)),
    key("realtime", "backoff_max_ms", range(10, HOUR_MS)),
    key("realtime", "stable_after_ms", from(0)),
    key("realtime", "liveness_ms", from(500)),
    key("realtime", "sync_interval_s", range(1, DAY_S)),
    key("realtime", "reconcile_interval_s", range(1, DAY_S)),
    key("realtime", "auth", Kind::Word(&["hello", "header"])),
    key("http", "timeout_ms", from(100)),
    key("http", "max_retries", range(0, 20)),
    key("http", "base_delay_ms", from(1)),
    key("http", "max_delay_ms", from(1)),
    key(
        "http",
        "proxy",
        Kind::Text("the address of a proxy: http, https, socks5 or socks5h"),
    ),
    key("http", "ca_file", Kind::Path),
    key("outbox", "max_entries", from(1)),
    key("outbox", "concurrency", range(1, 256)),
    key("outbox", "expires_in_ms", from(1000)),
    key("outbox", "rate_per_second", range(1, 1000)),
    reloading("access", "admin", WHO),
    reloading("access", "send", WHO),
    reloading("access", "read", WHO),
    reloading(
        "log",
        "level",
        Kind::Word(&["off", "error", "warn", "info", "debug", "trace"]),
    ),
    key(
        "log",
        "format",
        Kind::Word(&["auto", "human", "json", "journald"]),
    ),
    reloading("log", "payloads", Kind::Boolean),
];
