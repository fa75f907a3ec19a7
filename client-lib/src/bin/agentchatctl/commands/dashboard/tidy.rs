//! Text for the page: clean, and not longer than can be shown.

use serde_json::{Map, Value};

use crate::output::text::{Lines, clean};

/// A JSON value with every text in it cleaned and cut.
pub(super) fn tidy(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(cut(&text, LABEL_CHARS, Lines::Fold).0),
        Value::Array(items) => items.into_iter().take(MAX_ITEMS).map(tidy).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, tidy(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other,
    }
}

/// A text without what turns or hides text, and whether it was longer than this.
pub(super) fn cut(text: &str, chars: usize, lines: Lines) -> (String, bool) {
    // Cleaning never makes more of it, but for tabs. Nothing is cleaned that cannot be shown.
    let ample = text
        .char_indices()
        .nth(chars * AMPLE)
        .map_or(text, |(end, _)| &text[..end]);
    let cleaned = clean(ample, lines);
    match cleaned.char_indices().nth(chars) {
        Some((end, _)) => (cleaned[..end].to_owned(), true),
        None => (cleaned, ample.len() < text.len()),
    }
}

const LABEL_CHARS: usize = 300;
const MAX_ITEMS: usize = 100;
const AMPLE: usize = 4;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_at_every_depth_is_clean_and_short() {
        let value = json!({"a": [{"b": "x\u{202e}y\nz"}, 1, null], "c": "é".repeat(1000)});
        let value = tidy(value);
        assert_eq!(value["a"][0]["b"], "xy z");
        assert_eq!(value["c"].as_str().unwrap().chars().count(), LABEL_CHARS);
        assert_eq!(
            tidy(json!(vec![0; 500])).as_array().unwrap().len(),
            MAX_ITEMS
        );
    }

    #[test]
    fn a_cut_is_told() {
        assert_eq!(cut("abc", 3, Lines::Keep), ("abc".to_owned(), false));
        assert_eq!(cut("abcd", 3, Lines::Keep), ("abc".to_owned(), true));
        let hidden = format!("a{}b", "\u{200b}".repeat(100));
        assert_eq!(cut(&hidden, 3, Lines::Keep), ("a".to_owned(), true));
    }
}
