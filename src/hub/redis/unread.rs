//! Entries that Redis has acknowledged to this node, or sent in a page, and that its reader has not
//! reached. If the reader does not find one of them, Redis has lost it, and no other node may know.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::entry::StreamEntry;

/// The maximum number of entries to remember. The oldest are forgotten first.
const MOST: usize = 65_536;

/// The maximum number of entries to look for in one read.
pub(super) const EXPECTED: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Unread {
    keys: Mutex<UnreadKeys>,
}

#[derive(Debug, Default)]
struct UnreadKeys {
    expected: BTreeSet<u128>,
    aside: BTreeSet<u128>,
}

impl Unread {
    fn keys(&self) -> MutexGuard<'_, UnreadKeys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn insert(&self, key: u128) {
        let keys = &mut self.keys().expected;
        keys.insert(key);
        if keys.len() > MOST {
            keys.pop_first();
        }
    }

    /// Returns the oldest keys after the last one read. A read that begins now has to find them.
    /// Forgets those up to the settled one.
    pub(super) fn after(&self, settled: u128, last: u128) -> Vec<u128> {
        let keys = &mut self.keys().expected;
        while keys.first().is_some_and(|first| *first <= settled) {
            keys.pop_first();
        }
        let after = keys.range((Bound::Excluded(last), Bound::Unbounded));
        after.copied().take(EXPECTED).collect()
    }

    /// Sets all keys aside while a mark is appended. The mark covers all that is lost by then.
    pub(super) fn set_aside(&self) {
        let mut keys = self.keys();
        let all = std::mem::take(&mut keys.expected);
        keys.aside.extend(all);
    }

    /// Forgets the keys that were set aside, or restores them if the mark was not appended.
    pub(super) fn marked(&self, is_marked: bool) {
        let mut keys = self.keys();
        let aside = std::mem::take(&mut keys.aside);
        if !is_marked {
            keys.expected.extend(aside);
        }
    }
}

/// Returns the entry before the newest expected key that is missing. `is_all` means that nothing
/// follows the entries.
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
        assert_eq!(unread.after(2, 2), [3, 5, 9]);
        assert_eq!(unread.after(2, 3), [5, 9]);
        assert_eq!(unread.after(5, 5), [9]);
        // An entry may be acknowledged after it has been read.
        unread.insert(4);
        assert_eq!(unread.after(5, 5), [9]);
        unread.set_aside();
        assert!(unread.after(5, 5).is_empty());
        unread.insert(11);
        unread.marked(false);
        assert_eq!(unread.after(5, 5), [9, 11]);
        unread.set_aside();
        unread.insert(12);
        unread.marked(true);
        assert_eq!(unread.after(5, 5), [12]);
    }

    #[test]
    fn only_so_many_are_kept() {
        let unread = Unread::default();
        for key in 0..MOST as u128 + 10 {
            unread.insert(key);
        }
        assert_eq!(unread.keys().expected.len(), MOST);
        assert_eq!(unread.after(0, 0).first(), Some(&10));
    }
}
