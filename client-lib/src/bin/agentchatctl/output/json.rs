//! JSON as it is written out: the daemon's own text, with no character in it that a terminal would act
//! on.

use std::fmt::Write as _;

use super::text::is_unsafe_in_json;

/// The same JSON value on one line. What a terminal would act on is written as `\u` escapes, which
/// mean the same to every reader of JSON; all else stays byte for byte.
pub(crate) fn one_line(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        // Inside of strings JSON has no bare C0, so these stand between values.
        if matches!(character, '\n' | '\r' | '\t') {
            out.push(' ');
        } else if is_unsafe_in_json(character) {
            escape(&mut out, character);
        } else {
            out.push(character);
        }
    }
    out
}

/// The same value over several lines, for people. It is laid out as text, so numbers of any size stay
/// as they are.
pub(crate) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut chars = json.chars().peekable();
    while let Some(character) = chars.next() {
        match character {
            '"' => {
                out.push('"');
                let mut escaped = false;
                for character in chars.by_ref() {
                    if is_unsafe_in_json(character) {
                        escape(&mut out, character);
                    } else {
                        out.push(character);
                    }
                    if character == '"' && !escaped {
                        break;
                    }
                    escaped = character == '\\' && !escaped;
                }
            }
            '{' | '[' => {
                out.push(character);
                while chars.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = chars.next_if(|c| matches!(c, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(',');
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ if character.is_ascii_whitespace() => {}
            _ => out.push(character),
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn escape(out: &mut String, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        write!(out, "\\u{unit:04x}").expect("writing into memory does not fail");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn one_line_keeps_every_byte_that_does_no_harm() {
        let json = r#"{"n":12345678901234567890.10,"t":"né\u001b\n日"}"#;
        assert_eq!(one_line(json), json);
    }

    #[test]
    fn what_a_terminal_would_act_on_is_escaped() {
        assert_eq!(
            one_line("{\"a\":\n\"\u{9b}31m\u{202e}\u{7f}\u{e0041}\"}"),
            "{\"a\": \"\\u009b31m\\u202e\\u007f\\udb40\\udc41\"}"
        );
    }

    #[test]
    fn pretty_lays_out_without_touching_numbers_or_strings() {
        let json = r#"{"a":[1.50,{}],"b":"x, \"{y}\\"}"#;
        let expected = "{\n  \"a\": [\n    1.50,\n    {}\n  ],\n  \"b\": \"x, \\\"{y}\\\\\"\n}";
        assert_eq!(pretty(json), expected);
    }

    proptest! {
        #[test]
        fn both_forms_mean_what_the_first_did(text in any::<String>(), number in any::<i64>()) {
            let value = serde_json::json!({"text": [text, null], "": {"n": number}, "e": []});
            let json = value.to_string();
            for form in [one_line(&json), pretty(&json)] {
                prop_assert_eq!(serde_json::from_str::<Value>(&form).unwrap(), value.clone());
                prop_assert!(!form.chars().any(|c| is_unsafe_in_json(c) && c != '\n'));
            }
        }
    }
}
