//! What an answer of the platform means for us. The one place that classifies errors.

use crate::row::Failure;

/// What a failed read (sync, history, lists, identity) leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadVerdict {
    /// The key or the account is refused: nothing helps but another credential.
    Identity,
    /// The conversation is closed to us: unknown, left, kicked or deleted (`wire.md` 11.57, 11.62).
    Gone,
    /// Worth another try, not before this many milliseconds.
    Retry {
        /// The server's wish, clamped to at least a second where it gave one.
        after_ms: u64,
    },
}

/// What a failed attempt of a send leads to (`wire.md` 6, `local-api.md` `messages.send`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendVerdict {
    /// Try again. `landed_possible`: the attempt may have reached the platform all the same.
    Retry {
        /// Not before this many milliseconds; `None`: the usual backoff.
        after_ms: Option<u64>,
        /// True where no answer was read although the request may have been executed.
        landed_possible: bool,
        /// True for a plain 500, which some content meets for ever (`wire.md` 11.51).
        poison_possible: bool,
    },
    /// A rule refuses this send; another attempt would meet the same answer.
    Refused,
    /// The key or the account is refused: the send waits for another credential.
    Identity,
}

/// Classifies a failed read.
pub fn read_verdict(failure: &Failure) -> ReadVerdict {
    match failure {
        Failure::Network { .. } | Failure::Shape { .. } => ReadVerdict::Retry { after_ms: 0 },
        Failure::Status {
            status,
            code,
            retry_after_ms,
        } => {
            let code = code.as_deref();
            if is_identity(*status, code) {
                return ReadVerdict::Identity;
            }
            match status {
                // Without a code something in between answered: it knows no conversations.
                403 | 404 | 410 if code.is_some() => ReadVerdict::Gone,
                _ => ReadVerdict::Retry {
                    after_ms: retry_after_ms.map_or(0, |ms| ms.max(MIN_RETRY_AFTER_MS)),
                },
            }
        }
    }
}

/// Classifies a failed attempt of a send.
pub fn send_verdict(failure: &Failure) -> SendVerdict {
    match failure {
        Failure::Network { unsent, .. } => SendVerdict::Retry {
            after_ms: None,
            landed_possible: !unsent,
            poison_possible: false,
        },
        // A 2xx that cannot be read: the message is there, its row is not known.
        Failure::Shape { .. } => SendVerdict::Retry {
            after_ms: None,
            landed_possible: true,
            poison_possible: false,
        },
        Failure::Status {
            status,
            code,
            retry_after_ms,
        } => {
            let code = code.as_deref();
            if matches!(code, Some("RECIPIENT_BACKLOGGED" | "AWAITING_REPLY")) {
                return SendVerdict::Refused;
            }
            if is_identity(*status, code) {
                return SendVerdict::Identity;
            }
            let after_ms = retry_after_ms.map(|ms| ms.max(MIN_RETRY_AFTER_MS));
            match status {
                408 | 500 | 502 | 503 | 504 => SendVerdict::Retry {
                    after_ms,
                    landed_possible: true,
                    poison_possible: *status == 500,
                },
                425 | 429 => SendVerdict::Retry {
                    after_ms,
                    landed_possible: false,
                    poison_possible: false,
                },
                _ => SendVerdict::Refused,
            }
        }
    }
}

/// Whether a failed attempt of a send may have met the limit a second, and whether it told a time.
/// That limit tells a second, or less (`wire.md` 1.6); what tells more is about something else.
pub(crate) fn limit_per_second(failure: &Failure) -> Option<bool> {
    match failure {
        Failure::Status {
            status: 429,
            retry_after_ms,
            ..
        } if matches!(send_verdict(failure), SendVerdict::Retry { .. }) => {
            let is_short = retry_after_ms.is_none_or(|ms| ms <= 2 * MIN_RETRY_AFTER_MS);
            is_short.then_some(retry_after_ms.is_some())
        }
        _ => None,
    }
}

/// What a close of the socket means (`wire.md` 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseVerdict {
    /// Dial again after the backoff.
    Reconnect,
    /// The key or the account is refused.
    Refused,
}

/// Classifies a close. A close that we sent ourselves refuses nothing (`wire.md` 11.5).
pub fn close_verdict(code: Option<u16>, by_us: bool) -> CloseVerdict {
    match code {
        Some(1008 | 4401 | 4403) if !by_us => CloseVerdict::Refused,
        _ => CloseVerdict::Reconnect,
    }
}

/// True where a failure says that the key or the account is refused.
pub(crate) fn is_refusal_of_key(failure: &Failure) -> bool {
    matches!(read_verdict(failure), ReadVerdict::Identity)
}

fn is_identity(status: u16, code: Option<&str>) -> bool {
    status == 401
        || matches!(
            code,
            Some("UNAUTHORIZED" | "INVALID_API_KEY" | "SUSPENDED" | "AGENT_SUSPENDED")
        )
}

/// A Retry-After of 0 or less counts as a second (`wire.md` 11.58).
pub const MIN_RETRY_AFTER_MS: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, code: &str, retry_after_ms: Option<u64>) -> Failure {
        let code = (!code.is_empty()).then(|| code.into());
        Failure::Status {
            status,
            code,
            retry_after_ms,
        }
    }

    #[test]
    fn pitfall_29_only_a_401_or_a_suspension_concerns_the_identity() {
        assert_eq!(send_verdict(&status(401, "", None)), SendVerdict::Identity);
        assert_eq!(
            send_verdict(&status(403, "SUSPENDED", None)),
            SendVerdict::Identity
        );
        assert_eq!(
            send_verdict(&status(403, "BLOCKED", None)),
            SendVerdict::Refused
        );
        assert_eq!(
            read_verdict(&status(403, "AGENT_SUSPENDED", None)),
            ReadVerdict::Identity
        );
        assert_eq!(
            read_verdict(&status(403, "FORBIDDEN", None)),
            ReadVerdict::Gone
        );
    }

    #[test]
    fn pitfall_31_backlogged_and_awaiting_reply_are_final_whatever_their_status() {
        for code in ["RECIPIENT_BACKLOGGED", "AWAITING_REPLY"] {
            for number in [400, 403, 429, 500, 503] {
                assert_eq!(
                    send_verdict(&status(number, code, Some(5))),
                    SendVerdict::Refused
                );
            }
        }
    }

    #[test]
    fn pitfall_58_a_retry_after_of_zero_counts_as_a_second() {
        let SendVerdict::Retry { after_ms, .. } =
            send_verdict(&status(429, "RATE_LIMITED", Some(0)))
        else {
            panic!("a burst limit is worth another try");
        };
        assert_eq!(after_ms, Some(1_000));
    }

    #[test]
    fn pitfall_62_an_unknown_route_is_not_a_conversation_that_is_gone() {
        assert_eq!(
            read_verdict(&status(404, "", None)),
            ReadVerdict::Retry { after_ms: 0 }
        );
        assert_eq!(
            read_verdict(&status(403, "", None)),
            ReadVerdict::Retry { after_ms: 0 },
            "a proxy's refusal"
        );
        assert_eq!(
            read_verdict(&status(404, "GROUP_NOT_FOUND", None)),
            ReadVerdict::Gone
        );
    }

    #[test]
    fn pitfall_05_our_own_1008_is_no_refusal() {
        assert_eq!(close_verdict(Some(1008), true), CloseVerdict::Reconnect);
        assert_eq!(close_verdict(Some(1008), false), CloseVerdict::Refused);
        assert_eq!(close_verdict(Some(1013), false), CloseVerdict::Reconnect);
        assert_eq!(close_verdict(None, false), CloseVerdict::Reconnect);
    }
}
