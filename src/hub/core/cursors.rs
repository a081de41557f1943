use super::terms::Terms;
use super::wake_list::Ticket;
use crate::sync::{Arc, AtomicU64};
use std::num::NonZeroU64;
use std::sync::atomic::Ordering;
use std::task::Waker;

/// Where a subscriber stands in the log.
#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) place: u64,
    pub(super) group: usize,
    /// Its slot in the group's wake list, once it has waited.
    pub(super) slot: Option<usize>,
    /// No publisher waits for it until it is fewer events than this behind.
    pub(super) excused: Option<NonZeroU64>,
    /// Where it ends: nowhere, [soon](SOON), or at this place.
    pub(super) end: u64,
    /// The place that the client has been told last, other than by an event.
    pub(super) told: u64,
    /// What few have.
    pub(super) terms: Option<Box<Terms>>,
}

/// The end of a subscriber that never ends by itself.
pub(super) const NEVER: u64 = u64::MAX;

/// The end of a subscriber that ends after what is pending, once something is.
pub(super) const SOON: u64 = u64::MAX - 1;

/// A subscriber's side of its cursor.
#[derive(Debug)]
pub(in crate::hub) struct Seat {
    pub(super) cursor: usize,
    pub(super) group: usize,
    /// What comes before this is replayed: history, and nothing transient.
    pub(super) live_from: u64,
    pub(super) ticket: Ticket,
    pub(super) round: Arc<AtomicU64>,
    /// How many [changes](State::changes) there had been when it began to wait.
    pub(super) seen: u64,
}

impl Seat {
    /// Whether the task will be woken and has nothing to look for until then, after this many
    /// [changes](State::changes). A round ends, and a change is counted, before the tasks that it
    /// concerns are woken: a task that does not see that yet is woken later.
    #[inline]
    pub(in crate::hub) fn is_waiting(&self, task: &Waker, changes: u64) -> bool {
        self.seen == changes && self.ticket.holds(self.round.load(Ordering::Acquire), task)
    }

    /// See [`Ticket::prepare`].
    pub(in crate::hub) fn prepare(&mut self, task: &Waker) {
        self.ticket.prepare(task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There are as many of them as subscribers.
    #[cfg(target_pointer_width = "64")]
    #[test]
    fn both_are_small() {
        assert_eq!(size_of::<Cursor>(), 64);
        assert_eq!(size_of::<Seat>(), 112);
    }
}
