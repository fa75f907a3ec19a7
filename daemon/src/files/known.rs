//! What is known of attachments that went up through this daemon. It lasts as long as the process:
//! AgentChat keeps no hash that a download could be held against.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// What the bytes of an attachment must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Print {
    /// How many there are.
    pub size: u64,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
}

/// The prints of the latest uploads, by attachment.
#[derive(Debug, Default)]
pub struct Known(Mutex<Prints>);

#[derive(Debug, Default)]
struct Prints {
    by_id: HashMap<String, Print>,
    oldest_first: VecDeque<String>,
}

impl Known {
    /// Remembers an upload; the oldest goes where there are too many.
    pub fn remember(&self, attachment_id: &str, print: Print) {
        let mut prints = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = prints.by_id.insert(attachment_id.to_owned(), print);
        if before.is_none() {
            prints.oldest_first.push_back(attachment_id.to_owned());
        }
        if prints.oldest_first.len() > MOST
            && let Some(oldest) = prints.oldest_first.pop_front()
        {
            prints.by_id.remove(&oldest);
        }
    }

    /// What is known of an attachment.
    pub fn of(&self, attachment_id: &str) -> Option<Print> {
        let prints = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        prints.by_id.get(attachment_id).cloned()
    }
}

/// How many uploads are remembered.
const MOST: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_once_there_are_too_many() {
        let known = Known::default();
        let print = |size| Print {
            size,
            sha256: String::new(),
        };
        for number in 0..=MOST as u64 {
            known.remember(&number.to_string(), print(number));
        }
        assert_eq!(known.of("0"), None);
        assert_eq!(known.of("1"), Some(print(1)));
        assert_eq!(known.of(&MOST.to_string()), Some(print(MOST as u64)));
    }
}
