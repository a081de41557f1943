use std::collections::BTreeMap;
use std::mem;
use std::num::NonZeroU64;
use std::task::Waker;

use super::State;
use super::wake_list::Wakes;

/// Publishers that wait for subscribers, and tasks that wait until all subscribers have left.
///
/// A scan of all subscribers counts those behind a place, and each of them decrements the count as
/// it passes that place. So a publisher costs one scan per wait, and a subscriber a look at a few
/// places per frame while a publisher waits.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// A lower bound of the places of all subscribers that are waited for.
    floor: u64,
    /// The places that publishers wait for.
    targets: BTreeMap<u64, Target>,
    drainers: BTreeMap<u64, Waker>,
    keys: u64,
}

#[derive(Debug)]
struct Target {
    /// The number of subscribers before it.
    behind: usize,
    publishers: Vec<(u64, Waker)>,
}

/// A publisher's wait at the gate, which must be given up if it no longer waits.
#[derive(Debug)]
pub(in crate::hub) struct Wait {
    target: u64,
    key: u64,
}

impl Gate {
    #[inline]
    pub(super) fn is_shut(&self) -> bool {
        !self.targets.is_empty()
    }

    /// Adds a subscriber at this place, when it joins or when it has caught up after being excused.
    pub(super) fn enter(&mut self, place: u64) {
        self.floor = self.floor.min(place);
    }

    /// Moves a subscriber from one place to another; to `u64::MAX` if it leaves.
    pub(super) fn pass(&mut self, before: u64, after: u64, wakes: &mut Wakes) {
        if before >= after {
            return;
        }
        let mut reached = None;
        for (place, target) in self.targets.range_mut(before + 1..=after) {
            target.behind = target.behind.saturating_sub(1);
            if target.behind == 0 {
                reached = Some(*place);
                let publishers = target.publishers.drain(..);
                wakes.wake_later(publishers.map(|(_, task)| task));
            }
        }
        if reached.is_some() {
            self.targets.retain(|_, target| target.behind > 0);
        }
    }

    /// Records the loss of the event at this place.
    #[inline]
    pub(super) fn lose(&mut self, seq: u64, wakes: &mut Wakes) {
        // Publishers do not wait for a subscriber that has lost events.
        if self.is_shut() && seq >= self.floor {
            self.reopen(wakes);
        }
    }

    /// Wakes all publishers, so that they poll again.
    fn reopen(&mut self, wakes: &mut Wakes) {
        let targets = mem::take(&mut self.targets).into_values();
        let publishers = targets.flat_map(|target| target.publishers);
        wakes.wake_later(publishers.map(|(_, task)| task));
    }

    /// Wakes all waiting tasks once the last subscriber has left.
    pub(super) fn empty(&mut self, wakes: &mut Wakes) {
        self.reopen(wakes);
        wakes.wake_later(mem::take(&mut self.drainers).into_values());
    }
}

impl State {
    /// Whether the slowest subscriber is at most `distance` behind. If not, the task is woken when
    /// all may be within half of that distance.
    pub(in crate::hub) fn is_caught_up(
        &mut self,
        distance: u64,
        wait: &mut Option<Wait>,
        task: Waker,
        wakes: &mut Wakes,
    ) -> bool {
        self.give_up_wait(wait, wakes);
        let target = self.next.saturating_sub(distance);
        if self.gate.floor < target {
            self.settle_all(wakes);
            let slowest = self.awaited().map(|(_, place)| place).min();
            self.gate.floor = slowest.unwrap_or(self.next).min(self.next);
        }
        if self.gate.floor >= target {
            wakes.drop_tasks([task]);
            return true;
        }
        let target = self.next.saturating_sub(distance / 2);
        self.gate.keys += 1;
        let key = self.gate.keys;
        if !self.gate.targets.contains_key(&target) {
            let behind = self.awaited().filter(|(_, place)| *place < target).count();
            let publishers = Vec::new();
            self.gate
                .targets
                .insert(target, Target { behind, publishers });
        }
        if let Some(target) = self.gate.targets.get_mut(&target) {
            target.publishers.push((key, task));
        }
        *wait = Some(Wait { target, key });
        false
    }

    /// Gives up a publisher's wait.
    pub(in crate::hub) fn give_up_wait(&mut self, wait: &mut Option<Wait>, wakes: &mut Wakes) {
        let Some(Wait { target: place, key }) = wait.take() else {
            return;
        };
        let Some(target) = self.gate.targets.get_mut(&place) else {
            return;
        };
        if let Some(at) = target
            .publishers
            .iter()
            .position(|(other, _)| *other == key)
        {
            wakes.drop_tasks([target.publishers.swap_remove(at).1]);
        }
        if target.publishers.is_empty() {
            self.gate.targets.remove(&place);
        }
    }

    /// Excludes subscribers further behind from all waits until they are within the distance.
    /// Returns their number.
    pub(in crate::hub) fn excuse(&mut self, distance: u64, wakes: &mut Wakes) -> usize {
        self.settle_all(wakes);
        let target = self.next.saturating_sub(distance);
        let late: Vec<usize> = self
            .awaited()
            .filter(|(_, place)| *place < target)
            .map(|(slot, _)| slot)
            .collect();
        for slot in &late {
            self.cursors[*slot].excused = NonZeroU64::new(distance.saturating_add(1));
        }
        // Other waiting publishers count again.
        self.gate.reopen(wakes);
        late.len()
    }

    /// The effective places of the subscribers that publishers wait for: those that are not excused
    /// and have not lost events.
    fn awaited(&self) -> impl Iterator<Item = (usize, u64)> {
        let cursors = self.cursors.iter();
        cursors
            .filter(|(_, cursor)| cursor.excused.is_none())
            .filter(|(_, cursor)| cursor.place >= self.groups[cursor.group].lost_to)
            .map(|(slot, cursor)| (slot, self.progress(cursor)))
    }

    /// Records that a subscriber has advanced from `before`.
    pub(super) fn pass_gate(&mut self, index: usize, before: u64, wakes: &mut Wakes) {
        let after = self.progress(&self.cursors[index]);
        let cursor = &mut self.cursors[index];
        match cursor.excused {
            None => self.gate.pass(before, after, wakes),
            Some(near) if after.saturating_add(near.get()) > self.next => {
                cursor.excused = None;
                self.gate.enter(after);
            }
            Some(_) => {}
        }
    }

    /// Whether there are no subscribers. If there are, the task is woken when the last one has
    /// left.
    pub(in crate::hub) fn is_drained(
        &mut self,
        key: &mut Option<u64>,
        task: Waker,
        wakes: &mut Wakes,
    ) -> bool {
        let drained = self.counters.subscribers == 0;
        if drained {
            wakes.drop_tasks([task]);
            return true;
        }
        let key = *key.get_or_insert_with(|| {
            self.gate.keys += 1;
            self.gate.keys
        });
        wakes.drop_tasks(self.gate.drainers.insert(key, task));
        false
    }

    /// Gives up a drain's wait.
    pub(in crate::hub) fn give_up_drain(&mut self, key: u64, wakes: &mut Wakes) {
        wakes.drop_tasks(self.gate.drainers.remove(&key));
    }
}
