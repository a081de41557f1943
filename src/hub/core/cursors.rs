use super::wake_list::Ticket;
use crate::sync::{Arc, AtomicU64};
use std::sync::atomic::Ordering;
use std::task::Waker;

/// Where a subscriber stands in the log.
#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) place: u64,
    pub(super) group: usize,
    /// Its slot in the group's wake list, once it has waited.
    pub(super) slot: Option<usize>,
    /// No publisher waits for it until it has come this near.
    pub(super) excused: Option<u64>,
    /// Where it ends: nowhere, [soon](SOON), or at this place.
    pub(super) end: u64,
    /// The place that the client has been told last, other than by an event.
    pub(super) told: u64,
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
}

impl Seat {
    /// Whether the task will be woken and has nothing to look for until then. A round ends before
    /// its tasks are woken: a task that still sees its own is woken later.
    #[inline]
    pub(in crate::hub) fn is_waiting(&self, task: &Waker) -> bool {
        self.ticket.holds(self.round.load(Ordering::Acquire), task)
    }

    /// Whether the hub is closed for it, if it is closed to this share.
    #[inline]
    pub(in crate::hub) fn is_ending(&self, closed_to: u64) -> bool {
        closed_to > 0 && super::closing::share_of(self.cursor) < closed_to
    }

    /// See [`Ticket::prepare`].
    pub(in crate::hub) fn prepare(&mut self, task: &Waker) {
        self.ticket.prepare(task);
    }
}
