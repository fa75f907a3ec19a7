//! How long the platform is trusted to know a `client_msg_id` again.
//!
//! A send that may have landed is made again under the same id, and the platform answers with the
//! first message. But it keeps ids by the month (`wire.md` 5.1), so that a second attempt in the
//! next month would be a second message; and how long it keeps them within one is not promised.
//! Past that window the entry is looked for in history before it is tried again: what is found
//! has been sent, what surely is not there is tried, and where history proves nothing the entry
//! ends as `unknown`.

/// True where an attempt at `now_us` may be out of reach of one that was made since `accepted_us`;
/// microseconds since the epoch, of our clock.
pub(crate) fn is_past(accepted_us: i64, now_us: i64) -> bool {
    let is_long = now_us.saturating_sub(accepted_us) > SAFE_US;
    let earliest = accepted_us.saturating_sub(CLOCKS_DIFFER_US);
    let latest = now_us.saturating_add(CLOCKS_DIFFER_US);
    is_long || month(earliest) != month(latest)
}

/// Months since the beginning of year 0, UTC (after Howard Hinnant's `civil_from_days`).
fn month(at_us: i64) -> i64 {
    // Counted from 1 March of year 0, so that the leap day is a year's last.
    let days = at_us.div_euclid(DAY_US) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    (era * 400 + year_of_era) * 12 + months_since_march + 2
}

const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// "Retry within hours, not weeks" (`wire.md` 5.1); as long as an entry lives by default.
const SAFE_US: i64 = DAY_US;
/// Our clock and the platform's may differ by so much.
const CLOCKS_DIFFER_US: i64 = 10 * 60 * 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// Midnight of days since the epoch, in microseconds.
    fn midnight(days: i64) -> i64 {
        days * DAY_US
    }

    #[test]
    fn a_month_ends_where_the_calendar_says() {
        // First days: 1970-01, 1970-02, 1972-03 (after a leap day), 2000-03, 2026-11, 2026-12, 2100-03.
        for first in [0, 31, 790, 11_017, 20_758, 20_788, 47_541] {
            let (before, at) = (midnight(first) - 1, midnight(first));
            assert_eq!(month(before) + 1, month(at), "day {first}");
            assert_eq!(month(at), month(at + 27 * DAY_US), "day {first}");
        }
        assert_eq!(month(0), 1_970 * 12);
        assert_eq!(month(midnight(20_758)), 2_026 * 12 + 10);
    }

    #[test]
    fn a_day_within_a_month_is_safe_and_its_end_is_not() {
        let noon = midnight(20_760) + DAY_US / 2;
        assert!(!is_past(noon, noon));
        assert!(!is_past(noon, noon + SAFE_US));
        assert!(is_past(noon, noon + SAFE_US + 1));
        let december = midnight(20_788);
        assert!(is_past(december - 60_000_000, december + 60_000_000));
        assert!(
            is_past(december - 7_200_000_000, december - 60_000_000),
            "clocks differ"
        );
        assert!(!is_past(december - 7_200_000_000, december - 3_600_000_000));
        assert!(!is_past(noon, noon - DAY_US), "a clock that went back");
    }
}
