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

/// How many groups can be told of a loss in the time in which an event is evicted.
const GROUPS: usize = 32;

/// How many events are evicted before others get the lock in between.
fn piece() -> usize {
    crowd()
}

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

    /// Evicts events beyond the limits, after an event of this topic. If these are many, the rest
    /// is left to [`spread`](Self::spread).
    #[inline]
    fn keep_bounds(&mut self, slot: usize, newest: u64, rule: Retention, wakes: &mut Wakes) {
        if !self.evict_beyond(slot, newest, rule, wakes) {
            self.topics.pin(slot);
            self.crowded.push(slot);
            wakes.spread_until(0);
        }
    }

    /// Evicts further events beyond the limits; true if none is left.
    pub(super) fn keep_all_bounds(&mut self, wakes: &mut Wakes) -> bool {
        while let Some(slot) = self.crowded.last().copied() {
            let newest = self.log.history().newest().next();
            let newest = newest.map_or(0, |mark| mark.seq);
            if !self.evict_beyond(slot, newest, self.topics.rule(slot), wakes) {
                return false;
            }
            self.crowded.pop();
            self.topics.unpin(slot);
        }
        true
    }

    /// Evicts events beyond the limits, up to a [bound](piece); true if none is left.
    #[inline]
    fn evict_beyond(
        &mut self,
        slot: usize,
        newest: u64,
        rule: Retention,
        wakes: &mut Wakes,
    ) -> bool {
        let mut most = piece();
        let (events, bytes) = (rule.max_events(), rule.max_bytes());
        loop {
            let topic = self.topics.get(slot);
            let count = topic.retained.len();
            if count < 2 || (count <= events && topic.bytes <= bytes) {
                break;
            }
            if most == 0 {
                return false;
            }
            most = most.saturating_sub(self.loss_cost(slot));
            self.lose(slot, wakes);
        }
        while self.log.bytes() > self.topics.max_bytes() {
            let oldest = self.log.history().first();
            let oldest = oldest.map(|mark| self.log.get(mark).topic);
            let Some(slot) = oldest.and_then(|oldest| self.topics.giving_way(oldest, newest))
            else {
                break;
            };
            if most == 0 {
                return false;
            }
            most = most.saturating_sub(self.loss_cost(slot));
            self.lose(slot, wakes);
        }
        true
    }

    /// The time that it takes to evict an event of this topic, in those without groups.
    #[inline]
    fn loss_cost(&self, slot: usize) -> usize {
        let topic = self.topics.get(slot);
        // Each group that follows the topic is told of each loss, unless there are many.
        let groups = topic.followers.len() + topic.prefixed.len();
        1 + groups.min(crowd()) / GROUPS
    }

    /// Evicts events that are too old by now, some at a time; true if none is left.
    pub(in crate::hub) fn evict(&mut self, wakes: &mut Wakes) -> bool {
        let now = self.topics.have_due().then(clock::instant).flatten();
        now.is_none_or(|now| self.age(now, wakes))
    }

    /// Evicts events that are too old by now, up to a [bound](piece); true if none is left.
    pub(super) fn age(&mut self, now: Instant, wakes: &mut Wakes) -> bool {
        let mut most = piece();
        while most > 0 {
            let Some(slot) = self.topics.pop_due(now) else {
                return true;
            };
            let age = self.topics.rule(slot).max_age();
            let due = |mark: Mark| self.log.get(mark).at?.checked_add(age?);
            let topic = self.topics.get(slot);
            let cost = self.loss_cost(slot);
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
            self.tell_loss(slot, mark.seq, wakes);
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

#[cfg(test)]
mod tests {
    use std::mem;

    use super::*;
    use crate::hub::core::{Begin, Fresh, Key, Last, Rules};
    use crate::hub::outcome::LagPolicy;
    use crate::protocol::Event;

    #[test]
    fn an_event_that_displaces_many_evicts_few_at_a_time() {
        crate::sync::run(evicts_few);
    }

    fn evicts_few() {
        let limits = [
            Rules::new(100_000, Retention::new()),
            Rules::new(usize::MAX, Retention::new().bytes(100_000)),
        ];
        // Of no group, and of several, which are told one by one.
        for (rules, groups) in limits.into_iter().zip([0, 3]) {
            let mut state = State::new(rules, LagPolicy::Oldest);
            let begin = Begin::new(Last::Nothing, Fresh::Now, false, Last::Nothing);
            let mut wakes = Wakes::default();
            for other in 0..groups {
                let key = Key::new(vec!["a".into(), format!("{other}").into()], Vec::new());
                state.subscribe(key, &begin, None, &mut wakes).unwrap();
            }
            // Returns how many events are lost under each hold of the lock.
            let publish = |state: &mut State, len: usize| {
                let (mut wakes, mut before) = (Wakes::default(), state.losses);
                let mut lost =
                    |state: &State| state.losses - mem::replace(&mut before, state.losses);
                let block = Event::new("x".repeat(len)).encode();
                let draft = Draft::with_number(block, state.next, None);
                state.publish("a", draft, &mut wakes);
                let mut holds = vec![lost(state)];
                let mut until = wakes.until();
                while let Some(number) = until {
                    let mut wakes = Wakes::default();
                    let done = state.spread(number, &mut wakes);
                    holds.push(lost(state));
                    let further = wakes.until().filter(|further| *further > number);
                    until = further.or(until.filter(|_| !done));
                }
                holds
            };
            for _ in 0..200 {
                publish(&mut state, 10);
            }
            assert_eq!(state.losses, 0);
            let lost = publish(&mut state, 90_000);
            assert!(lost.iter().all(|lost| *lost <= piece() as u64), "{lost:?}");
            assert!(lost.iter().sum::<u64>() > 100 && state.stats().retained_bytes < 101_000);
            assert!(state.crowded.is_empty() && state.notices.is_empty());
            // The newest of all stays whatever it takes.
            publish(&mut state, 200_000);
            assert_eq!(state.stats().retained, 1);
        }
    }
}
