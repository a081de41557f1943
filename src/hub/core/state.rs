use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::closing::Closing;
use super::cursors::Cursor;
use super::draft::Draft;
use super::gate::Gate;
use super::group::Group;
use super::key::Key;
use super::lingers::Lingers;
use super::log::{Log, Retention};
use super::owners::Owners;
use super::slots::Slots;
use super::topics::Topics;
use super::wake_list::{Sheet, Wakes};
use crate::hub::stats::Stats;
use crate::protocol::Block;

/// Everything that publishers and subscribers share, behind one lock that is never held while a
/// user's code runs: no closure, no waker, no drop, no encoding.
#[derive(Debug)]
pub(in crate::hub) struct State {
    pub(super) log: Log,
    pub(super) topics: Topics,
    pub(super) groups: Slots<Group>,
    pub(super) by_key: HashMap<Arc<Key>, usize>,
    pub(super) cursors: Slots<Cursor>,
    /// The number of the next event; the first has 1.
    pub(super) next: u64,
    pub(super) gate: Gate,
    /// Bytes in frames that groups remember, their bound, and the groups that have some.
    pub(super) frames: usize,
    pub(super) frames_limit: usize,
    pub(super) framed: VecDeque<usize>,
    pub(super) closing: Closing,
    pub(super) lingers: Lingers,
    pub(super) owners: Owners,
    /// Counts what a subscriber that waits has to look at without being told by its wake list's round:
    /// closes, and ends of single subscribers.
    pub(super) changes: u64,
    pub(super) counters: Stats,
    /// Reused from frame to frame.
    pub(super) numbers: Vec<u64>,
    pub(super) bytes: Vec<u8>,
    /// Differs for each wake list and whenever a task is taken out of one.
    pub(super) stamps: u64,
}

impl State {
    pub(in crate::hub) fn new(retention: Retention) -> Self {
        Self {
            log: Log::new(retention),
            topics: Topics::new(),
            groups: Slots::new(),
            by_key: HashMap::new(),
            cursors: Slots::new(),
            next: 1,
            gate: Gate::default(),
            frames: 0,
            frames_limit: retention.frames(),
            framed: VecDeque::new(),
            closing: Closing::default(),
            lingers: Lingers::default(),
            owners: Owners::default(),
            changes: 0,
            counters: Stats::default(),
            numbers: Vec::new(),
            bytes: Vec::new(),
            stamps: 0,
        }
    }

    /// Appends an event to the log and gives its number, unless the draft's ID does not fit that.
    pub(in crate::hub) fn publish(
        &mut self,
        topic: &str,
        mut draft: Draft,
        wakes: &mut Wakes,
    ) -> Option<u64> {
        if !draft.number(self.next) {
            wakes.drop_block(draft.block);
            return None;
        }
        let seq = self.number();
        let slot = self.enter(topic);
        let Draft { block, id, .. } = draft;
        let topic = self.topics.refresh(slot);
        topic.retained.push_back(seq);
        let border = topic.begins_segment(block.len());
        self.log.push(seq, slot, border, block, id);
        self.tell(slot, seq, true, wakes);
        self.evict(wakes);
        Some(seq)
    }

    /// Hands an event to those who follow the topic now, and keeps it out of the history.
    pub(in crate::hub) fn publish_transient(
        &mut self,
        topic: &str,
        block: Block,
        wakes: &mut Wakes,
    ) {
        let seq = self.number();
        let slot = self.enter(topic);
        let topic = self.topics.refresh(slot);
        if topic.followers.is_empty() && topic.prefixed.is_empty() {
            self.topics.remove_if_idle(slot);
            wakes.drop_block(block);
            return;
        }
        self.topics.pin(slot);
        self.log.push_transient(seq, slot, block);
        self.tell(slot, seq, false, wakes);
        self.evict_transients(false, wakes);
    }

    fn number(&mut self) -> u64 {
        let seq = self.next;
        self.next += 1;
        self.counters.published += 1;
        seq
    }

    #[inline]
    pub(super) fn enter(&mut self, topic: &str) -> usize {
        match self.topics.find(topic) {
            Some(slot) => slot,
            None => self.topics.enter(topic),
        }
    }

    /// Tells the topic's groups of an event; `retained` if it is in the history.
    fn tell(&mut self, slot: usize, seq: u64, retained: bool, wakes: &mut Wakes) {
        let topic = self.topics.get(slot);
        let followers = topic.followers.iter().map(|(group, _)| *group);
        for index in followers.chain(topic.prefixed.iter().copied()) {
            let group = &mut self.groups[index];
            group.jump = (group.head, seq);
            group.head = seq + 1;
            if let (Some(numbers), true) = (&mut group.numbers, retained) {
                numbers.list.push_back(seq);
            }
            if self.lingers.is_empty() {
                group.end_round(index, wakes);
            } else {
                let first = !std::mem::replace(&mut group.lingering, true);
                self.lingers.gather(index, first, wakes);
            }
        }
        if !self.lingers.is_empty() {
            self.count_lingering(wakes);
        }
    }

    /// Lets go of what is beyond the bounds.
    pub(super) fn evict(&mut self, wakes: &mut Wakes) {
        let now = self.log.now();
        while let Some((slot, seq)) = self.log.evict(now, wakes) {
            let topic = self.topics.refresh(slot);
            topic.retained.pop_front();
            topic.lost_to = seq + 1;
            let followers = topic.followers.iter().map(|(group, _)| *group);
            for index in followers.chain(topic.prefixed.iter().copied()) {
                let group = &mut self.groups[index];
                group.lost_to = seq + 1;
                if let Some(numbers) = &mut group.numbers {
                    if numbers.list.front() == Some(&seq) {
                        numbers.list.pop_front();
                    }
                }
            }
            self.gate.lose(seq, wakes);
            if topic.retained.is_empty() {
                self.topics.remove_if_idle(slot);
            }
        }
    }

    /// Lets go of transient events that are too many, or of all.
    pub(super) fn evict_transients(&mut self, all: bool, wakes: &mut Wakes) {
        while let Some(entry) = self.log.evict_transient(all) {
            self.topics.unpin(entry.topic);
            wakes.drop_entry(entry);
        }
    }

    /// Takes a sheet back whose tasks have been woken.
    pub(in crate::hub) fn give_back(&mut self, sheet: &mut Sheet) {
        if let Some(group) = self.groups.get_mut(sheet.group()) {
            group.give_back(sheet);
        }
    }

    /// The number of the next event.
    pub(in crate::hub) fn next(&self) -> u64 {
        self.next
    }

    #[inline]
    pub(in crate::hub) fn changes(&self) -> u64 {
        self.changes
    }

    pub(in crate::hub) fn subscribers(&self) -> usize {
        self.counters.subscribers
    }

    pub(in crate::hub) fn refuse(&mut self) {
        self.counters.refused += 1;
    }

    pub(in crate::hub) fn stats(&self) -> Stats {
        let (retained, retained_bytes) = self.log.retained();
        Stats {
            topics: self.topics.len(),
            retained,
            retained_bytes,
            ..self.counters
        }
    }
}
