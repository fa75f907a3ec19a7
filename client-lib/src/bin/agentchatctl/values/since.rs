//! Where to begin in the log: `earliest`, `now`, an offset, a time, or so long ago.

use std::str::FromStr;
use std::time::SystemTime;

use agentchatd_client::types::{Start, Timestamp};

use super::time::{Time, point, stamp};

/// A place in the log as a person names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Since {
    /// What comes from now on.
    Now,
    /// The first event that is kept.
    Earliest,
    /// This offset.
    Offset(u64),
    /// This time.
    Time(Timestamp),
    /// So long ago.
    Ago(Time),
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "now" => return Ok(Self::Now),
            "earliest" => return Ok(Self::Earliest),
            _ => {}
        }
        if let Ok(offset) = text.parse() {
            return Ok(Self::Offset(offset));
        }
        if let Some(time) = point(text) {
            return Ok(Self::Time(time));
        }
        Time::from_str(text).map(Self::Ago).map_err(|_| {
            format!(
                "{text:?} is none of `earliest`, `now`, an offset (42), a time \
                 (2026-11-23T12:00:00Z) and a length of time (10m, 2h, 1d)"
            )
        })
    }
}

impl Since {
    /// The same as the daemon takes it.
    pub(crate) fn start(&self, now: SystemTime) -> Start {
        match self {
            Self::Now => Start::Now,
            Self::Earliest => Start::Earliest,
            Self::Offset(offset) => Start::Offset(*offset),
            Self::Time(time) => Start::Time(time.clone()),
            Self::Ago(time) => Start::Time(stamp(now.checked_sub(time.0).unwrap_or(now))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn every_way_to_name_a_place_is_told_apart() {
        let now = UNIX_EPOCH + Duration::from_secs(3600);
        let start = |text: &str| {
            let since: Since = text.parse().unwrap();
            serde_json::to_string(&since.start(now)).unwrap()
        };
        assert_eq!(start("now"), r#""now""#);
        assert_eq!(start("earliest"), r#""earliest""#);
        assert_eq!(start("42"), r#"{"offset":42}"#);
        assert_eq!(start("10m"), r#"{"time":"1970-01-01T00:50:00.000Z"}"#);
        assert_eq!(start("2026-11-23"), r#"{"time":"2026-11-23T00:00:00Z"}"#);
        assert!("yesterday".parse::<Since>().is_err());
    }
}
