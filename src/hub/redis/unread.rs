//! Entries that Redis has acknowledged to this node, and that it has not yet read. If one of them is
//! gone when the node reads on, Redis has lost it before anybody could know it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::entry::StreamEntry;

/// How many are kept at most; the oldest are forgotten first.
const MOST: usize = 65_536;

/// How many are looked for in one read.
const EXPECTED: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Unread {
    keys: Mutex<BTreeSet<u128>>,
}

impl Unread {
    fn keys(&self) -> MutexGuard<'_, BTreeSet<u128>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn insert(&self, key: u128) {
        let mut keys = self.keys();
        keys.insert(key);
        if keys.len() > MOST {
            keys.pop_first();
        }
    }

    /// The oldest keys after the last one that was read. A read that begins now has to find them.
    pub(super) fn after(&self, last: u128) -> Vec<u128> {
        let mut keys = self.keys();
        while keys.first().is_some_and(|first| *first <= last) {
            keys.pop_first();
        }
        keys.iter().copied().take(EXPECTED).collect()
    }

    /// Subscribers are about to be told of every loss so far.
    pub(super) fn clear(&self) {
        self.keys().clear();
    }
}

/// The entry before the newest expected key that is missing. `is_all` says that nothing follows.
pub(super) fn before_missing<'a>(
    entries: &'a [StreamEntry],
    expected: &[u128],
    is_all: bool,
) -> Option<&'a StreamEntry> {
    let newest = entries.last()?.key();
    let is_missing = |wanted: &&u128| {
        (is_all || **wanted <= newest)
            && entries
                .binary_search_by_key(*wanted, StreamEntry::key)
                .is_err()
    };
    let missing = expected.iter().rfind(is_missing)?;
    let before = entries.partition_point(|entry| entry.key() < *missing);
    entries.get(before.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_no_longer_expected() {
        let unread = Unread::default();
        for key in [5, 3, 9] {
            unread.insert(key);
        }
        assert_eq!(unread.after(2), [3, 5, 9]);
        assert_eq!(unread.after(5), [9]);
        // Acknowledged after it was read.
        unread.insert(4);
        assert_eq!(unread.after(5), [9]);
        unread.clear();
        assert!(unread.after(0).is_empty());
    }

    #[test]
    fn only_so_many_are_kept() {
        let unread = Unread::default();
        for key in 0..MOST as u128 + 10 {
            unread.insert(key);
        }
        assert_eq!(unread.keys().len(), MOST);
        assert_eq!(unread.after(0).first(), Some(&10));
    }
}
