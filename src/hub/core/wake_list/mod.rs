//! The wake list of a group: the tasks to wake at its next event.
//!
//! A round lasts from one event to the next. A subscriber has a [`Ticket`] for its group's list,
//! and marks its slot there when it waits. At the end of a round, the marked slots are handed out
//! as a [`SheetOut`] in [`Wakes`], with everything else that is woken or dropped outside the lock.

mod list;
mod ticket;
mod wakes;

pub(super) use list::{FIRST_ROUND, SheetOut, WakeList};
pub(super) use ticket::Ticket;
pub(in crate::hub) use wakes::Wakes;
