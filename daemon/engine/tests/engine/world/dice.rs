//! Chance from a seed, or from a fuzzer's bytes: equal ones throw equal dice.

use std::collections::VecDeque;

use agentchatd_engine::Jitter;

/// A source of chance.
#[derive(Debug, Clone)]
pub(crate) struct Dice {
    /// What is drawn from first.
    bytes: VecDeque<u8>,
    jitter: Jitter,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        let bytes = VecDeque::new();
        let jitter = Jitter::new(seed);
        Self { bytes, jitter }
    }

    /// Dice that show what these bytes say, and chance once they are used up.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        let bytes = bytes.iter().copied().collect();
        Self {
            bytes,
            ..Self::new(1)
        }
    }

    /// True once the bytes are used up.
    pub(crate) fn is_spent(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A number in `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        if self.bytes.is_empty() {
            return self.jitter.between(low, high);
        }
        // As many bytes as the span needs, so that each byte means something.
        let span = high - low;
        let (mut drawn, mut reach) = (0, 0);
        while reach < span {
            let byte = u64::from(self.bytes.pop_front().unwrap_or(0));
            drawn = drawn << 8 | byte;
            reach = reach << 8 | 0xff;
        }
        low + drawn.checked_rem(span.saturating_add(1)).unwrap_or(drawn)
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        percent > 0 && self.between(0, 99) < percent
    }

    /// One of a list.
    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let at = self.between(0, from.len() as u64 - 1);
        from[usize::try_from(at).expect("a place in a list fits")].clone()
    }
}

/// How hostile the world is, in percent. All zero: nothing goes wrong, nothing takes time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Chances {
    /// The longest time that a step on the wire takes; each is drawn below it.
    pub(crate) delay_ms: u64,
    /// The longest time that a commit takes.
    pub(crate) commit_ms: u64,
    pub(crate) push_dropped: u64,
    pub(crate) push_repeated: u64,
    pub(crate) push_late: u64,
    /// A batch of the connect drain comes twice.
    pub(crate) drain_repeated: u64,
    /// An answer that is an error, the request not carried out.
    pub(crate) refused: u64,
    /// A request carried out whose answer is lost.
    pub(crate) answer_lost: u64,
    /// An upgrade that is refused; half of them leave a ghost socket.
    pub(crate) dial_refused: u64,
    /// A hello that is answered too late, or never.
    pub(crate) hello_late: u64,
    /// A message that becomes visible later than its time stamp says.
    pub(crate) commit_late: u64,
    /// A sync row that cannot be read, until the faults end.
    pub(crate) poisoned: u64,
    /// A sync row without a delivery id.
    pub(crate) null_id: u64,
    /// A group message for which no envelope is made.
    pub(crate) skipped: u64,
}
