//! Which requests are looked at: those that a browser sent to this very address, for a page of it or
//! for a person, and that only read.

use hyper::header::{HOST, HeaderName, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

/// Why a request is refused before anything is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The status.
    pub(super) status: StatusCode,
    /// What is wrong.
    pub(super) sentence: &'static str,
}

/// Lets a request pass, or says why not. `authority` is what the browser must have been told.
pub(super) fn check(request: &Parts, authority: &str) -> Result<(), Refusal> {
    // Another name that leads here is how a page elsewhere would come past the browser's own rules.
    if !is_for(request, authority) {
        return Err(Refusal {
            status: StatusCode::MISDIRECTED_REQUEST,
            sentence: "This address has another name than the one that was printed.",
        });
    }
    if !comes_from(request, authority) {
        return Err(Refusal {
            status: StatusCode::FORBIDDEN,
            sentence: "Another site asked for this page. Type the address, or paste it.",
        });
    }
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return Err(Refusal {
            status: StatusCode::METHOD_NOT_ALLOWED,
            sentence: "Here is nothing but reading.",
        });
    }
    Ok(())
}

/// Whether it names exactly this authority, once.
fn is_for(request: &Parts, authority: &str) -> bool {
    let named = request.uri.authority();
    let mut hosts = request.headers.get_all(HOST).iter();
    named.is_none_or(|named| named.as_str() == authority)
        && hosts.next().is_some_and(|host| host == authority)
        && hosts.next().is_none()
}

/// Whether what the browser tells of the asking page fits. Another port of this machine is another
/// site here, though browsers call it the same.
fn comes_from(request: &Parts, authority: &str) -> bool {
    let is_own = |origin: &[u8]| origin.strip_prefix(b"http://") == Some(authority.as_bytes());
    let mut origins = request.headers.get_all(ORIGIN).iter();
    let mut sites = request.headers.get_all(SEC_FETCH_SITE).iter();
    origins.all(|origin| is_own(origin.as_bytes()))
        && sites.all(|site| site == "same-origin" || site == "none")
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    const HERE: &str = "127.0.0.1:7000";

    fn status(method: &str, uri: &str, headers: &[(&str, &str)]) -> Option<u16> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        check(&parts, HERE)
            .err()
            .map(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn what_a_browser_sends_for_this_page_passes() {
        let host = ("host", HERE);
        assert_eq!(status("GET", "/", &[host]), None);
        assert_eq!(
            status("HEAD", "/", &[host, ("sec-fetch-site", "none")]),
            None
        );
        let own = [
            host,
            ("origin", "http://127.0.0.1:7000"),
            ("sec-fetch-site", "same-origin"),
        ];
        assert_eq!(status("GET", "/", &own), None);
        assert_eq!(status("GET", "http://127.0.0.1:7000/", &[host]), None);
    }

    #[test]
    fn every_other_name_is_refused() {
        for host in [
            "localhost:7000",
            "127.0.0.1",
            "127.0.0.1:7001",
            "127.0.0.1:7000.evil.test",
            "evil.test",
            "[::1]:7000",
            "0.0.0.0:7000",
            "127.1:7000",
            "",
        ] {
            assert_eq!(status("GET", "/", &[("host", host)]), Some(421), "{host}");
        }
        assert_eq!(status("GET", "/", &[]), Some(421));
        assert_eq!(
            status("GET", "/", &[("host", HERE), ("host", HERE)]),
            Some(421)
        );
        assert_eq!(
            status("GET", "http://evil.test/", &[("host", HERE)]),
            Some(421)
        );
    }

    #[test]
    fn every_other_site_is_refused() {
        for (name, value) in [
            ("origin", "http://evil.test"),
            ("origin", "https://127.0.0.1:7000"),
            ("origin", "http://127.0.0.1:7001"),
            ("origin", "http://localhost:7000"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "something-new"),
        ] {
            assert_eq!(
                status("GET", "/", &[("host", HERE), (name, value)]),
                Some(403),
                "{value}"
            );
        }
        let both = [
            ("host", HERE),
            ("origin", "http://127.0.0.1:7000"),
            ("origin", "null"),
        ];
        assert_eq!(status("GET", "/", &both), Some(403));
    }

    #[test]
    fn nothing_but_reading_is_let_through() {
        for method in [
            "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "FETCH",
        ] {
            assert_eq!(
                status(method, "/", &[("host", HERE)]),
                Some(405),
                "{method}"
            );
        }
    }
}
