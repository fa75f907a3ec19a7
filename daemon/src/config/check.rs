//! Rules that hold between several values, or between a value and this machine.

use super::access::{AccessRules, Principal};
use super::accounts::Accounts;
use super::load::Loaded;
use super::problem::{Origin, Problem};

/// Looks at values that only make sense together; problems are added to those in `loaded`.
pub(super) fn check_together(loaded: &mut Loaded) {
    let config = &loaded.config;
    let mut found = Vec::new();
    if config.agent.base_url.is_exposed() && !config.agent.allow_insecure {
        found.push((
            ["agent.base_url", "agent.allow_insecure"],
            "plain http would send the key in the clear; allowed: https, http for loopback, \
             or any http with allow_insecure = true"
                .to_owned(),
        ));
    }
    if config.realtime.backoff_min > config.realtime.backoff_max {
        found.push((
            ["realtime.backoff_min_ms", "realtime.backoff_max_ms"],
            format!(
                "must not be above realtime.backoff_max_ms, which is {}",
                config.realtime.backoff_max.as_millis()
            ),
        ));
    }
    if config.http.base_delay > config.http.max_delay {
        found.push((
            ["http.base_delay_ms", "http.max_delay_ms"],
            format!(
                "must not be above http.max_delay_ms, which is {}",
                config.http.max_delay.as_millis()
            ),
        ));
    }
    for ([key, other], text) in found {
        // Where only the other value was set, its place is the one to show.
        let origin = match loaded.origins.of(key) {
            Origin::Default => loaded.origins.of(other),
            origin => origin,
        };
        loaded.problems.push(Problem::new(origin, key, text));
    }
}

/// Turns the names of `[access]` into ids; names that do not exist become problems.
pub(super) fn check_access(loaded: &mut Loaded, accounts: &dyn Accounts) -> AccessRules {
    let mut problems = Vec::new();
    let mut resolve = |key: &str, names: &[String]| -> Vec<Principal> {
        let mut principals = Vec::new();
        for name in names {
            match Principal::parse(name, accounts) {
                Ok(principal) => principals.push(principal),
                Err(words) => {
                    let origin = loaded.origins.of(key);
                    problems.push(Problem::new(origin, key, words.to_string()));
                }
            }
        }
        principals
    };
    let access = &loaded.config.access;
    let rules = AccessRules {
        admin: resolve("access.admin", &access.admin),
        send: resolve("access.send", &access.send),
        read: resolve("access.read", &access.read),
    };
    loaded.problems.extend(problems);
    rules
}
