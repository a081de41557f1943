use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Instant;

use super::few::Few;
use super::frames::{FRAME, PER_TOPIC};
use super::log::Entry;
use super::marks::{Mark, Marks};
use super::shares::Share;
use super::untold::LastUntold;

/// What a topic that retains an event counts beside its events and its name: its state and its
/// entries in the index and the lists.
const TOPIC: usize = 400;

/// A topic that exists.
///
/// The fields are in this order in memory. Those that an event needs are the first: with many
/// topics, each further cache line is a miss.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct TopicState {
    pub(super) name: Arc<str>,
    /// The groups that follow it by name, each with the index of this topic in the group.
    pub(super) followers: Few<(usize, usize)>,
    /// The groups that follow a prefix of it, as of change `as_of` of the prefixes; not all of them
    /// if there are many.
    pub(super) prefixed: Vec<usize>,
    pub(super) as_of: u64,
    /// Its retained events, their bytes, and the rule for them.
    pub(super) retained: Marks,
    pub(super) bytes: usize,
    /// Bytes and events since its last border.
    pub(super) segment: (usize, usize),
    /// The place where it is finished: nothing follows what it retains.
    pub(super) finished: Option<NonZeroU64>,
    pub(super) rule: u32,
    pub(super) share: Share,
    /// The number of groups that follow it by name, plus the number of its transient events.
    pub(super) pins: usize,
    /// The place after its last lost event of those published before the hub was closed.
    pub(super) lost_to: u64,
    /// The place after its last lost event of those published later. They are for nobody until the
    /// hub's next life.
    pub(super) lost_late: u64,
    /// Its last loss that not all groups were told of.
    pub(super) untold: LastUntold,
    /// The number of subscribers of the groups that follow it by name.
    pub(super) subscribers: usize,
    /// The latest event of each key.
    pub(super) latest: BTreeMap<Arc<str>, Mark>,
    pub(super) due: Option<Instant>,
    /// The hash of the name.
    pub(super) hash: u64,
}

impl TopicState {
    /// Whether it is finished for new subscribers. They only know that from an event that it
    /// retains.
    pub(super) fn is_over(&self) -> bool {
        self.finished.is_some() && !self.retained.is_empty()
    }

    /// Counts an event's bytes and returns whether it begins a segment. A segment is at most as
    /// long as a frame.
    pub(super) fn begins_segment(&mut self, len: usize) -> bool {
        let (bytes, events) = self.segment;
        let begins = bytes + len > FRAME || events == PER_TOPIC;
        self.segment = if begins {
            (len, 1)
        } else {
            (bytes + len, events + 1)
        };
        begins
    }

    /// What the hub counts for the topic itself, if it retains an event. Not part of `bytes`, so that
    /// the rule for the topic and its share are about events only.
    #[inline]
    pub(super) fn overhead(&self) -> usize {
        if self.retained.is_empty() {
            0
        } else {
            TOPIC + self.name.len()
        }
    }

    /// Adds a retained event. Returns whether the topic must be [classified](super::topics::Topics::classify)
    /// anew.
    #[inline]
    pub(super) fn retain(&mut self, mark: Mark, size: usize) -> bool {
        self.retained.push(mark);
        self.bytes += size;
        !self.share.is_for(self.bytes)
    }

    /// Removes an event's bytes, and its key unless a later event has it. Returns whether the topic
    /// must be [classified](super::topics::Topics::classify) anew.
    #[inline]
    pub(super) fn release(&mut self, mark: Mark, entry: &Entry) -> bool {
        self.bytes -= entry.size();
        if let Some(key) = entry.key() {
            if self.latest.get(key) == Some(&mark) {
                self.latest.remove(key);
            }
        }
        !self.share.is_for(self.bytes)
    }
}
