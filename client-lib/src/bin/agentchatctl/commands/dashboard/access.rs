//! Who may look: an address that lets one browser in once, and the session that it opens.
//!
//! The address's token is given back for a cookie. Browsers keep cookies by host and not by port, so
//! they send one of `127.0.0.1` to whatever else listens there, of whatever user. So the page stands
//! under a path of its own that cannot be guessed, and the cookie goes nowhere else.

use std::sync::{Mutex, PoisonError};

use hyper::HeaderMap;
use hyper::header::COOKIE;

use super::secret::Secret;

/// The one address and the one session of a run.
pub(super) struct Access {
    authority: String,
    token: Mutex<Option<Secret>>,
    folder: Secret,
    session: Secret,
}

impl Access {
    /// For a server at this authority, `127.0.0.1:PORT`.
    pub(super) fn new(authority: String) -> Result<Self, getrandom::Error> {
        Ok(Self {
            authority,
            token: Mutex::new(Some(Secret::new()?)),
            folder: Secret::new()?,
            session: Secret::new()?,
        })
    }

    /// Where the server listens.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// The address that works once; none when it has been used.
    pub(super) fn address(&self) -> Option<String> {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        let token = token.as_ref()?.text();
        Some(format!("http://{}/?{TOKEN}={token}", self.authority))
    }

    /// Takes the token of an address. With the right one the caller is in, and the token is used up; a
    /// wrong one changes nothing.
    pub(super) fn enter(&self, query: &str) -> Option<Entered> {
        let guess = query.strip_prefix(TOKEN)?.strip_prefix('=')?;
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if !token.as_ref()?.is(guess) {
            return None;
        }
        *token = None;
        Some(Entered {
            location: self.folder(),
            cookie: format!(
                "{COOKIE_NAME}={}; Path={}; HttpOnly; SameSite=Strict",
                self.session.text(),
                self.folder()
            ),
        })
    }

    /// The rest of a path below the page's own folder.
    pub(super) fn below<'p>(&self, path: &'p str) -> Option<&'p str> {
        let (folder, rest) = path.strip_prefix('/')?.split_once('/')?;
        self.folder.is(folder).then_some(rest)
    }

    /// Whether a request has the session's cookie.
    pub(super) fn has_session(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(COOKIE).iter();
        let pairs = cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'));
        let mut found = false;
        for pair in pairs {
            if let Some((COOKIE_NAME, guess)) = pair.trim().split_once('=') {
                found |= self.session.is(guess);
            }
        }
        found
    }

    fn folder(&self) -> String {
        format!("/{}/", self.folder.text())
    }
}

/// What a browser gets for its token.
pub(super) struct Entered {
    /// The page.
    pub(super) location: String,
    /// The `Set-Cookie` of the session.
    pub(super) cookie: String,
}

const TOKEN: &str = "token";
const COOKIE_NAME: &str = "agentchatd_dashboard";

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        Access::new("127.0.0.1:7000".to_owned()).unwrap()
    }

    fn query(access: &Access) -> String {
        let address = access.address().unwrap();
        address.split_once('?').unwrap().1.to_owned()
    }

    #[test]
    fn a_token_works_once_and_a_wrong_one_does_not_use_it_up() {
        let access = access();
        let query = query(&access);
        for wrong in [
            "",
            "token",
            "token=",
            "token=0",
            &query[..69],
            &format!("x{query}"),
        ] {
            assert!(access.enter(wrong).is_none(), "{wrong}");
        }
        assert!(access.enter(&query).is_some());
        assert!(access.enter(&query).is_none());
        assert_eq!(access.address(), None);
    }

    #[test]
    fn the_cookie_goes_to_the_page_alone_and_no_script_sees_it() {
        let access = access();
        let entered = access.enter(&query(&access)).unwrap();
        let mut parts = entered.cookie.split("; ");
        let pair = parts.next().unwrap().to_owned();
        let rest: Vec<_> = parts.collect();
        let path = format!("Path={}", entered.location);
        assert_eq!(rest, [path.as_str(), "HttpOnly", "SameSite=Strict"]);
        assert_eq!(
            access.below(&format!("{}state", entered.location)),
            Some("state")
        );
        assert_eq!(access.below("/state"), None);
        assert_eq!(access.below("/0/state"), None);

        let session = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, value.parse().unwrap());
            access.has_session(&headers)
        };
        assert!(session(&pair));
        assert!(session(&format!("a=b; {pair}; c")));
        assert!(!session(&pair[..pair.len() - 1]));
        assert!(!session(&pair.replace("agentchatd", "other")));
        assert!(!access.has_session(&HeaderMap::new()));
    }
}
