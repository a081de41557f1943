use std::sync::Arc;

use super::State;
use super::index::SlotIndex;
use super::moves::Course;
use super::slots::Slots;
use super::terms::Held;
use super::wake_list::Wakes;
use crate::hub::change::Reason;

/// The number of subscriptions to end or to move before releasing the lock to others.
const PIECE: usize = 128;

/// The owners of subscriptions, such as users or sessions, by the names that the program chooses.
#[derive(Debug)]
pub(super) struct Owners {
    slots: Slots<Holdings>,
    by_name: SlotIndex,
}

/// The subscriptions of one owner; never empty.
#[derive(Debug)]
struct Holdings {
    name: Arc<str>,
    cursors: Vec<usize>,
}

impl Default for Owners {
    fn default() -> Self {
        Self {
            slots: Slots::new(),
            by_name: SlotIndex::default(),
        }
    }
}

impl Owners {
    fn add(&mut self, name: &Arc<str>, cursor: usize) -> Held {
        let hash = self.by_name.hash(&**name);
        let owner = match self.find(name, hash) {
            Some(owner) => owner,
            None => {
                let owner = self.slots.insert(Holdings {
                    name: Arc::clone(name),
                    cursors: Vec::new(),
                });
                self.by_name.insert(hash, owner);
                owner
            }
        };
        let cursors = &mut self.slots[owner].cursors;
        cursors.push(cursor);
        let at = cursors.len() - 1;
        Held { owner, at }
    }

    /// Removes a cursor and returns the cursor that takes its place in the list, if any.
    fn remove(&mut self, Held { owner, at }: Held) -> Option<usize> {
        let cursors = &mut self.slots[owner].cursors;
        cursors.swap_remove(at);
        let moved = cursors.get(at).copied();
        if cursors.is_empty() {
            let name = self.slots.remove(owner).name;
            self.by_name.remove(self.by_name.hash(&*name), owner);
        } else if cursors.len() < cursors.capacity() / 8 {
            cursors.shrink_to(2 * cursors.len());
        }
        moved
    }

    /// Hands out the memory of owners that were removed.
    pub(super) fn hand_out_emptied(&mut self, wakes: &mut Wakes) {
        wakes.free_later(self.slots.take_emptied());
        wakes.free_later(self.by_name.take_emptied());
    }

    fn of(&self, name: &str) -> &[usize] {
        let owner = self.find(name, self.by_name.hash(name));
        owner.map_or(&[], |owner| &self.slots[owner].cursors)
    }

    fn find(&self, name: &str, hash: u64) -> Option<usize> {
        self.by_name
            .find(hash, |owner| *self.slots[owner].name == *name)
    }
}

/// The progress of ending all of an owner's subscriptions. Those yet to be ended are below `rest`,
/// even if subscriptions leave between the pieces, because the last one takes the place of one that
/// leaves.
#[derive(Debug)]
pub(in crate::hub) struct Ending {
    place: u64,
    rest: usize,
    ended: usize,
}

/// The progress of moving all of an owner's subscriptions. Those below `rest` are yet to be moved.
#[derive(Debug)]
pub(in crate::hub) struct Moving {
    rest: usize,
    moved: usize,
}

impl State {
    /// The number of an owner's subscriptions, not counting those that have been ended.
    pub(in crate::hub) fn owned(&self, owner: &str) -> usize {
        self.owners.of(owner).len()
    }

    /// Ends the next piece of the owner's subscriptions, each after what had been published when
    /// `ending` began. Returns the number ended once all have been.
    pub(in crate::hub) fn end_owned(
        &mut self,
        owner: &str,
        ending: &mut Option<Ending>,
        wakes: &mut Wakes,
    ) -> Option<usize> {
        let ending = ending.get_or_insert_with(|| Ending {
            place: self.next,
            rest: self.owned(owner),
            ended: 0,
        });
        self.changes += u64::from(ending.rest > 0);
        for _ in 0..PIECE {
            ending.rest = ending.rest.min(self.owned(owner));
            let Some(at) = ending.rest.checked_sub(1) else {
                return Some(ending.ended);
            };
            ending.rest = at;
            let cursor = self.owners.of(owner)[at];
            self.release(cursor);
            // Subscriptions that a close ends still get their farewell.
            if !self.is_closed_for(cursor) {
                self.end_after(cursor, ending.place, Reason::Ended, wakes);
                ending.ended += 1;
            }
        }
        None
    }

    /// Changes the topics of the next piece of the owner's subscriptions. Returns the number
    /// changed once all have been.
    pub(in crate::hub) fn move_owned(
        &mut self,
        owner: &str,
        course: &Course,
        moving: &mut Option<Moving>,
        wakes: &mut Wakes,
    ) -> Option<usize> {
        let moving = moving.get_or_insert_with(|| Moving {
            rest: self.owned(owner),
            moved: 0,
        });
        for _ in 0..PIECE {
            moving.rest = moving.rest.min(self.owned(owner));
            let Some(at) = moving.rest.checked_sub(1) else {
                return Some(moving.moved);
            };
            moving.rest = at;
            let cursor = self.owners.of(owner)[at];
            moving.moved += usize::from(self.move_one(cursor, course, wakes));
        }
        None
    }

    /// Adds a cursor to its owner.
    pub(super) fn hold(&mut self, cursor: usize) {
        if let Some(terms) = &mut self.cursors[cursor].terms {
            let owners = &mut self.owners;
            terms.held = terms.owner.as_ref().map(|owner| owners.add(owner, cursor));
        }
    }

    /// Removes a cursor from its owner, because it leaves or has been ended.
    pub(super) fn release(&mut self, cursor: usize) {
        let terms = self.cursors[cursor].terms.as_mut();
        let Some(held) = terms.and_then(|terms| terms.held.take()) else {
            return;
        };
        let moved = self.owners.remove(held);
        let moved = moved.and_then(|moved| self.cursors[moved].terms.as_mut());
        if let Some(terms) = moved {
            terms.held = Some(held);
        }
    }
}
