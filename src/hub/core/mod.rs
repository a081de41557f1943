//! Everything under the hub's lock: the log, its topics, and the cursors of all subscribers.
//!
//! [`State`] is the whole. It knows neither http nor bodies nor streams, and calls no code of a
//! user's: what is to be woken or dropped is handed out in [`Wakes`], for when the lock is free.
//!
//! An event comes as a [`Draft`], already encoded, into the log and its topic (`state`). The groups
//! that follow the topic have their wake lists taken out, unless lingers let events gather. A
//! subscriber holds a [`Seat`], whose cursor is a place in the log (`following`), and reads from
//! there (`reading`): one frame for all of its group at that place (`merging`). Its ticket for the group's wake
//! list (`wake_list`) says when its task is woken. When its topics change, it reads up to that place in
//! its old group and from there on in the new one (`moves`), which waits for it (`transit`). Publishers that [wait](Wait) for subscribers, and
//! drains, stand at a gate (`gate`), which subscribers pass as their cursors move on.

mod closing;
mod cursors;
mod draft;
mod earlier;
mod following;
mod frames;
mod gate;
mod group;
mod key;
mod late;
mod lingers;
mod log;
mod losses;
mod marks;
mod merging;
mod moves;
mod owners;
mod presence;
mod reading;
mod retaining;
mod rules;
mod shares;
mod skipping;
mod slots;
mod state;
mod survey;
mod terms;
mod timetable;
mod topics;
mod transit;
mod visiting;
mod wake_list;
mod watchers;

pub(super) use closing::ALL_SHARES;
pub(super) use cursors::Seat;
pub(super) use draft::{Draft, patch_id};
pub(super) use following::{Begin, Fresh, Last};
pub(super) use gate::Wait;
pub(super) use key::Key;
pub(super) use moves::{Course, CursorName};
pub(super) use reading::Taken;
pub(super) use rules::Rules;
pub(super) use state::State;
pub(super) use survey::Survey;
pub(super) use terms::Terms;
pub(super) use timetable::Pause;
pub(super) use wake_list::Wakes;
pub(super) use watchers::Seen;
