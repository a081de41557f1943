use std::mem;
use std::task::Waker;

/// The tasks that wait for one view's next event.
///
/// A subscriber has a slot that remembers its task from round to round: to wait once more is to mark
/// it, and no reference is counted. There are two sheets of slots, for when a round ends, one goes
/// out with whoever wakes the tasks marked on it, no lock being held, and the other is marked
/// meanwhile.
#[derive(Debug, Default)]
pub(in crate::hub) struct Waiters {
    sheet: Sheet,
    /// The one that has come back.
    spare: Sheet,
    /// How many slots there are.
    slots: usize,
    free: Vec<usize>,
    /// Counts the tasks that were taken out. A sheet that was out meanwhile still has them.
    changes: u64,
}

/// The slots of one round.
#[derive(Debug, Default)]
pub(in crate::hub) struct Sheet {
    slots: Vec<Slot>,
    marked: Vec<usize>,
    /// Whose it is while it is out, and as of which change.
    pub(in crate::hub) view: usize,
    changes: u64,
}

#[derive(Debug, Default)]
struct Slot {
    task: Option<Waker>,
    marked: bool,
}

/// A subscriber's slot among the waiters.
#[derive(Debug, Default)]
pub(in crate::hub) struct Ticket {
    /// The round in which it was marked last; rounds count from 1.
    round: u64,
    slot: Option<usize>,
    task: Option<Waker>,
}

impl Ticket {
    /// Whether the task that is woken is this one.
    #[inline]
    pub(in crate::hub) fn is_for(&self, task: &Waker) -> bool {
        self.task
            .as_ref()
            .is_some_and(|waker| waker.will_wake(task))
    }

    /// Whether that task is woken at the end of this round.
    #[inline]
    pub(in crate::hub) fn holds(&self, round: u64, task: &Waker) -> bool {
        self.round == round && self.is_for(task)
    }
}

impl Waiters {
    /// Lets the end of the round wake the task.
    pub(in crate::hub) fn add(
        &mut self,
        round: u64,
        ticket: &mut Ticket,
        task: &Waker,
        wakes: &mut Wakes,
    ) {
        if !ticket.is_for(task) {
            self.remove(ticket, wakes);
            let slot = self.free.pop().unwrap_or(self.slots);
            self.slots = self.slots.max(slot + 1);
            (ticket.slot, ticket.task) = (Some(slot), Some(task.clone()));
        }
        self.mark(round, ticket);
    }

    /// The same for the task that the ticket is for.
    #[inline]
    pub(in crate::hub) fn mark(&mut self, round: u64, ticket: &mut Ticket) {
        if let (Some(slot), Some(task)) = (ticket.slot, &ticket.task) {
            if ticket.round != round {
                ticket.round = round;
                self.sheet.mark(slot, task);
            }
        }
    }

    /// Gives the slot up.
    pub(in crate::hub) fn remove(&mut self, ticket: &mut Ticket, wakes: &mut Wakes) {
        let Ticket { slot, task, .. } = mem::take(ticket);
        if let Some(slot) = slot {
            self.changes += 1;
            self.free.push(slot);
            let kept = [&mut self.sheet, &mut self.spare].map(|sheet| sheet.forget(slot));
            wakes.gone.extend(kept.into_iter().chain([task]).flatten());
        }
    }

    pub(in crate::hub) fn is_empty(&self) -> bool {
        self.sheet.marked.is_empty()
    }

    /// What is marked; the round is over.
    fn take(&mut self, view: usize) -> Sheet {
        let mut sheet = mem::replace(&mut self.sheet, mem::take(&mut self.spare));
        (sheet.view, sheet.changes) = (view, self.changes);
        sheet
    }

    /// Takes a sheet back, unless it has a task it should not. The caller drops what is left in its
    /// place once the lock is free.
    pub(in crate::hub) fn give_back(&mut self, sheet: &mut Sheet) {
        if sheet.changes == self.changes {
            mem::swap(&mut self.spare, sheet);
        }
    }
}

impl Sheet {
    #[inline]
    fn mark(&mut self, index: usize, task: &Waker) {
        if index >= self.slots.len() {
            self.slots.resize_with(index + 1, Slot::default);
        }
        let slot = &mut self.slots[index];
        if slot.task.is_none() {
            slot.task = Some(task.clone());
        }
        // Whoever had the slot before may have marked it in this round.
        if !slot.marked {
            slot.marked = true;
            self.marked.push(index);
        }
    }

    fn forget(&mut self, index: usize) -> Option<Waker> {
        self.slots.get_mut(index)?.task.take()
    }

    fn wake(&mut self) {
        for index in self.marked.drain(..) {
            let slot = &mut self.slots[index];
            slot.marked = false;
            if let Some(task) = &slot.task {
                task.wake_by_ref();
            }
        }
    }
}

/// Tasks to be woken once the lock is free.
#[derive(Debug, Default)]
#[must_use]
pub(in crate::hub) struct Wakes {
    first: Option<Sheet>,
    more: Vec<Sheet>,
    others: Vec<Waker>,
    /// Not to be woken, but to be dropped, which may run a user's code as well.
    gone: Vec<Waker>,
}

impl Wakes {
    pub(in crate::hub) fn take(&mut self, waiters: &mut Waiters, view: usize) {
        let sheet = waiters.take(view);
        match self.first {
            None => self.first = Some(sheet),
            Some(_) => self.more.push(sheet),
        }
    }

    pub(in crate::hub) fn add(&mut self, wakers: Vec<Waker>) {
        self.others.extend(wakers);
    }

    pub(in crate::hub) fn is_empty(&self) -> bool {
        self.first.is_none() && self.others.is_empty() && self.gone.is_empty()
    }

    pub(in crate::hub) fn wake(&mut self) {
        self.gone.clear();
        for waker in self.others.drain(..) {
            waker.wake();
        }
        self.sheets().for_each(Sheet::wake);
    }

    pub(in crate::hub) fn sheets(&mut self) -> impl Iterator<Item = &mut Sheet> {
        self.first.iter_mut().chain(&mut self.more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn counts<const N: usize>() -> ([Arc<Count>; N], [Waker; N]) {
        let counts = std::array::from_fn(|_| Arc::default());
        let tasks = counts
            .each_ref()
            .map(|count| Waker::from(Arc::clone(count)));
        (counts, tasks)
    }

    /// Ends a round, with something done while its tasks are woken.
    fn end(waiters: &mut Waiters, meanwhile: impl FnOnce(&mut Waiters)) {
        let mut wakes = Wakes::default();
        wakes.take(waiters, 0);
        wakes.wake();
        meanwhile(waiters);
        wakes.sheets().for_each(|sheet| waiters.give_back(sheet));
    }

    #[test]
    fn each_ticket_is_woken_once_a_round_by_its_last_task() {
        let (counts, tasks) = counts::<3>();
        let (mut waiters, mut wakes) = (Waiters::default(), Wakes::default());
        let (mut a, mut b) = (Ticket::default(), Ticket::default());
        for round in 1..=5 {
            waiters.add(round, &mut a, &tasks[0], &mut wakes);
            waiters.add(round, &mut a, &tasks[0], &mut wakes);
            waiters.add(round, &mut b, &tasks[1], &mut wakes);
            waiters.add(round, &mut b, &tasks[2], &mut wakes);
            assert!(a.holds(round, &tasks[0]) && b.holds(round, &tasks[2]));
            assert!(!b.holds(round, &tasks[1]));
            end(&mut waiters, |_| ());
            assert!(waiters.is_empty() && !a.holds(round + 1, &tasks[0]));
        }
        let woken = counts
            .each_ref()
            .map(|count| count.0.load(Ordering::SeqCst));
        assert_eq!(woken, [5, 0, 5]);
    }

    #[test]
    fn slots_given_up_are_used_again_and_keep_no_task() {
        let (counts, tasks) = counts::<1>();
        let (mut waiters, mut wakes) = (Waiters::default(), Wakes::default());
        for round in 1..=1_000 {
            let mut ticket = Ticket::default();
            waiters.add(round / 3, &mut ticket, &tasks[0], &mut wakes);
            waiters.add(round / 3 + 1, &mut ticket, &tasks[0], &mut wakes);
            match round % 3 {
                0 => end(&mut waiters, |_| ()),
                1 => end(&mut waiters, |waiters| {
                    waiters.remove(&mut ticket, &mut wakes);
                }),
                _ => {}
            }
            waiters.remove(&mut ticket, &mut wakes);
            wakes.wake();
        }
        assert!(waiters.slots == 1 && waiters.sheet.marked.len() <= 1);
        assert_eq!(Arc::strong_count(&counts[0]), 2);
    }

    #[test]
    fn a_task_is_kept_from_round_to_round() {
        let (counts, tasks) = counts::<1>();
        let (mut waiters, mut wakes) = (Waiters::default(), Wakes::default());
        let mut ticket = Ticket::default();
        for round in 1..=9 {
            waiters.add(round, &mut ticket, &tasks[0], &mut wakes);
            end(&mut waiters, |_| ());
        }
        // One in the ticket and one on each sheet, besides those here.
        assert_eq!(Arc::strong_count(&counts[0]), 2 + 3);
        waiters.remove(&mut ticket, &mut wakes);
        drop(wakes);
        assert_eq!(Arc::strong_count(&counts[0]), 2);
    }
}
