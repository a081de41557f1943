//! Everything under the hub's lock: the log, its topics, and the cursors of all subscribers.
//!
//! [`State`] is the whole. It knows neither http nor bodies nor streams, and calls no code of a
//! user's: what is to be woken or dropped is handed out in [`Wakes`], for when the lock is free.

mod gate;
mod group;
mod log;
mod reading;
mod state;
mod topics;
mod wake_list;

pub(super) use group::Key;
pub(super) use log::Retention;
pub(super) use reading::Taken;
pub(super) use state::{ALL_SHARES, Last, Seat, State};
pub(super) use wake_list::Wakes;
