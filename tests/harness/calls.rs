//! Calls of [`Raw`] for tests: what comes is what was asked for, or the test ends here.

use crate::raw::Raw;
use serde_json::{Value, json};

impl Raw {
    /// The result of a call.
    ///
    /// # Panics
    /// Where it is an error.
    pub fn ok(&mut self, method: &str, params: Value) -> Value {
        match self.result(method, &params) {
            Ok(result) => result,
            Err(error) => panic!("{method} {params}: {error}"),
        }
    }

    /// The error of a call, once its code is the expected one.
    ///
    /// # Panics
    /// Where it is a result or another error.
    pub fn refused(&mut self, code: i64, method: &str, params: Value) -> Value {
        match self.call(method, &params) {
            Ok(answer) if answer["error"]["code"] == code => answer["error"].clone(),
            other => panic!("{method} {params}: expected {code}, not {other:?}"),
        }
    }

    /// Writes a line and gives the next one that comes.
    ///
    /// # Panics
    /// Where none comes.
    pub fn say(&mut self, line: &str) -> Value {
        self.tell(line);
        self.hear()
    }

    /// Writes a line.
    ///
    /// # Panics
    /// Where the daemon is gone.
    pub fn tell(&mut self, line: &str) {
        let written = self.write(format!("{line}\n").as_bytes());
        written.expect("the daemon reads");
    }

    /// The next line.
    ///
    /// # Panics
    /// Where none comes.
    pub fn hear(&mut self) -> Value {
        match self.line() {
            Ok(Some(line)) => line,
            other => panic!("expected a line, not {other:?}"),
        }
    }

    /// Opens a subscription.
    ///
    /// # Panics
    /// Where it is refused.
    pub fn subscribe(&mut self, params: Value) -> Value {
        self.ok("events.subscribe", params)
    }

    /// The next notification.
    ///
    /// # Panics
    /// Where none comes.
    pub fn notice(&mut self) -> Value {
        match self.notification() {
            Ok(Some(notice)) => notice,
            other => panic!("expected a notification, not {other:?}"),
        }
    }

    /// The next event of any subscription.
    ///
    /// # Panics
    /// Where something else comes, or nothing.
    pub fn event(&mut self) -> Value {
        let notice = self.notice();
        assert_eq!(notice["method"], "events.event", "{notice}");
        notice["params"]["result"].clone()
    }

    /// So many events.
    ///
    /// # Panics
    /// As for [`Raw::event`].
    pub fn events(&mut self, count: usize) -> Vec<Value> {
        (0..count).map(|_| self.event()).collect()
    }

    /// The next events up to the first that fits.
    ///
    /// # Panics
    /// As for [`Raw::event`].
    pub fn event_where(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.event();
            if fits(&event) {
                return event;
            }
        }
    }

    /// Acknowledges all up to an offset.
    ///
    /// # Panics
    /// Where it is refused.
    pub fn ack(&mut self, consumer: &str, offset: u64) -> Value {
        self.ok(
            "events.ack",
            json!({"consumer": consumer, "offset": offset}),
        )
    }

    /// Nothing has come so far.
    ///
    /// # Panics
    /// Where something has.
    pub fn silent_now(&mut self) {
        assert!(self.notifications.is_empty(), "{:?}", self.notifications);
        match self.line_within(std::time::Duration::from_millis(1)) {
            Ok(None) => {}
            other => panic!("expected nothing, not {other:?}"),
        }
    }

    /// Nothing comes for a moment.
    ///
    /// # Panics
    /// Where something comes.
    pub fn silent(&mut self) {
        assert!(self.notifications.is_empty(), "{:?}", self.notifications);
        match self.line_within(crate::stage::NEVER) {
            Ok(None) => {}
            other => panic!("expected nothing, not {other:?}"),
        }
    }
}
