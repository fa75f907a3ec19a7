//! Fixed windows: so many of something from the first one on, for so long (wire.md 7).

use super::time::Stamp;
use std::collections::HashMap;
use std::time::Duration;

/// Bounds of one kind of request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound {
    /// So many are let through.
    pub(crate) count: u32,
    /// From the first one on, for this time.
    pub(crate) within: Duration,
}

/// Open windows by name.
#[derive(Debug, Default)]
pub(crate) struct Windows(HashMap<String, (Stamp, u32)>);

impl Windows {
    /// Counts one more. `Err` with the time until the window ends when there were enough.
    pub(crate) fn count(&mut self, name: &str, bound: Bound, now: Stamp) -> Result<(), Duration> {
        if let Some(left) = self.is_full(name, bound, now) {
            return Err(left);
        }
        let open = self
            .0
            .get(name)
            .filter(|(begun, _)| running(*begun, bound, now));
        let window = open.map_or((now, 1), |(begun, count)| (*begun, count + 1));
        self.0.insert(name.to_owned(), window);
        Ok(())
    }

    /// How long a full window goes on.
    pub(crate) fn is_full(&self, name: &str, bound: Bound, now: Stamp) -> Option<Duration> {
        let (begun, count) = self.0.get(name)?;
        let full = *count >= bound.count && running(*begun, bound, now);
        full.then(|| bound.within.saturating_sub(now.since(*begun)))
    }
}

fn running(begun: Stamp, bound: Bound, now: Stamp) -> bool {
    now.since(begun) < bound.within
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_opens_with_the_first_and_ends_by_itself() {
        let bound = Bound {
            count: 2,
            within: Duration::from_secs(10),
        };
        let mut windows = Windows::default();
        let at = |second: i64| Stamp(second * 1_000_000);
        assert_eq!(windows.count("a", bound, at(3)), Ok(()));
        assert_eq!(windows.count("a", bound, at(9)), Ok(()));
        assert_eq!(
            windows.count("a", bound, at(12)),
            Err(Duration::from_secs(1))
        );
        assert_eq!(windows.count("b", bound, at(12)), Ok(()));
        assert_eq!(windows.count("a", bound, at(13)), Ok(()));
    }
}
