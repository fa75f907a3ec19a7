//! Time stamps the way the platform's database writes them.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Microseconds since 1970, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Stamp(pub(crate) i64);

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

impl Stamp {
    /// The wall clock now.
    pub(crate) fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// A moment as clients write it: `2026-11-23T17:47:53.598Z`, or with `+hh:mm` for `Z`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_once('T')?;
        let mut parts = date.split('-').map(str::parse::<i64>);
        let (year, month, day) = (
            parts.next()?.ok()?,
            parts.next()?.ok()?,
            parts.next()?.ok()?,
        );
        let zone_at = rest.find(['Z', '+', '-'])?;
        let (clock, zone) = rest.split_at(zone_at);
        let away = match zone {
            "Z" => 0,
            _ => {
                let (h, m) = zone.get(1..)?.split_once(':')?;
                let minutes = h.parse::<i64>().ok()? * 60 + m.parse::<i64>().ok()?;
                if zone.starts_with('-') {
                    -minutes
                } else {
                    minutes
                }
            }
        };
        let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
        let mut parts = whole.split(':').map(str::parse::<i64>);
        let (h, m) = (parts.next()?.ok()?, parts.next()?.ok()?);
        let s = parts.next().unwrap_or(Ok(0)).ok()?;
        let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
        let fine = (1..=12).contains(&month) && (1..=31).contains(&day);
        let seconds = days(year, month, day) * SECONDS_PER_DAY + (h * 60 + m - away) * 60 + s;
        fine.then_some(Self(seconds * MICROS_PER_SECOND + micros))
    }

    /// Milliseconds until the next second begins.
    pub(crate) fn millis_left_of_second(self) -> i64 {
        (MICROS_PER_SECOND - self.0.rem_euclid(MICROS_PER_SECOND)).div_euclid(1_000)
    }

    /// Whole seconds, for windows of rate limits.
    pub(crate) fn second(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// The same moment cut to milliseconds, as columns written by the server process have it.
    pub(crate) fn millis(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1_000))
    }

    /// How long ago another moment was; nothing when it is still to come.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    }

    /// This moment moved on.
    pub(crate) fn after(self, by: Duration) -> Self {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// This moment moved back.
    pub(crate) fn before(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Stamp {
    /// `2026-11-23T18:15:53.74238+00:00`: trailing zeros of the fraction are dropped (wire.md 1.2).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.second();
        let micros = self.0.rem_euclid(MICROS_PER_SECOND);
        let (year, month, day) = civil(seconds.div_euclid(SECONDS_PER_DAY));
        let of_day = seconds.rem_euclid(SECONDS_PER_DAY);
        let (h, m, s) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}")?;
        if micros != 0 {
            let (mut digits, mut width) = (micros, 6);
            while digits % 10 == 0 {
                (digits, width) = (digits / 10, width - 1);
            }
            write!(f, ".{digits:0width$}")?;
        }
        f.write_str("+00:00")
    }
}

/// Year, month and day of a count of days since 1970-01-01 (proleptic Gregorian).
fn civil(days: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, so that the leap day ends a year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Days since 1970-01-01 of a day: the opposite of [`civil`].
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_come_back_from_their_text() {
        for micros in [0, 951_782_400_920_000, 1_795_457_753_742_380] {
            assert_eq!(
                Stamp::parse(&Stamp(micros).to_string()),
                Some(Stamp(micros))
            );
        }
        let noon = Stamp::parse("2026-11-23T12:00:00.5Z");
        assert_eq!(Stamp::parse("2026-11-23T14:30:00.500+02:30"), noon);
        for bad in [
            "",
            "tomorrow",
            "2026-11-23",
            "2026-13-01T00:00:00Z",
            "2026-11-23T12:00:00",
        ] {
            assert_eq!(Stamp::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn stamps_drop_trailing_zeros_of_the_fraction() {
        assert_eq!(Stamp(0).to_string(), "1970-01-01T00:00:00+00:00");
        assert_eq!(
            Stamp(951_782_400_920_000).to_string(),
            "2000-02-29T00:00:00.92+00:00"
        );
        assert_eq!(
            Stamp(1_795_457_753_742_380).to_string(),
            "2026-11-23T18:15:53.74238+00:00"
        );
    }
}
