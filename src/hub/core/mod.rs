//! Everything under the hub's lock: the log, its topics, and the cursors of all subscribers.
//!
//! [`State`] holds all of it. It knows nothing of HTTP, bodies or streams, and never calls user
//! code: tasks to wake and values to drop are handed out in [`Wakes`], for when the lock is
//! released.
//!
//! An event arrives as a [`Draft`], already encoded, and is appended to the log and to its topic
//! (`state`). The wake lists of the groups that follow the topic are then taken out, unless lingers
//! let events gather. If many groups follow it, the event is posted, and reaches them slice by slice
//! (`notices`). A subscriber holds a [`Seat`], whose cursor is a place in the log
//! (`following`), and reads from there (`reading`). Subscribers of a group at the same place share
//! one frame (`merging`). A subscriber's ticket for its group's wake list (`wake_list`) determines
//! when its task is woken. When its topics change, it reads up to the place of the change in its
//! old group, and from there on in the new one (`moves`), which is kept for it (`transit`).
//! Publishers that [wait](Wait) for subscribers, and drains, wait at a gate (`gate`), which
//! subscribers pass as their cursors advance.
//!
//! # The interface for other engines
//!
//! The log can be a ring that holds the newest part of an outer log, which several nodes read. The
//! outer log has its own order, a 128-bit key for each event, while the core has its own
//! consecutive numbers. An engine calls the methods in `keys`; `hub/foreign.rs` turns keys into
//! IDs.
//!
//! - `begin_after(key)`: the ring begins after this key. A client that has seen it resumes at once.
//! - `append(topic, draft, key)`: appends the next event, encoded with its ID. A key that is not
//!   after the last key is refused. A node reads each entry once, so that is a bug in the engine.
//! - `cut(key)`: the outer log has lost entries after the ring. The ring is dropped and begins
//!   again after this key. All subscribers end, so that their clients reconnect and are told.
//! - `find_key(key)`: finds a key before the ring, here, between two keys, or after the ring. Only
//!   a client *here* resumes without the outer log. *Between* means that the outer log has lost the
//!   entry, or that the ring no longer knows its key.
//! - `key_up_to(number)`: returns the key to tell a client for a place.
//!
//! A client whose key is not *here*, or that has lost events in the ring, reads the past before it
//! takes its place in the ring: pages of the outer log (`hub/past.rs`), one at a time and polled
//! outside the lock. Meanwhile its cursor exists, so a drain counts it, and waits like any other
//! (`handover`), so a close wakes it. Before each page, a check under the lock determines whether
//! the last key that was read is *here* and nothing after it is lost. If so, the cursor takes its
//! place there. If not, another page is read. If the outer log does not have the key that a page
//! starts after, that is a gap, which is sent before the page.

mod beginning;
mod closing;
mod cursors;
mod draft;
mod earlier;
mod few;
mod finishing;
mod following;
mod frames;
mod gate;
mod group;
#[cfg(any(test, feature = "redis"))]
mod handover;
mod index;
mod key;
#[cfg(any(test, feature = "redis"))]
mod keys;
mod late;
mod lingers;
mod log;
mod losses;
mod marks;
mod merging;
mod moves;
mod names;
mod notices;
mod owners;
#[cfg(feature = "compression")]
mod packing;
mod prefixes;
mod presence;
mod reading;
mod retaining;
mod rounds;
mod rules;
mod shares;
mod skipping;
mod slots;
mod state;
mod survey;
mod terms;
mod timetable;
mod topic_state;
mod topics;
mod transit;
mod untold;
mod visiting;
mod wake_list;
mod watchers;

pub(super) use closing::ALL_SHARES;
pub(super) use cursors::Seat;
pub(super) use draft::{Draft, patch_id};
pub(super) use finishing::Over;
pub(super) use following::{Begin, Fresh, Last};
pub(super) use gate::{Excuse, Floor, Wait};
#[cfg(any(test, feature = "redis"))]
pub(super) use handover::HandOver;
pub(super) use key::Key;
#[cfg(test)]
pub(super) use keys::KeyOrder;
#[cfg(feature = "redis")]
pub(super) use keys::KeyPlace;
pub(super) use moves::{Course, CursorName};
pub(super) use reading::Taken;
pub(super) use rules::Rules;
pub(super) use state::State;
pub(super) use survey::Survey;
pub(super) use terms::Terms;
pub(super) use timetable::Pause;
pub(super) use wake_list::Wakes;
pub(super) use watchers::Seen;
