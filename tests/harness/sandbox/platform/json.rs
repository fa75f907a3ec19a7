//! JSON as it comes back from the platform: keys in another order, `1.0` as `1`, integers beyond
//! 2^53 rounded (wire.md 5.1). Text stays as it was.

use serde_json::{Map, Value};
use std::fmt::Write as _;

/// The text of a value after the platform's handling.
pub(crate) fn normalised(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

/// An object's text after the platform's handling.
pub(crate) fn normalised_object(map: &Map<String, Value>) -> String {
    let mut out = String::new();
    write_object(&mut out, map);
    out
}

/// A string as a JSON literal.
pub(crate) fn text(value: &str) -> String {
    Value::from(value).to_string()
}

/// Appends a string as a JSON literal.
pub(crate) fn push_text(out: &mut String, value: &str) {
    let plain = value.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\');
    if plain {
        out.push('"');
        out.push_str(value);
        out.push('"');
    } else {
        out.push_str(&text(value));
    }
}

/// Whether a string anywhere inside holds U+0000, which the database refuses.
pub(crate) fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(map) => map
            .iter()
            .any(|(key, item)| key.contains('\0') || holds_nul(item)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Parses a body. A lone surrogate escape, which JavaScript reads and the database refuses, is read
/// as U+0000, so that both poisons take the same way.
pub(crate) fn parse(body: &[u8]) -> Option<Value> {
    if let Ok(value) = serde_json::from_slice(body) {
        return Some(value);
    }
    let text = std::str::from_utf8(body).ok()?;
    let cured = replace_lone_surrogates(text)?;
    serde_json::from_str(&cured).ok()
}

fn write(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::String(text) => push_text(out, text),
        Value::Number(number) => write_number(out, number),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => write_object(out, map),
    }
}

fn write_object(out: &mut String, map: &Map<String, Value>) {
    // The database keeps keys by length first, then by bytes.
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    out.push('{');
    for (at, key) in keys.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_text(out, key);
        out.push(':');
        write(out, &map[key]);
    }
    out.push('}');
}

fn write_number(out: &mut String, number: &serde_json::Number) {
    const SAFE: i64 = 1 << 53;
    match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) if (-SAFE..=SAFE).contains(&whole) => {
            let _infallible = write!(out, "{whole}");
        }
        (_, Some(float)) => push_float(out, float),
        (_, None) => out.push_str("null"),
    }
}

/// A number the way JavaScript prints it: shortest digits, exponents only from 1e21 on.
fn push_float(out: &mut String, float: f64) {
    const PLAIN_BELOW: i32 = 21;
    const PLAIN_ABOVE: i32 = -6;
    if float == 0.0 {
        out.push('0');
        return;
    }
    let scientific = format!("{float:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent >= PLAIN_BELOW {
        let _infallible = write!(out, "{mantissa}e+{exponent}");
    } else if exponent < PLAIN_ABOVE {
        let _infallible = write!(out, "{mantissa}e{exponent}");
    } else {
        // `Display` of f64 never uses an exponent and prints the shortest digits.
        let _infallible = write!(out, "{float}");
    }
}

/// The text with each lone `\uD800`..`\uDFFF` escape made `\u0000`; `None` when there is none.
fn replace_lone_surrogates(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = match escape_unit(rest) {
            Some(high @ 0xd800..=0xdbff) => match rest.get(6..).and_then(escape_unit) {
                Some(0xdc00..=0xdfff) => {
                    out.push_str(&rest[..12]);
                    12
                }
                _ => {
                    debug_assert!(high >= 0xd800);
                    found = true;
                    out.push_str("\\u0000");
                    6
                }
            },
            Some(0xdc00..=0xdfff) => {
                found = true;
                out.push_str("\\u0000");
                6
            }
            Some(_) | None => {
                let taken = rest
                    .char_indices()
                    .nth(2)
                    .map_or(rest.len(), |(end, _)| end);
                out.push_str(&rest[..taken]);
                taken
            }
        };
        rest = &rest[taken..];
    }
    out.push_str(rest);
    found.then_some(out)
}

fn escape_unit(text: &str) -> Option<u16> {
    let hex = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(hex, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_the_way_the_platform_keeps_them() {
        let sent = br#"{"big":12345678901234567890,"f":1.0,"e":1e30,"b":1,"a":2,"s":0.5,"t":1e-7}"#;
        let value = parse(sent).expect("valid JSON");
        assert_eq!(
            normalised(&value),
            r#"{"a":2,"b":1,"e":1e+30,"f":1,"s":0.5,"t":1e-7,"big":12345678901234567000}"#
        );
    }

    #[test]
    fn a_lone_surrogate_is_read_as_nul_and_a_pair_is_kept() {
        let lone = parse(br#"{"text":"x \ud83d y"}"#).expect("cured");
        assert!(holds_nul(&lone));
        let pair = parse(br#"{"text":"x \ud83d\ude00 \ude00 y"}"#).expect("cured");
        assert_eq!(pair["text"], "x \u{1f600} \0 y");
        let fine = parse(br#"{"text":"x \ud83d\ude00 y"}"#).expect("valid JSON");
        assert!(!holds_nul(&fine));
        assert!(parse(b"{not json").is_none());
        assert!(parse(br#"{"text":"\\ud83d"}"#).is_some_and(|v| !holds_nul(&v)));
    }
}
