//! Pages of the stream for subscribers that are older than the ring. One page is read at a time,
//! the oldest first, shared by all that need it, and kept for those that come later.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use super::doubts::{Doubts, Settled};
use super::entry::StreamEntry;
use crate::hub::outer::{Anchor, LogEntry, Page, PageFuture, Past};

/// The maximum size of the kept pages in bytes.
const KEPT: usize = 16 << 20;

/// The interval between searches for marks while subscribers wait for one.
const SEARCH: Duration = Duration::from_millis(50);

type Waiting = BTreeMap<u128, Vec<Waiter>>;

/// A subscription that waits for a page.
#[derive(Debug)]
pub(super) struct Waiter {
    /// Its number, in the order of arrival.
    number: u64,
    /// What became of the entry before the page, once that is known.
    verdict: Option<Anchor>,
    page: oneshot::Sender<Page>,
}

impl Waiter {
    pub(super) fn new(number: u64, page: oneshot::Sender<Page>) -> Self {
        Self {
            number,
            verdict: None,
            page,
        }
    }

    pub(super) fn is_there(&self) -> bool {
        !self.page.is_closed()
    }
}

/// The pages in memory, and the subscriptions that wait for others.
#[derive(Debug, Default)]
pub(super) struct Pages {
    state: Mutex<PagesState>,
    wanted: Notify,
}

#[derive(Debug, Default)]
struct PagesState {
    /// By the key that the page begins after. A subscription gives up by dropping its receiver.
    waiting: Waiting,
    doubts: Doubts,
    /// Newest first.
    kept: VecDeque<Kept>,
    bytes: usize,
    /// The number of times all pages were dropped.
    forgotten: u64,
    hits: u64,
    /// The number of waiters so far.
    waiters: u64,
}

/// A full page: it holds every entry between its first and its last.
#[derive(Debug)]
struct Kept {
    entries: Arc<[LogEntry]>,
    bytes: usize,
}

/// A page to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) after: u128,
    forgotten: u64,
    /// Waiters that came later may know of entries after the page's end.
    waiters: u64,
}

/// A page as it was read: the entries from a key on.
#[derive(Debug)]
pub(super) struct ReadPage {
    pub(super) entries: Arc<[LogEntry]>,
    pub(super) bytes: usize,
    pub(super) is_full: bool,
    /// The stream's newest key, if there was no entry from the key on.
    pub(super) newest: u128,
}

impl Pages {
    fn lock(&self) -> MutexGuard<'_, PagesState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops all pages, because the stream may have changed.
    pub(super) fn forget(&self) {
        let kept = {
            let mut state = self.lock();
            state.forgotten += 1;
            state.bytes = 0;
            state.doubts.search_again();
            std::mem::take(&mut state.kept)
        };
        drop(kept);
    }

    pub(super) fn hits(&self) -> u64 {
        self.lock().hits
    }

    /// Waits until a page is wanted, or it is time to search for marks.
    pub(super) async fn wanted(&self) {
        while self.oldest().is_none() {
            let notified = self.wanted.notified();
            if self.lock().doubts.is_empty() {
                notified.await;
            } else {
                _ = tokio::time::timeout(SEARCH, notified).await;
                return;
            }
        }
    }

    /// Returns the key after which to search for marks; `None` if no subscriber waits for one.
    pub(super) fn search_from(&self) -> Option<u128> {
        self.lock().doubts.search_from()
    }

    /// Takes the result of a search. Subscribers that need not wait any longer get their pages.
    pub(super) fn search(&self, oldest: Option<u128>, entries: &[StreamEntry], is_end: bool) {
        let mut served = Vec::new();
        let mut state = self.lock();
        let settled: Settled = state.doubts.search(oldest, entries, is_end);
        for (after, anchor, waiters) in settled {
            for mut waiter in waiters {
                waiter.verdict = Some(anchor);
                match state.find(after, waiter.verdict) {
                    Some(Ok(page)) => served.push((waiter, page)),
                    _ => state.waiting.entry(after).or_default().push(waiter),
                }
            }
        }
        drop(state);
        for (waiter, page) in served {
            _ = waiter.page.send(page);
        }
    }

    /// Returns the oldest page that is wanted.
    pub(super) fn oldest(&self) -> Option<Wanted> {
        let mut state = self.lock();
        let (forgotten, waiters) = (state.forgotten, state.waiters);
        while let Some(mut first) = state.waiting.first_entry() {
            first.get_mut().retain(Waiter::is_there);
            if first.get().is_empty() {
                first.remove();
                continue;
            }
            let after = *first.key();
            return Some(Wanted {
                after,
                forgotten,
                waiters,
            });
        }
        None
    }

    /// Hands a page to all that wait for a part of it, and keeps it.
    pub(super) fn serve(&self, wanted: Wanted, read: &ReadPage) {
        let last = read.entries.last().map_or(0, |last| last.key);
        let mut served = Vec::new();
        let mut state = self.lock();
        let later = state.waiting.split_off(&wanted.after);
        for (after, waiting) in later {
            let is_inside = after < last || (after == last && !read.is_full);
            let is_answered = after == wanted.after || !read.is_full;
            let (yes, no): (Vec<_>, Vec<_>) = waiting
                .into_iter()
                .partition(|one| is_inside || (is_answered && one.number < wanted.waiters));
            if !no.is_empty() {
                state.waiting.insert(after, no);
            }
            served.extend(yes.into_iter().map(|one| (after, one)));
        }
        state.hits += served.len().saturating_sub(1) as u64;
        // A page that was read before all were dropped may serve those that waited, but is not
        // kept.
        if read.is_full && state.forgotten == wanted.forgotten {
            state.keep(read);
        }
        let mut pages = Vec::new();
        for (after, one) in served {
            match page_after(&read.entries, after, !read.is_full, one.verdict) {
                Ok(mut page) => {
                    page.newest = page.newest.max(read.newest);
                    pages.push((one, page));
                }
                Err(InDoubt) => state.doubts.insert(after, one),
            }
        }
        drop(state);
        for (one, page) in pages {
            _ = one.page.send(page);
        }
    }
}

impl PagesState {
    fn keep(&mut self, read: &ReadPage) {
        self.bytes += read.bytes;
        self.kept.push_front(Kept {
            entries: Arc::clone(&read.entries),
            bytes: read.bytes,
        });
        while self.bytes > KEPT {
            let Some(oldest) = self.kept.pop_back() else {
                break;
            };
            self.bytes -= oldest.bytes;
        }
    }

    /// Finds a page in memory. The error is that of [`page_after`].
    fn find(&mut self, after: u128, verdict: Option<Anchor>) -> Option<Result<Page, InDoubt>> {
        let spans = |kept: &Kept| {
            let (first, last) = (kept.entries.first(), kept.entries.last());
            first.is_some_and(|first| first.key <= after)
                && last.is_some_and(|last| after < last.key)
        };
        let at = self.kept.iter().position(spans)?;
        let kept = self.kept.remove(at)?;
        let page = page_after(&kept.entries, after, false, verdict);
        self.kept.push_front(kept);
        self.hits += 1;
        Some(page)
    }
}

/// The key before a page is not there, and it is not known why.
struct InDoubt;

/// Returns the part of a page after a key.
fn page_after(
    entries: &Arc<[LogEntry]>,
    after: u128,
    is_end: bool,
    verdict: Option<Anchor>,
) -> Result<Page, InDoubt> {
    let at = entries.partition_point(|entry| entry.key < after);
    let is_there = entries.get(at).is_some_and(|entry| entry.key == after);
    let anchor = match verdict {
        // Zero stands for the beginning.
        _ if is_there || after == 0 => Anchor::Present,
        Some(anchor) => anchor,
        None => return Err(InDoubt),
    };
    Ok(Page {
        anchor,
        from: at + usize::from(is_there),
        newest: entries.last().map_or(0, |last| last.key),
        entries: Arc::clone(entries),
        is_end,
    })
}

impl Past for Arc<Pages> {
    fn page(&self, after: u128) -> PageFuture {
        let pages = Arc::clone(self);
        Box::pin(async move {
            loop {
                let read = {
                    let mut state = pages.lock();
                    let is_in_doubt = match state.find(after, None) {
                        Some(Ok(page)) => return page,
                        found => found.is_some(),
                    };
                    let (page, read) = oneshot::channel();
                    let number = state.waiters;
                    state.waiters += 1;
                    let waiter = Waiter::new(number, page);
                    match is_in_doubt {
                        true => state.doubts.insert(after, waiter),
                        false => state.waiting.entry(after).or_default().push(waiter),
                    }
                    read
                };
                pages.wanted.notify_one();
                if let Ok(page) = read.await {
                    return page;
                }
                // The hub is gone, so nobody will read the page.
                std::future::pending::<()>().await;
            }
        })
    }
}
