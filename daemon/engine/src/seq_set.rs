//! A set of sequence numbers kept as ranges: small when holes are few, whatever their width.

use std::collections::BTreeMap;

/// Disjoint inclusive ranges of sequence numbers; neighbours are merged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeqSet {
    // Start of a range -> its last member.
    ranges: BTreeMap<u64, u64>,
}

impl SeqSet {
    /// A set with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// True where nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// True where `seq` is in the set.
    pub fn contains(&self, seq: u64) -> bool {
        self.ranges
            .range(..=seq)
            .next_back()
            .is_some_and(|(_, &last)| last >= seq)
    }

    /// The lowest member.
    pub fn first(&self) -> Option<u64> {
        self.ranges.keys().next().copied()
    }

    /// The ranges in rising order, both ends included.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.ranges.iter().map(|(&first, &last)| (first, last))
    }

    /// Adds `first..=last`; nothing happens where `first > last`.
    pub fn insert(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        let (mut first, mut last) = (first, last);
        // Every range that overlaps or touches the new one is swallowed by it.
        let touching: Vec<u64> = self
            .ranges
            .range(..=last.saturating_add(1))
            .rev()
            .take_while(|&(_, &end)| end.saturating_add(1) >= first)
            .map(|(&start, _)| start)
            .collect();
        for start in touching {
            if let Some(end) = self.ranges.remove(&start) {
                first = first.min(start);
                last = last.max(end);
            }
        }
        self.ranges.insert(first, last);
    }

    /// Takes `first..=last` out.
    pub fn remove(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        let hit: Vec<(u64, u64)> = self
            .ranges
            .range(..=last)
            .rev()
            .take_while(|&(_, &end)| end >= first)
            .map(|(&start, &end)| (start, end))
            .collect();
        for (start, end) in hit {
            self.ranges.remove(&start);
            if start < first {
                self.ranges.insert(start, first - 1);
            }
            if end > last {
                self.ranges.insert(last + 1, end);
            }
        }
    }
}

impl FromIterator<(u64, u64)> for SeqSet {
    fn from_iter<I: IntoIterator<Item = (u64, u64)>>(ranges: I) -> Self {
        let mut set = Self::new();
        for (first, last) in ranges {
            set.insert(first, last);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::SeqSet;

    proptest! {
        #[test]
        fn agrees_with_a_plain_set_of_numbers(
            steps in proptest::collection::vec((any::<bool>(), 1_u64..40, 0_u64..12), 0..40)
        ) {
            let (mut set, mut model) = (SeqSet::new(), BTreeSet::new());
            for (add, first, width) in steps {
                let last = first + width;
                if add {
                    set.insert(first, last);
                    model.extend(first..=last);
                } else {
                    set.remove(first, last);
                    model.retain(|n| !(first..=last).contains(n));
                }
                let members: BTreeSet<u64> = set.iter().flat_map(|(a, b)| a..=b).collect();
                prop_assert_eq!(&members, &model);
                prop_assert_eq!(set.first(), model.first().copied());
                for n in 0..60 {
                    prop_assert_eq!(set.contains(n), model.contains(&n));
                }
                // Merged: no range touches the next one.
                let ranges: Vec<_> = set.iter().collect();
                prop_assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
            }
        }
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let mut set = SeqSet::new();
        set.insert(u64::MAX - 1, u64::MAX);
        set.insert(u64::MAX, u64::MAX);
        assert!(set.contains(u64::MAX));
        set.remove(u64::MAX - 1, u64::MAX);
        assert!(set.is_empty());
    }
}
