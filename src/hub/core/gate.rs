use std::collections::BTreeMap;
use std::mem;
use std::num::NonZeroU64;
use std::sync::atomic::Ordering;
use std::task::Waker;

use super::State;
use super::wake_list::Wakes;
use crate::sync::{Arc, AtomicU64, crowd};

/// Publishers that wait for subscribers, and tasks that wait until all subscribers have left.
///
/// A scan of all subscribers counts those behind a place, and each of them decrements the count as
/// it passes that place. So a publisher costs one scan per wait, and a subscriber a look at a few
/// places per frame while a publisher waits. Others get the lock during the scan.
#[derive(Debug, Default)]
pub(super) struct Gate {
    floor: Arc<Floor>,
    /// The places that publishers wait for.
    targets: BTreeMap<u64, Target>,
    drainers: BTreeMap<u64, Waker>,
    keys: u64,
}

/// A lower bound of the places of all subscribers that publishers wait for. It changes only under
/// the lock, and is read without it: most publishers find out there that all are near.
#[derive(Debug, Default)]
pub(in crate::hub) struct Floor(AtomicU64);

impl Floor {
    #[inline]
    pub(in crate::hub) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, place: u64) {
        self.0.store(place, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Target {
    /// The number of subscribers before it, of those that have been visited.
    behind: usize,
    publishers: Vec<(u64, Waker)>,
    /// `Some` until all subscribers have been visited.
    scan: Option<Scan>,
}

/// A visit to all subscribers, piece by piece.
#[derive(Debug)]
struct Scan {
    /// The slot of the subscriber to visit next.
    next: usize,
    /// A lower bound of the places of those that have been visited, and of those that came later.
    slowest: u64,
    /// Whether publishers have to count again because some that were counted are no longer waited
    /// for.
    again: bool,
}

/// A publisher's wait at the gate, which must be given up if it no longer waits.
#[derive(Debug)]
pub(in crate::hub) struct Wait {
    target: u64,
    key: u64,
    /// It need not wait if all subscribers are here.
    near: u64,
}

/// A visit to all subscribers that excuses those that are late, piece by piece.
#[derive(Debug)]
pub(in crate::hub) struct Excuse {
    next: usize,
    /// Those before this place are late. `None` until the first piece.
    target: Option<u64>,
    /// How many have been excused.
    late: usize,
}

impl Excuse {
    pub(in crate::hub) fn new() -> Self {
        Self {
            next: 0,
            target: None,
            late: 0,
        }
    }

    pub(in crate::hub) fn late(&self) -> usize {
        self.late
    }
}

impl Target {
    fn has_visited(&self, cursor: usize) -> bool {
        self.scan.as_ref().is_none_or(|scan| cursor < scan.next)
    }
}

impl Gate {
    #[inline]
    pub(super) fn is_shut(&self) -> bool {
        !self.targets.is_empty()
    }

    /// Adds a subscriber at this place, when it joins or when publishers wait for it again.
    pub(super) fn enter(&mut self, place: u64) {
        self.floor.set(self.floor.get().min(place));
        let scans = self.targets.values_mut();
        for scan in scans.filter_map(|target| target.scan.as_mut()) {
            scan.slowest = scan.slowest.min(place);
        }
    }

    /// Moves a subscriber from one place to another; to `u64::MAX` if it leaves.
    pub(super) fn pass(&mut self, cursor: usize, before: u64, after: u64, wakes: &mut Wakes) {
        if before >= after {
            return;
        }
        let mut reached = false;
        for (_, target) in self.targets.range_mut(before + 1..=after) {
            if target.has_visited(cursor) {
                target.behind = target.behind.saturating_sub(1);
            }
            if target.behind == 0 && target.scan.is_none() {
                reached = true;
                let publishers = target.publishers.drain(..);
                wakes.wake_later(publishers.map(|(_, task)| task));
            }
        }
        if reached {
            self.targets
                .retain(|_, target| target.behind > 0 || target.scan.is_some());
        }
    }

    /// Ends the scan for a target once all subscribers have been visited. Returns whether its
    /// publishers must be woken.
    fn end_scan(&mut self, target: u64) -> bool {
        let Some(target) = self.targets.get_mut(&target) else {
            return false;
        };
        let Some(scan) = target.scan.take() else {
            return false;
        };
        self.floor.set(self.floor.get().max(scan.slowest));
        target.behind == 0 || scan.again
    }

    /// Wakes the publishers that wait for a target.
    fn reach(&mut self, target: u64, wakes: &mut Wakes) {
        if let Some(target) = self.targets.remove(&target) {
            let publishers = target.publishers.into_iter();
            wakes.wake_later(publishers.map(|(_, task)| task));
        }
    }

    /// Records the loss of the event at this place.
    #[inline]
    pub(super) fn lose(&mut self, seq: u64, wakes: &mut Wakes) {
        // Publishers do not wait for a subscriber that has lost events.
        if self.is_shut() && seq >= self.floor.get() {
            self.reopen(wakes);
        }
    }

    /// Wakes all publishers, so that they poll again; those that are still counting, once they have
    /// counted.
    fn reopen(&mut self, wakes: &mut Wakes) {
        self.targets.retain(|_, target| {
            if let Some(scan) = &mut target.scan {
                scan.again = true;
                return true;
            }
            let publishers = target.publishers.drain(..);
            wakes.wake_later(publishers.map(|(_, task)| task));
            false
        });
    }

    /// Wakes all waiting tasks once the last subscriber has left.
    pub(super) fn empty(&mut self, wakes: &mut Wakes) {
        self.reopen(wakes);
        wakes.wake_later(mem::take(&mut self.drainers).into_values());
    }
}

impl State {
    /// The place that all subscribers have reached.
    pub(in crate::hub) fn floor_of_all(&self) -> Arc<Floor> {
        Arc::clone(&self.gate.floor)
    }

    /// Whether the slowest subscriber is at most `distance` behind. If not, the task is woken when
    /// all may be within half of that distance. `None` if not all subscribers have been visited:
    /// [`keep_counting`](Self::keep_counting) must follow.
    pub(in crate::hub) fn is_caught_up(
        &mut self,
        distance: u64,
        wait: &mut Option<Wait>,
        task: Waker,
        wakes: &mut Wakes,
    ) -> Option<bool> {
        self.give_up_wait(wait, wakes);
        let near = self.next.saturating_sub(distance);
        if self.gate.floor.get() >= near {
            wakes.drop_tasks([task]);
            return Some(true);
        }
        let target = self.next.saturating_sub(distance / 2);
        self.gate.keys += 1;
        let key = self.gate.keys;
        let slowest = self.next;
        let waits = self.gate.targets.entry(target).or_insert_with(|| Target {
            behind: 0,
            publishers: Vec::new(),
            scan: Some(Scan {
                next: 0,
                slowest,
                again: false,
            }),
        });
        waits.publishers.push((key, task));
        *wait = Some(Wait { target, key, near });
        self.keep_counting(wait, wakes)
    }

    /// Visits the next piece of subscribers for a publisher that has begun to wait, and returns what
    /// [`is_caught_up`](Self::is_caught_up) does.
    pub(in crate::hub) fn keep_counting(
        &mut self,
        wait: &mut Option<Wait>,
        wakes: &mut Wakes,
    ) -> Option<bool> {
        let Some(Wait { target, near, .. }) = *wait else {
            return Some(true);
        };
        let mut is_reached = false;
        // If the place is gone, the task has been woken.
        let scan = self.gate.targets.get(&target);
        if let Some(next) = scan
            .and_then(|target| target.scan.as_ref())
            .map(|scan| scan.next)
        {
            let end = self.cursors.end();
            let until = end.min(next + self.piece());
            let (mut slowest, mut behind) = (u64::MAX, 0);
            for index in next..until {
                if let Some(place) = self.awaited_place(index, wakes) {
                    slowest = slowest.min(place);
                    behind += usize::from(place < target);
                }
            }
            self.count(target, until, slowest, behind);
            if until < end {
                return None;
            }
            is_reached = self.gate.end_scan(target);
        }
        let is_near = self.gate.floor.get() >= near;
        if is_near {
            self.give_up_wait(wait, wakes);
        }
        if is_reached {
            self.gate.reach(target, wakes);
        }
        Some(is_near)
    }

    /// Gives up a publisher's wait.
    pub(in crate::hub) fn give_up_wait(&mut self, wait: &mut Option<Wait>, wakes: &mut Wakes) {
        let Some(Wait {
            target: place, key, ..
        }) = wait.take()
        else {
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

    /// Excludes the next piece of subscribers further behind from all waits until they are within the
    /// distance. Returns `true` if all have been visited.
    pub(in crate::hub) fn excuse(
        &mut self,
        distance: u64,
        excuse: &mut Excuse,
        wakes: &mut Wakes,
    ) -> bool {
        let target = self.next.saturating_sub(distance);
        let target = *excuse.target.get_or_insert(target);
        let (end, before) = (self.cursors.end(), excuse.late);
        let until = end.min(excuse.next + self.piece());
        for index in excuse.next..until {
            let place = self.awaited_place(index, wakes);
            if place.is_some_and(|place| place < target) {
                self.cursors[index].excused = NonZeroU64::new(distance.saturating_add(1));
                excuse.late += 1;
            }
        }
        excuse.next = until;
        if excuse.late > before {
            // Other waiting publishers count again.
            self.gate.reopen(wakes);
        }
        until == end
    }

    /// The number of subscribers to visit before releasing the lock to others.
    fn piece(&self) -> usize {
        // If changes have been posted, their groups are told of these first.
        let is_settled = self.notices.is_empty();
        if is_settled { 4 * crowd() } else { crowd() }
    }

    /// The effective place of the subscriber in this slot. `None` if the slot is empty, or if
    /// publishers do not wait for the subscriber: it is excused or has lost events.
    fn awaited_place(&mut self, index: usize, wakes: &mut Wakes) -> Option<u64> {
        self.cursors.get_mut(index)?;
        self.settle_cursor(index, wakes);
        let cursor = &self.cursors[index];
        let group = &self.groups[cursor.group];
        let is_awaited = cursor.excused.is_none() && cursor.place >= group.lost_to;
        is_awaited.then(|| self.progress(cursor))
    }

    /// Counts a piece of subscribers for a target: the slots that have been visited by now, their
    /// slowest place, and how many are behind the target.
    fn count(&mut self, target: u64, visited: usize, slowest: u64, behind: usize) {
        let Some(target) = self.gate.targets.get_mut(&target) else {
            return;
        };
        target.behind += behind;
        if let Some(scan) = &mut target.scan {
            scan.next = visited;
            scan.slowest = scan.slowest.min(slowest);
        }
    }

    /// Records that a subscriber has advanced from `before`.
    pub(super) fn pass_gate(&mut self, index: usize, before: u64, wakes: &mut Wakes) {
        let after = self.progress(&self.cursors[index]);
        let cursor = &mut self.cursors[index];
        match cursor.excused {
            None => self.gate.pass(index, before, after, wakes),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;
    use crate::hub::change::Reason;
    use crate::hub::core::{Begin, Draft, Fresh, Key, Last, Rules, Seat, Taken};
    use crate::hub::outcome::LagPolicy;
    use crate::hub::retention::Retention;
    use crate::protocol::Event;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    struct Many {
        state: State,
        seats: Vec<Seat>,
        random: u64,
    }

    impl Many {
        fn new(seed: u64, lag: LagPolicy) -> Self {
            Self {
                state: State::new(Rules::new(1 << 20, Retention::new().events(9)), lag),
                seats: Vec::new(),
                random: seed,
            }
        }

        fn dice(&mut self, sides: usize) -> usize {
            self.random = self
                .random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.random >> 33).unwrap() % sides
        }

        fn change(&mut self, change: impl FnOnce(&mut State, &mut Wakes)) {
            let mut wakes = Wakes::default();
            change(&mut self.state, &mut wakes);
            let until = wakes.until();
            wakes.wake();
            while until.is_some_and(|until| !self.state.spread(until, &mut wakes)) {
                wakes.wake();
            }
            wakes.wake();
        }

        fn publish(&mut self) {
            let topic = ["a", "b", "c"][self.dice(3)];
            let draft = Draft::with_number(Event::new("x").encode(), self.state.next, None);
            self.change(|state, wakes| _ = state.publish(topic, draft, wakes));
        }

        fn come(&mut self) {
            let topic = ["a", "b", "c"][self.dice(3)].into();
            let last = [
                Last::Nothing,
                Last::Event(self.state.next.saturating_sub(5)),
            ];
            let begin = Begin::new(last[self.dice(2)].clone(), Fresh::Now, false, Last::Nothing);
            let mut wakes = Wakes::default();
            let come =
                self.state
                    .subscribe(Key::new(vec![topic], Vec::new()), &begin, None, &mut wakes);
            self.seats.push(come.unwrap().0);
        }

        fn read(&mut self, at: usize) {
            let mut wakes = Wakes::default();
            let seat = &mut self.seats[at];
            seat.prepare(Waker::noop());
            if let Taken::Lagged = self.state.take(seat, &mut wakes) {
                self.state.skip(seat, &mut wakes);
            }
            wakes.wake();
        }

        fn leave(&mut self, at: usize) {
            let mut seat = self.seats.swap_remove(at);
            self.change(|state, wakes| state.leave(&mut seat, Reason::Left, wakes));
        }

        fn act(&mut self) {
            let at = self.dice(self.seats.len());
            match self.dice(8) {
                0 => self.publish(),
                1 => self.come(),
                2 if self.seats.len() > 10 => self.leave(at),
                _ => self.read(at),
            }
        }
    }

    #[test]
    fn others_get_the_lock_while_subscribers_are_visited() {
        crate::sync::run(visited_in_pieces);
    }

    fn visited_in_pieces() {
        let mut pieces = [0, 0];
        for seed in 0..100 {
            let lag = [LagPolicy::Oldest, LagPolicy::Newest][usize::from(seed % 2 == 1)];
            let mut many = Many::new(seed, lag);
            (0..40).for_each(|_| many.come());
            (0..20).for_each(|_| many.publish());
            for _ in 0..5 {
                let (count, mut wait) = (Arc::new(Count::default()), None);
                let task = Waker::from(Arc::clone(&count));
                let distance = many.dice(6) as u64;
                let mut caught_up = None;
                let mut begun = false;
                while caught_up.is_none() {
                    let task = task.clone();
                    many.change(|state, wakes| {
                        caught_up = match begun {
                            false => state.is_caught_up(distance, &mut wait, task, wakes),
                            true => state.keep_counting(&mut wait, wakes),
                        };
                    });
                    begun = true;
                    pieces[0] += 1;
                    many.act();
                }
                if many.dice(2) == 0 {
                    let mut excuse = Excuse::new();
                    let mut done = false;
                    while !done {
                        many.change(|state, wakes| done = state.excuse(3, &mut excuse, wakes));
                        pieces[1] += 1;
                        many.act();
                    }
                }
                (0..many.dice(20)).for_each(|_| many.act());
                if caught_up == Some(false) {
                    // Once all have read everything, or have left.
                    for at in (0..many.seats.len()).rev() {
                        match many.dice(4) {
                            0 if many.seats.len() > 1 => many.leave(at),
                            _ => (0..40).for_each(|_| many.read(at)),
                        }
                    }
                    assert!(count.0.load(Ordering::SeqCst) > 0, "seed {seed}: not woken");
                }
                many.change(|state, wakes| state.give_up_wait(&mut wait, wakes));
            }
            assert!(!many.state.gate.is_shut());
        }
        assert!(pieces.iter().all(|pieces| *pieces > 800), "{pieces:?}");
    }

    #[test]
    fn publishers_wait_for_a_subscriber_that_has_lost_events_and_goes_on() {
        crate::sync::run(waits_again);
    }

    fn waits_again() {
        let mut many = Many::new(1, LagPolicy::Oldest);
        many.come();
        (0..60).for_each(|_| many.publish());
        let is_caught_up = |many: &mut Many| {
            let (mut wait, mut caught_up) = (None, None);
            many.change(|state, wakes| {
                let task = Waker::noop().clone();
                caught_up = state.is_caught_up(0, &mut wait, task, wakes);
                while caught_up.is_none() {
                    caught_up = state.keep_counting(&mut wait, wakes);
                }
                state.give_up_wait(&mut wait, wakes);
            });
            caught_up.unwrap()
        };
        assert!(is_caught_up(&mut many), "it has lost events");
        many.read(0);
        assert!(
            !is_caught_up(&mut many),
            "it has yet to read the retained ones"
        );
        (0..40).for_each(|_| many.read(0));
        assert!(is_caught_up(&mut many));
    }
}
