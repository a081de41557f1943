//! An outer log in memory, and nodes that read it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use crate::hub::Hub;
use crate::hub::delivery::Delivery;
use crate::hub::foreign::id_of;
use crate::hub::outer::{Anchor, LogEntry, Page, PageFuture, Past, Stored};
use crate::protocol::Event;

pub(super) type PastEntry = (u128, &'static str);

/// An outer log in memory, which a test may trim.
#[derive(Debug, Default)]
pub(super) struct MemoryLog {
    pub(super) entries: Mutex<VecDeque<PastEntry>>,
    pub(super) pages: AtomicUsize,
    /// The number of polls before a page is ready.
    pub(super) polls: usize,
}

impl Past for Arc<MemoryLog> {
    fn page(&self, after: u128) -> PageFuture {
        let (outer, mut polls) = (Arc::clone(self), self.polls);
        Box::pin(std::future::poll_fn(move |_| {
            if polls > 0 {
                polls -= 1;
                return Poll::Pending;
            }
            outer.pages.fetch_add(1, Ordering::Relaxed);
            let entries = outer.entries.lock().unwrap();
            let at = entries.partition_point(|(key, _)| *key < after);
            let known = entries.get(at).is_some_and(|(key, _)| *key == after);
            let page = entries.range(at..).take(4 + usize::from(known));
            let page: Arc<[LogEntry]> = page
                .map(|(key, topic)| {
                    let block = Event::new(*topic).encode_as(Some(&id_of(*key)));
                    let delivery = Delivery::new((*topic).into(), block);
                    let what = Stored::Event {
                        delivery,
                        label: None,
                        is_last: false,
                    };
                    LogEntry { key: *key, what }
                })
                .collect();
            let newest = entries.back().map_or(0, |(key, _)| *key);
            Poll::Ready(Page {
                anchor: if known { Anchor::Present } else { Anchor::Gone },
                from: usize::from(known),
                is_end: page.last().is_none_or(|last| last.key == newest),
                entries: page,
                newest,
            })
        }))
    }
}

pub(super) struct PastNode {
    pub(super) hub: Hub,
    pub(super) at: u128,
}

impl PastNode {
    pub(super) fn feed(&mut self, outer: &MemoryLog, most: usize) {
        let entries = outer.entries.lock().unwrap();
        let oldest = entries[0].0;
        if self.at < oldest {
            // The log was trimmed past it.
            self.hub.cut(oldest - 1);
            self.at = oldest - 1;
        }
        let after = self.at;
        let new = entries.iter().filter(|(key, _)| *key > after);
        for (key, topic) in new.take(most) {
            self.hub.append(topic, &Event::new(*topic), *key).unwrap();
            self.at = *key;
        }
    }
}
