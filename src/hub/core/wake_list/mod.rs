//! The wake list of a group: the tasks to wake when its next event comes.
//!
//! A round lasts from one event to the next. A subscriber has a [`Ticket`] for its group's list, and
//! marks its slot there when it waits. At the end of a round the marked slots, a [`Sheet`], leave the
//! lock in [`Wakes`], with whatever else is woken or dropped without it.

mod list;
mod ticket;
mod wakes;

pub(super) use list::{Sheet, WakeList};
pub(super) use ticket::Ticket;
pub(in crate::hub) use wakes::Wakes;
