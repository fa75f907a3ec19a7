//! The `Retry-After` header: whole seconds, or one of the three HTTP date forms.

use std::time::{Duration, SystemTime};

/// How long a header asks to wait from `now`; `None` where it has no usable value.
///
/// A moment that has passed is a wait of nothing. The value is what the server said; a caller that
/// obeys it clamps it to something above zero (`wire.md` 1.6).
#[must_use]
pub fn parse(raw: &str, now: SystemTime) -> Option<Duration> {
    let text = raw.trim();
    if !text.is_empty() && text.chars().all(|c| digit(c).is_some()) {
        let seconds = text.chars().filter_map(digit).fold(0_u64, |sum, digit| {
            sum.saturating_mul(RADIX).saturating_add(u64::from(digit))
        });
        return Some(Duration::from_secs(seconds.min(LONGEST_SECONDS)));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(now).unwrap_or(Duration::ZERO))
}

/// A decimal digit, plain or full-width, which the official clients take as well.
fn digit(c: char) -> Option<u32> {
    match c {
        '\u{ff10}'..='\u{ff19}' => Some(u32::from(c) - u32::from('\u{ff10}')),
        _ => c.to_digit(10),
    }
}

const RADIX: u64 = 10;

/// A century: more is a slip of the server, and would only overflow the arithmetic of callers.
const LONGEST_SECONDS: u64 = 100 * 366 * 24 * 3600;

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const VECTORS: &str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/vectors/retry_after-1.1.1.json"
    ));

    #[test]
    fn every_recorded_value_gives_the_wait_that_the_official_client_takes() {
        let rows: Vec<serde_json::Value> = serde_json::from_str(VECTORS).unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(1_760_000_000);
        assert!(rows.len() > 10);
        for row in rows {
            let waited = parse(row["raw"].as_str().unwrap(), now).map(|wait| wait.as_millis());
            let now_ms = now.duration_since(UNIX_EPOCH).unwrap().as_millis();
            let expected = match (&row["ms"], row["at_unix_ms"].as_u64()) {
                (_, Some(at)) => Some(u128::from(at) - now_ms),
                (serde_json::Value::Null, None) if row["note"].is_string() => Some(0),
                (ms, None) => ms.as_u64().map(u128::from),
            };
            assert_eq!(waited, expected, "{row}");
        }
    }

    #[test]
    fn a_number_without_end_is_a_century_and_no_overflow() {
        let wait = parse(&"9".repeat(400), SystemTime::now()).unwrap();
        assert_eq!(wait.as_secs(), LONGEST_SECONDS);
    }
}
