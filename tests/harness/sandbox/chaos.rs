//! Dice for long runs, from a seed.

use super::faults::{Chaos, HttpFault, PushFault};

/// A random sequence.
#[derive(Debug)]
pub(crate) struct Dice(u64);

const BAD_GATEWAY: u16 = 502;

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Uniform in 0..1000.
    fn roll(&mut self) -> u16 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u16::try_from((z >> 33) % 1_000).unwrap_or(0)
    }

    /// Trouble for a live push.
    pub(crate) fn push(&mut self, chaos: &Chaos) -> Option<PushFault> {
        let choices = [
            (chaos.drop, PushFault::Drop),
            (chaos.suppress, PushFault::Suppress),
            (chaos.repeat, PushFault::Repeat(1)),
            (chaos.swap, PushFault::Swap),
            (chaos.cut, PushFault::CutInside),
        ];
        self.choose(&choices)
    }

    /// Trouble for a row of the connect drain.
    pub(crate) fn drain(&mut self, chaos: &Chaos) -> Option<PushFault> {
        let choices = [
            (chaos.drop, PushFault::Drop),
            (chaos.repeat, PushFault::Repeat(1)),
            (chaos.cut, PushFault::CutInside),
        ];
        self.choose(&choices)
    }

    /// Trouble for a request.
    pub(crate) fn http(&mut self, chaos: &Chaos) -> Option<HttpFault> {
        self.choose(&[
            (chaos.lose_answer, HttpFault::DropAfter),
            (chaos.bad_gateway, HttpFault::Html(BAD_GATEWAY)),
        ])
    }

    fn choose<T: Clone>(&mut self, choices: &[(u16, T)]) -> Option<T> {
        let mut left = self.roll();
        for (share, what) in choices {
            if left < *share {
                return Some(what.clone());
            }
            left -= share;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_met_and_the_same_seed_gives_the_same_run() {
        let chaos = Chaos {
            drop: 100,
            swap: 50,
            ..Chaos::default()
        };
        let run = |seed| {
            let mut dice = Dice::new(seed);
            (0..10_000).map(|_| dice.push(&chaos)).collect::<Vec<_>>()
        };
        let first = run(3);
        let drops = first
            .iter()
            .filter(|what| **what == Some(PushFault::Drop))
            .count();
        assert!((800..1_200).contains(&drops), "{drops}");
        assert_eq!(first, run(3));
    }
}
