//! Walks over lists that change between two pages.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// A platform with one list in rising order.
struct Platform {
    rows: BTreeSet<u32>,
    /// Rows of a page at most.
    cap: usize,
    tells_total: bool,
}

impl Platform {
    fn page(&self, window: Window) -> Vec<u32> {
        let limit = (window.limit as usize).min(self.cap);
        let offset = usize::try_from(window.offset).unwrap();
        self.rows.iter().copied().skip(offset).take(limit).collect()
    }
}

/// What happens between two pages.
#[derive(Debug, Clone)]
enum Change {
    Nothing,
    Gone(Vec<u32>),
    Come(Vec<u32>),
}

fn all(page: u32, max: u32) -> All {
    All {
        request: Request::get(&["v1", "contacts"]),
        list: "contacts",
        page,
        first: 0,
        max,
    }
}

/// Walks while the list changes; gives the rows that came and the number of pages.
fn walk(platform: &mut Platform, all: &All, changes: &[Change]) -> (Vec<u32>, usize) {
    let mut walk = Walk::new(all);
    let (mut taken, mut pages) = (Vec::new(), 0);
    while let Some(window) = walk.window() {
        let rows = platform.page(window);
        let fresh: Vec<u32> = rows
            .iter()
            .copied()
            .filter(|row| !taken.contains(row))
            .take(walk.left() as usize)
            .collect();
        walk.saw(Page {
            rows: u32::try_from(rows.len()).unwrap(),
            fresh: u32::try_from(fresh.len()).unwrap(),
            total: platform.tells_total.then_some(platform.rows.len() as u64),
            limit: Some(platform.cap as u64),
        });
        taken.extend(fresh);
        match changes.get(pages).unwrap_or(&Change::Nothing) {
            Change::Nothing => {}
            Change::Gone(rows) => platform.rows.retain(|row| !rows.contains(row)),
            Change::Come(rows) => platform.rows.extend(rows),
        }
        pages += 1;
        assert!(pages < 10_000, "the walk ends");
    }
    (taken, pages)
}

fn platform(rows: u32, cap: usize) -> Platform {
    Platform {
        rows: (0..rows).collect(),
        cap,
        tells_total: true,
    }
}

#[test]
fn every_page_is_walked_and_none_too_many() {
    for (rows, page, pages) in [
        (0, 10, 1),
        (1, 10, 1),
        (10, 10, 1),
        (11, 10, 2),
        (95, 10, 10),
    ] {
        let mut platform = platform(rows, 100);
        let (taken, asked) = walk(&mut platform, &all(page, 1_000), &[]);
        assert_eq!(taken, (0..rows).collect::<Vec<_>>());
        assert_eq!(asked, pages, "{rows} rows");
    }
}

#[test]
fn pages_that_the_platform_cuts_are_no_end() {
    let (taken, asked) = walk(&mut platform(95, 20), &all(100, 1_000), &[]);
    assert_eq!((taken.len(), asked), (95, 5));
    let mut silent = platform(95, 20);
    silent.tells_total = false;
    let (taken, asked) = walk(&mut silent, &all(100, 1_000), &[]);
    assert_eq!(
        (taken.len(), asked),
        (95, 5),
        "the limit is told, the total is not"
    );
}

#[test]
fn no_more_rows_come_than_were_asked_for() {
    let (taken, asked) = walk(&mut platform(95, 100), &all(10, 25), &[]);
    assert_eq!((taken.len(), asked), (25, 3));
    let (taken, asked) = walk(&mut platform(95, 100), &all(10, 10), &[]);
    assert_eq!((taken.len(), asked), (10, 1));
}

#[test]
fn rows_that_move_up_while_others_go_are_not_missed() {
    let gone = Change::Gone((0..10).collect());
    let (mut taken, _) = walk(&mut platform(30, 100), &all(10, 1_000), &[gone]);
    taken.sort_unstable();
    assert_eq!(taken, (0..30).collect::<Vec<_>>());
    // All that was seen goes, and more than a page with it.
    let gone = Change::Gone((0..25).collect());
    let (taken, _) = walk(&mut platform(40, 100), &all(20, 1_000), &[gone]);
    assert!((25..40).all(|row| taken.contains(&row)), "{taken:?}");
}

#[test]
fn a_list_that_empties_ends_the_walk() {
    let gone = Change::Gone((0..100).collect());
    let (taken, asked) = walk(&mut platform(100, 100), &all(10, 1_000), &[gone]);
    assert_eq!((taken.len(), asked), (10, 2));
}

#[test]
fn rows_that_come_again_behind_many_new_ones_are_no_end() {
    let come = Change::Come((0..50).collect());
    let mut platform = platform(0, 100);
    platform.rows = (50..60).collect();
    let (taken, _) = walk(&mut platform, &all(2, 1_000), &[come]);
    assert!((52..60).all(|row| taken.contains(&row)), "{taken:?}");
}

#[test]
fn a_platform_that_repeats_itself_ends_the_walk() {
    let mut walk = Walk::new(&all(10, 1_000));
    let mut pages = 0;
    while walk.window().is_some() {
        walk.saw(Page {
            rows: 10,
            fresh: if pages == 0 { 10 } else { 0 },
            total: Some(1_000_000),
            limit: None,
        });
        pages += 1;
    }
    assert_eq!(pages, 4, "three more, and no end of them otherwise");
}

#[test]
fn a_walk_begins_where_it_is_told() {
    let from = All {
        first: 90,
        ..all(10, 1_000)
    };
    let (taken, asked) = walk(&mut platform(95, 100), &from, &[]);
    assert_eq!((taken, asked), ((90..95).collect(), 1));
    let beyond = All {
        first: 200,
        ..all(10, 1_000)
    };
    let (taken, asked) = walk(&mut platform(95, 100), &beyond, &[]);
    assert_eq!((taken.len(), asked), (0, 1));
}

fn change() -> impl Strategy<Value = Change> {
    let rows = || proptest::collection::vec(0_u32..120, 0..40);
    prop_oneof![
        Just(Change::Nothing),
        rows().prop_map(Change::Gone),
        rows().prop_map(Change::Come),
    ]
}

proptest! {
    #[test]
    fn what_stays_the_whole_time_comes_once(
        size in 0_u32..100,
        cap in 1_usize..40,
        page in 1_u32..40,
        changes in proptest::collection::vec(change(), 0..12),
        tells_total in any::<bool>(),
    ) {
        let mut platform = Platform { tells_total, ..platform(size, cap) };
        let mut stays = platform.rows.clone();
        for change in &changes {
            if let Change::Gone(rows) = change {
                stays.retain(|row| !rows.contains(row));
            }
        }
        let (taken, _) = walk(&mut platform, &all(page, 100_000), &changes);
        let once: BTreeSet<u32> = taken.iter().copied().collect();
        prop_assert_eq!(once.len(), taken.len());
        // Without a total nobody can tell that rows moved.
        if tells_total || changes.is_empty() {
            prop_assert!(stays.is_subset(&once), "{:?} of {:?}", once, stays);
        }
    }
}
