use std::time::Instant;

use super::State;
use super::draft::Draft;
use super::log::{Entry, Labels};
use super::marks::Mark;
use super::wake_list::Wakes;
use crate::clock;

/// What is retained, and how it goes: a topic's oldest events by the topic's bounds, or since the hub
/// holds too much.
impl State {
    /// Appends an event to a topic and tells its groups.
    #[inline]
    pub(super) fn retain(&mut self, slot: usize, seq: u64, draft: Draft, wakes: &mut Wakes) {
        let Draft {
            block, id, key, at, ..
        } = draft;
        let age = self.topics.rule(slot).max_age();
        let now = (age.is_some() || self.topics.have_due())
            .then(clock::instant)
            .flatten();
        let at = at.or(now).filter(|_| age.is_some());
        let border = self.topics.refresh(slot).begins_segment(block.len());
        let entry = Entry {
            seq,
            topic: slot,
            block,
            border,
            transient: false,
            at,
            labels: Labels::new(id, key.clone()),
        };
        let size = entry.size();
        let mark = self.log.push(entry);
        self.topics.retain(slot, mark, size);
        let due = age.and_then(|age| at?.checked_add(age));
        if let Some(due) = due {
            self.schedule_age(slot, due, wakes);
        }
        if let Some(key) = key {
            if let Some(before) = self.topics.set_latest(slot, key, mark) {
                self.replace(slot, before, wakes);
            }
        }
        self.tell(slot, seq, Some(mark), wakes);
        self.keep_bounds(slot, seq, wakes);
        if let Some(now) = now {
            self.age(now, usize::MAX, wakes);
        }
    }

    /// Lets go of what is beyond the bounds, after an event of this topic.
    #[inline]
    fn keep_bounds(&mut self, slot: usize, newest: u64, wakes: &mut Wakes) {
        let rule = self.topics.rule(slot);
        let (events, bytes) = (rule.max_events(), rule.max_bytes());
        loop {
            let topic = self.topics.get(slot);
            let count = topic.retained.len();
            if count < 2 || (count <= events && topic.bytes <= bytes) {
                break;
            }
            self.lose(slot, wakes);
        }
        while self.log.bytes() > self.topics.max_bytes() {
            let oldest = self.log.history().first();
            let oldest = oldest.map(|mark| self.log.get(mark).topic);
            match oldest.and_then(|oldest| self.topics.giving_way(oldest, newest)) {
                Some(slot) => self.lose(slot, wakes),
                None => return,
            }
        }
    }

    /// Lets go of what is too old.
    pub(super) fn evict(&mut self, wakes: &mut Wakes) {
        if self.topics.have_due() {
            if let Some(now) = clock::instant() {
                self.age(now, usize::MAX, wakes);
            }
        }
    }

    /// Lets go of what is too old by now, at most of this many events.
    pub(super) fn age(&mut self, now: Instant, mut most: usize, wakes: &mut Wakes) {
        while most > 0 {
            let Some(slot) = self.topics.pop_due(now) else {
                return;
            };
            let age = self.topics.rule(slot).max_age();
            let due = |mark: Mark| self.log.get(mark).at?.checked_add(age?);
            let retained = &self.topics.get(slot).retained;
            let (mut old, mut next) = (0, None);
            for mark in retained.from(0) {
                next = due(mark);
                if old == most || next.is_none_or(|due| due > now) {
                    break;
                }
                (old, next) = (old + 1, None);
            }
            if let Some(next) = next {
                self.topics.set_due(slot, next);
            }
            most -= old;
            // With the last of them the topic may go.
            for _ in 0..old {
                self.lose(slot, wakes);
            }
        }
    }

    /// Lets go of a topic's oldest event.
    pub(super) fn lose(&mut self, slot: usize, wakes: &mut Wakes) {
        let Some(mark) = self.topics.get(slot).retained.first() else {
            return;
        };
        let entry = self.take_out(slot, mark);
        let lost_to = mark.seq + 1;
        self.losses += 1;
        self.log.lose(mark.seq);
        let topic = self.topics.refresh(slot);
        topic.lost_to = topic.lost_to.max(lost_to);
        let followers = topic.followers.iter().map(|(group, _)| *group);
        for index in followers.chain(topic.prefixed.iter().copied()) {
            self.groups[index].lose(mark.seq, self.losses);
        }
        self.gate.lose(mark.seq, wakes);
        wakes.drop_entry(entry);
        let topic = self.topics.get(slot);
        if topic.retained.is_empty() {
            if topic.finished.is_some() {
                self.begin_run(slot);
            }
            self.topics.remove_if_idle(slot);
        }
    }

    /// Takes an event out that a later one with its key has replaced. Nothing is lost by that.
    fn replace(&mut self, slot: usize, mark: Mark, wakes: &mut Wakes) {
        let entry = self.take_out(slot, mark);
        let topic = self.topics.refresh(slot);
        let followers = topic.followers.iter().map(|(group, _)| *group);
        for index in followers.chain(topic.prefixed.iter().copied()) {
            let group = &mut self.groups[index];
            self.frames -= group.frames.bytes();
            group.forget(mark.seq, wakes);
            self.frames += group.frames.bytes();
        }
        wakes.drop_entry(entry);
    }

    /// Takes an event out of the history.
    fn take_out(&mut self, slot: usize, mark: Mark) -> Entry {
        let entry = self.log.remove(mark);
        self.topics.release(slot, mark.seq, entry.size());
        if let Some(key) = entry.key() {
            self.topics.unset_latest(slot, key, mark);
        }
        entry
    }
}
