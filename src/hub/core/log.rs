use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::clock;
use crate::protocol::{Block, EventId};

/// How many transient events are kept for live subscribers that are not up to date.
const TRANSIENTS: usize = 256;

/// How much of the past is kept: whichever bound is met first. The newest event always is.
#[derive(Debug, Clone, Copy)]
pub(in crate::hub) struct Retention {
    pub(in crate::hub) events: usize,
    pub(in crate::hub) bytes: usize,
    pub(in crate::hub) age: Option<Duration>,
}

/// One published event.
#[derive(Debug)]
pub(in crate::hub) struct Entry {
    pub(in crate::hub) seq: u64,
    /// The topic's slot.
    pub(in crate::hub) topic: usize,
    pub(in crate::hub) block: Block,
    at: Option<Instant>,
    id: Option<Box<EventId>>,
}

/// What is retained, in the order of its sequence numbers.
///
/// Transient events are numbered in the same sequence but kept apart, so that they push no history
/// out. So there are holes in the numbers on either side, and an entry is found by binary search.
#[derive(Debug)]
pub(in crate::hub) struct Log {
    history: VecDeque<Entry>,
    transients: VecDeque<Entry>,
    transient_bytes: usize,
    bytes: usize,
    retention: Retention,
    ids: HashMap<EventId, u64>,
}

impl Log {
    pub(in crate::hub) fn new(retention: Retention) -> Self {
        Self {
            history: VecDeque::new(),
            transients: VecDeque::new(),
            transient_bytes: 0,
            bytes: 0,
            retention,
            ids: HashMap::new(),
        }
    }

    /// Appends to the history. `id` is the user's own, if it is to be found again.
    pub(in crate::hub) fn push(
        &mut self,
        seq: u64,
        topic: usize,
        block: Block,
        id: Option<EventId>,
    ) {
        self.bytes += block.len();
        if let Some(id) = &id {
            self.ids.insert(id.clone(), seq);
        }
        self.history.push_back(Entry {
            seq,
            topic,
            block,
            at: self.retention.age.and_then(|_| clock::instant()),
            id: id.map(Box::new),
        });
    }

    pub(in crate::hub) fn push_transient(&mut self, seq: u64, topic: usize, block: Block) {
        self.transient_bytes += block.len();
        self.transients.push_back(Entry {
            seq,
            topic,
            block,
            at: None,
            id: None,
        });
    }

    /// Takes out the oldest entry of the history that is beyond the bounds.
    pub(in crate::hub) fn evict(&mut self, now: Option<Instant>) -> Option<Entry> {
        let oldest = self.history.front()?;
        let aged = match (now, oldest.at, self.retention.age) {
            (Some(now), Some(at), Some(age)) => now.saturating_duration_since(at) > age,
            _ => false,
        };
        let full = self.history.len() > 1
            && (self.history.len() > self.retention.events || self.bytes > self.retention.bytes);
        if !aged && !full {
            return None;
        }
        let entry = self.history.pop_front()?;
        self.bytes -= entry.block.len();
        if let Some(id) = &entry.id {
            // A later event may have the same ID.
            if self.ids.get(&**id) == Some(&entry.seq) {
                self.ids.remove(&**id);
            }
        }
        Some(entry)
    }

    /// Takes out the oldest transient event if there are too many.
    pub(in crate::hub) fn evict_transient(&mut self) -> Option<Entry> {
        let full = self.transients.len() > TRANSIENTS
            || (self.transients.len() > 1 && self.transient_bytes > self.retention.bytes);
        let entry = full.then(|| self.transients.pop_front()).flatten()?;
        self.transient_bytes -= entry.block.len();
        Some(entry)
    }

    /// Now, if age matters.
    pub(in crate::hub) fn now(&self) -> Option<Instant> {
        self.retention.age.and_then(|_| clock::instant())
    }

    /// The number of the event with this ID of the user's, if it is retained.
    pub(in crate::hub) fn find_id(&self, id: &EventId) -> Option<u64> {
        self.ids.get(id).copied()
    }

    /// The retained event with this number.
    pub(in crate::hub) fn get(&self, seq: u64) -> Option<&Entry> {
        let at = self.history.partition_point(|entry| entry.seq < seq);
        self.history.get(at).filter(|entry| entry.seq == seq)
    }

    /// How many retained events there are from this number on.
    pub(in crate::hub) fn count_from(&self, seq: u64) -> usize {
        self.history.len() - self.history.partition_point(|entry| entry.seq < seq)
    }

    pub(in crate::hub) fn retained(&self) -> (usize, usize) {
        (self.history.len(), self.bytes)
    }

    /// The retained events from this number on.
    pub(in crate::hub) fn history_from(&self, seq: u64) -> impl Iterator<Item = &Entry> {
        let at = self.history.partition_point(|entry| entry.seq < seq);
        self.history.range(at..)
    }

    /// The transient events from this number on.
    pub(in crate::hub) fn transients_from(&self, seq: u64) -> impl Iterator<Item = &Entry> {
        // There are few, and most often none.
        let at = self.transients.partition_point(|entry| entry.seq < seq);
        self.transients.range(at..)
    }
}
