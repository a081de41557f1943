use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::frames::FRAME;
use super::wake_list::Wakes;
use crate::clock;
use crate::protocol::{Block, EventId};

/// How many transient events are kept for live subscribers that are not up to date.
const TRANSIENTS: usize = 256;

/// What an event takes beside its bytes: its entry, its number in the topic's list, and what the
/// allocator and the count of references add.
const OVERHEAD: usize = 200;

/// How much of the past is kept: whichever bound is met first. The newest event always is.
#[derive(Debug, Clone, Copy)]
pub(in crate::hub) struct Retention {
    events: usize,
    bytes: usize,
    age: Option<Duration>,
}

impl Retention {
    /// At least one event, and no age.
    pub(in crate::hub) fn new(events: usize, bytes: usize) -> Self {
        Self {
            events: events.max(1),
            bytes,
            age: None,
        }
    }

    pub(in crate::hub) fn events(self, events: usize) -> Self {
        Self {
            events: events.max(1),
            ..self
        }
    }

    pub(in crate::hub) fn bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    pub(in crate::hub) fn age(self, age: Duration) -> Self {
        Self {
            age: Some(age),
            ..self
        }
    }

    /// How many bytes frames may take that subscribers share.
    pub(super) fn frames(self) -> usize {
        self.bytes.max(4 * FRAME)
    }
}

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
    at: Option<Instant>,
    id: Option<Box<EventId>>,
}

impl Entry {
    fn size(&self) -> usize {
        // A user's ID is in the map of IDs as well.
        let id = self.id.as_ref();
        self.block.len() + OVERHEAD + id.map_or(0, |id| 2 * id.as_bytes().len() + 128)
    }
}

/// What is retained, in the order of its sequence numbers.
///
/// Transient events are numbered in the same sequence but kept apart, so that they push no history
/// out. So there are holes in the numbers on either side, and an entry is found by search.
#[derive(Debug)]
pub(super) struct Log {
    history: VecDeque<Entry>,
    transients: VecDeque<Entry>,
    transient_bytes: usize,
    bytes: usize,
    retention: Retention,
    /// The users' own IDs, topic by topic.
    ids: HashMap<(usize, EventId), u64>,
    /// After the last event that is no longer retained.
    lost_to: u64,
}

impl Log {
    pub(super) fn new(retention: Retention) -> Self {
        Self {
            history: VecDeque::new(),
            transients: VecDeque::new(),
            transient_bytes: 0,
            bytes: 0,
            retention,
            ids: HashMap::new(),
            lost_to: 0,
        }
    }

    /// Appends to the history. `id` is the user's own, if it is to be found again.
    pub(super) fn push(
        &mut self,
        seq: u64,
        topic: usize,
        border: bool,
        block: Block,
        id: Option<EventId>,
    ) {
        if let Some(id) = &id {
            self.ids.insert((topic, id.clone()), seq);
        }
        let entry = Entry {
            seq,
            topic,
            block,
            border,
            transient: false,
            at: self.retention.age.and_then(|_| clock::instant()),
            id: id.map(Box::new),
        };
        self.bytes += entry.size();
        self.history.push_back(entry);
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
            id: None,
        });
    }

    /// Takes out the oldest entry of the history that is beyond the bounds; gives its topic and its
    /// number.
    pub(super) fn evict(
        &mut self,
        now: Option<Instant>,
        wakes: &mut Wakes,
    ) -> Option<(usize, u64)> {
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
        let (topic, seq) = (entry.topic, entry.seq);
        self.bytes -= entry.size();
        self.lost_to = seq + 1;
        if let Some(id) = &entry.id {
            let key = (topic, EventId::clone(id));
            // A later event may have the same ID.
            if self.ids.get(&key) == Some(&seq) {
                let kept = self.ids.remove_entry(&key);
                wakes.drop_id(kept.map(|((_, id), _)| id));
            }
        }
        wakes.drop_entry(entry);
        Some((topic, seq))
    }

    /// Takes out the oldest transient event if there are too many, or whatever there is.
    pub(super) fn evict_transient(&mut self, all: bool) -> Option<Entry> {
        let full = self.transients.len() > TRANSIENTS
            || (self.transients.len() > 1 && self.transient_bytes > self.retention.bytes);
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

    /// Now, if age matters.
    pub(super) fn now(&self) -> Option<Instant> {
        self.retention.age.and_then(|_| clock::instant())
    }

    /// The number of the topic's event with this ID of the user's, if it is retained.
    pub(super) fn find_id(&self, topic: usize, id: &EventId) -> Option<u64> {
        self.ids.get(&(topic, id.clone())).copied()
    }

    pub(super) fn has_ids(&self) -> bool {
        !self.ids.is_empty()
    }

    pub(super) fn lost_to(&self) -> u64 {
        self.lost_to
    }

    /// The retained event with this number.
    pub(super) fn get(&self, seq: u64) -> Option<&Entry> {
        let first = self.history.front()?.seq;
        // Without a transient in between it is exactly there, and never after that.
        let guess = usize::try_from(seq.checked_sub(first)?).ok()?;
        if let Some(entry) = self.history.get(guess).filter(|entry| entry.seq == seq) {
            return Some(entry);
        }
        let at = self.history.partition_point(|entry| entry.seq < seq);
        self.history.get(at).filter(|entry| entry.seq == seq)
    }

    /// How many retained events there are from this number on.
    pub(super) fn count_from(&self, seq: u64) -> usize {
        self.history.len() - self.history.partition_point(|entry| entry.seq < seq)
    }

    /// The numbers of this many retained events, the newest ones.
    pub(super) fn last(&self, events: usize) -> impl Iterator<Item = u64> {
        let start = self.history.len().saturating_sub(events);
        self.history.range(start..).map(|entry| entry.seq)
    }

    pub(super) fn retained(&self) -> (usize, usize) {
        (self.history.len(), self.bytes)
    }

    /// The retained events from this number on.
    pub(super) fn history_from(&self, seq: u64) -> impl Iterator<Item = &Entry> {
        let at = self.history.partition_point(|entry| entry.seq < seq);
        self.history.range(at..)
    }

    /// The transient events from this number on.
    pub(super) fn transients_from(&self, seq: u64) -> impl Iterator<Item = &Entry> {
        // There are few, and most often none.
        let at = self.transients.partition_point(|entry| entry.seq < seq);
        self.transients.range(at..)
    }
}
