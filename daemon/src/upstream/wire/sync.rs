//! A page of sync in either form, and the answer to its acknowledgement (`wire.md` 3).
//!
//! The clean-prefix rule: the page ends before its first unreadable row, and says so. Nothing past
//! that row may ever be acknowledged, so nothing past it is handed out.

use agentchatd_engine::{Failure, Row};
use serde_json::value::RawValue;

use super::fields::{self, members};
use super::row::row_and_delivery;
use super::{Cursor, Unreadable, row};

/// The clean prefix of one page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncPage {
    /// The readable rows, in the order of the page.
    pub rows: Vec<Row>,
    /// The delivery id of each row; `None` where it is null, empty or absent.
    pub ids: Vec<Option<Cursor>>,
    /// Why the page was cut short, where a row could not be read.
    pub poisoned: Option<String>,
}

impl SyncPage {
    /// The last usable cursor: acknowledging it covers every row up to it, and the rows with a null
    /// id before it.
    #[must_use]
    pub fn cursor(&self) -> Option<&Cursor> {
        self.ids.iter().rev().flatten().next()
    }

    /// How many rows stand up to that cursor, its own included.
    #[must_use]
    pub fn covered(&self) -> usize {
        self.ids
            .iter()
            .rposition(Option::is_some)
            .map_or(0, |last| last + 1)
    }
}

/// Reads a page: a bare array, or an object with `envelopes`; the JSON itself decides.
///
/// # Errors
/// [`Failure::Shape`] for everything else, which must never be taken for an empty page.
pub fn sync_page(json: &str) -> Result<SyncPage, Failure> {
    match json.trim_start().as_bytes().first() {
        Some(b'[') => Ok(page(&elements(json)?, row_and_delivery)),
        Some(b'{') => match members(json, &["envelopes"]) {
            Ok([Some(list)]) => Ok(page(&elements(list.get())?, envelope_row)),
            _ => Err(shape("an object without `envelopes`")),
        },
        _ => Err(shape("neither an array nor an object")),
    }
}

/// How many rows an acknowledgement settled, where the answer says so.
///
/// Any 2xx is a success; `{ok: true}` and an empty body tell no number.
#[must_use]
pub fn acked(json: &str) -> Option<u64> {
    let [acked] = members(json, &["acked"]).ok()?;
    fields::number(acked?)
}

type Entry = Result<(Row, Option<Cursor>), Unreadable>;

fn page(elements: &[&RawValue], read: fn(&RawValue) -> Entry) -> SyncPage {
    let mut page = SyncPage::default();
    for (index, element) in elements.iter().enumerate() {
        match read(element) {
            Ok((row, id)) => {
                page.rows.push(row);
                page.ids.push(id);
            }
            Err(unreadable) => {
                page.poisoned = Some(format!(
                    "row {} of {}: {unreadable}",
                    index + 1,
                    elements.len()
                ));
                break;
            }
        }
    }
    page
}

/// The 1.0.3 form: an envelope around the message.
fn envelope_row(raw: &RawValue) -> Entry {
    let [id, message] = members(raw.get(), &["delivery_id", "message"])
        .map_err(|_| Unreadable::new("an envelope is no JSON object"))?;
    let message = message.ok_or_else(|| Unreadable::new("an envelope has no `message`"))?;
    Ok((row(message)?, id.and_then(Cursor::from_raw)))
}

fn elements(json: &str) -> Result<Vec<&RawValue>, Failure> {
    serde_json::from_str(json).map_err(|_| shape("no JSON array"))
}

fn shape(came: &str) -> Failure {
    Failure::Shape {
        reason: format!("a sync page was expected, {came} came").into(),
    }
}
