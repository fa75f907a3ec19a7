//! Lengths of time, and points in it: `500ms`, `30`, `10m`, `2026-11-23T12:00:00Z`.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agentchatd_client::types::Timestamp;

/// A length of time; a bare number is seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Duration);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong(text))?;
        let unit_ms = match unit {
            "ms" => 1,
            "" | "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong(text)),
        };
        let ms = number.checked_mul(unit_ms).ok_or_else(|| wrong(text))?;
        if ms == 0 || ms > LONGEST_MS {
            return Err(format!("{text} is not between 1ms and 365d"));
        }
        Ok(Self(Duration::from_millis(ms)))
    }
}

fn wrong(text: &str) -> String {
    format!("{text:?} is no length of time such as 500ms, 30s, 10m, 2h or 1d")
}

/// A point in time ahead: told as such, or as a length of time from now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Until {
    /// That time.
    At(Timestamp),
    /// So long from now.
    In(Time),
}

impl FromStr for Until {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match point(text) {
            Some(time) => Ok(Self::At(time)),
            None => Time::from_str(text).map(Self::In).map_err(|_| {
                format!("{text:?} is neither a time such as 2026-11-23T12:00:00Z nor 10m, 2h, 1d")
            }),
        }
    }
}

impl Until {
    /// The point itself.
    pub(crate) fn time(&self, now: SystemTime) -> Timestamp {
        match self {
            Self::At(time) => time.clone(),
            Self::In(time) => stamp(now + time.0),
        }
    }
}

/// A point in time, or a day, which is its beginning in UTC.
pub(crate) fn point(text: &str) -> Option<Timestamp> {
    Timestamp::new(text)
        .or_else(|_| Timestamp::new(format!("{text}T00:00:00Z")))
        .ok()
}

/// A time of the system as the daemon takes it.
pub(crate) fn stamp(time: SystemTime) -> Timestamp {
    let ms = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ms(i64::try_from(ms.as_millis()).unwrap_or(i64::MAX))
}

const LONGEST_MS: u64 = 365 * 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_with_their_units() {
        for (text, ms) in [
            ("500ms", 500),
            ("30", 30_000),
            ("30s", 30_000),
            ("10m", 600_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
        ] {
            assert_eq!(text.parse(), Ok(Time(Duration::from_millis(ms))), "{text}");
        }
        for text in [
            "",
            "m",
            "-1s",
            "1w",
            "0",
            "366d",
            "1 s",
            "99999999999999999d",
        ] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_point_ahead_is_a_time_a_day_or_a_length() {
        let now = UNIX_EPOCH + Duration::from_secs(60);
        let until = |text: &str| text.parse::<Until>().unwrap().time(now).to_string();
        assert_eq!(until("1m"), "1970-01-01T00:02:00.000Z");
        assert_eq!(until("2026-11-23"), "2026-11-23T00:00:00Z");
        assert_eq!(
            until("2026-11-23T12:00:00+01:00"),
            "2026-11-23T12:00:00+01:00"
        );
        assert!("soon".parse::<Until>().is_err());
    }
}
