use std::mem;
use std::task::Waker;

use super::ticket::Ticket;
use super::wakes::Wakes;
use crate::hub::core::few::Few;

/// The tasks that wait for one group's next event.
///
/// A subscriber has a slot that keeps its task from round to round: to wait again, it marks the
/// slot, without cloning a waker. There are two sheets of slots. When a round ends, one goes out
/// with the thread that wakes the tasks marked on it, outside the lock, and the other is marked
/// meanwhile.
///
/// The fields are in this order in memory: each event and each delivery needs the first of them.
#[derive(Debug, Default)]
#[repr(C)]
pub(in crate::hub::core) struct WakeList {
    sheet: Sheet,
    /// The sheet for the next round, unless it is out.
    spare: Sheet,
    /// The number of rounds that have ended.
    ended: u64,
    /// Unique to the list, and replaced whenever a task is removed: a sheet that was out then still
    /// has that task.
    stamp: u64,
    /// The number of slots.
    slots: usize,
    free: Vec<usize>,
}

/// The slots of one round. The marked ones are linked, the last one first.
#[derive(Debug)]
pub(super) struct Sheet {
    slots: Few<Slot>,
    /// The slot that was marked last, or [`END`].
    last: usize,
}

#[derive(Debug)]
struct Slot {
    task: Option<Waker>,
    /// The slot that was marked before it, or [`END`]; [`UNMARKED`] if it is not marked.
    before: usize,
}

/// The number of the first round.
pub(in crate::hub::core) const FIRST_ROUND: u64 = 1;

const END: usize = usize::MAX;
const UNMARKED: usize = usize::MAX - 1;

/// A sheet that is out.
#[derive(Debug)]
pub(in crate::hub) struct SheetOut {
    sheet: Sheet,
    /// The group it belongs to, and the list's stamp when it went out.
    group: usize,
    stamp: u64,
}

impl Default for Sheet {
    fn default() -> Self {
        Self {
            slots: Few::new(),
            last: END,
        }
    }
}

impl WakeList {
    pub(in crate::hub::core) fn new(stamp: u64) -> Self {
        Self {
            stamp,
            ..Self::default()
        }
    }

    /// Registers the task that the ticket was prepared for, to be woken at the end of the round.
    /// Returns its slot.
    pub(in crate::hub::core) fn add(
        &mut self,
        ticket: &mut Ticket,
        stamp: impl FnOnce() -> u64,
        wakes: &mut Wakes,
    ) -> Option<usize> {
        if let Some(task) = ticket.coming.take() {
            let spare = ticket.spare.take();
            self.remove(ticket, stamp, wakes);
            let slot = self.free.pop().unwrap_or(self.slots);
            self.slots = self.slots.max(slot + 1);
            (ticket.slot, ticket.task, ticket.spare) = (Some(slot), Some(task), spare);
        }
        self.mark(ticket);
        ticket.slot
    }

    /// Registers the task that the ticket already holds, unless that needs a clone.
    #[inline]
    pub(in crate::hub::core) fn mark(&mut self, ticket: &mut Ticket) {
        let round = self.round();
        if let Some(slot) = ticket.slot {
            if ticket.round != round && self.sheet.mark_again(slot) {
                ticket.round = round;
            } else {
                self.mark_anew(slot, round, ticket);
            }
        }
    }

    #[inline(never)]
    fn mark_anew(&mut self, slot: usize, round: u64, ticket: &mut Ticket) {
        if ticket.round == round && !self.sheet.has(slot) {
            // It was woken alone, and waits again.
            ticket.round = 0;
        }
        if ticket.round != round && self.sheet.mark(slot, &mut ticket.spare) {
            ticket.round = round;
        }
    }

    /// Frees the slot.
    pub(in crate::hub::core) fn remove(
        &mut self,
        ticket: &mut Ticket,
        stamp: impl FnOnce() -> u64,
        wakes: &mut Wakes,
    ) {
        let Ticket {
            slot,
            task,
            coming,
            spare,
            ..
        } = mem::take(ticket);
        wakes.drop_tasks([task, coming, spare].into_iter().flatten());
        if let Some(slot) = slot {
            self.stamp = stamp();
            self.free.push(slot);
            let kept = [&mut self.sheet, &mut self.spare].map(|sheet| sheet.forget(slot));
            wakes.drop_tasks(kept.into_iter().flatten());
        }
    }

    /// Frees the slot, and keeps the task for another list.
    pub(in crate::hub::core) fn depart(
        &mut self,
        ticket: &mut Ticket,
        stamp: impl FnOnce() -> u64,
        wakes: &mut Wakes,
    ) {
        let (task, spare) = (ticket.task.take(), ticket.spare.take());
        let (coming, gone) = match ticket.coming.take() {
            Some(coming) => (Some(coming), task),
            None => (task, None),
        };
        wakes.drop_tasks(gone);
        self.remove(ticket, stamp, wakes);
        (ticket.coming, ticket.spare) = (coming, spare);
    }

    /// Takes out one task, if it is waiting, to wake it alone.
    pub(in crate::hub::core) fn take_one(&mut self, slot: usize) -> Option<Waker> {
        let slot = self.sheet.slots.get_mut(slot)?;
        slot.task.take_if(|_| slot.before != UNMARKED)
    }

    pub(in crate::hub::core) fn is_empty(&self) -> bool {
        self.sheet.last == END
    }

    #[inline]
    fn round(&self) -> u64 {
        self.ended + FIRST_ROUND
    }

    /// The number of the next round, which begins now.
    #[inline]
    pub(in crate::hub::core) fn next_round(&mut self) -> u64 {
        self.ended += 1;
        self.round()
    }

    /// Ends the round and takes out its sheet.
    pub(super) fn take(&mut self, group: usize) -> SheetOut {
        SheetOut {
            sheet: mem::replace(&mut self.sheet, mem::take(&mut self.spare)),
            group,
            stamp: self.stamp,
        }
    }

    /// Takes back a sheet, unless a task was removed while it was out. The caller drops what is
    /// left in its place after releasing the lock.
    pub(in crate::hub::core) fn give_back(&mut self, out: &mut SheetOut) {
        if out.stamp == self.stamp {
            mem::swap(&mut self.spare, &mut out.sheet);
        }
    }

    /// Hands out everything to be dropped.
    pub(in crate::hub::core) fn clear(&mut self, wakes: &mut Wakes) {
        for sheet in [&mut self.sheet, &mut self.spare] {
            let tasks = sheet.slots.iter_mut().filter_map(|slot| slot.task.take());
            wakes.drop_tasks(tasks);
        }
    }
}

impl Sheet {
    /// Returns `false` if the slot has no task.
    #[inline]
    fn mark_again(&mut self, index: usize) -> bool {
        let Some(slot) = self.slots.get_mut(index) else {
            return false;
        };
        if slot.task.is_none() {
            return false;
        }
        // The slot's previous owner may have marked it in this round.
        if slot.before == UNMARKED {
            slot.before = mem::replace(&mut self.last, index);
        }
        true
    }

    /// Returns `false` if the slot has no task and there is no spare one.
    fn mark(&mut self, index: usize, spare: &mut Option<Waker>) -> bool {
        if index >= self.slots.len() {
            self.grow(index);
        }
        let slot = &mut self.slots[index];
        if slot.task.is_none() {
            if spare.is_none() {
                return false;
            }
            slot.task = spare.take();
        }
        self.mark_again(index)
    }

    #[cold]
    fn grow(&mut self, index: usize) {
        while index >= self.slots.len() {
            self.slots.push(Slot {
                task: None,
                before: UNMARKED,
            });
        }
    }

    fn has(&self, index: usize) -> bool {
        let slot = self.slots.get(index);
        slot.is_some_and(|slot| slot.task.is_some())
    }

    fn forget(&mut self, index: usize) -> Option<Waker> {
        self.slots.get_mut(index)?.task.take()
    }

    fn wake(&mut self) {
        while let Some(slot) = self.slots.get_mut(self.last) {
            self.last = mem::replace(&mut slot.before, UNMARKED);
            if let Some(task) = &slot.task {
                task.wake_by_ref();
            }
        }
    }
}

impl SheetOut {
    pub(in crate::hub::core) fn group(&self) -> usize {
        self.group
    }

    /// Wakes the marked tasks. If one of them panics, the rest can be woken by another call.
    pub(super) fn wake(&mut self) {
        self.sheet.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
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

    fn add(list: &mut WakeList, ticket: &mut Ticket, task: &Waker, wakes: &mut Wakes) {
        let stamp = list.stamp + 1;
        ticket.prepare(task);
        list.add(ticket, || stamp, wakes);
    }

    fn remove(list: &mut WakeList, ticket: &mut Ticket, wakes: &mut Wakes) {
        let stamp = list.stamp + 1;
        list.remove(ticket, || stamp, wakes);
    }

    /// Ends a round, with something done while its tasks are woken.
    fn end(list: &mut WakeList, meanwhile: impl FnOnce(&mut WakeList)) {
        let mut wakes = Wakes::default();
        list.next_round();
        wakes.take(list, 0);
        wakes.wake();
        meanwhile(list);
        wakes.sheets().for_each(|sheet| list.give_back(sheet));
    }

    #[test]
    fn each_ticket_is_woken_once_a_round_by_its_last_task() {
        let (counts, tasks) = counts::<3>();
        let (mut list, mut wakes) = (WakeList::default(), Wakes::default());
        let (mut a, mut b) = (Ticket::default(), Ticket::default());
        for round in 1..=5 {
            add(&mut list, &mut a, &tasks[0], &mut wakes);
            add(&mut list, &mut a, &tasks[0], &mut wakes);
            add(&mut list, &mut b, &tasks[1], &mut wakes);
            add(&mut list, &mut b, &tasks[2], &mut wakes);
            assert!(a.holds(round, &tasks[0]) && b.holds(round, &tasks[2]));
            assert!(!b.holds(round, &tasks[1]));
            end(&mut list, |_| ());
            assert!(list.is_empty() && !a.holds(round + 1, &tasks[0]));
        }
        let woken = counts
            .each_ref()
            .map(|count| count.0.load(Ordering::SeqCst));
        assert_eq!(woken, [5, 0, 5]);
    }

    #[test]
    fn slots_given_up_are_used_again_and_keep_no_task() {
        let (counts, tasks) = counts::<1>();
        let (mut list, mut wakes) = (WakeList::default(), Wakes::default());
        for round in 1..=1_000 {
            let mut ticket = Ticket::default();
            add(&mut list, &mut ticket, &tasks[0], &mut wakes);
            add(&mut list, &mut ticket, &tasks[0], &mut wakes);
            match round % 3 {
                0 => end(&mut list, |_| ()),
                1 => end(&mut list, |list| {
                    remove(list, &mut ticket, &mut wakes);
                }),
                _ => {}
            }
            remove(&mut list, &mut ticket, &mut wakes);
            wakes = Wakes::default();
        }
        assert!(list.slots == 1 && list.sheet.slots.len() <= 1);
        assert_eq!(Arc::strong_count(&counts[0]), 2);
    }

    #[test]
    fn a_task_is_kept_from_round_to_round() {
        let (counts, tasks) = counts::<1>();
        let (mut list, mut wakes) = (WakeList::default(), Wakes::default());
        let mut ticket = Ticket::default();
        for _ in 1..=9 {
            add(&mut list, &mut ticket, &tasks[0], &mut wakes);
            end(&mut list, |_| ());
        }
        // Two in the ticket and one on each sheet, besides those here.
        assert_eq!(Arc::strong_count(&counts[0]), 2 + 4);
        remove(&mut list, &mut ticket, &mut wakes);
        drop(wakes);
        assert_eq!(Arc::strong_count(&counts[0]), 2);
    }

    #[test]
    fn a_panic_of_one_task_leaves_none_asleep() {
        struct Panics;

        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("on purpose");
            }
        }

        let (counts, tasks) = counts::<2>();
        let panics = Waker::from(Arc::new(Panics));
        let (mut list, mut wakes) = (WakeList::default(), Wakes::default());
        for task in [&tasks[0], &panics, &tasks[1], &panics] {
            add(&mut list, &mut Ticket::default(), task, &mut wakes);
        }
        wakes.wake_later([
            panics.clone(),
            tasks[0].clone(),
            panics.clone(),
            tasks[1].clone(),
        ]);
        wakes.take(&mut list, 0);
        assert!(catch_unwind(AssertUnwindSafe(|| wakes.wake())).is_err());
        let woken = counts
            .each_ref()
            .map(|count| count.0.load(Ordering::SeqCst));
        assert_eq!(woken, [2, 2]);
    }
}
