use std::time::Instant;

use super::State;
use super::draft::Draft;
use super::log::Entry;
use super::marks::Mark;
use super::notices::News;
use super::wake_list::Wakes;
use crate::clock;
use crate::hub::retention::Retention;
use crate::sync::crowd;

/// How many events that are too old are evicted before others get the lock in between.
const PIECE: usize = 512;

/// How many groups can be told of a loss in the time in which an event is evicted.
const GROUPS: usize = 32;

/// Retaining and evicting events: a topic loses its oldest events by its own limits, or because the
/// hub holds too many bytes.
impl State {
    /// Appends an event to a topic and notifies its groups.
    #[inline]
    pub(super) fn retain(&mut self, slot: usize, seq: u64, draft: Draft, wakes: &mut Wakes) {
        let Draft {
            block, labels, at, ..
        } = draft;
        let rule = self.topics.rule(slot);
        let age = rule.max_age();
        let now = (age.is_some() || self.topics.have_due())
            .then(clock::instant)
            .flatten();
        let at = at.or(now).filter(|_| age.is_some());
        let topic = self.topics.refresh(slot);
        let border = topic.begins_segment(block.len());
        let entry = Entry {
            seq,
            topic: slot,
            block,
            border,
            transient: false,
            at,
            labels,
        };
        let size = entry.size();
        let key = entry.key().cloned();
        let mark = self.log.push(entry, size);
        let before = topic.overhead();
        let is_reclassed = topic.retain(mark, size);
        self.log.recount(before, topic.overhead());
        if is_reclassed {
            self.topics.classify(slot);
        }
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
        self.keep_bounds(slot, seq, rule, wakes);
        if let Some(now) = now {
            _ = self.age(now, wakes);
        }
    }

    /// Evicts events beyond the limits, after an event of this topic.
    #[inline]
    fn keep_bounds(&mut self, slot: usize, newest: u64, rule: Retention, wakes: &mut Wakes) {
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

    /// Evicts events that are too old by now, some at a time; true if none is left.
    pub(in crate::hub) fn evict(&mut self, wakes: &mut Wakes) -> bool {
        let now = self.topics.have_due().then(clock::instant).flatten();
        now.is_none_or(|now| self.age(now, wakes))
    }

    /// Evicts events that are too old by now, up to a [bound](PIECE); true if none is left.
    pub(super) fn age(&mut self, now: Instant, wakes: &mut Wakes) -> bool {
        let mut most = PIECE;
        while most > 0 {
            let Some(slot) = self.topics.pop_due(now) else {
                return true;
            };
            let age = self.topics.rule(slot).max_age();
            let due = |mark: Mark| self.log.get(mark).at?.checked_add(age?);
            let topic = self.topics.get(slot);
            // Each group that follows the topic is told of each loss, unless there are many.
            let groups = topic.followers.len() + topic.prefixed.len();
            let cost = 1 + groups.min(crowd()) / GROUPS;
            let (mut old, mut next) = (0, None);
            for mark in topic.retained.from(0) {
                next = due(mark);
                if old * cost >= most || next.is_none_or(|due| due > now) {
                    break;
                }
                (old, next) = (old + 1, None);
            }
            if let Some(next) = next {
                self.topics.set_due(slot, next);
            }
            most = most.saturating_sub(old * cost);
            // The topic may be removed with its last event.
            for _ in 0..old {
                self.lose(slot, wakes);
            }
        }
        false
    }

    /// Evicts a topic's oldest event.
    pub(super) fn lose(&mut self, slot: usize, wakes: &mut Wakes) {
        let topic = self.topics.refresh(slot);
        let before = topic.overhead();
        let Some(mark) = topic.retained.take_first() else {
            return;
        };
        let entry = self.log.remove(mark);
        self.log.recount(before, topic.overhead());
        let is_reclassed = topic.release(mark, &entry);
        self.losses += 1;
        let (is_empty, is_finished) = (topic.retained.is_empty(), topic.finished.is_some());
        if mark.seq >= self.closing.served_to() {
            // Nobody would have been sent it.
            topic.lost_late = mark.seq + 1;
        } else {
            topic.lost_to = topic.lost_to.max(mark.seq + 1);
            self.log.lose(mark.seq);
            self.announce(slot, News::Loss(mark.seq, self.losses), wakes);
        }
        self.gate.lose(mark.seq, wakes);
        wakes.drop_entry(entry);
        if is_reclassed {
            self.topics.classify(slot);
        }
        if is_empty {
            if is_finished {
                self.forget_end(slot, wakes);
            }
            self.topics.remove_if_idle(slot);
        }
    }

    /// Removes an event that a later one with the same key has replaced. This does not count as a
    /// loss.
    fn replace(&mut self, slot: usize, mark: Mark, wakes: &mut Wakes) {
        let entry = self.log.remove(mark);
        let topic = self.topics.refresh(slot);
        topic.retained.remove(mark.seq);
        let is_reclassed = topic.release(mark, &entry);
        self.announce(slot, News::Replacement(mark.seq), wakes);
        wakes.drop_entry(entry);
        if is_reclassed {
            self.topics.classify(slot);
        }
    }
}
