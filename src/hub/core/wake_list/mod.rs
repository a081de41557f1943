//! Who is woken when a group's next event comes.

mod list;
mod ticket;
mod wakes;

pub(super) use list::{Sheet, WakeList};
pub(super) use ticket::Ticket;
pub(in crate::hub) use wakes::Wakes;
