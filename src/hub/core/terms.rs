use std::sync::Arc;
use std::time::Instant;

use super::State;
use super::cursors::{Cursor, NEVER};
use super::moves::Moves;
use super::presence::Since;
use super::wake_list::Wakes;
use crate::hub::change::Reason;

/// What is particular about a subscriber: whose it is, and how it ends. Most have none.
#[derive(Debug, Default)]
pub(in crate::hub) struct Terms {
    pub(super) owner: Option<Arc<str>>,
    /// Where the owner has it, while it counts as the owner's.
    pub(super) held: Option<Held>,
    pub(super) newcomer: Option<Newcomer>,
    /// When it ends.
    pub(super) until: Option<Instant>,
    /// Since when it follows its topics, as far as somebody watched.
    pub(super) since: Since,
    /// The changes of its topics that it has yet to come to.
    pub(super) moves: Moves,
    /// By what it is known outside; 0 if it is not.
    name: u64,
    /// It is replayed what a closed hub retains.
    late: bool,
    /// Why it ends, alone, at the cursor's end.
    ended: Option<Reason>,
}

/// A subscriber that reads what is retained from before a loss, of which it has been told or which is not
/// its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newcomer {
    /// It is one until it has come here.
    pub(super) to: u64,
    /// What was lost later concerns it, by a count of all losses.
    pub(super) since: u64,
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
    pub(in crate::hub) fn new(
        owner: Option<Arc<str>>,
        until: Option<Instant>,
    ) -> Option<Box<Self>> {
        (owner.is_some() || until.is_some()).then(|| {
            Box::new(Self {
                owner,
                until,
                ..Self::default()
            })
        })
    }

    pub(in crate::hub) fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

impl Cursor {
    /// Why it ends at a place of its own, if it does.
    pub(super) fn ended(&self) -> Option<Reason> {
        // The first is here, and the second somewhere else.
        let terms = self.terms.as_ref().filter(|_| self.end != NEVER);
        terms.and_then(|terms| terms.ended)
    }

    /// It is there since then; gives its owner.
    pub(super) fn begin_lasting(&mut self, since: Option<Instant>) -> Option<Arc<str>> {
        let terms = self.terms();
        terms.since = Since::came(since);
        terms.owner.clone()
    }

    /// It is replayed what a closed hub retains.
    pub(super) fn come_after_close(&mut self) {
        self.terms().late = true;
    }

    pub(super) fn came_after_close(&self) -> bool {
        self.terms.as_ref().is_some_and(|terms| terms.late)
    }

    pub(super) fn newcomer(&self) -> Option<Newcomer> {
        self.terms.as_ref()?.newcomer
    }

    pub(super) fn set_newcomer(&mut self, newcomer: Option<Newcomer>) {
        self.terms().newcomer = newcomer;
    }

    /// By what it is known outside; `new` if there is nothing yet.
    pub(super) fn name(&mut self, new: impl FnOnce() -> u64) -> u64 {
        let name = &mut self.terms().name;
        if *name == 0 {
            *name = new();
        }
        *name
    }

    /// Whether it has this name, which is not 0.
    pub(super) fn is_named(&self, name: u64) -> bool {
        self.terms.as_ref().is_some_and(|terms| terms.name == name)
    }

    pub(super) fn terms(&mut self) -> &mut Terms {
        self.terms.get_or_insert_default()
    }
}

impl State {
    /// A cursor comes, with its terms.
    #[inline]
    pub(super) fn begin_terms(&mut self, cursor: usize, wakes: &mut Wakes) {
        if let Some(terms) = &self.cursors[cursor].terms {
            let until = terms.until;
            self.hold(cursor);
            if let Some(at) = until {
                self.schedule(at, cursor, wakes);
            }
        }
    }

    /// It goes.
    #[inline]
    pub(super) fn end_terms(&mut self, cursor: usize) {
        if let Some(terms) = &self.cursors[cursor].terms {
            let until = terms.until;
            self.release(cursor);
            if let Some(at) = until {
                self.unschedule(at, cursor);
            }
        }
    }

    /// Lets one subscriber end at a place, or where it ends before that. Its task is woken, and the
    /// change has to be [counted](Self::changes).
    pub(super) fn end_one(&mut self, index: usize, place: u64, reason: Reason, wakes: &mut Wakes) {
        let cursor = &mut self.cursors[index];
        cursor.terms().ended = Some(reason);
        cursor.end = cursor.end.min(place);
        self.wake_cursor(index, wakes);
    }
}
