//! `dashboard`: who gets to see it.

use crate::browser::{Answer, Served, ask, calls, get};
use crate::ctl::Ctl;
use crate::stage;
use agentchatd_tests::stage::until;
use serde_json::json;
use std::collections::BTreeSet;

#[test]
fn an_address_lets_one_browser_in_once() {
    let stage = stage();
    let _daemon = stage.ready();
    let served = Served::start(&Ctl::new(&stage), &[]);
    let at = &served.authority;
    assert!(at.starts_with("127.0.0.1:"), "{at}");
    let token = served.door.strip_prefix("/?token=").expect("a token");
    assert!(token.len() >= 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let refused = |answer: &Answer| {
        assert_eq!(answer.status, 403, "{}", answer.body);
        assert!(
            answer.body.contains("agentchatctl dashboard"),
            "{}",
            answer.body
        );
        assert_eq!(answer.header("set-cookie"), None);
    };
    // None of these is let in, and none uses the address up.
    let shorter = &served.door[..served.door.len() - 1];
    for target in [
        "/",
        "/?token=",
        "/?token=0",
        shorter,
        "/state",
        "/dashboard.js",
        "/x/state",
    ] {
        refused(&get(at, target, &[]));
    }
    let head = ask(at, "HEAD", &served.door, &[("host", at)]);
    assert_eq!((head.status, head.header("set-cookie")), (204, None));

    let entered = get(at, &served.door, &[]);
    assert_eq!(entered.status, 303);
    let folder = entered.header("location").expect("a place").to_owned();
    let cookie = entered.header("set-cookie").expect("a cookie").to_owned();
    let attributes: Vec<_> = cookie.split("; ").skip(1).collect();
    assert_eq!(
        attributes,
        [&format!("Path={folder}"), "HttpOnly", "SameSite=Strict"]
    );
    assert!(!folder.contains(token) && !cookie.contains(token));
    refused(&get(at, &served.door, &[]));
    // Neither half of what the browser was given is enough.
    let pair = cookie.split(';').next().expect("a pair");
    let state = format!("{folder}state");
    refused(&get(at, &state, &[]));
    refused(&get(at, &state, &[("cookie", &pair.replace('=', "=0"))]));
    refused(&get(at, "/state", &[("cookie", pair)]));
    refused(&get(at, "/0000/state", &[("cookie", pair)]));
    assert_eq!(get(at, &state, &[("cookie", pair)]).status, 200);
}

#[test]
fn each_header_that_does_not_fit_is_refused() {
    let stage = stage();
    let _daemon = stage.ready();
    let served = Served::start(&Ctl::new(&stage), &[]);
    let inside = served.enter();
    let at = inside.authority.as_str();
    let port = at.rsplit_once(':').expect("a port").1;
    let origin = format!("http://{at}");
    let target = format!("{}state", inside.folder);
    // What a browser sends; each line of it is replaced in turn.
    let right = [
        ("host", at),
        ("cookie", &inside.cookie),
        ("origin", &origin),
        ("sec-fetch-site", "same-origin"),
    ];
    let status = |headers: &[(&str, &str)]| ask(at, "GET", &target, headers).status;
    assert_eq!(status(&right), 200);
    for (name, value, expected) in [
        ("host", "evil.test", 421),
        ("host", "127.0.0.1", 421),
        ("host", &format!("localhost:{port}"), 421),
        ("host", &format!("{at}.evil.test"), 421),
        ("origin", "http://evil.test", 403),
        ("origin", "null", 403),
        ("origin", &format!("https://{at}"), 403),
        ("origin", "http://127.0.0.1:1", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("cookie", "agentchatd_dashboard=0", 403),
    ] {
        let broken = right.map(|(of, was)| (of, if of == name { value } else { was }));
        assert_eq!(status(&broken), expected, "{name}: {value}");
    }
    assert_eq!(status(&right[1..]), 421, "no host");
    assert_eq!(
        status(&[&right[..], &[("host", at)]].concat()),
        421,
        "two hosts"
    );
    // The token of another site's link is not even looked at.
    let other = Served::start(&Ctl::new(&stage), &[]);
    let cross = [
        ("host", other.authority.as_str()),
        ("sec-fetch-site", "cross-site"),
    ];
    assert_eq!(
        ask(&other.authority, "GET", &other.door, &cross).status,
        403
    );
    other.enter();
}

#[test]
fn nothing_but_reading_is_answered() {
    let stage = stage();
    let daemon = stage.ready();
    let served = Served::start(&Ctl::new(&stage), &[]);
    let inside = served.enter();
    let at = inside.authority.as_str();
    let headers = [("host", at), ("cookie", inside.cookie.as_str())];
    for method in [
        "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FETCH",
    ] {
        for page in ["", "state"] {
            let answer = ask(at, method, &format!("{}{page}", inside.folder), &headers);
            assert_eq!(answer.status, 405, "{method} {page}");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
    }
    let head = ask(at, "HEAD", &inside.folder, &headers);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let length = [&headers[..], &[("content-length", "2")]].concat();
    assert_eq!(ask(at, "GET", &inside.folder, &length).status, 413);

    // And whoever looks has the daemon asked for nothing but reading, too, whatever there is to see.
    stage.bob_says("hello");
    let lost = json!({"to": "nobody.at.all", "text": "lost"});
    let refused = stage.connect(&daemon).call("messages.send", &lost);
    assert!(refused.expect("an answer").get("error").is_some());
    until("a message and a failed one are seen", || {
        let state = inside.state();
        let seen = |kind: &str| {
            let messages = state["messages"].as_array().into_iter().flatten();
            messages.filter(|message| message["kind"] == kind).count()
        };
        match (
            seen("message.new"),
            state["outbox"]["entries"][0]["state"].as_str(),
        ) {
            (1, Some("failed")) => Ok(()),
            _ => Err(state.to_string()),
        }
    });
    let asked: BTreeSet<String> = calls(&stage)
        .into_iter()
        .map(|(method, _)| method)
        .collect();
    let asked: Vec<&str> = asked
        .iter()
        .map(String::as_str)
        .filter(|of| *of != "daemon.version")
        .collect();
    let only = [
        "consumers.list",
        "daemon.health",
        "daemon.status",
        "events.fetch",
        "outbox.list",
    ];
    let asked: Vec<&str> = asked
        .into_iter()
        .filter(|of| *of != "messages.send")
        .collect();
    assert_eq!(asked, only);
    for method in only {
        let known = agentchatd_client::api::method(method).expect("a method");
        assert_eq!(known.scope, agentchatd_client::Scope::Read, "{method}");
    }
}

#[test]
fn every_answer_has_the_headers_that_hold_a_browser_back() {
    let stage = stage();
    let _daemon = stage.ready();
    let served = Served::start(&Ctl::new(&stage), &[]);
    let at = served.authority.as_str();
    let refused = get(at, "/", &[]);
    let entered = get(at, &served.door, &[]);
    let cookie = entered
        .header("set-cookie")
        .and_then(|cookie| cookie.split(';').next());
    let cookie = [("cookie", cookie.expect("a cookie"))];
    let folder = entered.header("location").expect("a place").to_owned();
    let page = |name: &str| get(at, &format!("{folder}{name}"), &cookie);
    for (name, answer) in [
        ("a refusal", refused),
        ("the page", page("")),
        ("its script", page("dashboard.js")),
        ("its style", get(at, "/dashboard.css", &[])),
        ("the state", page("state")),
        ("nothing", page("nothing")),
        ("another method", ask(at, "POST", "/", &[("host", at)])),
        (
            "another host",
            ask(at, "GET", "/", &[("host", "evil.test")]),
        ),
        ("the way in", entered),
    ] {
        for (header, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(header), Some(value), "{name}: {header}");
        }
        let policy = answer.header("content-security-policy").expect(name);
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(
                policy.split("; ").any(|part| part == rule),
                "{name}: {rule} in {policy}"
            );
        }
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}
