use std::collections::VecDeque;

use super::closing::Closing;
use super::cursors::Cursor;
use super::draft::Draft;
use super::frames::FRAME;
use super::gate::Gate;
use super::group::Group;
use super::index::SlotIndex;
use super::lingers::Lingers;
use super::log::Log;
use super::marks::Mark;
use super::notices::{News, Notices};
use super::owners::Owners;
use super::rules::Rules;
use super::slots::Slots;
use super::timetable::Timetable;
use super::topics::Topics;
use super::untold::Untold;
use super::wake_list::{SheetOut, Wakes};
use super::watchers::Watchers;
use crate::hub::outcome::LagPolicy;
use crate::hub::stats::Stats;
use crate::protocol::Block;

/// The state that publishers and subscribers share, behind one lock. User code never runs under the
/// lock: no closure, no waker, no drop, no encoding.
#[derive(Debug)]
pub(in crate::hub) struct State {
    pub(super) log: Log,
    pub(super) topics: Topics,
    pub(super) groups: Slots<Group>,
    pub(super) by_key: SlotIndex,
    pub(super) cursors: Slots<Cursor>,
    /// The number of the next event, starting at 1.
    pub(super) next: u64,
    pub(super) gate: Gate,
    /// The bytes of cached frames, their limit, and the groups that have cached frames.
    pub(super) frames: usize,
    pub(super) frames_limit: usize,
    pub(super) framed: VecDeque<usize>,
    /// The topics whose events made the log larger than it may be, while more is evicted than fits
    /// under one hold of the lock.
    pub(super) crowded: Vec<usize>,
    pub(super) closing: Closing,
    pub(super) lingers: Lingers,
    pub(super) notices: Notices,
    pub(super) untold: Untold,
    pub(super) owners: Owners,
    pub(super) timetable: Timetable,
    pub(super) watchers: Watchers,
    /// Counts the changes that a waiting subscriber has to look at although its wake list's round
    /// has not ended: closes, and moves and ends of single subscribers.
    pub(super) changes: u64,
    pub(super) counters: Stats,
    /// Buffers, reused from frame to frame.
    pub(super) marks: Vec<Mark>,
    pub(super) bytes: Vec<u8>,
    /// The last stamp. Stamps are unique; a wake list gets a new one whenever a task is removed
    /// from it.
    pub(super) stamps: u64,
    /// The number of lost events.
    pub(super) losses: u64,
    pub(super) lag: LagPolicy,
    /// The keys of the events in the outer log, if they come from one.
    #[cfg(any(test, feature = "redis"))]
    pub(super) keys: Option<super::keys::Keys>,
}

impl State {
    pub(in crate::hub) fn new(rules: Rules, lag: LagPolicy) -> Self {
        Self {
            frames_limit: rules.max_bytes().max(4 * FRAME),
            log: Log::new(),
            topics: Topics::new(rules),
            groups: Slots::new(),
            by_key: SlotIndex::default(),
            cursors: Slots::new(),
            next: 1,
            gate: Gate::default(),
            frames: 0,
            framed: VecDeque::new(),
            crowded: Vec::new(),
            closing: Closing::default(),
            lingers: Lingers::default(),
            notices: Notices::default(),
            untold: Untold::default(),
            owners: Owners::default(),
            timetable: Timetable::default(),
            watchers: Watchers::default(),
            changes: 0,
            counters: Stats::default(),
            marks: Vec::new(),
            bytes: Vec::new(),
            stamps: 0,
            losses: 0,
            lag,
            #[cfg(any(test, feature = "redis"))]
            keys: None,
        }
    }

    /// Appends an event to the log and returns its number, or `None` if the draft's ID does not fit
    /// that number.
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
        let slot = self.enter(topic);
        let is_last = draft.is_last;
        if self.topics.get(slot).finished.is_some() {
            if is_last && self.topics.get(slot).is_over() {
                wakes.drop_block(draft.block);
                return Some(self.finish(topic, wakes));
            }
            self.begin_run(slot, wakes);
        }
        let seq = self.number();
        self.retain(slot, seq, draft, wakes);
        if is_last {
            _ = self.finish(topic, wakes);
        }
        Some(seq)
    }

    /// Delivers an event to the topic's current followers, without adding it to the history.
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
        self.tell(slot, seq, None, wakes);
        self.evict_transients(false, wakes);
    }

    pub(super) fn number(&mut self) -> u64 {
        let seq = self.next;
        self.next += 1;
        self.counters.published += 1;
        seq
    }

    #[inline]
    pub(super) fn enter(&mut self, topic: &str) -> usize {
        self.topics.enter(topic)
    }

    /// Notifies the topic's groups of an event and of its mark in the history.
    pub(super) fn tell(
        &mut self,
        slot: usize,
        seq: u64,
        retained: Option<Mark>,
        wakes: &mut Wakes,
    ) {
        if seq >= self.closing.served_to() {
            return;
        }
        self.announce(slot, News::Event(seq, retained), wakes);
        if !self.lingers.is_empty() {
            self.count_lingering(wakes);
        }
    }

    /// Evicts transient events beyond the limits, or all of them.
    pub(super) fn evict_transients(&mut self, all: bool, wakes: &mut Wakes) {
        while let Some(entry) = self.log.evict_transient(all, self.topics.max_bytes()) {
            self.topics.unpin(entry.topic);
            wakes.drop_entry(entry);
        }
    }

    /// Takes back a sheet whose tasks have been woken.
    pub(in crate::hub) fn give_back(&mut self, sheet: &mut SheetOut) {
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
        Stats {
            topics: self.topics.len(),
            retained: self.log.history().len(),
            retained_bytes: self.log.bytes(),
            ..self.counters
        }
    }
}
