use std::sync::Arc;

use super::State;
use super::cursors::{Cursor, NEVER};
use super::wake_list::Wakes;

/// What is particular about a subscriber: whose it is, and how it ends. Most have none.
#[derive(Debug, Default)]
pub(in crate::hub) struct Terms {
    pub(super) owner: Option<Arc<str>>,
    /// Where the owner has it, while it counts as the owner's.
    pub(super) held: Option<Held>,
    /// It has been ended, alone, at the cursor's end.
    ended: bool,
}

/// Which of an owner's subscriptions one is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// The owner's slot.
    pub(super) owner: usize,
    pub(super) at: usize,
}

impl Terms {
    /// None if there is nothing particular.
    pub(in crate::hub) fn new(owner: Option<Arc<str>>) -> Option<Box<Self>> {
        owner.is_some().then(|| {
            Box::new(Self {
                owner,
                ..Self::default()
            })
        })
    }

    pub(in crate::hub) fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

impl Cursor {
    pub(super) fn is_ended(&self) -> bool {
        // The first is here, and the second somewhere else.
        self.end != NEVER && self.terms.as_ref().is_some_and(|terms| terms.ended)
    }

    fn terms(&mut self) -> &mut Terms {
        self.terms.get_or_insert_default()
    }
}

impl State {
    /// Lets one subscriber end at a place, or where it ends before that. Its task is woken, and the
    /// change has to be [counted](Self::changes).
    pub(super) fn end_one(&mut self, index: usize, place: u64, wakes: &mut Wakes) {
        let cursor = &mut self.cursors[index];
        cursor.terms().ended = true;
        cursor.end = cursor.end.min(place);
        if let (Some(group), Some(slot)) = (self.groups.get_mut(cursor.group), cursor.slot) {
            group.wake_one(slot, wakes);
        }
    }
}
