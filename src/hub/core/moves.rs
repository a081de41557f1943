use std::collections::VecDeque;
use std::sync::Arc;

use super::State;
use super::cursors::{Cursor, Seat};
use super::following::next;
use super::group::Group;
use super::key::Key;
use super::wake_list::Wakes;
use crate::hub::change::Reason;

/// The maximum number of pending topic changes of a subscriber that does not read. One more ends
/// it.
const MOST: usize = 64;

/// A change of a subscriber's topics.
#[derive(Debug, Clone)]
pub(in crate::hub) enum Course {
    Follow(Arc<str>),
    Leave(Arc<str>),
    To(Key),
}

impl Course {
    /// A change to these topics and nothing else.
    pub(in crate::hub) fn to<N: Into<Arc<str>>>(topics: impl IntoIterator<Item = N>) -> Self {
        let topics = topics.into_iter().map(Into::into).collect();
        Self::To(Key::new(topics, Vec::new()))
    }

    fn of(&self, key: &Key) -> Key {
        match self {
            Self::Follow(topic) => key.with(topic),
            Self::Leave(topic) => key.without(topic),
            Self::To(key) => key.clone(),
        }
    }
}

/// A change of group at a place in the log: earlier events are read in the old group, and events
/// from there on in this one. A call that moves a subscriber stores this with its cursor. The
/// subscriber changes groups itself when it reaches the place, because it owns the ticket.
#[derive(Debug, Clone, Copy)]
struct Move {
    at: u64,
    group: usize,
}

/// The pending moves of a subscriber, at increasing places.
#[derive(Debug, Default)]
pub(super) struct Moves(VecDeque<Move>);

/// A name for a subscriber that stays valid outside the lock: its cursor, and a unique stamp.
#[derive(Debug, Clone, Copy)]
pub(in crate::hub) struct CursorName {
    cursor: usize,
    stamp: u64,
}

impl Cursor {
    /// The place of its next change of group.
    #[inline]
    pub(super) fn next_move(&self) -> Option<u64> {
        let terms = self.terms.as_ref()?;
        terms.moves.0.front().map(|next| next.at)
    }

    fn moves(&self) -> impl DoubleEndedIterator<Item = Move> {
        let terms = self.terms.iter();
        terms.flat_map(|terms| terms.moves.0.iter().copied())
    }

    /// The group that it is in after all pending moves.
    pub(super) fn last_group(&self) -> usize {
        let last = self.moves().next_back();
        last.map_or(self.group, |last| last.group)
    }

    fn take_move(&mut self) -> Option<Move> {
        let moves = &mut self.terms.as_mut()?.moves.0;
        let next = moves.pop_front();
        if moves.is_empty() {
            *moves = VecDeque::new();
        }
        next
    }

    fn undo_move(&mut self) -> Option<Move> {
        self.terms.as_mut()?.moves.0.pop_back()
    }
}

impl State {
    /// Returns the name by which the subscriber can be found.
    pub(in crate::hub) fn name(&mut self, seat: &Seat) -> CursorName {
        let stamps = &mut self.stamps;
        CursorName {
            cursor: seat.cursor,
            stamp: self.cursors[seat.cursor].name(|| next(stamps)),
        }
    }

    /// Whether a subscriber still exists.
    pub(in crate::hub) fn is_there(&mut self, name: CursorName) -> bool {
        let cursor = self.cursors.get_mut(name.cursor);
        cursor.is_some_and(|cursor| cursor.is_named(name.stamp))
    }

    /// Changes a subscriber's topics. Returns `false` if it has left or is ending.
    pub(in crate::hub) fn move_named(
        &mut self,
        name: CursorName,
        course: &Course,
        wakes: &mut Wakes,
    ) -> bool {
        self.is_there(name) && self.move_one(name.cursor, course, wakes)
    }

    /// Ends a subscriber after what has been published. Returns `false` if it has left or is ending
    /// anyway.
    pub(in crate::hub) fn end_named(&mut self, name: CursorName, wakes: &mut Wakes) -> bool {
        let ends = self.is_there(name) && !self.is_ending(name.cursor);
        if ends {
            self.end_here(name.cursor, Reason::Ended, wakes);
        }
        ends
    }

    /// Changes a subscriber's topics from the head of the log on, and wakes its task. Returns
    /// `false` if it is ending.
    pub(super) fn move_one(&mut self, index: usize, course: &Course, wakes: &mut Wakes) -> bool {
        if self.is_ending(index) {
            return false;
        }
        self.settle_cursor(index, wakes);
        let from = self.cursors[index].last_group();
        if self.groups[from].is_over() {
            return false;
        }
        let key = course.of(&self.groups[from].key);
        if key == *self.groups[from].key {
            return true;
        }
        let at = self.next;
        let last = self.cursors[index].moves().next_back();
        if last.is_none_or(|last| last.at < at) && self.cursors[index].moves().count() == MOST {
            self.end_here(index, Reason::Lagged, wakes);
            return false;
        }
        let to = self.enter_key(key, wakes);
        self.change(to, Group::will_join);
        self.count_move(index, from, to, wakes);
        let mut from = from;
        if last.is_some_and(|last| last.at == at) {
            // Nothing was published since the last move, so the subscriber was never in that group.
            self.cursors[index].undo_move();
            self.give_up_join(from, wakes);
            from = self.cursors[index].last_group();
        } else {
            self.change(from, |group| group.leave_at(at));
        }
        if from == to {
            self.change(from, |group| group.left(at));
            self.give_up_join(to, wakes);
        } else {
            let moves = &mut self.cursors[index].terms().moves;
            moves.0.push_back(Move { at, group: to });
        }
        self.changes += 1;
        self.wake_cursor(index, wakes);
        true
    }

    /// Whether a subscriber is going to end.
    fn is_ending(&self, index: usize) -> bool {
        let cursor = &self.cursors[index];
        cursor.ended().is_some() || cursor.is_end_known() || self.is_closed_for(index)
    }

    fn end_here(&mut self, index: usize, reason: Reason, wakes: &mut Wakes) {
        self.changes += 1;
        self.release(index);
        self.end_after(index, self.next, reason, wakes);
    }

    /// Wakes a subscriber's task, if it waits.
    pub(super) fn wake_cursor(&mut self, index: usize, wakes: &mut Wakes) {
        let cursor = &self.cursors[index];
        if let (Some(group), Some(slot)) = (self.groups.get_mut(cursor.group), cursor.slot) {
            group.wake_one(slot, wakes);
        }
    }

    /// Makes a subscriber's next move, whose place it has reached.
    pub(super) fn change_group(&mut self, seat: &mut Seat, wakes: &mut Wakes) {
        self.settle_cursor(seat.cursor, wakes);
        let awaited = self.gate.is_shut() || self.cursors[seat.cursor].excused.is_some();
        let before = awaited.then(|| self.progress(&self.cursors[seat.cursor]));
        let cursor = &mut self.cursors[seat.cursor];
        let Some(Move { at, group: to }) = cursor.take_move() else {
            return;
        };
        let was_newcomer = cursor.newcomer().is_some();
        if was_newcomer {
            cursor.set_newcomer(None);
        }
        cursor.slot = None;
        let (old, stamps) = (&mut self.groups[seat.group], &mut self.stamps);
        if was_newcomer {
            old.leave_newcomer();
        }
        old.depart(&mut seat.ticket, || next(stamps), wakes);
        old.subscribers -= 1;
        self.change(seat.group, |old| old.left(at));
        self.remove_if_unused(seat.group, wakes);
        self.change(to, |new| {
            new.subscribers += 1;
            new.joined();
        });
        let new = &self.groups[to];
        // At the head, if it has seen everything, with the others there. In a group that ended
        // earlier, that would be behind what it has read.
        let place = if new.end < at { at } else { new.head.min(at) };
        (seat.group, seat.rounds, seat.live_from) = (to, new.rounds(), place);
        let cursor = &mut self.cursors[seat.cursor];
        (cursor.group, cursor.place) = (to, place);
        // It may have been sent events of its old topics after that place.
        cursor.told = cursor.told.max(at - 1);
        if let Some(before) = before {
            self.pass_gate(seat.cursor, before, wakes);
        }
    }

    /// Moves a subscriber whose topics finished at or before the event with this number to the group
    /// that new subscribers join, which is another one once the next run has begun. Returns `true`
    /// if it was moved: its task then has to be prepared and to wait again.
    #[cfg(any(test, feature = "redis"))]
    pub(super) fn rejoin_after(&mut self, seq: u64, seat: &mut Seat, wakes: &mut Wakes) -> bool {
        let group = &self.groups[seat.group];
        let is_moved = self.cursors[seat.cursor].next_move().is_some();
        if !group.is_over() || group.end - 1 > seq || is_moved {
            return false;
        }
        let (key, at) = (Key::clone(&self.groups[seat.group].key), self.next);
        let to = self.enter_key(key, wakes);
        if to == seat.group {
            return false;
        }
        self.change(to, Group::will_join);
        self.change(seat.group, |group| group.leave_at(at));
        let moves = &mut self.cursors[seat.cursor].terms().moves;
        moves.0.push_back(Move { at, group: to });
        self.change_group(seat, wakes);
        true
    }

    /// Cancels the pending moves of a subscriber that leaves.
    pub(super) fn give_up_moves(&mut self, cursor: &mut Cursor, wakes: &mut Wakes) {
        let mut from = cursor.group;
        let mut expected = false;
        while let Some(Move { at, group }) = cursor.take_move() {
            self.change(from, |group| group.left(at));
            if expected {
                self.give_up_join(from, wakes);
            }
            (from, expected) = (group, true);
        }
        if expected {
            self.give_up_join(from, wakes);
        }
    }

    fn give_up_join(&mut self, index: usize, wakes: &mut Wakes) {
        self.change(index, Group::joined);
        self.remove_if_unused(index, wakes);
    }

    /// The groups in which a subscriber has yet to read, and its place in each.
    pub(super) fn stays(&self, cursor: &Cursor) -> impl Iterator<Item = (usize, u64)> {
        let moves = cursor.moves();
        let later = moves.map(|Move { at, group }| (group, self.groups[group].head.min(at)));
        std::iter::once((cursor.group, cursor.place)).chain(later)
    }

    /// Where a subscriber ends because all its topics have finished: no earlier than where it begins
    /// to follow them.
    pub(super) fn finished_at(&self, cursor: &Cursor) -> u64 {
        let (mut place, mut end) = (cursor.place, self.groups[cursor.group].end);
        for Move { at, group } in cursor.moves() {
            if end < at {
                break;
            }
            (place, end) = (at, self.groups[group].end);
        }
        end.max(place)
    }

    /// The place that a subscriber has effectively reached: events at its place may not concern it.
    pub(super) fn progress(&self, cursor: &Cursor) -> u64 {
        let mut progress = self.groups[cursor.group].effective(cursor.place);
        for Move { at, group } in cursor.moves() {
            if progress < at {
                break;
            }
            let group = &self.groups[group];
            progress = group.effective(group.head.min(at));
        }
        progress
    }
}
