//! Walking the pages of a list that the platform keeps changing meanwhile.
//!
//! A page is a window over a list in the platform's own order. What is taken out of the list moves
//! all behind it up, so rows would slip past the window: where the total went down, the window goes
//! back by as much. What is put in moves rows down, so some come again; who walks passes over those.
//!
//! Promised: a row that stood in the list from the first page to the last comes once, unless between
//! two pages as many rows came as went, which the total does not tell. Rows that had slipped past come
//! behind those that had not. The walk ends, however the total moves, whatever the platform answers.

use super::Request;

/// A list to be walked.
#[derive(Debug, Clone)]
pub struct All {
    /// The request of a page, without its window.
    pub request: Request,
    /// The member of the answer that holds the rows.
    pub list: &'static str,
    /// Rows to ask for at a time.
    pub page: u32,
    /// Rows to pass over.
    pub first: u64,
    /// Rows to take at most.
    pub max: u32,
}

/// Where a page begins and how many rows are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows before it.
    pub offset: u64,
    /// Rows asked for.
    pub limit: u32,
}

/// What came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Rows.
    pub rows: u32,
    /// Rows that had not come before.
    pub fresh: u32,
    /// Rows in the whole list, where the platform says.
    pub total: Option<u64>,
    /// Rows of a page at most, where the platform says.
    pub limit: Option<u64>,
}

/// A walk under way.
#[derive(Debug, Clone)]
pub struct Walk {
    first: u64,
    page: u32,
    next: Option<u64>,
    total: Option<u64>,
    /// Rows that may still come.
    left: u32,
    /// Rows that may still come again.
    patience: u64,
    /// Pages that may still be asked for.
    pages: u64,
}

impl Walk {
    /// A walk from its beginning.
    #[must_use]
    pub fn new(all: &All) -> Self {
        Self {
            first: all.first,
            page: all.page,
            next: Some(all.first),
            total: None,
            left: all.max,
            patience: u64::from(all.page) * BARREN_PAGES,
            pages: u64::from(all.max) * PAGES_PER_ROW + BARREN_PAGES,
        }
    }

    /// The next page to ask for; `None` at the end.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        let offset = self.next?;
        let limit = self.page.min(self.left);
        (limit > 0 && self.pages > 0).then_some(Window { offset, limit })
    }

    /// How many more rows may be taken.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.left
    }

    /// Goes on behind a page.
    pub fn saw(&mut self, page: Page) {
        let Some(window) = self.window() else { return };
        let rows = u64::from(page.rows);
        let (before, now) = (self.total, page.total.or(self.total));
        let (shrunk, grown) = match (before, now) {
            (Some(before), Some(now)) => (before.saturating_sub(now), now.saturating_sub(before)),
            _ => (0, 0),
        };
        self.total = now;
        self.left = self.left.saturating_sub(page.fresh);
        self.pages -= 1;

        // What slipped past while rows went lies before this window, not behind it.
        let next = if shrunk > 0 {
            window.offset.saturating_sub(shrunk).max(self.first)
        } else {
            window.offset.saturating_add(rows)
        };
        // Only rows that the moving total explains may come again for long.
        let again = rows.saturating_sub(page.fresh.into());
        let explained = if shrunk > 0 { shrunk + rows } else { grown };
        let patience = self.patience.saturating_add(explained);
        self.patience = patience.saturating_sub(again);

        let over = match now {
            // A short page is no end by itself: the platform may cut pages as it likes.
            Some(total) => next >= total,
            None => rows < page.limit.unwrap_or(u64::MAX).min(window.limit.into()),
        };
        let nothing = rows == 0 && shrunk == 0;
        self.next = (!over && !nothing && patience > again).then_some(next);
    }
}

/// So many pages of rows that came before are borne where nothing explains them.
const BARREN_PAGES: u64 = 3;

/// Pages at most for each row that may come, whatever the platform answers.
const PAGES_PER_ROW: u64 = 2;

#[cfg(test)]
#[path = "paging_tests.rs"]
mod tests;
