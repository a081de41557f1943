use std::collections::{BTreeMap, BTreeSet};
use std::task::Waker;
use std::time::Instant;

use super::State;
use super::wake_list::Wakes;
use crate::hub::change::Reason;

/// How much is done before others have the lock in between.
const PIECE: usize = 1024;

/// What is to be done at an instant, and the futures that see to it.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    /// When subscribers end.
    ends: BTreeSet<(Instant, usize)>,
    /// Those that have been polled. A task is here until it has been told of something earlier.
    keepers: BTreeMap<u64, Option<Waker>>,
    keys: u64,
}

/// Until when a future that keeps the time sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::hub) enum Pause {
    Until(Instant),
    /// Until it is woken.
    Open,
    /// Nothing will come any more.
    Over,
}

impl State {
    /// When there is something to be done next.
    pub(in crate::hub) fn next_instant(&self) -> Option<Instant> {
        let ends = self.timetable.ends.first().map(|(at, _)| *at);
        let due = self.topics.next_due();
        ends.into_iter().chain(due).min()
    }

    /// Does what was to be done by now, or some of it.
    pub(in crate::hub) fn pass_time(&mut self, now: Instant, wakes: &mut Wakes) {
        for _ in 0..PIECE {
            let ends = &mut self.timetable.ends;
            let Some((_, cursor)) = ends.first().copied().filter(|(at, _)| *at <= now) else {
                break;
            };
            ends.pop_first();
            self.expire(cursor, wakes);
        }
        self.age(now, PIECE, wakes);
    }

    /// A subscriber's time is over: nothing more is handed out to it.
    fn expire(&mut self, cursor: usize, wakes: &mut Wakes) {
        self.changes += 1;
        self.release(cursor);
        let place = self.cursors[cursor].place;
        self.end_one(cursor, place, Reason::Expired, wakes);
    }

    /// A future sees to it that time passes, and is woken when its pause becomes shorter. Its key is
    /// made when it is first polled.
    pub(in crate::hub) fn keep_time(
        &mut self,
        key: &mut Option<u64>,
        task: Waker,
        wakes: &mut Wakes,
    ) -> Pause {
        let timetable = &mut self.timetable;
        let key = *key.get_or_insert_with(|| {
            timetable.keys += 1;
            timetable.keys
        });
        wakes.drop_tasks(timetable.keepers.entry(key).or_default().replace(task));
        if self.is_over() {
            return Pause::Over;
        }
        self.next_instant().map_or(Pause::Open, Pause::Until)
    }

    /// It does so no longer.
    pub(in crate::hub) fn leave_time(&mut self, key: u64, wakes: &mut Wakes) {
        wakes.drop_tasks(self.timetable.keepers.remove(&key).flatten());
    }

    /// All of them look again.
    pub(super) fn wake_keepers(&mut self, wakes: &mut Wakes) {
        for task in self.timetable.keepers.values_mut() {
            wakes.wake_later(task.take());
        }
    }

    /// A subscriber has to end at an instant.
    pub(super) fn schedule(&mut self, at: Instant, cursor: usize, wakes: &mut Wakes) {
        let earlier = self.next_instant().is_none_or(|next| at < next);
        self.timetable.ends.insert((at, cursor));
        if earlier {
            self.wake_keepers(wakes);
        }
    }

    /// A topic has an event that will be too old then.
    pub(super) fn schedule_age(&mut self, slot: usize, due: Instant, wakes: &mut Wakes) {
        let earlier = self.next_instant().is_none_or(|next| due < next);
        if self.topics.set_due(slot, due) && earlier {
            self.wake_keepers(wakes);
        }
    }

    /// It has gone before.
    pub(super) fn unschedule(&mut self, at: Instant, cursor: usize) {
        self.timetable.ends.remove(&(at, cursor));
    }
}
