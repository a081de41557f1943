use std::mem;
use std::task::Waker;

/// The tasks that wait for one view's next event.
///
/// They are kept for one round, until they are taken out all at once, to be woken where no lock is
/// held.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    wakers: Vec<Waker>,
    /// Places given up in this round.
    free: Vec<usize>,
}

/// A subscriber's place among the waiters.
#[derive(Debug, Default)]
pub(super) struct Ticket {
    /// The round in which it took the place; rounds count from 1.
    round: u64,
    place: usize,
    task: Option<Waker>,
}

impl Ticket {
    /// Whether it has a place in this round, and the task that is woken is this one.
    #[inline]
    pub(super) fn holds(&self, round: u64, task: &Waker) -> bool {
        self.round == round
            && self
                .task
                .as_ref()
                .is_some_and(|waker| waker.will_wake(task))
    }
}

impl Waiters {
    /// Takes a place in this round, or the same place for another task.
    #[inline]
    pub(super) fn add(&mut self, round: u64, ticket: &mut Ticket, task: &Waker) {
        if !ticket
            .task
            .as_ref()
            .is_some_and(|waker| waker.will_wake(task))
        {
            ticket.task = Some(task.clone());
        } else if ticket.round == round {
            return;
        }
        if ticket.round == round {
            self.wakers[ticket.place].clone_from(task);
            return;
        }
        ticket.round = round;
        if let Some(place) = self.free.pop() {
            ticket.place = place;
            self.wakers[place].clone_from(task);
        } else {
            ticket.place = self.wakers.len();
            self.wakers.push(task.clone());
        }
    }

    /// Gives the place up.
    pub(super) fn remove(&mut self, round: u64, ticket: &mut Ticket) -> Option<Waker> {
        if ticket.round != round {
            return None;
        }
        ticket.round = 0;
        self.free.push(ticket.place);
        Some(mem::replace(
            &mut self.wakers[ticket.place],
            Waker::noop().clone(),
        ))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.wakers.is_empty()
    }

    /// All of them, and `spare` in their place; the round is over.
    pub(super) fn take(&mut self, spare: Vec<Waker>) -> Vec<Waker> {
        self.free.clear();
        mem::replace(&mut self.wakers, spare)
    }
}

/// Tasks to be woken once the lock is free.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Wakes {
    first: Vec<Waker>,
    more: Vec<Vec<Waker>>,
}

impl Wakes {
    /// The emptied list whose room the next round may use.
    pub(super) fn with_spare(spare: Vec<Waker>) -> Self {
        Self {
            first: spare,
            more: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, waiters: &mut Waiters) {
        if waiters.is_empty() {
            return;
        }
        if self.first.is_empty() {
            self.first = waiters.take(mem::take(&mut self.first));
        } else {
            self.more.push(waiters.take(Vec::new()));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_empty() && self.more.is_empty()
    }

    pub(super) fn into_spare(self) -> Vec<Waker> {
        self.first
    }

    pub(super) fn add(&mut self, wakers: Vec<Waker>) {
        if !wakers.is_empty() {
            self.more.push(wakers);
        }
    }

    /// Wakes them; gives back an emptied list.
    pub(super) fn wake(mut self) -> Vec<Waker> {
        for waker in self.first.drain(..) {
            waker.wake();
        }
        for waker in self.more.drain(..).flatten() {
            waker.wake();
        }
        self.first
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

    #[test]
    fn each_ticket_is_woken_once_a_round_by_its_last_task() {
        let counts: [Arc<Count>; 3] = Default::default();
        let tasks = counts.clone().map(Waker::from);
        let (mut waiters, mut a, mut b) =
            (Waiters::default(), Ticket::default(), Ticket::default());
        waiters.add(1, &mut a, &tasks[0]);
        waiters.add(1, &mut a, &tasks[0]);
        waiters.add(1, &mut b, &tasks[1]);
        waiters.add(1, &mut b, &tasks[2]);
        assert!(a.holds(1, &tasks[0]) && b.holds(1, &tasks[2]) && !b.holds(1, &tasks[1]));
        let mut wakes = Wakes::default();
        wakes.take(&mut waiters);
        assert!(wakes.wake().is_empty());
        assert_eq!(
            counts.each_ref().map(|c| c.0.load(Ordering::SeqCst)),
            [1, 0, 1]
        );
        assert!(waiters.is_empty() && !a.holds(2, &tasks[0]));
    }

    #[test]
    fn places_given_up_are_used_again() {
        let count = Arc::new(Count::default());
        let task = Waker::from(Arc::clone(&count));
        let mut waiters = Waiters::default();
        for _ in 0..1_000 {
            let mut ticket = Ticket::default();
            waiters.add(1, &mut ticket, &task);
            assert!(waiters.remove(1, &mut ticket).is_some());
        }
        assert_eq!(waiters.wakers.len(), 1);
        assert_eq!(Arc::strong_count(&count), 2);
    }
}
