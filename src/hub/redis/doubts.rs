//! Subscribers whose last entry is gone, although older ones are there: the stream has lost its
//! tail.
//!
//! Every subscriber that reads past the mark of a loss is told of the loss, since the ID of an
//! event does not say whether its client already knows. A subscriber whose last entry is gone is
//! therefore told at the mark too, or it would be told twice if it reconnects before the mark. It
//! waits until there is one: each node that has read the entry, or was given its ID, appends a mark
//! once it finds that the entry is gone. If no mark is appended in time, no such node is left, and
//! the subscriber is told without one.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::entry::StreamEntry;
use super::pages::Waiter;
use crate::hub::outer::{Anchor, Stored};

/// How long to wait for a mark. A node needs up to 3.5 s to find that its connection is dead, and
/// then reconnects.
pub(super) const MARKED: Duration = Duration::from_secs(5);

/// The maximum number of marks to remember.
const FOUND: usize = 256;

/// The subscribers that wait for a mark.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// By the key of the entry that is gone.
    waiting: BTreeMap<u128, Doubt>,
    search: Option<Search>,
}

#[derive(Debug)]
struct Doubt {
    since: Instant,
    /// The key of the next entry.
    next: Option<u128>,
    waiters: Vec<Waiter>,
}

/// A search for marks from a key to the stream's end, which continues as the stream grows.
#[derive(Debug)]
struct Search {
    from: u128,
    to: u128,
    /// The last key before each loss, and the key of its mark.
    marks: Vec<(u128, u128)>,
}

/// The subscribers that need not wait any longer, and what became of their last entry.
pub(super) type Settled = Vec<(u128, Anchor, Vec<Waiter>)>;

impl Doubts {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn insert(&mut self, key: u128, next: Option<u128>, waiter: Waiter) {
        let doubt = self.waiting.entry(key).or_insert_with(|| Doubt {
            since: Instant::now(),
            next,
            waiters: Vec::new(),
        });
        doubt.next = doubt.next.or(next);
        doubt.waiters.push(waiter);
    }

    /// Starts the search over, because the stream may have changed.
    pub(super) fn search_again(&mut self) {
        self.search = None;
    }

    /// Returns the key after which to search; `None` if no subscriber waits.
    pub(super) fn search_from(&mut self) -> Option<u128> {
        self.waiting.retain(|_, doubt| {
            doubt.waiters.retain(Waiter::is_there);
            !doubt.waiters.is_empty()
        });
        let Some((&first, _)) = self.waiting.first_key_value() else {
            self.search = None;
            return None;
        };
        let search = self.search.take();
        let search = search.filter(|search| search.from <= first && search.marks.len() <= FOUND);
        let search = search.unwrap_or(Search {
            from: first,
            to: first,
            marks: Vec::new(),
        });
        let to = search.to;
        self.search = Some(search);
        Some(to)
    }

    /// Takes the stream's oldest key, and the entries after the key that was searched from.
    pub(super) fn search(
        &mut self,
        oldest: Option<u128>,
        entries: &[StreamEntry],
        is_end: bool,
    ) -> Settled {
        let Some(search) = &mut self.search else {
            return Vec::new();
        };
        for entry in entries {
            if let Stored::Lost { after } = entry.entry.what {
                search.marks.push((after, entry.key()));
            }
        }
        search.to = entries.last().map_or(search.to, StreamEntry::key);
        let mut settled = Vec::new();
        let waiting = std::mem::take(&mut self.waiting);
        for (key, mut doubt) in waiting {
            if doubt.next.is_none() {
                let next = entries.partition_point(|entry| entry.key() <= key);
                doubt.next = entries.get(next).map(StreamEntry::key);
            }
            let mut marks = search.marks.iter();
            let is_marked = marks.any(|(after, mark)| *after < key && key < *mark);
            let anchor = match oldest {
                // Trimmed.
                Some(oldest) if oldest > key => Some(Anchor::Gone),
                Some(_) if is_marked => Some(Anchor::Marked),
                _ => (is_end && doubt.is_over(search.to)).then_some(Anchor::Gone),
            };
            match anchor {
                Some(anchor) => settled.push((key, anchor, doubt.waiters)),
                None => _ = self.waiting.insert(key, doubt),
            }
        }
        settled
    }
}

impl Doubt {
    /// Whether the time for a mark is over, by the clock or by the stream's newest key.
    fn is_over(&self, newest: u128) -> bool {
        let time = |key: u128| u64::try_from(key >> 64).unwrap_or(u64::MAX);
        let next = self.next.unwrap_or(u128::MAX);
        let age = Duration::from_millis(time(newest).saturating_sub(time(next)));
        age >= MARKED || self.since.elapsed() >= MARKED
    }
}
