//! TLS and proxies: REST and the WebSocket trust the same certificates and take the same way.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use agentchatd_tests::daemon::Daemon;
use agentchatd_tests::sandbox::{Event, To};
use agentchatd_tests::stage::{Stage, until};
use agentchatd_tests::tls::{Authority, Proxy, TlsFront};
use serde_json::json;

/// Nobody bears this name; only a proxy makes it lead somewhere.
const NOWHERE: &str = "agentchat.invalid";

/// A daemon that is to reach its platform over TLS at this name.
struct Encrypted {
    stage: Stage,
    authority: Authority,
    front: TlsFront,
}

impl Encrypted {
    fn named(name: &str) -> Self {
        let mut stage = Stage::new(env!("CARGO_BIN_EXE_agentchatd"));
        let plain = stage.setup.base_url.clone();
        let target: SocketAddr = plain
            .trim_start_matches("http://")
            .parse()
            .expect("an address");
        let authority = Authority::new();
        let front = TlsFront::start(&authority, name, target);
        stage.setup.base_url = format!("https://{}", front.address());
        for variable in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"] {
            stage.env(variable, "");
            stage.env(&variable.to_lowercase(), "");
        }
        Self {
            stage,
            authority,
            front,
        }
    }

    /// Behind a name that only a proxy knows.
    fn behind_a_proxy() -> (Self, Proxy) {
        let mut it = Self::named(NOWHERE);
        it.trusts(&it.authority.pem());
        it.stage.setup.base_url = format!("https://{NOWHERE}");
        let proxy = Proxy::start(it.front.address());
        (it, proxy)
    }

    fn trusts(&mut self, pem: &str) -> PathBuf {
        let file = self.stage.setup.dir.join("ca.pem");
        fs::write(&file, pem).expect("it can be written");
        let path = file.to_str().expect("a plain path").to_owned();
        self.stage.env("AGENTCHATD_HTTP_CA_FILE", &path);
        file
    }

    /// Both directions work: a message over the WebSocket, a send over REST.
    fn works(&self, daemon: &Daemon) {
        let heard = self.stage.sandbox.send("bob", To::Handle("dora"), "hello");
        self.stage
            .logged(daemon, |event| event["message_id"] == heard.id);
        let mut raw = self.stage.connect(daemon);
        let sent = raw.ok("messages.send", json!({"to": "bob", "text": "hello"}));
        assert_eq!(sent["message"]["sender"], "dora");
        let pushed = |event: &Event| matches!(event, Event::AckFrame { message_id, .. } if *message_id == heard.id);
        self.stage.seen_from(0, pushed);
    }

    /// It does not come about; the words that health has for it.
    fn fails(&self, daemon: &Daemon, words: &[&str]) {
        let mut raw = self.stage.connect(daemon);
        until("the reason is told", || {
            let health = raw.ok("daemon.health", json!({}));
            let status = raw.ok("daemon.status", json!({}));
            let text = format!("{} {}", health["reasons"], status["connection"]);
            if words.iter().all(|word| text.contains(word)) {
                return Ok(());
            }
            Err(format!("{text}; {}", self.stage.log_text()))
        });
        let journal = self.stage.sandbox.journal();
        let came = journal
            .entries()
            .into_iter()
            .any(|entry| matches!(entry.event, Event::Http { .. }));
        assert!(!came, "no request reached the platform");
    }
}

#[test]
fn a_certificate_of_an_authority_that_ca_file_names_is_trusted_in_both_directions() {
    let mut it = Encrypted::named("127.0.0.1");
    it.trusts(&it.authority.pem());
    let daemon = it.stage.ready();
    it.works(&daemon);
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused_before_anything_is_said() {
    let it = Encrypted::named("127.0.0.1");
    let daemon = it.stage.start();
    it.fails(&daemon, &["certificate"]);
}

#[test]
fn a_certificate_for_another_name_is_refused_before_anything_is_said() {
    let mut it = Encrypted::named("other.example");
    it.trusts(&it.authority.pem());
    let daemon = it.stage.start();
    it.fails(&daemon, &["certificate"]);
}

#[test]
fn the_proxy_of_the_environment_gets_tunnels_for_rest_and_websocket_and_no_key() {
    let (mut it, proxy) = Encrypted::behind_a_proxy();
    it.stage
        .env("HTTPS_PROXY", &format!("http://{}", proxy.address()));
    let daemon = it.stage.ready();
    it.works(&daemon);
    let seen = proxy.seen();
    let wanted = format!("CONNECT {NOWHERE}:443 ");
    assert!(seen.len() >= 2, "REST and the WebSocket: {seen:?}");
    for head in seen {
        assert!(head.starts_with(&wanted), "{head}");
        assert!(!head.contains(&it.stage.setup.key), "the key is for others");
    }
}

#[test]
fn the_proxy_of_the_configuration_wins_and_its_password_stands_in_no_log() {
    let (mut it, proxy) = Encrypted::behind_a_proxy();
    it.stage.env("HTTPS_PROXY", "http://127.0.0.1:1");
    let address = format!("http://me:hunter2@{}", proxy.address());
    it.stage.env("AGENTCHATD_HTTP_PROXY", &address);
    it.stage.env("AGENTCHATD_LOG_LEVEL", "trace");
    let daemon = it.stage.ready();
    it.works(&daemon);
    let head = proxy.seen().remove(0).to_lowercase();
    // "me:hunter2" as base64.
    assert!(
        head.contains("proxy-authorization: basic bwu6ahvudgvymg=="),
        "{head}"
    );
    let log = it.stage.log_text();
    assert!(
        !log.contains("hunter2") && !log.contains("bWU6aHVudGVyMg"),
        "{log}"
    );
}

#[test]
fn no_proxy_names_hosts_that_are_reached_without_one() {
    let (mut it, proxy) = Encrypted::behind_a_proxy();
    it.stage
        .env("HTTPS_PROXY", &format!("http://{}", proxy.address()));
    it.stage.env("NO_PROXY", NOWHERE);
    let daemon = it.stage.start();
    it.fails(&daemon, &["dns error"]);
    assert_eq!(proxy.seen(), Vec::<String>::new());
}

#[test]
fn a_proxy_that_is_not_there_is_no_reason_to_go_without_it() {
    let (mut it, proxy) = Encrypted::behind_a_proxy();
    let gone = proxy.address();
    drop(proxy);
    it.stage.env("HTTPS_PROXY", &format!("http://{gone}"));
    let daemon = it.stage.start();
    it.fails(&daemon, &["(Connect)", "refused"]);
}

#[test]
fn a_ca_file_that_holds_no_certificate_stops_the_start_by_name() {
    for content in [
        "",
        "hello",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let mut it = Encrypted::named("127.0.0.1");
        let file = it.trusts(content);
        for check in [true, false] {
            let mut command = it.stage.setup.command().expect("it can be written");
            if check {
                command.arg("--check-config");
            }
            let ended = command.output().expect("it runs");
            let text = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert_eq!(ended.status.code(), Some(78), "{content:?}: {text}");
            let path = file.to_str().expect("a plain path");
            assert!(text.contains("ca_file") && text.contains(path), "{text}");
        }
    }
}

#[test]
fn a_ca_file_that_cannot_be_read_stops_the_start_by_name() {
    let mut it = Encrypted::named("127.0.0.1");
    let file = it.trusts("");
    fs::remove_file(&file).expect("it was there");
    let mut command = it.stage.setup.command().expect("it can be written");
    let ended = command.output().expect("it runs");
    let text = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(78), "{text}");
    assert!(
        text.contains("ca.pem") && text.contains("No such file"),
        "{text}"
    );
}
