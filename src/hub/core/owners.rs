use std::sync::Arc;

use super::State;
use super::index::SlotIndex;
use super::moves::Course;
use super::slots::Slots;
use super::terms::Held;
use super::wake_list::Wakes;
use crate::hub::change::Reason;

/// How many subscriptions are ended before others have the lock in between.
const PIECE: usize = 1024;

/// Whose subscriptions there are: of users or sessions, by the names that the program gives them.
#[derive(Debug)]
pub(super) struct Owners {
    slots: Slots<Holdings>,
    by_name: SlotIndex,
}

/// What one owner has: never nothing.
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

    /// Gives the cursor that takes the place of the one that goes.
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

    fn of(&self, name: &str) -> &[usize] {
        let owner = self.find(name, self.by_name.hash(name));
        owner.map_or(&[], |owner| &self.slots[owner].cursors)
    }

    fn find(&self, name: &str, hash: u64) -> Option<usize> {
        self.by_name
            .find(hash, |owner| *self.slots[owner].name == *name)
    }
}

/// The end of all of an owner's subscriptions, of which each is reached whatever happens between the
/// pieces: what is still to be ended stands below `rest`, since one that goes is replaced by the last.
#[derive(Debug)]
pub(in crate::hub) struct Ending {
    place: u64,
    rest: usize,
    ended: usize,
}

/// How many are moved before that.
const MOVES: usize = 128;

/// A move of all of an owner's subscriptions: of those below `rest` there still are to be moved.
#[derive(Debug)]
pub(in crate::hub) struct Moving {
    rest: usize,
    moved: usize,
}

impl State {
    /// How many subscriptions an owner has, without those that have been ended.
    pub(in crate::hub) fn owned(&self, owner: &str) -> usize {
        self.owners.of(owner).len()
    }

    /// Ends some of the owner's subscriptions, or some more, each after what had been published when
    /// that began; gives how many it has ended once it has ended all.
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
            // Those that a close ends have their farewell.
            if !self.is_closed_for(cursor) {
                self.end_one(cursor, ending.place, Reason::Ended, wakes);
                ending.ended += 1;
            }
        }
        None
    }

    /// Changes the topics of some of the owner's subscriptions, or of some more; gives how many it has
    /// changed once it has changed all.
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
        for _ in 0..MOVES {
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

    /// The owner has one more.
    pub(super) fn hold(&mut self, cursor: usize) {
        if let Some(terms) = &mut self.cursors[cursor].terms {
            let owners = &mut self.owners;
            terms.held = terms.owner.as_ref().map(|owner| owners.add(owner, cursor));
        }
    }

    /// The owner has it no longer: it goes, or has been ended.
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
