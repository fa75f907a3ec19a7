//! Times for people.

use agentchatd_client::types::Timestamp;

/// A time stamp to the second, in UTC; what cannot be read stays as it is.
pub(crate) fn moment(text: &str) -> String {
    let Ok(time) = Timestamp::new(text) else {
        return text.to_owned();
    };
    let utc = Timestamp::from_unix_ms(time.unix_ms());
    match (utc.as_str().get(..10), utc.as_str().get(11..19)) {
        (Some(day), Some(time)) => format!("{day} {time}Z"),
        _ => text.to_owned(),
    }
}

/// A length of time in its two largest units.
pub(crate) fn length(ms: u64) -> String {
    let seconds = ms / 1000;
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let Some(first) = units.iter().position(|(count, _)| *count > 0) else {
        return format!("{ms}ms");
    };
    let parts = units[first..]
        .iter()
        .take(2)
        .filter(|(count, _)| *count > 0);
    let parts: Vec<_> = parts
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_to_the_second_in_utc() {
        assert_eq!(
            moment("2026-11-23T12:00:00.92+01:00"),
            "2026-11-23 11:00:00Z"
        );
        assert_eq!(moment("soon"), "soon");
    }

    #[test]
    fn lengths_of_time_have_two_units() {
        for (ms, text) in [
            (0, "0ms"),
            (999, "999ms"),
            (61_000, "1m 1s"),
            (3_600_000, "1h"),
            (90_061_000, "1d 1h"),
        ] {
            assert_eq!(length(ms), text);
        }
    }
}
