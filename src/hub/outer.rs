//! An outer log, whose newest part a hub holds: its entries, and pages of them.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::delivery::Delivery;

/// The source of an outer log's pages.
pub(super) trait Past: fmt::Debug + Send + Sync {
    /// Reads the entries after a key, oldest first. The source decides how many.
    fn page(&self, after: u128) -> PageFuture;
}

pub(super) type PageFuture = Pin<Box<dyn Future<Output = Page> + Send>>;

/// A page of an outer log, or the rest of one.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// What became of the entry before the page. If that is present, it comes right before the
    /// first.
    pub(super) anchor: Anchor,
    pub(super) entries: Arc<[LogEntry]>,
    /// The index of the first entry.
    pub(super) from: usize,
    /// The key of the log's newest entry or of an earlier one; 0 if there is none.
    pub(super) newest: u128,
    /// Whether nothing followed the page.
    pub(super) is_end: bool,
}

/// What became of the entry that a page begins after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// It is there.
    Present,
    /// It is gone, and entries after it may be gone as well. Subscribers are told before the page.
    Gone,
    /// It is lost, and a later mark says so. Subscribers are told at that mark, like all others
    /// that pass it. If they were told here, a client that reconnects before the mark would be told
    /// twice: its ID does not say that it knows.
    Marked,
}

/// An entry of an outer log.
#[derive(Debug, Clone)]
pub(super) struct LogEntry {
    pub(super) key: u128,
    pub(super) what: Stored,
}

#[derive(Debug, Clone)]
pub(super) enum Stored {
    Event {
        delivery: Delivery,
        /// The key whose previous event it replaces.
        label: Option<Arc<str>>,
        /// Whether it finishes its topic.
        is_last: bool,
    },
    /// A later entry of the page replaces the event.
    Replaced,
    /// A topic ends.
    Finish(Arc<str>),
    /// Entries before it were lost. Subscribers that read past it are told.
    Lost,
    /// The log was empty before it.
    Begin,
    /// Nothing but a place.
    Place,
}

impl Stored {
    pub(super) fn topic(&self) -> Option<&str> {
        match self {
            Self::Event { delivery, .. } => Some(delivery.topic()),
            Self::Finish(topic) => Some(topic),
            Self::Replaced | Self::Lost | Self::Begin | Self::Place => None,
        }
    }

    /// Drops the events that later ones replace.
    pub(super) fn drop_replaced(entries: &mut [LogEntry]) {
        let mut seen = HashSet::new();
        for entry in entries.iter_mut().rev() {
            let is_replaced = match &entry.what {
                Self::Event {
                    delivery,
                    label: Some(label),
                    is_last: false,
                } => !seen.insert((delivery.name(), Arc::clone(label))),
                _ => false,
            };
            if is_replaced {
                entry.what = Self::Replaced;
            }
        }
    }
}
