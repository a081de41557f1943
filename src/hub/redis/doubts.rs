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
use crate::hub::outer::Anchor;

/// How long to wait for a mark. A node needs up to 3.5 s to find that its connection is dead, and
/// then reconnects.
pub(super) const MARKED: Duration = Duration::from_secs(5);

/// How much of that time may pass between two searches, or between two entries. In a longer silence,
/// Redis may not have answered, so that no node could append a mark.
const SILENCE: Duration = Duration::from_secs(1);

/// The subscribers that wait for a mark.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    /// By the key of the entry that is gone.
    waiting: BTreeMap<u128, Doubt>,
    search: Option<Search>,
    /// The time in which Redis has answered searches, and the last answer.
    answered: Duration,
    last_answer: Option<Instant>,
}

#[derive(Debug)]
struct Doubt {
    /// The time in which Redis had answered when the first subscriber came.
    since: Duration,
    /// The active time up to the first later entry, once the search has passed one.
    passed: Option<Duration>,
    waiters: Vec<Waiter>,
}

/// A search for marks from a key to the stream's end, which continues as the stream grows.
#[derive(Debug)]
struct Search {
    from: u128,
    to: u128,
    /// The time between the entries that it has passed, without long silences.
    active: Duration,
    /// The key of the newest mark, or 0.
    mark: u128,
}

/// The subscribers that need not wait any longer, and what became of their last entry.
pub(super) type Settled = Vec<(u128, Anchor, Vec<Waiter>)>;

impl Doubts {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn insert(&mut self, key: u128, waiter: Waiter) {
        let since = self.answered;
        let doubt = self.waiting.entry(key).or_insert_with(|| Doubt {
            since,
            passed: None,
            waiters: Vec::new(),
        });
        doubt.waiters.push(waiter);
    }

    /// Starts the search over, because the stream may have changed. A node that has to append a mark
    /// may have lost its connection too, so the time for that starts over as well.
    pub(super) fn search_again(&mut self) {
        self.search = None;
        self.last_answer = None;
        for doubt in self.waiting.values_mut() {
            doubt.since = self.answered;
            doubt.passed = None;
        }
    }

    /// Returns the key after which to search; `None` if no subscriber waits.
    pub(super) fn search_from(&mut self) -> Option<u128> {
        self.waiting.retain(|_, doubt| {
            doubt.waiters.retain(Waiter::is_there);
            !doubt.waiters.is_empty()
        });
        let Some((&first, _)) = self.waiting.first_key_value() else {
            (self.search, self.last_answer) = (None, None);
            return None;
        };
        let search = self.search.take().filter(|search| search.from <= first);
        if search.is_none() {
            self.waiting
                .values_mut()
                .for_each(|doubt| doubt.passed = None);
        }
        let search = self.search.insert(search.unwrap_or(Search {
            from: first,
            to: first,
            active: Duration::ZERO,
            mark: 0,
        }));
        Some(search.to)
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
        let now = Instant::now();
        let before = self.last_answer.replace(now).unwrap_or(now);
        self.answered += now.duration_since(before).min(SILENCE);
        // The active time at each entry.
        let mut active = Vec::with_capacity(entries.len());
        for entry in entries {
            let time = |key: u128| u64::try_from(key >> 64).unwrap_or(u64::MAX);
            let since = time(entry.key()).saturating_sub(time(search.to));
            search.active += Duration::from_millis(since).min(SILENCE);
            search.to = entry.key();
            active.push(search.active);
            if entry.is_loss() {
                search.mark = entry.key();
            }
        }
        let mut settled = Vec::new();
        let waiting = std::mem::take(&mut self.waiting);
        for (key, mut doubt) in waiting {
            if doubt.passed.is_none() {
                let next = entries.partition_point(|entry| entry.key() <= key);
                doubt.passed = active.get(next).copied();
            }
            let by_stream = doubt.passed.map(|passed| search.active - passed);
            let waited = by_stream.unwrap_or_default();
            let is_over = waited.max(self.answered - doubt.since) >= MARKED;
            let anchor = match oldest {
                // Trimmed.
                Some(oldest) if oldest > key => Some(Anchor::Gone),
                // Any later mark was appended after the entry was lost.
                Some(_) if search.mark > key => Some(Anchor::Marked),
                _ => (is_end && is_over).then_some(Anchor::Gone),
            };
            match anchor {
                Some(anchor) => settled.push((key, anchor, doubt.waiters)),
                None => _ = self.waiting.insert(key, doubt),
            }
        }
        settled
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::hub::outer::{LogEntry, Page, Stored};

    const fn key(ms: u128) -> u128 {
        ms << 64
    }

    fn entry(ms: u128, what: Stored) -> StreamEntry {
        let key = key(ms);
        StreamEntry {
            entry: LogEntry { key, what },
            size: 1,
            print: 0,
            is_skipped: false,
        }
    }

    fn places(times: impl Iterator<Item = u128>) -> Vec<StreamEntry> {
        times.map(|ms| entry(ms, Stored::Place)).collect()
    }

    /// A subscriber at 50, which is lost, and the receiver that it waits with.
    fn waiting() -> (Doubts, oneshot::Receiver<Page>) {
        let (page, read) = oneshot::channel();
        let mut doubts = Doubts::default();
        doubts.insert(key(50), Waiter::new(0, page));
        (doubts, read)
    }

    fn search(doubts: &mut Doubts, entries: &[StreamEntry]) -> Option<Anchor> {
        doubts.search_from()?;
        let settled = doubts.search(Some(key(1)), entries, true);
        settled.first().map(|(_, anchor, _)| *anchor)
    }

    async fn search_for(doubts: &mut Doubts, time: Duration) -> Option<Anchor> {
        let steps = time.as_millis() / 50;
        for _ in 0..steps {
            tokio::time::advance(Duration::from_millis(50)).await;
            if let Some(anchor) = search(doubts, &[]) {
                return Some(anchor);
            }
        }
        None
    }

    #[tokio::test(start_paused = true)]
    async fn only_time_in_which_redis_answers_counts() {
        let (mut doubts, _read) = waiting();
        assert_eq!(search_for(&mut doubts, MARKED / 2).await, None);
        // Redis or this node was stopped.
        tokio::time::advance(10 * MARKED).await;
        assert_eq!(search(&mut doubts, &[]), None);
        // Others may have lost their connections too.
        tokio::time::advance(MARKED).await;
        doubts.search_again();
        assert_eq!(search_for(&mut doubts, MARKED).await, None);
        tokio::time::advance(Duration::from_millis(100)).await;
        assert_eq!(search(&mut doubts, &[]), Some(Anchor::Gone));
    }

    #[tokio::test(start_paused = true)]
    async fn the_stream_tells_the_time_while_events_are_published() {
        let (mut doubts, _read) = waiting();
        let seconds = |times: std::ops::Range<u128>| places(times.map(|second| 1000 * second));
        assert_eq!(search(&mut doubts, &seconds(1..6)), None);
        assert_eq!(search(&mut doubts, &seconds(6..7)), Some(Anchor::Gone));
        let (mut doubts, _read) = waiting();
        // Nothing was published in between, perhaps because Redis was away.
        let silent = places([1_000, 3_000, 30_000, 30_100].into_iter());
        assert_eq!(search(&mut doubts, &silent), None);
    }

    #[tokio::test(start_paused = true)]
    async fn any_later_mark_tells_of_it() {
        let (mut doubts, _read) = waiting();
        let mark = entry(90, Stored::Lost);
        assert_eq!(search(&mut doubts, &[mark]), Some(Anchor::Marked));
        let (mut doubts, _read) = waiting();
        doubts.search_from();
        let settled = doubts.search(Some(key(70)), &[], true);
        assert!(matches!(settled[..], [(_, Anchor::Gone, _)]));
    }
}
