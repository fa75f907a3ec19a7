//! What there is to read, and for whom.

use std::sync::Arc;

use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, StatusCode};

use super::access::Access;
use super::answer::{self, Answer, HTML, closing};
use super::gate;
use super::look::Latest;

/// Marks answers to requests that had a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inside;

/// The server's pages.
pub(super) struct Site {
    access: Arc<Access>,
    latest: Latest,
}

impl Site {
    /// Pages about what was seen last.
    pub(super) fn new(access: Arc<Access>, latest: Latest) -> Self {
        Self { access, latest }
    }

    /// Answers one request.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (parts, body) = request.into_parts();
        if let Err(refusal) = gate::check(&parts, self.access.authority()) {
            let mut answer = answer::refusal(refusal.status, refusal.sentence);
            if refusal.status == StatusCode::METHOD_NOT_ALLOWED {
                let reading = HeaderValue::from_static("GET, HEAD");
                answer.headers_mut().insert(header::ALLOW, reading);
            }
            return closing(answer);
        }
        if !body.is_end_stream() {
            let sentence = "A request for reading has no body.";
            return closing(answer::refusal(StatusCode::PAYLOAD_TOO_LARGE, sentence));
        }
        match parts.uri.path() {
            "/" => self.door(&parts.method, parts.uri.query().unwrap_or_default()),
            // The page that refuses has it, too; it is no secret.
            "/dashboard.css" => answer::of(StatusCode::OK, "text/css; charset=utf-8", STYLE),
            "/icon.svg" => answer::of(StatusCode::OK, "image/svg+xml", ICON),
            path => {
                let below = self.access.below(path);
                let page = below.filter(|_| self.access.has_session(&parts.headers));
                match page {
                    Some(page) => {
                        let mut answer = self.inside(page).await;
                        answer.extensions_mut().insert(Inside);
                        answer
                    }
                    None => refused(),
                }
            }
        }
    }

    /// Gives a session for a token. HEAD looks at nothing and uses nothing up.
    fn door(&self, method: &Method, query: &str) -> Answer {
        if method == Method::HEAD {
            return answer::of(StatusCode::NO_CONTENT, HTML, "");
        }
        let Some(entered) = self.access.enter(query) else {
            return refused();
        };
        let mut answer = answer::of(StatusCode::SEE_OTHER, HTML, "");
        let headers = answer.headers_mut();
        for (name, value) in [
            (header::LOCATION, entered.location),
            (header::SET_COOKIE, entered.cookie),
        ] {
            // Both are letters and digits of ours; without them the page that refuses is next.
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        answer
    }

    async fn inside(&self, page: &str) -> Answer {
        match page {
            "" => answer::of(StatusCode::OK, HTML, PAGE),
            "dashboard.js" => answer::of(StatusCode::OK, "text/javascript; charset=utf-8", SCRIPT),
            "state" => answer::of(StatusCode::OK, "application/json", self.latest.get().await),
            _ => answer::refusal(StatusCode::NOT_FOUND, "There is no such page."),
        }
    }
}

/// The same for a token that was used, a wrong one and none: there is nothing to learn from it.
fn refused() -> Answer {
    answer::refusal(
        StatusCode::FORBIDDEN,
        "This address does not let you in: each one works once, in one browser.",
    )
}

const PAGE: &str = include_str!("page/index.html");
const SCRIPT: &str = include_str!("page/dashboard.js");
const STYLE: &str = include_str!("page/dashboard.css");
const ICON: &str = include_str!("page/icon.svg");
