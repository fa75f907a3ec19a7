//! Output without what differs from run to run: ids, times, folders. What is replaced keeps its
//! length, so columns stay aligned; one id stays one id throughout a file.

use std::collections::BTreeMap;
use std::path::Path;

/// Replaces what differs.
#[derive(Default)]
pub(crate) struct Normal {
    ids: BTreeMap<String, String>,
}

impl Normal {
    pub(crate) fn text(&mut self, text: &str, dir: &Path) -> String {
        let text = text.replace(&dir.display().to_string(), "DIR");
        self.ids(&times(&text))
    }

    fn ids(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(begin) = rest.find(is_part) {
            let (before, word) = rest.split_at(begin);
            out.push_str(before);
            let end = word.find(|c| !is_part(c)).unwrap_or(word.len());
            out.push_str(&self.word(&word[..end]));
            rest = &word[end..];
        }
        out + rest
    }

    fn word(&mut self, word: &str) -> String {
        let prefix = PREFIXES.iter().find(|prefix| {
            word.strip_prefix(**prefix)
                .is_some_and(|rest| rest.len() >= LEAST_ID)
        });
        let prefix = match prefix {
            Some(prefix) => prefix,
            None if is_uuid(word) => "uuid-",
            None => return word.to_owned(),
        };
        let alike = self
            .ids
            .keys()
            .filter(|id| id.starts_with(prefix) || prefix == "uuid-");
        let number = alike.count() + 1;
        let room = word.len() - prefix.len();
        let made = || format!("{prefix}{number:0>room$}");
        self.ids.entry(word.to_owned()).or_insert_with(made).clone()
    }
}

/// Every run of digits as one sign, its unit of time as another, and without warnings: for output
/// that is full of counts, and tells about the machine.
pub(crate) fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    let of_machine = |line: &&str| MACHINE.iter().any(|begin| line.starts_with(begin));
    for line in text.lines().filter(|line| !of_machine(line)) {
        for character in line.chars() {
            if !character.is_ascii_digit() {
                out.push(character);
            } else if !out.ends_with('#') {
                out.push('#');
            }
        }
        out.push('\n');
    }
    out.replace("#ms", "#t").replace("#s", "#t")
}

fn times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(length) = time_at(rest) {
            out.push_str(if rest.as_bytes()[10] == b'T' {
                "2026-01-01T00:00:00Z"
            } else {
                "2026-01-01 00:00:00Z"
            });
            rest = &rest[length..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// How long a time at the beginning of this text is.
fn time_at(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let shape = b"dddd-dd-dd?dd:dd:dd";
    let fits = bytes.len() > shape.len()
        && shape.iter().zip(bytes).all(|(shape, byte)| match shape {
            b'd' => byte.is_ascii_digit(),
            b'?' => matches!(byte, b'T' | b' '),
            other => other == byte,
        });
    if !fits {
        return None;
    }
    let fraction = text[shape.len()..].find(|c: char| c != '.' && !c.is_ascii_digit())?;
    let zone = &text[shape.len() + fraction..];
    let zone = ["Z", "+00:00"]
        .into_iter()
        .find(|form| zone.starts_with(form))?;
    Some(shape.len() + fraction + zone.len())
}

fn is_part(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().filter(|byte| *byte == b'-').count() == 4
        && word
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

const PREFIXES: [&str; 9] = [
    "msg_", "conv_", "grp_", "gri_", "att_", "obx_", "agt_", "del_", "pnd_",
];
/// How lines begin that tell about the machine.
const MACHINE: [&str; 4] = ["warning ", "warn  warning ", "ok    disk ", "warn  disk "];
/// Shorter ones are written by the tests themselves.
const LEAST_ID: usize = 10;

#[test]
fn what_differs_is_replaced_at_its_length_and_the_same_id_by_the_same() {
    let mut normal = Normal::default();
    let text =
        "msg_AbCdEf-_123456 2026-11-23 12:34:56Z msg_AbCdEf-_123456 msg_zzzzzzzzzzzzzz /tmp/x/s";
    assert_eq!(
        normal.text(text, Path::new("/tmp/x")),
        "msg_00000000000001 2026-01-01 00:00:00Z msg_00000000000001 msg_00000000000002 DIR/s"
    );
    assert_eq!(
        times("2026-11-23T12:00:00.123+00:00!"),
        "2026-01-01T00:00:00Z!"
    );
    assert_eq!(without_numbers("up 12s 3\nwarning     x"), "up #t #\n");
}
