use std::collections::{BTreeMap, BTreeSet};
use std::task::Waker;
use std::time::Instant;

use super::State;
use super::wake_list::Wakes;
use crate::hub::change::Reason;

/// The number of steps before releasing the lock to others.
const PIECE: usize = 1024;

/// The work that is due at an instant, and the futures that do it.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    /// The instants at which subscribers end.
    ends: BTreeSet<(Instant, usize)>,
    /// The futures that have been polled. A task is taken out when it is woken for earlier work.
    keepers: BTreeMap<u64, Option<Waker>>,
    keys: u64,
}

/// How long a future that keeps the time sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::hub) enum Pause {
    Until(Instant),
    /// Until it is woken.
    Open,
    /// Nothing more will be due.
    Over,
}

impl State {
    /// The next instant at which work is due.
    pub(in crate::hub) fn next_instant(&self) -> Option<Instant> {
        let ends = self.timetable.ends.first().map(|(at, _)| *at);
        let due = self.topics.next_due();
        ends.into_iter().chain(due).min()
    }

    /// Does the work that is due by now, or a piece of it.
    pub(in crate::hub) fn pass_time(&mut self, now: Instant, wakes: &mut Wakes) {
        for _ in 0..PIECE {
            let ends = &mut self.timetable.ends;
            let Some((_, cursor)) = ends.first().copied().filter(|(at, _)| *at <= now) else {
                break;
            };
            ends.pop_first();
            self.expire(cursor, wakes);
        }
        _ = self.age(now, wakes);
    }

    /// Ends a subscriber whose instant has passed: nothing more is sent to it.
    fn expire(&mut self, cursor: usize, wakes: &mut Wakes) {
        self.changes += 1;
        self.release(cursor);
        let place = self.cursors[cursor].place;
        self.end_one(cursor, place, Reason::Expired, wakes);
    }

    /// Registers a future that keeps the time and is woken when its pause becomes shorter. Its key
    /// is created at its first poll.
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

    /// Removes a future that no longer keeps the time.
    pub(in crate::hub) fn leave_time(&mut self, key: u64, wakes: &mut Wakes) {
        wakes.drop_tasks(self.timetable.keepers.remove(&key).flatten());
    }

    /// Wakes all such futures, so that they poll again.
    pub(super) fn wake_keepers(&mut self, wakes: &mut Wakes) {
        for task in self.timetable.keepers.values_mut() {
            wakes.wake_later(task.take());
        }
    }

    /// Schedules the end of a subscriber.
    pub(super) fn schedule(&mut self, at: Instant, cursor: usize, wakes: &mut Wakes) {
        let earlier = self.next_instant().is_none_or(|next| at < next);
        self.timetable.ends.insert((at, cursor));
        if earlier {
            self.wake_keepers(wakes);
        }
    }

    /// Schedules the eviction of a topic's event that will be too old then.
    pub(super) fn schedule_age(&mut self, slot: usize, due: Instant, wakes: &mut Wakes) {
        let earlier = self.next_instant().is_none_or(|next| due < next);
        if self.topics.set_due(slot, due) && earlier {
            self.wake_keepers(wakes);
        }
    }

    /// Cancels the scheduled end of a subscriber that has left before it.
    pub(super) fn unschedule(&mut self, at: Instant, cursor: usize) {
        self.timetable.ends.remove(&(at, cursor));
    }
}
