//! Strict reading of JSON-RPC 2.0 requests.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::rpc::ndjson::has_lone_surrogate;

/// What a client wrote.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// One request.
    Single(Result<Request, Refused>),
    /// A batch, in order; never empty, and never longer than [`MAX_BATCH_ENTRIES`].
    Batch(Vec<Result<Request, Refused>>),
    /// A batch of more than [`MAX_BATCH_ENTRIES`]; none of it is looked at.
    TooMany,
    /// It is no JSON.
    NotJson(String),
}

/// A request that is well formed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The id as it was written; `None` for a notification.
    pub(crate) id: Option<Box<str>>,
    /// The method's name.
    pub(crate) method: String,
    /// The parameters as they were written.
    pub(crate) params: Option<String>,
}

/// A value that is no valid request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The id as it was written, where one could be read.
    pub(crate) id: Option<Box<str>>,
    /// What is wrong.
    pub(crate) reason: &'static str,
}

/// Reads one value.
pub(crate) fn read(bytes: Vec<u8>) -> Incoming {
    let Ok(text) = String::from_utf8(bytes) else {
        return Incoming::NotJson("not UTF-8".into());
    };
    if text.contains("\\u") && has_lone_surrogate(&text) {
        return Incoming::NotJson("a surrogate escape without its other half".into());
    }
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if text.starts_with('[') {
        return match serde_json::from_str::<Entries<'_>>(text) {
            Ok(Entries::Few(values)) if values.is_empty() => Incoming::Single(Err(Refused {
                id: None,
                reason: "the batch is empty",
            })),
            Ok(Entries::Few(values)) => {
                Incoming::Batch(values.into_iter().map(|one| request(one.get())).collect())
            }
            Ok(Entries::TooMany) => Incoming::TooMany,
            Err(error) => Incoming::NotJson(without_place(&error)),
        };
    }
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(IgnoredAny) => Incoming::Single(request(text)),
        Err(error) => Incoming::NotJson(without_place(&error)),
    }
}

/// Reads a request from text that is known to be JSON.
fn request(text: &str) -> Result<Request, Refused> {
    let Ok(members) = serde_json::from_str::<Members<'_>>(text) else {
        return Err(Refused {
            id: None,
            reason: "a request is an object",
        });
    };
    let refused = |id: Option<&RawValue>, reason| Refused {
        id: id.and_then(readable),
        reason,
    };
    if members.doubled {
        return Err(refused(None, "a member stands twice"));
    }
    let id = members.id;
    if id.is_some_and(|id| readable(id).is_none()) {
        return Err(refused(None, "the id is neither text, number nor null"));
    }
    if members
        .jsonrpc
        .is_none_or(|version| text_of(version).as_deref() != Some("2.0"))
    {
        return Err(refused(id, "no \"jsonrpc\": \"2.0\""));
    }
    let Some(method) = members.method.and_then(text_of) else {
        return Err(refused(id, "the method's name is missing or no text"));
    };
    if members
        .params
        .is_some_and(|params| !params.get().starts_with(['{', '[']))
    {
        return Err(refused(id, "params are neither an object nor an array"));
    }
    Ok(Request {
        id: id.map(|id| id.get().into()),
        method: method.into_owned(),
        params: members.params.map(|params| params.get().to_owned()),
    })
}

/// The id's text where its type is allowed.
fn readable(id: &RawValue) -> Option<Box<str>> {
    let first = id.get().bytes().next()?;
    matches!(first, b'"' | b'-' | b'0'..=b'9' | b'n').then(|| id.get().into())
}

fn text_of(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(value.get())
        .ok()
        .map(|text| text.0)
}

/// Text that is borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The entries of a batch, unread.
enum Entries<'a> {
    Few(Vec<&'a RawValue>),
    TooMany,
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while entries.len() < MAX_BATCH_ENTRIES {
                    let Some(entry) = seq.next_element()? else {
                        return Ok(Entries::Few(entries));
                    };
                    entries.push(entry);
                }
                // The rest costs no memory, however many there are; it is read because what is no
                // JSON is told apart.
                let mut more = false;
                while let Some(IgnoredAny) = seq.next_element()? {
                    more = true;
                }
                Ok(if more {
                    Entries::TooMany
                } else {
                    Entries::Few(entries)
                })
            }
        }

        deserializer.deserialize_seq(Read)
    }
}

/// The members of a request that mean something; others are passed over.
#[derive(Default)]
struct Members<'a> {
    jsonrpc: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    method: Option<&'a RawValue>,
    params: Option<&'a RawValue>,
    doubled: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Members::default();
                while let Some(name) = map.next_key::<Text<'de>>()? {
                    let place = match &*name.0 {
                        "jsonrpc" => &mut members.jsonrpc,
                        "id" => &mut members.id,
                        "method" => &mut members.method,
                        "params" => &mut members.params,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    members.doubled |= place.replace(map.next_value()?).is_some();
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Read)
    }
}

/// What serde_json says, without the line and column that mean nothing to a client.
fn without_place(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    if let Some(end) = text.rfind(" at line ") {
        text.truncate(end);
    }
    text
}

/// How many requests a batch may hold. Each entry, be it a single digit, costs an answer.
pub(crate) const MAX_BATCH_ENTRIES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn single(text: &str) -> Result<Request, Refused> {
        match read(text.as_bytes().to_vec()) {
            Incoming::Single(request) => request,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn ids_are_kept_byte_for_byte() {
        for id in [
            "1",
            "-7",
            "1.50",
            "12345678901234567890123",
            "1e400",
            "\"a\\u00e9\"",
            "null",
        ] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"m"}}"#);
            assert_eq!(single(&text).unwrap().id.as_deref(), Some(id));
        }
        let notification = single(r#"{"jsonrpc":"2.0","method":"m"}"#).unwrap();
        assert_eq!(notification.id, None);
    }

    #[test]
    fn what_is_no_request_is_refused_with_its_id_where_it_can_be_read() {
        for (text, id) in [
            (r#"{"id":1,"method":"m"}"#, Some("1")),
            (r#"{"jsonrpc":"1.0","id":"x","method":"m"}"#, Some("\"x\"")),
            (r#"{"jsonrpc":2.0,"id":1,"method":"m"}"#, Some("1")),
            (r#"{"jsonrpc":"2.0","id":1}"#, Some("1")),
            (r#"{"jsonrpc":"2.0","id":1,"method":5}"#, Some("1")),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"m","params":"x"}"#,
                Some("1"),
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"m","params":null}"#,
                Some("1"),
            ),
            (r#"{"jsonrpc":"2.0","id":{},"method":"m"}"#, None),
            (r#"{"jsonrpc":"2.0","id":[1],"method":"m"}"#, None),
            (r#"{"jsonrpc":"2.0","id":true,"method":"m"}"#, None),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}"#, None),
            ("17", None),
            ("\"text\"", None),
            ("null", None),
            ("[]", None),
            ("{}", None),
        ] {
            assert_eq!(single(text).unwrap_err().id.as_deref(), id, "{text}");
        }
    }

    #[test]
    fn names_with_escapes_and_unknown_members_do_no_harm() {
        let text = r#"{"json\u0072pc":"2\u002e0","x":{"id":5},"id":1,"method":"a\u002eb"}"#;
        assert_eq!(single(text).unwrap().method, "a.b");
    }

    #[test]
    fn a_batch_is_read_one_by_one() {
        let batch = br#"[{"jsonrpc":"2.0","id":1,"method":"m"}, 5, {"id":7}]"#;
        let Incoming::Batch(requests) = read(batch.to_vec()) else {
            panic!("no batch")
        };
        let ids: Vec<_> = requests
            .into_iter()
            .map(|one| one.map_or_else(|refused| refused.id, |request| request.id))
            .collect();
        assert_eq!(ids, [Some("1".into()), None, Some("7".into())]);
    }

    #[test]
    fn a_batch_over_the_bound_is_refused_whole_and_one_at_the_bound_is_not() {
        let of = |entries: usize, end: &str| {
            read(format!("[{}{end}", vec!["1"; entries].join(",")).into_bytes())
        };
        let Incoming::Batch(requests) = of(MAX_BATCH_ENTRIES, "]") else {
            panic!("no batch")
        };
        assert_eq!(requests.len(), MAX_BATCH_ENTRIES);
        assert!(matches!(of(MAX_BATCH_ENTRIES + 1, "]"), Incoming::TooMany));
        assert!(matches!(of(MAX_BATCH_ENTRIES * 9, "]"), Incoming::TooMany));
        let broken = of(MAX_BATCH_ENTRIES * 9, ",}]");
        assert!(matches!(broken, Incoming::NotJson(_)), "{broken:?}");
    }

    #[test]
    fn what_is_no_json_is_told_apart() {
        for bytes in [
            &b"hello"[..],
            b"{\"a\":1,}",
            b"{\"a\":[}]",
            b"[1,]",
            b"{\"a\":\"\xff\"}",
            br#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":"\ud800"}}"#,
            b"{} x",
            b"{\"a\":01}",
            b"{\"a\":\"\t\"}",
        ] {
            let read = read(bytes.to_vec());
            assert!(
                matches!(read, Incoming::NotJson(_)),
                "{}",
                String::from_utf8_lossy(bytes)
            );
        }
    }
}
