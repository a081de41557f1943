use std::mem;
use std::task::Waker;

use super::state::State;
use super::wake_list::Wakes;

/// Publishers that wait for subscribers, and whoever waits until all have gone.
///
/// A scan of all subscribers finds how many are behind a place; each of them counts down as it
/// passes that place. So a publisher costs a scan per wait, and a subscriber a comparison per frame
/// while somebody waits.
#[derive(Debug, Default)]
pub(in crate::hub) struct Gate {
    /// No subscriber stands before this place, as far as is known.
    floor: u64,
    /// Those that are before `target`.
    behind: usize,
    target: u64,
    publishers: Vec<Waker>,
    drainers: Vec<Waker>,
}

impl Gate {
    #[inline]
    pub(in crate::hub) fn is_shut(&self) -> bool {
        self.behind > 0
    }

    /// A subscriber comes.
    pub(in crate::hub) fn enter(&mut self, cursor: u64) {
        self.floor = self.floor.min(cursor);
    }

    /// A subscriber comes on.
    pub(in crate::hub) fn advance(
        &mut self,
        before: u64,
        after: u64,
        excused: bool,
        wakes: &mut Wakes,
    ) {
        if excused {
            self.floor = self.floor.min(after);
        } else if before < self.target && after >= self.target {
            self.count_down(wakes);
        }
    }

    /// A subscriber goes.
    pub(in crate::hub) fn leave(&mut self, cursor: u64, wakes: &mut Wakes) {
        if cursor < self.target {
            self.count_down(wakes);
        }
    }

    fn count_down(&mut self, wakes: &mut Wakes) {
        if self.behind > 0 {
            self.behind -= 1;
            if self.behind == 0 {
                wakes.add(mem::take(&mut self.publishers));
            }
        }
    }

    /// Lets the publishers look again.
    pub(in crate::hub) fn reopen(&mut self, wakes: &mut Wakes) {
        if self.behind > 0 {
            self.behind = 0;
            wakes.add(mem::take(&mut self.publishers));
        }
    }

    /// The last subscriber has gone.
    pub(in crate::hub) fn empty(&mut self, wakes: &mut Wakes) {
        self.reopen(wakes);
        wakes.add(mem::take(&mut self.drainers));
    }

    pub(in crate::hub) fn drain(&mut self, task: &Waker) {
        add(&mut self.drainers, task);
    }
}

impl State {
    /// Whether the slowest subscriber is at most `distance` behind; the task is woken when it may
    /// be, which is when all are within half of that.
    pub(in crate::hub) fn is_caught_up(&mut self, distance: u64, task: &Waker) -> bool {
        let target = self.next.saturating_sub(distance);
        if self.gate.floor >= target {
            return true;
        }
        let slowest = self.awaited().map(|(_, place)| place).min();
        self.gate.floor = slowest.unwrap_or(self.next).min(self.next);
        if self.gate.floor >= target {
            return true;
        }
        if self.gate.behind == 0 {
            self.gate.target = self.next.saturating_sub(distance / 2);
            let target = self.gate.target;
            self.gate.behind = self.awaited().filter(|(_, place)| *place < target).count();
        }
        add(&mut self.gate.publishers, task);
        false
    }

    /// Waits no longer for those that are further behind; gives their number.
    pub(in crate::hub) fn excuse(&mut self, distance: u64, wakes: &mut Wakes) -> usize {
        let target = self.next.saturating_sub(distance);
        let late: Vec<usize> = self
            .awaited()
            .filter(|(_, place)| *place < target)
            .map(|(slot, _)| slot)
            .collect();
        for slot in &late {
            self.places[*slot].excused = true;
        }
        // Whoever else waits counts anew.
        self.gate.reopen(wakes);
        late.len()
    }

    /// How far each subscriber has come that can still come on without a loss.
    fn awaited(&self) -> impl Iterator<Item = (usize, u64)> {
        let places = self.places.iter().enumerate();
        places
            .filter(|(_, place)| place.live && !place.excused)
            .filter(|(_, place)| place.cursor >= self.views[place.view].lost_to)
            .map(|(slot, place)| (slot, self.views[place.view].effective(place.cursor)))
    }
}

fn add(tasks: &mut Vec<Waker>, task: &Waker) {
    if !tasks.iter().any(|other| other.will_wake(task)) {
        tasks.push(task.clone());
    }
}
