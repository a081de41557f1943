//! An outer log, of which a hub holds the newest part: its entries, and pages of them.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::delivery::Delivery;

/// Where pages of an outer log come from.
pub(super) trait Past: fmt::Debug + Send + Sync {
    /// Reads the entries after a key, oldest first. The source decides how many.
    fn page(&self, after: u128) -> PageFuture;
}

pub(super) type PageFuture = Pin<Box<dyn Future<Output = Page> + Send>>;

/// A page of an outer log, or what is left of it.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// The entry that it begins after. If it is present, it is the one before the first.
    pub(super) anchor: Anchor,
    pub(super) entries: Arc<[LogEntry]>,
    /// Which is the first.
    pub(super) from: usize,
    /// The newest entry's key, or one not after that; 0 if there is no entry.
    pub(super) newest: u128,
    /// There was nothing after it.
    pub(super) is_end: bool,
}

/// What became of the entry that a page begins after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    /// It is there.
    Present,
    /// It is gone, and entries after it may be gone as well. Subscribers are told before the page.
    Gone,
    /// It is lost, and a later mark says so. Subscribers are told at that mark, like all others that
    /// pass it. If they were told here, a client that reconnects before the mark would be told twice:
    /// its ID does not say that it knows.
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
        /// What it is the latest of.
        label: Option<Arc<str>>,
        /// Nothing comes after it in its topic.
        is_last: bool,
    },
    /// A later entry of the page replaces the event.
    Replaced,
    /// A topic ends.
    Finish(Arc<str>),
    /// Something is lost after this key, which a reader was to see. Those that pass are told.
    Lost { after: u128 },
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
            Self::Replaced | Self::Lost { .. } | Self::Begin | Self::Place => None,
        }
    }

    /// Drops what later entries replace.
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
