use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::index::SlotIndex;
use super::marks::{Mark, Marks};
use super::slots::Slots;
use crate::protocol::{Block, EventId};

/// How many transient events are kept for live subscribers that are not up to date.
const TRANSIENTS: usize = 256;

/// What an event takes beside its bytes: its entry, its number in the topic's list, and what the
/// allocator and the count of references add.
const OVERHEAD: usize = 200;

/// One published event.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) seq: u64,
    /// The topic's slot.
    pub(super) topic: usize,
    pub(super) block: Block,
    /// It begins a segment of its topic: frames end before it.
    pub(super) border: bool,
    /// It is kept out of the history.
    pub(super) transient: bool,
    /// If its topic's events age.
    pub(super) at: Option<Instant>,
    /// What few have.
    pub(super) labels: Option<Box<Labels>>,
}

/// By what an event is found.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// The user's own ID.
    pub(super) id: Option<EventId>,
    /// What it is the latest of.
    pub(super) key: Option<Arc<str>>,
}

impl Labels {
    /// They are in a map as well.
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

/// What is retained, in the order of its sequence numbers.
///
/// Transient events are numbered in the same sequence but kept apart, so that they push no history
/// out.
#[derive(Debug)]
pub(super) struct Log {
    entries: Slots<Entry>,
    history: Marks,
    bytes: usize,
    transients: VecDeque<Entry>,
    transient_bytes: usize,
    /// The users' own IDs, topic by topic.
    ids: SlotIndex,
    /// After the last event that is no longer retained.
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

    /// Appends to the history an event of this size.
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

    /// Takes an event out of the history.
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

    /// An event is found by its ID from now on, and no other with the same.
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

    /// An event has been lost.
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

    /// Takes out the oldest transient event if there are too many, by number or by `bytes`, or
    /// whatever there is.
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

    /// The number of the topic's event with this ID of the user's, if it is retained.
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

    /// All retained events.
    pub(super) fn history(&self) -> &Marks {
        &self.history
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The transient events from this number on.
    pub(super) fn transients_from(&self, seq: u64) -> impl Iterator<Item = &Entry> {
        // There are few, and most often none.
        let at = self.transients.partition_point(|entry| entry.seq < seq);
        self.transients.range(at..)
    }
}
