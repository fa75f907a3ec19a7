//! Templates: what a recorded answer looked like, and how an answer is held against it.
//!
//! A template is JSON. Strings in angle brackets are markers (a type, a time, an id, a reference
//! to what an earlier step saw); everything else is a value that has to be the same.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What earlier steps saw, by the number of the step.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    seen: HashMap<u64, Value>,
    keys: BTreeMap<String, String>,
}

impl Memory {
    /// A memory that knows the keys of the actors.
    pub(crate) fn new(keys: BTreeMap<String, String>) -> Self {
        Self {
            seen: HashMap::new(),
            keys,
        }
    }

    /// Keeps what a step saw.
    pub(crate) fn remember(&mut self, n: u64, value: Value) {
        self.seen.insert(n, value);
    }

    /// The value a reference such as `12.payload.id`, `3[1].delivery_id` or `5.id|upper` points at.
    fn lookup(&self, reference: &str) -> Option<String> {
        let (path, form) = reference.split_once('|').unwrap_or((reference, ""));
        let digits = path
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(path.len());
        let mut value = self.seen.get(&path[..digits].parse::<u64>().ok()?)?;
        for part in path[digits..]
            .split(['.', '['])
            .filter(|part| !part.is_empty())
        {
            value = match part.strip_suffix(']') {
                Some(index) => value.get(index.parse::<usize>().ok()?)?,
                None => value.get(part)?,
            };
        }
        let text = value.as_str()?;
        Some(if form == "upper" {
            text.to_uppercase()
        } else {
            text.to_owned()
        })
    }

    /// A text with its markers filled in.
    pub(crate) fn fill_text(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('<') {
            let Some(length) = rest[start..].find('>') else {
                break;
            };
            let marker = &rest[start + 1..start + length];
            out.push_str(&rest[..start]);
            if let Some(reference) = marker.strip_prefix('$') {
                let found = self.lookup(reference);
                out.push_str(&found.unwrap_or_else(|| format!("unknown_{reference}")));
            } else if let Some(key) = marker.strip_prefix("key ").and_then(|k| self.keys.get(k)) {
                out.push_str(key);
            } else if let Some((unit, times)) = marker.split_once(" times ") {
                out.push_str(&unit.repeat(times.parse().unwrap_or(0)));
            } else {
                out.push_str(&rest[start..=start + length]);
            }
            rest = &rest[start + length + 1..];
        }
        out + rest
    }

    /// A value with the markers of all its texts filled in.
    pub(crate) fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill_text(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.fill(item)).collect()),
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(name, member)| (name.clone(), self.fill(member)))
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    /// Holds a value against a template; what differs is told in `out`.
    pub(crate) fn compare(
        &self,
        template: &Value,
        actual: &Value,
        path: &str,
        out: &mut Vec<String>,
    ) {
        match template {
            Value::String(text) => self.compare_text(text, actual, path, out),
            Value::Object(rows) if rows.contains_key("<rows>") => {
                self.compare_rows(rows, actual, path, out);
            }
            Value::Object(members) => self.compare_members(members, actual, path, out),
            Value::Array(items) => match actual.as_array() {
                Some(list) if list.len() == items.len() => {
                    for (index, (item, row)) in items.iter().zip(list).enumerate() {
                        self.compare(item, row, &format!("{path}[{index}]"), out);
                    }
                }
                Some(list) => {
                    out.push(format!("{path}: {} items, not {}", list.len(), items.len()))
                }
                None => out.push(format!("{path}: {}, not an array", kind(actual))),
            },
            Value::Number(number) if actual.as_f64() == number.as_f64() => {}
            other if other == actual => {}
            other => out.push(format!("{path}: {}, not {other}", brief(actual))),
        }
    }

    fn compare_text(&self, text: &str, actual: &Value, path: &str, out: &mut Vec<String>) {
        let marker = text
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix('>'));
        let given = actual.as_str();
        let fits = match marker {
            Some("time") => given.is_some_and(is_time),
            Some("text") => given.is_some_and(|given| !given.is_empty()),
            Some(id) if id.starts_with("id ") => given
                .and_then(|given| given.strip_prefix(&id[3..])?.strip_prefix('_'))
                .is_some_and(|rest| !rest.is_empty()),
            Some(kinds) if kinds.split('|').all(is_kind) => {
                kinds.split('|').any(|k| k == kind(actual))
            }
            _ => given == Some(self.fill_text(text).as_str()),
        };
        if !fits {
            let wanted = self.fill_text(text);
            out.push(format!(
                "{path}: {}, not {}",
                brief(actual),
                brief(&Value::String(wanted))
            ));
        }
    }

    fn compare_members(
        &self,
        wanted: &Map<String, Value>,
        actual: &Value,
        path: &str,
        out: &mut Vec<String>,
    ) {
        let Some(members) = actual.as_object() else {
            out.push(format!("{path}: {}, not an object", kind(actual)));
            return;
        };
        for (name, template) in wanted.iter().filter(|(name, _)| *name != "<more>") {
            match members.get(name) {
                Some(member) => self.compare(template, member, &format!("{path}.{name}"), out),
                None => out.push(format!("{path}.{name}: missing")),
            }
        }
        if !wanted.contains_key("<more>") {
            for name in members.keys().filter(|name| !wanted.contains_key(*name)) {
                out.push(format!("{path}.{name}: not in the recording"));
            }
        }
    }

    fn compare_rows(
        &self,
        wanted: &Map<String, Value>,
        actual: &Value,
        path: &str,
        out: &mut Vec<String>,
    ) {
        let Some(rows) = actual.as_array() else {
            out.push(format!("{path}: {}, not an array", kind(actual)));
            return;
        };
        if Some(rows.len() as u64) != wanted["<rows>"].as_u64() {
            out.push(format!(
                "{path}: {} rows, not {}",
                rows.len(),
                wanted["<rows>"]
            ));
        }
        let mut told = BTreeSet::new();
        for row in rows {
            let mut differing = Vec::new();
            self.compare(&wanted["row"], row, &format!("{path}[]"), &mut differing);
            told.extend(differing);
        }
        out.extend(told);
        if let (Some(first), Some(row)) =
            (wanted.get("first").and_then(Value::as_object), rows.first())
        {
            for (name, template) in first {
                self.compare(
                    template,
                    &row[name.as_str()],
                    &format!("{path}[0].{name}"),
                    out,
                );
            }
        }
        for (name, column) in wanted
            .get("columns")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let given: Value = rows.iter().map(|row| row[name.as_str()].clone()).collect();
            self.compare(column, &given, &format!("{path}[].{name}"), out);
        }
    }
}

/// Name of a JSON type, as templates have it.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_kind(name: &str) -> bool {
    matches!(
        name,
        "null" | "bool" | "number" | "string" | "array" | "object"
    )
}

/// A timestamp as the platform writes it: a date, `T`, a time, and `Z` or `+00:00`.
fn is_time(text: &str) -> bool {
    let zone = text
        .strip_suffix('Z')
        .or_else(|| text.strip_suffix("+00:00"));
    zone.and_then(|text| text.split_once('T'))
        .is_some_and(|(date, time)| {
            date.len() == "2026-11-23".len()
                && time.len() >= "18:15:53".len()
                && date.chars().all(|c| c.is_ascii_digit() || c == '-')
                && time
                    .chars()
                    .all(|c| c.is_ascii_digit() || c == ':' || c == '.')
        })
}

/// A value, cut to a length that fits a line.
fn brief(value: &Value) -> String {
    const LONGEST: usize = 120;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn differing(template: Value, actual: Value) -> Vec<String> {
        let mut memory = Memory::new(BTreeMap::from([("A".to_owned(), "ac_a".to_owned())]));
        memory.remember(3, json!([{"id": "msg_1"}]));
        let mut out = Vec::new();
        memory.compare(&template, &actual, "", &mut out);
        out
    }

    #[test]
    fn a_template_takes_what_it_describes() {
        let template = json!({"id": "<$3[0].id>", "at": "<time>", "n": 1, "who": "<string|null>", "new": "<id conv>"});
        let actual = json!({"id": "msg_1", "at": "2026-11-23T18:15:53.7+00:00", "n": 1.0, "who": null, "new": "conv_x"});
        assert_eq!(differing(template, actual), Vec::<String>::new());
    }

    #[test]
    fn a_template_tells_a_missing_an_additional_and_a_changed_member() {
        let told = differing(json!({"a": 1, "b": "<string>"}), json!({"b": 2, "c": 3}));
        assert_eq!(
            told,
            [
                ".a: missing",
                ".b: 2, not \"<string>\"",
                ".c: not in the recording"
            ]
        );
    }

    #[test]
    fn rows_are_counted_and_their_columns_keep_their_order() {
        let template = json!({"<rows>": 2, "row": {"seq": "<number>"}, "columns": {"seq": [1, 2]}});
        assert_eq!(
            differing(template.clone(), json!([{"seq": 1}, {"seq": 2}])),
            Vec::<String>::new()
        );
        assert_eq!(
            differing(template, json!([{"seq": 2}, {"seq": 1}])).len(),
            2
        );
    }

    #[test]
    fn markers_are_filled_in() {
        let mut memory = Memory::new(BTreeMap::from([("A".to_owned(), "ac_a".to_owned())]));
        memory.remember(3, json!([{"id": "msg_1"}]));
        assert_eq!(
            memory.fill_text("/v1/<$3[0].id|upper>?k=<key A>&x=<x times 3>"),
            "/v1/MSG_1?k=ac_a&x=xxx"
        );
    }
}
