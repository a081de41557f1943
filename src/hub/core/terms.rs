use std::sync::Arc;
use std::time::Instant;

use super::State;
use super::cursors::{Cursor, NEVER};
use super::moves::Moves;
use super::presence::Since;
use super::wake_list::Wakes;
use crate::hub::change::Reason;

/// The particulars of a subscriber: its owner, how it ends, and more. Most subscribers have none.
#[derive(Debug, Default)]
pub(in crate::hub) struct Terms {
    pub(super) owner: Option<Arc<str>>,
    /// Its position in the owner's list, while it counts as the owner's.
    pub(super) held: Option<Held>,
    pub(super) newcomer: Option<Newcomer>,
    /// The instant at which it ends.
    pub(super) until: Option<Instant>,
    /// When it joined its topics, if the hub was being watched.
    pub(super) since: Since,
    /// The changes of its topics that it has yet to reach.
    pub(super) moves: Moves,
    /// The stamp of its name outside the lock; 0 if it has none.
    name: u64,
    /// Whether it came after the close, to replay what the hub retains.
    late: bool,
    /// The place where it alone ends, if its last group counts it there.
    ends: Option<u64>,
    /// Why it alone ends at the cursor's end.
    ended: Option<Reason>,
}

/// A subscriber that reads events retained from before a loss that it was told of, or that does not
/// concern it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newcomer {
    /// It is a newcomer until it reaches this place.
    pub(super) to: u64,
    /// Later losses concern it, by the count of all losses.
    pub(super) since: u64,
}

/// The position of a subscription in its owner's list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// The owner's slot.
    pub(super) owner: usize,
    pub(super) at: usize,
}

impl Terms {
    /// `None` if there is neither an owner nor an end.
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
    /// Why it ends at a place of its own, if at all.
    pub(super) fn ended(&self) -> Option<Reason> {
        // `end` is at hand, whereas `terms` is a pointer away.
        let terms = self.terms.as_ref().filter(|_| self.end != NEVER);
        terms.and_then(|terms| terms.ended)
    }

    /// Whether its last group counts it at the place where it alone ends.
    pub(super) fn is_end_known(&self) -> bool {
        self.terms
            .as_ref()
            .is_some_and(|terms| terms.ends.is_some())
    }

    /// Records when it joined its topics, and returns its owner.
    pub(super) fn begin_lasting(&mut self, since: Option<Instant>) -> Option<Arc<str>> {
        let terms = self.terms();
        terms.since = Since::came(since);
        terms.owner.clone()
    }

    /// Records that it came after the close.
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

    /// The stamp of its name; made with `new` if there is none yet.
    pub(super) fn name(&mut self, new: impl FnOnce() -> u64) -> u64 {
        let name = &mut self.terms().name;
        if *name == 0 {
            *name = new();
        }
        *name
    }

    /// Whether it has this name, which must not be 0.
    pub(super) fn is_named(&self, name: u64) -> bool {
        self.terms.as_ref().is_some_and(|terms| terms.name == name)
    }

    pub(super) fn terms(&mut self) -> &mut Terms {
        self.terms.get_or_insert_default()
    }
}

impl State {
    /// Registers the terms of a new cursor.
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

    /// Removes the terms of a cursor that leaves.
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

    /// Makes one subscriber end at a place, or earlier if it already ends earlier, and wakes its
    /// task. The caller must [count](Self::changes) the change.
    pub(super) fn end_one(&mut self, index: usize, place: u64, reason: Reason, wakes: &mut Wakes) {
        let cursor = &mut self.cursors[index];
        cursor.terms().ended = Some(reason);
        cursor.end = cursor.end.min(place);
        self.wake_cursor(index, wakes);
    }

    /// Makes one subscriber end after the events before a place, and records that in its last group:
    /// the loss of later events is not its loss.
    pub(super) fn end_after(
        &mut self,
        index: usize,
        place: u64,
        reason: Reason,
        wakes: &mut Wakes,
    ) {
        self.settle_cursor(index, wakes);
        let cursor = &mut self.cursors[index];
        if cursor.end > place {
            cursor.terms().ends = Some(place);
            let last = cursor.last_group();
            self.change(last, |group| group.end_at(place));
        }
        self.end_one(index, place, reason, wakes);
    }

    /// Makes a long poll end after what has been published, unless it ends earlier. The loss of later
    /// events is not its loss.
    pub(super) fn end_served(&mut self, index: usize, wakes: &mut Wakes) {
        self.settle_cursor(index, wakes);
        let (place, is_closed) = (self.next, self.is_closed_for(index));
        let cursor = &mut self.cursors[index];
        if cursor.end <= place {
            return;
        }
        cursor.end = place;
        // A close that ends it has been counted already.
        if !is_closed {
            cursor.terms().ends = Some(place);
            let last = cursor.last_group();
            self.change(last, |group| group.end_at(place));
        }
    }

    /// The place where a subscriber ends, if its last group counts it there.
    pub(super) fn end_known(&self, index: usize, cursor: &Cursor) -> Option<u64> {
        let alone = cursor.terms.as_ref().and_then(|terms| terms.ends);
        alone.or_else(|| self.closing.step_of(index, cursor))
    }
}
