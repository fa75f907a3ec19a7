//! All pages of a list as one answer: AgentChat's own envelope with every row in it. Where to go is
//! [`Walk`]'s; here the pages are fetched, rows that came before passed over, and the JSON of rows and
//! envelope kept as it came.

use std::collections::HashSet;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::calls::{All, Page, Walk};
use crate::command::CallFailure;
use crate::event::push_text;
use crate::rpc::methods::ask::{Ask, unavailable};

/// Walks a list to its end.
pub(super) async fn every_page(ask: &Ask<'_>, all: &All) -> Result<Box<RawValue>, CallFailure> {
    let mut walk = Walk::new(all);
    let mut seen = HashSet::new();
    let mut rows: Vec<Box<RawValue>> = Vec::new();
    let (mut first, mut total) = (None, None);
    while let Some(window) = walk.window() {
        let request = all.request.clone().query("limit", window.limit);
        let json = ask.json(request.query("offset", window.offset)).await?;
        let envelope: Envelope =
            serde_json::from_str(json.get()).map_err(|_| no_page(all, "is no object"))?;
        let page = envelope
            .rows(all.list)
            .ok_or_else(|| no_page(all, "has no such list"))?;
        let count = page.len();
        let fresh = page.into_iter().filter(|row| seen.insert(identity(row)));
        let before = rows.len();
        rows.extend(fresh.take(walk.left() as usize));
        walk.saw(Page {
            rows: saturated(count),
            fresh: saturated(rows.len() - before),
            total: envelope.number("total"),
            limit: envelope.number("limit"),
        });
        total = envelope.member("total").map(ToOwned::to_owned).or(total);
        first.get_or_insert(envelope);
    }
    // Only a walk of no pages has no envelope, and the bounds of the parameters allow none.
    let envelope = first.unwrap_or_default();
    RawValue::from_string(envelope.with(all.list, &rows, total.as_deref()))
        .map_err(|_| no_page(all, "cannot be put together"))
}

/// A JSON object, its members in order and as they came.
#[derive(Default)]
struct Envelope(Vec<(String, Box<RawValue>)>);

impl Envelope {
    fn member(&self, name: &str) -> Option<&RawValue> {
        let (_, value) = self.0.iter().find(|(own, _)| own == name)?;
        Some(value)
    }

    fn number(&self, name: &str) -> Option<u64> {
        serde_json::from_str(self.member(name)?.get()).ok()
    }

    fn rows(&self, list: &str) -> Option<Vec<Box<RawValue>>> {
        serde_json::from_str(self.member(list)?.get()).ok()
    }

    /// The envelope's text with these rows, and the newest total.
    fn with(&self, list: &str, rows: &[Box<RawValue>], total: Option<&RawValue>) -> String {
        let mut text = String::from("{");
        for (index, (name, value)) in self.0.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            push_text(&mut text, name);
            text.push(':');
            match (name.as_str(), total) {
                (name, _) if name == list => push_rows(&mut text, rows),
                ("total", Some(total)) => text.push_str(total.get()),
                _ => text.push_str(value.get()),
            }
        }
        text.push('}');
        text
    }
}

fn push_rows(text: &mut String, rows: &[Box<RawValue>]) {
    text.push('[');
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(row.get());
    }
    text.push(']');
}

/// What tells rows apart: the handle, which an agent keeps for life; else all of it.
fn identity(row: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Named {
        handle: String,
    }
    serde_json::from_str(row.get())
        .map_or_else(|_| row.get().to_owned(), |named: Named| named.handle)
}

fn no_page(all: &All, why: &str) -> CallFailure {
    unavailable(&format!("a page of `{}` {why}", all.list))
}

fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Envelope(members))
    }
}
