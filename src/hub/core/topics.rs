use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Instant;

use super::frames::{FRAME, PER_TOPIC};
use super::index::SlotIndex;
use super::key::Key;
use super::log::Entry;
use super::losses::Losses;
use super::marks::{Mark, Marks};
use super::prefixes::Prefixes;
use super::rules::Rules;
use super::shares::{Share, Shares};
use super::slots::Slots;
use crate::hub::retention::Retention;

/// The slot of the topic without a name, which is always there.
pub(super) const UNNAMED: usize = 0;

/// The topics there are: those that somebody follows by name, and those with an event in the log.
#[derive(Debug)]
pub(super) struct Topics {
    slots: Slots<TopicState>,
    by_name: SlotIndex,
    prefixes: Prefixes,
    losses: Losses,
    rules: Rules,
    shares: Shares,
    /// When an event of a topic may be too old. Each topic whose events age is here once.
    due: BTreeSet<(Instant, usize)>,
}

#[derive(Debug)]
pub(super) struct TopicState {
    pub(super) name: Arc<str>,
    /// The name's.
    hash: u64,
    /// Its retained events, their bytes, and the rule for them.
    pub(super) retained: Marks,
    pub(super) bytes: usize,
    /// The latest event of each key.
    latest: BTreeMap<Arc<str>, Mark>,
    rule: u32,
    pub(super) share: Share,
    due: Option<Instant>,
    /// The groups that follow it by name, each with which of its topics this is.
    pub(super) followers: Vec<(usize, usize)>,
    /// How many subscribers these groups have.
    pub(super) subscribers: usize,
    /// The groups that follow a prefix of it, as of a change of those.
    pub(super) prefixed: Vec<usize>,
    as_of: u64,
    /// After its last event that is no longer retained.
    pub(super) lost_to: u64,
    /// Where it is finished: nothing comes after what it retains.
    pub(super) finished: Option<NonZeroU64>,
    /// How many groups follow it by name, and transient events belong to it.
    pins: usize,
    /// Bytes and events since its last border.
    segment: (usize, usize),
}

impl TopicState {
    /// Whether it is finished for those that come, which know by what it retains.
    pub(super) fn is_over(&self) -> bool {
        self.finished.is_some() && !self.retained.is_empty()
    }

    /// Counts an event's bytes; true if it begins a segment. Segments are as long as a frame may be.
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

    /// It retains one more event; true if it is to be [classified](Topics::classify) anew.
    #[inline]
    pub(super) fn retain(&mut self, mark: Mark, size: usize) -> bool {
        self.retained.push(mark);
        self.bytes += size;
        !self.share.is_for(self.bytes)
    }

    /// The same for an event that has gone, and its key with it, unless there is a later one.
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

impl Topics {
    pub(super) fn new(rules: Rules) -> Self {
        let by_name = SlotIndex::default();
        let mut topics = Self {
            slots: Slots::new(),
            losses: Losses::new(&by_name),
            by_name,
            prefixes: Prefixes::default(),
            rules,
            shares: Shares::new(),
            due: BTreeSet::new(),
        };
        let unnamed = topics.enter("");
        topics.slots[unnamed].pins = 1;
        topics
    }

    pub(super) fn len(&self) -> usize {
        // The one without a name counts once it is used.
        let unnamed = &self.slots[UNNAMED];
        let unused = unnamed.retained.is_empty() && unnamed.pins == 1;
        self.slots.len() - usize::from(unused)
    }

    #[inline]
    pub(super) fn get(&self, slot: usize) -> &TopicState {
        &self.slots[slot]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, slot: usize) -> &mut TopicState {
        &mut self.slots[slot]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &TopicState)> {
        self.slots.iter()
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        if name.is_empty() {
            return Some(UNNAMED);
        }
        self.find_hashed(name, self.by_name.hash(name))
    }

    #[inline]
    fn find_hashed(&self, name: &str, hash: u64) -> Option<usize> {
        self.by_name
            .find(hash, |slot| *self.slots[slot].name == *name)
    }

    /// The topic's slot; a new topic's if there is none.
    pub(super) fn enter(&mut self, name: &str) -> usize {
        if name.is_empty() && self.slots.len() > 0 {
            return UNNAMED;
        }
        let hash = self.by_name.hash(name);
        if let Some(slot) = self.find_hashed(name, hash) {
            return slot;
        }
        let lost_to = self.losses.recall(name, hash);
        let name: Arc<str> = Arc::from(name);
        let slot = self.slots.insert(TopicState {
            name: Arc::clone(&name),
            hash,
            retained: Marks::default(),
            bytes: 0,
            latest: BTreeMap::new(),
            rule: self.rules.find(&name),
            share: Share::new(),
            due: None,
            followers: Vec::new(),
            subscribers: 0,
            prefixed: Vec::new(),
            as_of: 0,
            lost_to,
            finished: None,
            pins: 0,
            segment: (0, 0),
        });
        self.by_name.insert(hash, slot);
        slot
    }

    /// A topic retains far more than before, or far less.
    #[cold]
    pub(super) fn classify(&mut self, slot: usize) {
        let bytes = self.slots[slot].bytes;
        self.shares.update(&mut self.slots, slot, bytes);
    }

    /// An event is the latest of its key; gives the one that it replaces.
    pub(super) fn set_latest(&mut self, slot: usize, key: Arc<str>, mark: Mark) -> Option<Mark> {
        self.slots[slot].latest.insert(key, mark)
    }

    /// What of the topic is retained.
    #[inline]
    pub(super) fn rule(&self, slot: usize) -> Retention {
        self.rules.get(self.slots[slot].rule)
    }

    /// How many bytes are retained of all topics together.
    pub(super) fn max_bytes(&self) -> usize {
        self.rules.max_bytes()
    }

    /// A topic that is to give way, but for the newest event of all; `oldest` has the oldest.
    pub(super) fn giving_way(&mut self, oldest: usize, newest: u64) -> Option<usize> {
        let can = |topic: &TopicState| topic.retained.first().is_some_and(|mark| mark.seq < newest);
        let topic = &self.slots[oldest];
        if !self.shares.is_spared(topic) {
            return can(topic).then_some(oldest);
        }
        for _ in 0..2 {
            let slot = self.shares.largest(&mut self.slots)?;
            if can(&self.slots[slot]) {
                return Some(slot);
            }
        }
        None
    }

    /// The topic has an event that will be too old then.
    /// False if an earlier one of it is known.
    pub(super) fn set_due(&mut self, slot: usize, due: Instant) -> bool {
        let topic = &mut self.slots[slot];
        let first = topic.due.is_none();
        if first {
            topic.due = Some(due);
            self.due.insert((due, slot));
        }
        first
    }

    /// When an event may be too old next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Whether events age.
    #[inline]
    pub(super) fn have_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Takes out a topic that may have an event which is too old by now.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<usize> {
        let (_, slot) = self.due.first().filter(|(due, _)| *due <= now).copied()?;
        self.due.pop_first();
        self.slots[slot].due = None;
        Some(slot)
    }

    pub(super) fn pin(&mut self, slot: usize) {
        self.slots[slot].pins += 1;
    }

    pub(super) fn unpin(&mut self, slot: usize) {
        self.slots[slot].pins -= 1;
        self.remove_if_idle(slot);
    }

    /// Removes a topic without followers by name and without events.
    pub(super) fn remove_if_idle(&mut self, slot: usize) {
        let topic = &self.slots[slot];
        if topic.pins > 0 || !topic.retained.is_empty() {
            return;
        }
        let topic = self.slots.remove(slot);
        if let Some(due) = topic.due {
            self.due.remove(&(due, slot));
        }
        self.by_name.remove(topic.hash, slot);
        self.losses.remember(topic.name, topic.hash, topic.lost_to);
    }

    /// Tells a topic which groups follow a prefix of it, if that has changed.
    #[inline]
    pub(super) fn refresh(&mut self, slot: usize) -> &mut TopicState {
        if self.slots[slot].as_of != self.prefixes.changes() {
            self.tell_prefixes(slot);
        }
        &mut self.slots[slot]
    }

    #[cold]
    fn tell_prefixes(&mut self, slot: usize) {
        let topic = &mut self.slots[slot];
        topic.as_of = self.prefixes.changes();
        topic.prefixed.clear();
        self.prefixes.cover(&topic.name, &mut topic.prefixed);
    }

    pub(super) fn add_prefixes(&mut self, key: &Key, group: usize) {
        self.prefixes.add(key, group);
    }

    pub(super) fn remove_prefixes(&mut self, key: &Key, group: usize) {
        self.prefixes.remove(key, group);
    }

    /// Before which place any topic may have lost something, and those of which something else is known.
    pub(super) fn losses(&self) -> (u64, BTreeMap<Arc<str>, u64>) {
        let floor = self.losses.floor();
        let there = self.slots.iter().map(|(_, topic)| topic);
        let there = there
            .filter(|topic| topic.lost_to != floor)
            .filter(|topic| {
                let stays = !topic.retained.is_empty() || topic.name.is_empty();
                topic.lost_to > floor || stays
            })
            .map(|topic| (&topic.name, topic.lost_to));
        let known = there.chain(self.losses.iter());
        let known = known.map(|(name, lost_to)| (Arc::clone(name), lost_to));
        (floor, known.collect())
    }

    /// Begins with topics that may all have lost what is before the floor, but for the one without a
    /// name if more is known of that.
    pub(super) fn begin(&mut self, floor: u64, unnamed: Option<u64>) {
        self.losses.begin(floor);
        self.slots[UNNAMED].lost_to = unnamed.unwrap_or(floor);
    }

    /// All topics have lost what is before this, those that are not there as well.
    #[cfg(any(test, feature = "redis"))]
    pub(super) fn lose_all(&mut self, lost_to: u64) {
        self.losses.begin(lost_to);
        for (_, topic) in self.slots.iter_mut() {
            topic.lost_to = lost_to;
        }
    }

    /// A topic that is not there has lost what is before this.
    pub(super) fn lose(&mut self, name: Arc<str>, lost_to: u64) {
        let hash = self.by_name.hash(&*name);
        self.losses.remember(name, hash, lost_to);
    }

    /// After the last lost event of any topic that the key's prefixes cover.
    pub(super) fn lost_under(&self, key: &Key) -> u64 {
        let there = self.slots.iter().map(|(_, topic)| topic);
        let there = there
            .filter(|topic| key.covers(&topic.name))
            .map(|topic| topic.lost_to);
        let gone = key
            .prefixes()
            .iter()
            .map(|prefix| self.losses.under(prefix));
        there.chain(gone).max().unwrap_or(0)
    }
}
