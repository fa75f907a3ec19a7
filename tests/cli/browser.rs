//! The dashboard's other side: requests as a browser sends them, and as it never would.

use crate::ctl::{Ctl, Ran, Running};
use agentchatd_tests::http::Http;
use agentchatd_tests::stage::{SOON, Stage};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// The dashboard, running.
pub(crate) struct Served {
    run: Option<Running>,
    /// `127.0.0.1:PORT`.
    pub(crate) authority: String,
    /// The path and query of the address that works once.
    pub(crate) door: String,
}

/// A browser that was let in.
#[derive(Clone)]
pub(crate) struct Inside {
    pub(crate) authority: String,
    /// The page's folder, between slashes.
    pub(crate) folder: String,
    /// The name and value of its cookie.
    pub(crate) cookie: String,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Served {
    pub(crate) fn start(ctl: &Ctl, arguments: &[&str]) -> Self {
        let mut run = ctl.start(&[&["dashboard", "--json"], arguments].concat());
        let told: Value = serde_json::from_str(&run.line()).expect("one JSON value");
        let url = told["url"].as_str().expect("an address");
        let rest = url.strip_prefix("http://").expect("plain HTTP");
        let (authority, door) = rest.split_once('/').expect("a path");
        Self {
            run: Some(run),
            authority: authority.to_owned(),
            door: format!("/{door}"),
        }
    }

    /// Sends it a signal and waits for its end.
    pub(crate) fn end(mut self, signal: &str) -> Ran {
        let run = self.run.take().expect("it runs");
        run.signal(signal);
        run.end()
    }

    /// How much memory it holds.
    pub(crate) fn memory_kib(&self) -> u64 {
        let pid = self.run.as_ref().expect("it runs").pid();
        let text = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let count = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        count.expect("a number")
    }

    /// Opens the address, as its one browser.
    pub(crate) fn enter(&self) -> Inside {
        let answer = get(&self.authority, &self.door, &[]);
        assert_eq!(answer.status, 303, "{}", answer.body);
        let cookie = answer.header("set-cookie").expect("a cookie");
        Inside {
            authority: self.authority.clone(),
            folder: answer.header("location").expect("a place").to_owned(),
            cookie: cookie.split(';').next().expect("a pair").to_owned(),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(run) = &mut self.run {
            run.kill();
        }
    }
}

impl Inside {
    pub(crate) fn get(&self, page: &str) -> Answer {
        let target = format!("{}{page}", self.folder);
        get(&self.authority, &target, &[("cookie", &self.cookie)])
    }

    pub(crate) fn state(&self) -> Value {
        let answer = self.get("state");
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).expect("JSON")
    }
}

impl Answer {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(of, _)| *of == name).map(|(_, value)| value)
    }
}

/// One GET with the right host.
pub(crate) fn get(authority: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    let headers = [&[("host", authority)], headers].concat();
    ask(authority, "GET", target, &headers)
}

/// One request with these headers and no others, on a connection of its own.
pub(crate) fn ask(authority: &str, method: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    let mut head = format!("{method} {target} HTTP/1.1\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = connect(authority);
    stream
        .write_all((head + "\r\n").as_bytes())
        .expect("it is written");
    answer_of(stream)
}

/// What comes until the end.
fn answer_of(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an answer in time");
    let text = String::from_utf8(bytes).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head.get(9..12).and_then(|status| status.parse().ok());
    Answer {
        status: status.expect("a status"),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// A connection on which everything takes a bounded time.
pub(crate) fn connect(authority: &str) -> TcpStream {
    let stream = TcpStream::connect(authority).expect("somebody listens");
    stream.set_read_timeout(Some(SOON)).expect("a time");
    stream.set_write_timeout(Some(SOON)).expect("a time");
    stream
}

/// Which methods the daemon was asked for, and how often each.
pub(crate) fn calls(stage: &Stage) -> Vec<(String, u64)> {
    let mut http = Http::connect(&stage.setup.socket(), SOON).expect("it serves");
    let text = String::from_utf8(http.fetch("/metrics").expect("figures").body).expect("UTF-8");
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("agentchatd_rpc_calls_total{method=\""));
    lines
        .map(|line| {
            let (method, rest) = line.split_once('"').expect("a method");
            let count = rest.rsplit_once(' ').expect("a value").1;
            (method.to_owned(), count.parse().expect("a number"))
        })
        .collect()
}
