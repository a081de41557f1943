use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::index::SlotIndex;
use super::marks::{Mark, Marks};
use super::slots::Slots;
use crate::protocol::{Block, EventId};

/// The maximum number of transient events kept for live subscribers that are behind.
const TRANSIENTS: usize = 256;

/// The overhead of an event in bytes: its entry, its mark in the topic's list, the allocator, and
/// the reference count.
const OVERHEAD: usize = 200;

/// A published event.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) seq: u64,
    /// The topic's slot.
    pub(super) topic: usize,
    pub(super) block: Block,
    /// Whether it begins a segment of its topic. Frames end before it.
    pub(super) border: bool,
    /// Whether it is kept out of the history.
    pub(super) transient: bool,
    /// When it was published, if its topic's events expire.
    pub(super) at: Option<Instant>,
    /// Boxed because few events have any.
    pub(super) labels: Option<Box<Labels>>,
}

/// Labels by which an event is found.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// The user's own ID.
    pub(super) id: Option<EventId>,
    /// The key that it is the latest event of.
    pub(super) key: Option<Arc<str>>,
}

impl Labels {
    /// Counts the entries in the maps as well.
    fn size(&self) -> usize {
        let id = self.id.as_ref().map_or(0, |id| 2 * id.as_bytes().len());
        let key = self.key.as_ref().map_or(0, |key| key.len());
        id + key + 128
    }
}

impl Entry {
    #[inline]
    pub(super) fn size(&self) -> usize {
        self.block.len() + OVERHEAD + self.labels.as_ref().map_or(0, |labels| labels.size())
    }

    #[inline]
    pub(super) fn key(&self) -> Option<&Arc<str>> {
        self.labels.as_ref()?.key.as_ref()
    }

    fn id(&self) -> Option<&EventId> {
        self.labels.as_ref()?.id.as_ref()
    }
}

/// The retained events, in the order of their sequence numbers.
///
/// Transient events are numbered in the same sequence but kept apart, so that they do not displace
/// history.
#[derive(Debug)]
pub(super) struct Log {
    entries: Slots<Entry>,
    history: Marks,
    bytes: usize,
    transients: VecDeque<Entry>,
    transient_bytes: usize,
    /// The events' own IDs, for each topic separately.
    ids: SlotIndex,
    /// The place after the last event that was lost.
    lost_to: u64,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            entries: Slots::new(),
            history: Marks::default(),
            bytes: 0,
            transients: VecDeque::new(),
            transient_bytes: 0,
            ids: SlotIndex::default(),
            lost_to: 0,
        }
    }

    /// Appends an event of this size to the history.
    #[inline]
    pub(super) fn push(&mut self, entry: Entry, size: usize) -> Mark {
        self.bytes += size;
        let seq = entry.seq;
        let has_id = entry.id().is_some();
        let slot = self.entries.insert(entry);
        if has_id {
            self.index_id(slot);
        }
        let mark = Mark { seq, slot };
        self.history.push(mark);
        mark
    }

    /// Removes an event from the history.
    #[inline]
    pub(super) fn remove(&mut self, mark: Mark) -> Entry {
        let entry = self.entries.remove(mark.slot);
        self.history.remove(mark.seq);
        self.bytes -= entry.size();
        if let Some(id) = entry.id() {
            self.ids
                .remove(self.ids.hash(&(entry.topic, id)), mark.slot);
        }
        entry
    }

    /// Counts what a topic takes beside its events.
    #[inline]
    pub(super) fn recount(&mut self, before: usize, now: usize) {
        self.bytes = self.bytes + now - before;
    }

    /// Indexes an event by its ID, in place of any earlier event with the same ID.
    #[cold]
    fn index_id(&mut self, slot: usize) {
        let entry = &self.entries[slot];
        let Some(id) = entry.id() else {
            return;
        };
        let hash = self.ids.hash(&(entry.topic, id));
        if let Some(before) = self.find_hashed(entry.topic, id, hash) {
            self.ids.remove(hash, before);
        }
        self.ids.insert(hash, slot);
    }

    fn find_hashed(&self, topic: usize, id: &EventId, hash: u64) -> Option<usize> {
        self.ids.find(hash, |slot| {
            let entry = &self.entries[slot];
            entry.topic == topic && entry.id() == Some(id)
        })
    }

    /// Records the loss of an event.
    pub(super) fn lose(&mut self, seq: u64) {
        self.lost_to = self.lost_to.max(seq + 1);
    }

    pub(super) fn push_transient(&mut self, seq: u64, topic: usize, block: Block) {
        self.transient_bytes += block.len();
        self.transients.push_back(Entry {
            seq,
            topic,
            block,
            border: false,
            transient: true,
            at: None,
            labels: None,
        });
    }

    /// Removes the oldest transient event if there are too many, by number or by `bytes`, or in any
    /// case for `all`.
    pub(super) fn evict_transient(&mut self, all: bool, bytes: usize) -> Option<Entry> {
        let full = self.transients.len() > TRANSIENTS
            || (self.transients.len() > 1 && self.transient_bytes > bytes);
        let out = (all || full).then(|| self.transients.pop_front());
        let Some(entry) = out.flatten() else {
            if all {
                self.transients = VecDeque::new();
            }
            return None;
        };
        self.transient_bytes -= entry.block.len();
        Some(entry)
    }

    /// The number of the topic's event with this ID of its own, if it is retained.
    pub(super) fn find_id(&self, topic: usize, id: &EventId) -> Option<u64> {
        let slot = self.find_hashed(topic, id, self.ids.hash(&(topic, id)))?;
        Some(self.entries[slot].seq)
    }

    pub(super) fn has_ids(&self) -> bool {
        self.ids.len() > 0
    }

    pub(super) fn lost_to(&self) -> u64 {
        self.lost_to
    }

    /// A retained event.
    #[inline]
    pub(super) fn get(&self, mark: Mark) -> &Entry {
        &self.entries[mark.slot]
    }

    /// The event with this mark, if it is still retained.
    #[inline]
    pub(super) fn find(&self, mark: Mark) -> Option<&Entry> {
        let entry = self.entries.get(mark.slot)?;
        (entry.seq == mark.seq).then_some(entry)
    }

    /// All retained events.
    pub(super) fn history(&self) -> &Marks {
        &self.history
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The transient events from this number on.
    pub(super) fn transients_from(&self, seq: u64) -> impl Iterator<Item = &Entry> {
        // There are few, and usually none.
        let at = self.transients.partition_point(|entry| entry.seq < seq);
        self.transients.range(at..)
    }
}
