//! Points in time as RFC 3339 text. Only what the protocol needs: check, to and from milliseconds.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// The text is no RFC 3339 time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidTime;

impl fmt::Display for InvalidTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a time as in RFC 3339, such as 2026-11-23T12:00:00.123Z")
    }
}

impl std::error::Error for InvalidTime {}

/// A point in time, kept as the text in which it came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline, extend("format" = "date-time")))]
#[serde(transparent)]
pub struct Timestamp(String);

impl Timestamp {
    /// Takes the text if it is a time with an offset from UTC.
    ///
    /// # Errors
    /// Where it is not.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidTime> {
        let text = text.into();
        unix_ms(&text).map(|_| Self(text)).ok_or(InvalidTime)
    }

    /// The time so many milliseconds after 1970, in UTC; times outside of the years 0 to 9999 are
    /// moved to the nearest end.
    pub fn from_unix_ms(ms: i64) -> Self {
        let ms = ms.clamp(YEAR_0_MS, YEAR_9999_MS);
        let (days, in_day) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute) = (in_day / HOUR_MS, in_day / MINUTE_MS % 60);
        let (second, milli) = (in_day / 1_000 % 60, in_day % 1_000);
        Self(format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"
        ))
    }

    /// Milliseconds since 1970; finer parts are cut off, a leap second counts as the one before it.
    pub fn unix_ms(&self) -> i64 {
        unix_ms(&self.0).unwrap_or_default()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn unix_ms(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let year = digits(bytes.get(0..4)?)?;
    let month = digits(bytes.get(5..7)?)?;
    let day = digits(bytes.get(8..10)?)?;
    let hour = digits(bytes.get(11..13)?)?;
    let minute = digits(bytes.get(14..16)?)?;
    let second = digits(bytes.get(17..19)?)?;
    let marks = bytes[4] == b'-'
        && bytes[7] == b'-'
        && matches!(bytes[10], b'T' | b't' | b' ')
        && bytes[13] == b':'
        && bytes[16] == b':';
    let in_range = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !marks || !in_range {
        return None;
    }
    let (milli, rest) = fraction(bytes.get(19..)?)?;
    let offset = offset_minutes(rest)?;
    let in_day = hour * HOUR_MS + minute * MINUTE_MS + second.min(59) * 1_000 + milli;
    Some(days_from_civil(year, month, day) * DAY_MS + in_day - offset * MINUTE_MS)
}

/// Splits `.123456Z` into 123 and `Z`.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some(tail) = bytes.strip_prefix(b".") else {
        return Some((0, bytes));
    };
    let len = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (figures, rest) = tail.split_at(len);
    if figures.is_empty() {
        return None;
    }
    let milli = (0..3).fold(0, |sum, place| {
        sum * 10 + figures.get(place).map_or(0, |byte| i64::from(byte - b'0'))
    });
    Some((milli, rest))
}

/// `Z` or `+hh:mm` in minutes.
fn offset_minutes(bytes: &[u8]) -> Option<i64> {
    match bytes {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let total = hours * 60 + minutes;
            Some(if *sign == b'-' { -total } else { total })
        }
        _ => None,
    }
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + i64::from(byte - b'0'))
    })
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01, counted in years that begin on the first of March, so that the leap day
/// is the last of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_IN_ERA + day_of_era - DAYS_BEFORE_1970
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_BEFORE_1970;
    let era = days.div_euclid(DAYS_IN_ERA);
    let day_of_era = days.rem_euclid(DAYS_IN_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Days in 400 years.
const DAYS_IN_ERA: i64 = 146_097;
/// From 0000-03-01 to 1970-01-01.
const DAYS_BEFORE_1970: i64 = 719_468;
const YEAR_0_MS: i64 = -62_167_219_200_000;
const YEAR_9999_MS: i64 = 253_402_300_799_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_to_milliseconds_and_back() {
        for (text, ms) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2026-11-23T12:00:00.123Z", 1_795_435_200_123),
            ("2000-02-29T23:59:59.999Z", 951_868_799_999),
            ("1969-12-31T23:59:59.999Z", -1),
        ] {
            assert_eq!(Timestamp::new(text).unwrap().unix_ms(), ms, "{text}");
            assert_eq!(Timestamp::from_unix_ms(ms).as_str(), text);
        }
    }

    #[test]
    fn every_day_of_eight_hundred_years_survives_the_round_trip() {
        for day in -146_097..146_097 {
            let (year, month, date) = civil_from_days(day);
            assert_eq!(days_from_civil(year, month, date), day);
            assert!((1..=days_in_month(year, month)).contains(&date));
        }
    }

    #[test]
    fn offsets_and_fractions_of_any_length_are_read() {
        let utc = Timestamp::new("2026-07-01T10:00:00Z").unwrap().unix_ms();
        assert_eq!(
            Timestamp::new("2026-07-01T12:30:00+02:30")
                .unwrap()
                .unix_ms(),
            utc
        );
        assert_eq!(
            Timestamp::new("2026-07-01T10:00:00.123456+00:00")
                .unwrap()
                .unix_ms(),
            utc + 123
        );
        assert_eq!(
            Timestamp::new("2026-07-01t10:00:00.5z").unwrap().unix_ms(),
            utc + 500
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "yesterday",
            "2026-11-23",
            "2026-11-23T12:00:00",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T12:00:00.Z",
            "2026-11-23T12:00:00+0200",
            "2026-11-23T12:00:00Zx",
            "２026-11-23T12:00:00Z",
        ] {
            assert_eq!(Timestamp::new(text), Err(InvalidTime), "{text}");
        }
    }

    #[test]
    fn times_beyond_four_digit_years_stop_at_the_ends() {
        assert_eq!(
            Timestamp::from_unix_ms(i64::MAX).as_str(),
            "9999-12-31T23:59:59.999Z"
        );
        assert_eq!(
            Timestamp::from_unix_ms(i64::MIN).as_str(),
            "0000-01-01T00:00:00.000Z"
        );
    }
}
