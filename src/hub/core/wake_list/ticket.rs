use std::task::Waker;

/// A subscriber's slot in the wake list.
#[derive(Debug, Default)]
pub(in crate::hub) struct Ticket {
    /// The round in which it was last marked; rounds count from 1.
    pub(super) round: u64,
    pub(super) slot: Option<usize>,
    pub(super) task: Option<Waker>,
    /// Clones made outside the lock: the next task, and one for a sheet.
    pub(super) coming: Option<Waker>,
    pub(super) spare: Option<Waker>,
}

impl Ticket {
    /// Whether it wakes this task.
    #[inline]
    pub(in crate::hub::core) fn is_for(&self, task: &Waker) -> bool {
        self.task
            .as_ref()
            .is_some_and(|waker| waker.will_wake(task))
    }

    /// Whether that task is woken at the end of this round.
    #[inline]
    pub(in crate::hub::core) fn holds(&self, round: u64, task: &Waker) -> bool {
        self.round == round && self.is_for(task)
    }

    /// Makes the clones of the task that [`WakeList::add`](super::WakeList::add) may need. Must be
    /// called outside the lock, because cloning runs user code.
    pub(in crate::hub) fn prepare(&mut self, task: &Waker) {
        if !self.is_for(task) {
            self.coming = Some(task.clone());
            self.spare = Some(task.clone());
        } else if self.spare.is_none() {
            self.spare = Some(task.clone());
        }
    }
}
