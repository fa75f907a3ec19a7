//! One-time codes: what waits for one, and how often they are asked for and guessed (wire.md 1.4).
//! No mail is sent; the code is always [`CODE`].

use super::answer::Answer;
use super::limits::{Bound, Windows};
use super::model::{AgentNo, Platform};
use super::time::Stamp;
use super::validate::{Problems, object};
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;

/// The code that every one-time mail would hold.
pub(crate) const CODE: &str = "123456";
/// How long a pending id is good.
const LIFE: Duration = Duration::from_secs(600);
/// The wrong code that ends it.
const ATTEMPTS: u32 = 5;
/// Between two codes to one address.
const COOLDOWN: Bound = Bound {
    count: 1,
    within: Duration::from_secs(60),
};
/// Codes to one address.
const HOURLY: Bound = Bound {
    count: 20,
    within: Duration::from_secs(3_600),
};

/// What a one-time code will finish.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    Register {
        email: String,
        handle: String,
        display_name: Option<String>,
        description: Option<String>,
    },
    /// The accounts that may get a new key; none for an address that nobody has.
    Recover {
        accounts: Vec<AgentNo>,
    },
    Rotate {
        agent: AgentNo,
    },
}

#[derive(Debug)]
struct Pending {
    purpose: Purpose,
    email: String,
    issued: Stamp,
    wrong: u32,
}

/// All codes under way.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    pending: HashMap<String, Pending>,
    cooldown: Windows,
    hourly: Windows,
}

/// Why no code is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NoCode {
    Cooldown(Duration),
    HourlyCap(Duration),
}

impl From<NoCode> for Answer {
    fn from(no: NoCode) -> Self {
        let (code, text, left) = match no {
            NoCode::Cooldown(left) => ("OTP_COOLDOWN", "A code was sent a moment ago", left),
            NoCode::HourlyCap(left) => ("OTP_HOURLY_CAP", "Too many codes for this address", left),
        };
        let seconds = left.as_millis().div_ceil(1_000);
        Self::error(429, code, text).with_header("retry-after", seconds.to_string())
    }
}

impl Platform {
    /// Sends a code to an address; the pending id.
    pub(crate) fn issue(
        &mut self,
        email: &str,
        purpose: Purpose,
        now: Stamp,
    ) -> Result<String, NoCode> {
        if self.rules.code_caps {
            let codes = &mut self.codes;
            if let Some(left) = codes.cooldown.is_full(email, COOLDOWN, now) {
                return Err(NoCode::Cooldown(left));
            }
            let counted = codes.hourly.count(email, HOURLY, now);
            counted.map_err(NoCode::HourlyCap)?;
            let _was_not_full = codes.cooldown.count(email, COOLDOWN, now);
        }
        Ok(self.pend(email, purpose, now))
    }

    /// A pending id without a mail.
    pub(crate) fn pend(&mut self, email: &str, purpose: Purpose, now: Stamp) -> String {
        let id = self.ids.mint("pnd");
        let pending = Pending {
            purpose,
            email: email.to_owned(),
            issued: now,
            wrong: 0,
        };
        self.codes.pending.insert(id.clone(), pending);
        id
    }

    /// The youngest recovery of an address that still waits for its code.
    pub(crate) fn recovery_of(&self, email: &str, now: Stamp) -> Option<String> {
        let waiting = self.codes.pending.iter().filter(|(_, pending)| {
            matches!(pending.purpose, Purpose::Recover { .. })
                && pending.email == email
                && now.since(pending.issued) < LIFE
        });
        waiting
            .max_by_key(|(_, pending)| pending.issued)
            .map(|(id, _)| id.clone())
    }

    /// Takes a code for what `fits`. Wrong ones are counted; a right one uses the pending id up.
    pub(crate) fn confirm(
        &mut self,
        body: &[u8],
        now: Stamp,
        fits: impl Fn(&Purpose) -> bool,
    ) -> Result<Purpose, Answer> {
        let map = object(body)?;
        let mut problems = Problems::default();
        let id = problems.text(&map, "pending_id", 0..=usize::MAX);
        let code = problems.text(&map, "code", CODE.len()..=CODE.len());
        problems.finish()?;
        let id = id.unwrap_or_default();
        let waiting = self.codes.pending.get_mut(&id);
        let Some(pending) = waiting
            .filter(|pending| now.since(pending.issued) < LIFE)
            .filter(|pending| fits(&pending.purpose))
        else {
            return Err(Answer::error(400, "EXPIRED", "Unknown or expired code"));
        };
        let nobody =
            matches!(&pending.purpose, Purpose::Recover { accounts } if accounts.is_empty());
        if code.as_deref() == Some(CODE) && !nobody {
            let purpose = pending.purpose.clone();
            self.codes.pending.remove(&id);
            return Ok(purpose);
        }
        pending.wrong += 1;
        if pending.wrong < ATTEMPTS {
            return Err(Answer::error(400, "INVALID_CODE", "Wrong code"));
        }
        self.codes.pending.remove(&id);
        let text = "Too many wrong codes";
        Err(Answer::error(429, "OTP_ATTEMPTS_EXHAUSTED", text))
    }
}

/// 200 with a pending id.
pub(crate) fn sent(id: &str) -> Answer {
    Answer::value(
        200,
        &json!({ "pending_id": id, "message": "A code was sent" }),
    )
}
