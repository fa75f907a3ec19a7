//! A JSON text that comes whole: the body of an HTTP request, a message of a WebSocket.
//!
//! The framer of NDJSON counts brackets and ends a value with its line; here that is made up for.
//! The text may be laid out over many lines, and what is made of it travels in one.

use serde::de::IgnoredAny;

use crate::rpc::ndjson::MAX_DEPTH;

/// Checks what the framer checks on a stream, and takes line breaks between tokens out.
///
/// # Errors
/// Why it is no JSON; what else may be wrong with it is left to the reader of requests.
pub(crate) fn one_line(mut bytes: Vec<u8>) -> Result<Vec<u8>, &'static str> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("nothing is there");
    }
    if is_deep(&bytes) {
        return Err("nested over 128 levels");
    }
    if bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        // In valid JSON a line break stands between tokens and nowhere else.
        if serde_json::from_slice::<IgnoredAny>(&bytes).is_err() {
            return Err("a value is expected, and nothing after it");
        }
        for byte in &mut bytes {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
    Ok(bytes)
}

/// True where brackets are nested deeper than is allowed.
fn is_deep(bytes: &[u8]) -> bool {
    let (mut depth, mut string, mut escape) = (0_usize, false, false);
    for byte in bytes {
        match (string, byte) {
            (true, _) if escape => escape = false,
            (true, b'\\') => escape = true,
            (true, b'"') => string = false,
            (true, _) => {}
            (false, b'"') => string = true,
            (false, b'{' | b'[') => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            (false, _) => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, &'static str> {
        one_line(text.as_bytes().to_vec()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_text_over_many_lines_becomes_one() {
        assert_eq!(read("{\r\n \"a\":\n1}\n").unwrap(), "{   \"a\": 1} ");
        assert_eq!(read("{\"a\":\"\\n\"}").unwrap(), "{\"a\":\"\\n\"}");
        assert!(read("{\"a\":\"\n\"}").is_err(), "a break inside a string");
        assert!(read(" \n").is_err() && read("").is_err());
    }

    #[test]
    fn brackets_count_outside_of_strings_only() {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&deep(MAX_DEPTH)).is_ok());
        assert!(read(&deep(MAX_DEPTH + 1)).is_err());
        assert!(read(&format!("[\"\\\"{}\"]", "[".repeat(200))).is_ok());
        assert!(read(&format!("[{}]", "[],".repeat(200))).is_ok());
    }
}
