use std::collections::BTreeMap;
use std::task::Waker;

use super::State;
use super::wake_list::Wakes;

/// After this many events, subscribers are woken whatever the lingers do.
const GATHERED: usize = 1024;

/// The active lingers, and the groups whose wake-up waits for one of them.
#[derive(Debug, Default)]
pub(super) struct Lingers {
    /// The lingers that have been polled. A task is taken out when it is woken for the first event.
    tasks: BTreeMap<u64, Option<Waker>>,
    next: u64,
    /// May contain a group twice, or a group that was removed.
    groups: Vec<usize>,
    events: usize,
}

impl Lingers {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Delays the wake-up of a group that has an event: its `first` since the last wake-up, or a
    /// further one.
    pub(super) fn gather(&mut self, group: usize, first: bool, wakes: &mut Wakes) {
        if first {
            self.groups.push(group);
            for task in self.tasks.values_mut() {
                wakes.wake_later(task.take());
            }
        }
    }
}

impl State {
    /// Makes a linger wait for the first event. Returns `false` if events have already gathered.
    /// Its key is created at its first poll; until then, no event waits for it.
    pub(in crate::hub) fn linger(
        &mut self,
        key: &mut Option<u64>,
        task: Waker,
        wakes: &mut Wakes,
    ) -> bool {
        let lingers = &mut self.lingers;
        let key = *key.get_or_insert_with(|| {
            lingers.next += 1;
            lingers.next
        });
        let waits = lingers.groups.is_empty();
        let place = lingers.tasks.entry(key).or_default();
        if waits {
            wakes.drop_tasks(place.replace(task));
        } else {
            wakes.drop_tasks([task]);
        }
        waits
    }

    /// Removes a linger.
    pub(in crate::hub) fn leave_linger(&mut self, key: u64, wakes: &mut Wakes) {
        wakes.drop_tasks(self.lingers.tasks.remove(&key).flatten());
        self.end_linger(wakes);
    }

    /// Counts a waiting event, and ends the linger after too many.
    #[cold]
    pub(super) fn count_lingering(&mut self, wakes: &mut Wakes) {
        self.lingers.events += 1;
        if self.lingers.events >= GATHERED {
            self.end_linger(wakes);
        }
    }

    /// Takes out the tasks that wait for the gathered events.
    pub(in crate::hub) fn end_linger(&mut self, wakes: &mut Wakes) {
        self.lingers.events = 0;
        if !self.lingers.groups.is_empty() {
            self.notices.end_lingering(&mut self.lingers.groups);
            if !self.spread(0, wakes) {
                wakes.spread_until(0);
            }
        }
    }
}
