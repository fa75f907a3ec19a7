//! What the methods that walk pages share.

use super::common::ranged;

ranged! {
    /// How many rows a page has; AgentChat cuts it down to its own most.
    PageLimit(u32), 1, 1_000, default 50
}

ranged! {
    /// How many rows come at most, over all pages.
    MaxRows(u32), 1, 100_000, default 1_000
}
