use super::rounds::Rounds;
use super::terms::Terms;
use super::wake_list::Ticket;
use crate::sync::Arc;
use std::num::NonZeroU64;
use std::task::Waker;

/// A subscriber's place in the log, in a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Cursor {
    pub(super) place: u64,
    pub(super) group: usize,
    /// Its slot in the group's wake list, once it has waited.
    pub(super) slot: Option<usize>,
    /// If set, publishers do not wait for it until it is fewer events than this behind.
    pub(super) excused: Option<NonZeroU64>,
    /// Where it ends: [never](NEVER), [soon](SOON), or at this place.
    pub(super) end: u64,
    /// The last place that the client was told, other than by an event.
    pub(super) told: u64,
    /// Boxed because few subscribers have any.
    pub(super) terms: Option<Box<Terms>>,
}

/// The end of a subscriber that never ends by itself.
pub(super) const NEVER: u64 = u64::MAX;

/// The end of a subscriber that ends after its first pending events.
pub(super) const SOON: u64 = u64::MAX - 1;

/// A subscriber's side of its cursor.
#[derive(Debug)]
pub(in crate::hub) struct Seat {
    pub(super) cursor: usize,
    pub(super) group: usize,
    /// Events before this are replayed: history only, no transient events.
    pub(super) live_from: u64,
    pub(super) ticket: Ticket,
    /// The rounds of its group and of the neighbours of that.
    pub(super) rounds: Arc<Rounds>,
    /// The number of [changes](State::changes) when it began to wait.
    pub(super) seen: u64,
}

impl Seat {
    /// Whether the task will be woken and has nothing to look for until then, given the current
    /// number of [changes](State::changes). A round ends, and a change is counted, before the tasks
    /// concerned are woken, so a task that does not see that yet is woken later.
    #[inline]
    pub(in crate::hub) fn is_waiting(&self, task: &Waker, changes: u64) -> bool {
        self.seen == changes && self.ticket.holds(self.rounds.get(self.group), task)
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
