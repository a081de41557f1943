use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::status::RedisStatus;

/// The counters behind a node's status.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) connected: AtomicBool,
    pub(super) reconnects: AtomicU64,
    pub(super) reads: AtomicU64,
    pub(super) entries: AtomicU64,
    pub(super) skipped: AtomicU64,
    pub(super) pages: AtomicU64,
    pub(super) losses: AtomicU64,
    /// The time since which the node has not been at the stream's end; `None` while it is.
    behind_since: Mutex<Option<Instant>>,
}

impl Counts {
    pub(super) fn new() -> Self {
        Self {
            connected: AtomicBool::new(false),
            reconnects: AtomicU64::new(0),
            reads: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            pages: AtomicU64::new(0),
            losses: AtomicU64::new(0),
            behind_since: Mutex::new(Some(Instant::now())),
        }
    }

    pub(super) fn status(&self) -> RedisStatus {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let since = *self
            .behind_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        RedisStatus {
            connected: self.connected.load(Ordering::Relaxed),
            behind: since.map_or(Duration::ZERO, |since| since.elapsed()),
            reconnects: get(&self.reconnects),
            reads: get(&self.reads),
            entries: get(&self.entries),
            skipped: get(&self.skipped),
            pages: get(&self.pages),
            losses: get(&self.losses),
            ..RedisStatus::default()
        }
    }

    /// Notes whether the node has read to the stream's end.
    pub(super) fn note_progress(&self, caught_up: bool) {
        let mut since = self
            .behind_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *since = (!caught_up).then(|| since.unwrap_or_else(Instant::now));
    }

    pub(super) fn add(count: &AtomicU64, more: u64) {
        count.fetch_add(more, Ordering::Relaxed);
    }
}
