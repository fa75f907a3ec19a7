//! What the platform sends: frames and pages.

use std::collections::BTreeMap;

use agentchatd_engine::{Failure, Row};
use serde_json::value::RawValue;

use crate::upstream::wire::{
    self, Cursor, Frame, acked, conversations, history, row_from_json, sync_page,
};

/// Reads bytes as a frame of the platform.
///
/// # Panics
/// Where what is kept is not the platform's own text, or something readable is passed over.
pub fn frame(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let read = wire::frame(text);
    let again = wire::frame(&format!(" \n{text}\t\r\n"));
    assert_eq!(again, read, "white space around a frame means nothing");
    let object = object(text);
    let kind = object.as_ref().and_then(|object| text_of(object, "type"));
    let is_kind = |wanted: &str| kind.as_deref() == Some(wanted);
    let payload = object.as_ref().and_then(|object| object.get("payload"));
    match &read {
        Frame::Message(row) => {
            assert!(is_kind("message.new"));
            let payload = payload.expect("a message has a payload");
            check_row(row, payload.get());
        }
        Frame::HelloOk { ack } => {
            assert!(is_kind("hello.ok"));
            assert!(!ack || text.contains("capabilities") || text.contains('\\'));
        }
        Frame::Event(event) => {
            assert_eq!(kind.as_deref(), Some(&*event.kind));
            let own = payload.map_or("null", |payload| payload.get());
            assert_eq!(*event.payload, *own, "the payload is the platform's text");
        }
        Frame::Unreadable { reason } => {
            assert!(!reason.is_empty());
            let has_kind = kind.is_some_and(|kind| (1..=LONGEST).contains(&kind.len()));
            let is_message = has_kind && object.as_ref().is_some_and(is_message);
            let readable = payload.is_some_and(|raw| row_from_json(raw.get()).is_ok());
            assert!(!has_kind || (is_message && !readable), "it can be read");
        }
    }
}

/// Reads bytes as each kind of page, and as the answer to an acknowledgement.
///
/// # Panics
/// As for [`frame`], and where a page of sync gives out a row behind one that cannot be read.
pub fn pages(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    check_sync(text);
    check_lists(text);
    if acked(text).is_some() {
        let object = object(text).expect("only an object tells a number");
        let number = object["acked"].get().parse::<u64>();
        assert_eq!(number.ok(), acked(text));
    }
    if let Ok(row) = row_from_json(text) {
        check_row(&row, text.trim_matches(WHITE));
    }
}

fn check_sync(text: &str) {
    let page = match sync_page(text) {
        Ok(page) => page,
        Err(Failure::Shape { .. }) => {
            let is_page = elements(text).is_some() || envelopes(text).is_some();
            assert!(!is_page, "a page is taken for none");
            return;
        }
        Err(other) => panic!("a page that cannot be read is of another shape, not {other:?}"),
    };
    let bare = elements(text);
    let all = bare.clone().or_else(|| envelopes(text));
    let all = all.expect("a page is an array, or an object with one");
    assert_eq!(page.rows.len(), page.ids.len());
    let clean = page.rows.len();
    match &page.poisoned {
        None => assert_eq!(clean, all.len(), "rows are passed over in silence"),
        Some(why) => {
            let place = format!("row {} of {}", clean + 1, all.len());
            assert!(why.starts_with(&place), "{why}, not {place}");
            // The clean prefix is what stands before the row, whatever comes behind it.
            let prefix = sync_page(&page_of(&all[..clean], bare.is_some()));
            let prefix = prefix.expect("a prefix of a page is a page");
            assert_eq!((&prefix.rows, &prefix.ids), (&page.rows, &page.ids));
            assert_eq!(prefix.poisoned, None);
            let alone = sync_page(&page_of(&all[clean..=clean], bare.is_some()));
            let alone = alone.expect("one row is a page");
            assert!(alone.rows.is_empty() && alone.poisoned.is_some());
        }
    }
    for ((row, id), element) in page.rows.iter().zip(&page.ids).zip(&all) {
        let object = object(element.get()).expect("a row is an object");
        let message = match bare {
            Some(_) => element.get(),
            None => object["message"].get(),
        };
        check_row(row, message);
        if let Some(id) = id {
            check_cursor(id, object["delivery_id"]);
        }
    }
    let covered = page.covered();
    assert!(page.ids[covered..].iter().all(Option::is_none));
    let last = covered.checked_sub(1).map(|last| &page.ids[last]);
    assert_eq!(last.and_then(Option::as_ref), page.cursor());
}

fn check_cursor(cursor: &Cursor, raw: &RawValue) {
    let json = cursor.to_json();
    assert_eq!(Cursor::from_json(&json).as_ref(), Some(cursor));
    match cursor {
        Cursor::Integer(_) => assert_eq!(json, raw.get(), "digits are sent back as they came"),
        Cursor::Text(text) => {
            let own = serde_json::from_str::<String>(raw.get());
            assert_eq!(own.ok().as_deref(), Some(&**text));
        }
    }
}

fn check_lists(text: &str) {
    let Some(all) = elements(text) else {
        assert!(history(text).is_err() && conversations(text).is_err());
        return;
    };
    let page = history(text).expect("an array is a page of history");
    let readable: Vec<_> = all
        .iter()
        .filter_map(|raw| wire::row(raw).ok().map(|row| (row, raw.get())))
        .collect();
    assert_eq!(page.items.len() + page.unreadable, all.len());
    assert_eq!(page.items.len(), readable.len());
    for (item, (row, raw)) in page.items.iter().zip(readable) {
        assert_eq!(*item, row);
        check_row(item, raw);
    }
    let list = conversations(text).expect("an array is a list of conversations");
    assert_eq!(list.items.len() + list.unreadable, all.len());
    let mut places = all.iter();
    for item in &list.items {
        let place = places.find(|raw| *raw.get() == *item.raw);
        let object = place.and_then(|raw| object(raw.get()));
        let id = object.as_ref().and_then(|object| text_of(object, "id"));
        assert_eq!(id.as_deref(), Some(&*item.id), "in the server's order");
    }
}

/// A row is what its text says, and the text is the platform's own.
fn check_row(row: &Row, own: &str) {
    assert_eq!(*row.body, *own, "the body is the platform's text");
    let again = row_from_json(&row.body).expect("what was kept can be read again");
    assert_eq!(again, *row);
    let object = object(own).expect("a message is an object");
    for (name, kept) in [
        ("id", &row.message_id),
        ("conversation_id", &row.conversation_id),
    ] {
        assert_eq!(text_of(&object, name).as_deref(), Some(&**kept));
        assert!((1..=LONGEST).contains(&kept.len()));
    }
    assert!(
        row.seq
            .is_none_or(|seq| seq > 0 && i64::try_from(seq).is_ok())
    );
    for handle in row.sender.iter().chain(&row.joined) {
        assert!(!handle.is_empty() && !handle.starts_with('@'));
        assert_eq!(handle.to_lowercase(), **handle);
    }
}

fn is_message(object: &BTreeMap<String, &RawValue>) -> bool {
    text_of(object, "type").as_deref() == Some("message.new")
}

/// An object as an ordinary parser reads it; the last of two equal names counts.
fn object(text: &str) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(text).ok()
}

fn elements(text: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(text).ok()
}

fn envelopes(text: &str) -> Option<Vec<&RawValue>> {
    elements(object(text)?.get("envelopes")?.get())
}

fn text_of(object: &BTreeMap<String, &RawValue>, name: &str) -> Option<String> {
    serde_json::from_str(object.get(name)?.get()).ok()
}

/// A page of these rows in one form or the other.
fn page_of(rows: &[&RawValue], bare: bool) -> String {
    let rows: Vec<_> = rows.iter().map(|raw| raw.get()).collect();
    let rows = rows.join(",");
    match bare {
        true => format!("[{rows}]"),
        false => format!("{{\"envelopes\":[{rows}]}}"),
    }
}

/// An id has so many bytes at most.
const LONGEST: usize = 256;
/// What JSON calls white space.
const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];
