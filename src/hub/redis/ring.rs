//! Applying the reader's changes to the hub's ring.

use super::entry::StreamEntry;
use super::machine::Act;
use crate::hub::core::{Draft, KeyPlace, State, Wakes};
use crate::hub::outer::Stored;
use crate::hub::shared::Shared;

/// The number of entries to append before releasing the lock to others.
const BATCH: usize = 256;

/// Applies a change. Returns `false` if the ring refuses an entry.
pub(super) fn apply(shared: &Shared, act: Act) -> bool {
    match act {
        Act::Cut => {
            shared.change(State::break_off);
            true
        }
        Act::Begin { after, entries } => {
            shared.with(|state, _| state.fill_after(after));
            let done = append(shared, entries);
            shared.with(State::filled);
            done
        }
        Act::Append(entries) => append(shared, entries),
    }
}

/// Returns whether the ring has had the entry with a key, as far as it can tell.
pub(super) fn knows(shared: &Shared, key: u128) -> bool {
    let place = shared.lock().find_key(key);
    matches!(place, KeyPlace::Here(_) | KeyPlace::Before)
}

fn append(shared: &Shared, entries: Vec<StreamEntry>) -> bool {
    let mut entries = entries.into_iter().peekable();
    while entries.peek().is_some() {
        let mut batch = entries.by_ref().take(BATCH);
        if !shared.with(|state, wakes| batch.all(|entry| put(state, entry, wakes))) {
            return false;
        }
    }
    true
}

/// Appends an entry to the ring. Returns `false` if it is not after the last one.
fn put(state: &mut State, entry: StreamEntry, wakes: &mut Wakes) -> bool {
    let key = entry.key();
    match entry.entry.what {
        Stored::Event {
            delivery,
            label,
            is_last,
        } => {
            let topic = delivery.name();
            let mut draft = Draft::with_number(delivery.into_block(), 0, None);
            if let Some(label) = label {
                draft = draft.with_key(label);
            }
            if is_last {
                draft = draft.last();
            }
            state.append(&topic, draft, key, wakes).is_ok()
        }
        Stored::Finish(topic) => state.pass_entry(Some(&topic), key, wakes).is_ok(),
        Stored::Replaced | Stored::Lost | Stored::Begin | Stored::Place => {
            state.pass_entry(None, key, wakes).is_ok()
        }
    }
}
