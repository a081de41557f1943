//! The pages of a fed log: of any size, and read at any time after they are requested.

use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use super::fed_log::{FedEntry, FedLog};
use crate::hub::outer::{Anchor, LogEntry, Page, PageFuture, Past, Stored};

const SIZES: [usize; 7] = [1, 1, 2, 2, 4, 4, 8];

/// A page that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct FedPage {
    /// The key that it begins after, and whether there is an entry with that key.
    pub(super) after: u128,
    pub(super) is_known: bool,
    /// The keys of its first and its last entry.
    pub(super) from: u128,
    pub(super) upto: u128,
    /// The log's newest key when it was read.
    pub(super) newest: u128,
}

/// Where pages are requested and handed out.
#[derive(Debug, Default)]
pub(super) struct FedDesk(Mutex<FedDeskState>);

#[derive(Debug, Default)]
struct FedDeskState {
    random: u64,
    /// Handed out since this was last asked for.
    pages: Vec<FedPage>,
    /// A page has been waited for since this was last asked for.
    is_awaited: bool,
    /// The tasks that wait for a page.
    wakers: Vec<Waker>,
}

impl FedDesk {
    pub(super) fn new(seed: usize) -> Self {
        Self(Mutex::new(FedDeskState {
            random: seed as u64,
            ..FedDeskState::default()
        }))
    }

    /// The pages that were handed out since the last call, and whether one is awaited.
    pub(super) fn take(&self) -> (Vec<FedPage>, bool) {
        let mut state = self.0.lock().unwrap();
        let is_awaited = std::mem::take(&mut state.is_awaited);
        (std::mem::take(&mut state.pages), is_awaited)
    }

    /// Wakes the tasks that wait for a page.
    pub(super) fn wake(&self) {
        let wakers = std::mem::take(&mut self.0.lock().unwrap().wakers);
        wakers.into_iter().for_each(Waker::wake);
    }

    fn random(&self, below: usize) -> usize {
        let mut state = self.0.lock().unwrap();
        state.random = state.random.wrapping_mul(6_364_136_223_846_793_005);
        state.random = state.random.wrapping_add(1);
        usize::try_from((state.random >> 33) % below as u64).unwrap()
    }

    /// Lets a task wait: until its next turn, or until it is woken.
    fn wait(&self, task: &Waker) {
        if self.random(2) == 0 {
            task.wake_by_ref();
        }
        let mut state = self.0.lock().unwrap();
        state.is_awaited = true;
        state.wakers.push(task.clone());
    }

    fn read(&self, after: u128, log: &mut FedLog) -> (FedPage, Page) {
        log.pages += 1;
        let size = SIZES[self.random(SIZES.len())];
        let position = |there: &[FedEntry]| {
            let at = there.partition_point(|one| one.key < after);
            (at, there.get(at).is_some_and(|one| one.key == after))
        };
        let mut there = &log.all[log.start..];
        let (mut at, mut known) = position(there);
        if !known && self.random(4) == 0 {
            // A full page may be handed out again after the log was trimmed.
            let (before, was_known) = position(&log.all);
            if was_known && before + size < log.all.len() {
                (there, at, known) = (&log.all, before, true);
            }
        }
        let page = there[at..].iter().take(size + usize::from(known));
        let mut entries: Vec<LogEntry> = page.map(FedEntry::stored).collect();
        Stored::drop_replaced(&mut entries);
        let is_known = known || after == 0;
        let from = entries.first().map_or(after, |first| first.key);
        let upto = entries.last().map_or(after, |last| last.key);
        // It is not known whether something follows a full page.
        let is_full = entries.len() == size + usize::from(known);
        let is_end = upto >= log.newest() && !(is_full && self.random(2) == 0);
        let page = Page {
            anchor: if is_known {
                Anchor::Present
            } else {
                Anchor::Gone
            },
            from: usize::from(known),
            newest: log.newest(),
            is_end,
            entries: entries.into(),
        };
        let newest = log.newest();
        let read = FedPage {
            after,
            is_known,
            from,
            upto,
            newest,
        };
        (read, page)
    }
}

#[derive(Debug)]
pub(super) struct FedPages {
    pub(super) log: Arc<Mutex<FedLog>>,
    pub(super) desk: Arc<FedDesk>,
}

impl Past for FedPages {
    fn page(&self, after: u128) -> PageFuture {
        let (log, desk) = (Arc::clone(&self.log), Arc::clone(&self.desk));
        let mut delay = desk.random(4);
        let is_early = desk.random(2) == 0;
        let mut early = is_early.then(|| desk.read(after, &mut log.lock().unwrap()));
        Box::pin(std::future::poll_fn(move |cx| {
            if delay > 0 {
                delay -= 1;
                desk.wait(cx.waker());
                return Poll::Pending;
            }
            let early = early.take();
            let (read, page) = early.unwrap_or_else(|| desk.read(after, &mut log.lock().unwrap()));
            desk.0.lock().unwrap().pages.push(read);
            Poll::Ready(page)
        }))
    }
}
