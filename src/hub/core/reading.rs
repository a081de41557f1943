use std::task::Waker;

use bytes::Bytes;

use super::State;
use super::cursors::{NEVER, SOON, Seat};
use super::following::next;
use super::frames::{FRAME, PER_TOPIC};
use super::visiting::Range;
use super::wake_list::Wakes;
use crate::hub::change::Reason;
use crate::hub::delivery::Delivery;
use crate::protocol::Block;

/// The result of reading for a subscriber.
#[derive(Debug)]
pub(in crate::hub) enum Taken {
    Frame(Block),
    /// Nothing is pending. The task is woken when something is.
    Waiting,
    /// Events after its place were lost; see [`State::skip`].
    Lagged,
    /// Nothing is pending, and a long poll has sent its events.
    Served,
    /// Nothing is pending, and nothing will follow: the hub is closed.
    Closed,
    /// Nothing is pending, and nothing will follow for this subscriber.
    Ended(Reason),
}

impl State {
    /// Takes the pending events of the subscriber as one frame, which others at the same place
    /// share.
    ///
    /// The seat must have been prepared for the task to wake.
    pub(in crate::hub) fn take(&mut self, seat: &mut Seat, wakes: &mut Wakes) -> Taken {
        loop {
            let range = match self.look(seat, wakes) {
                Ok(range) => range,
                Err(taken) => return taken,
            };
            if let Some(taken) = self.take_range(seat, range, wakes) {
                return taken;
            }
        }
    }

    /// Takes the next frame of a range. `None` if the range turns out to be empty: it held only
    /// transient events that were evicted, or events after a change of the subscriber's topics.
    #[inline]
    fn take_range(&mut self, seat: &mut Seat, range: Range, wakes: &mut Wakes) -> Option<Taken> {
        let (group, newcomer) = (
            &self.groups[range.group],
            self.cursors[seat.cursor].newcomer(),
        );
        let remembered = group.frame(range.from).filter(|frame| {
            // An older frame may have the first of several events that a newcomer was told of as
            // missed.
            let is_old = |since: u64| frame.made < since.min(group.last_loss);
            frame.to <= range.until
                && !(frame.transient && range.from < seat.live_from)
                && !newcomer.is_some_and(|newcomer| is_old(newcomer.since))
        });
        let frame = match remembered {
            Some(frame) if range.live => frame.clone(),
            _ => self.merge(range, wakes),
        };
        self.advance(seat, frame.to, frame.events, frame.block.len(), wakes);
        if frame.events == 0 {
            return None;
        }
        let group = &self.groups[range.group];
        let cursor = &self.cursors[seat.cursor];
        let ends = cursor.end != NEVER || cursor.next_move().is_some() || group.is_over();
        if frame.to == group.head && self.closing.is_open() && !ends {
            // The next poll will find nothing, and needs no lock to find that out.
            self.wait(seat, wakes);
        }
        Some(Taken::Frame(frame.block))
    }

    /// The fast path of [`take`](Self::take), which is nearly always taken: the only event that is
    /// pending, or a frame that was made for another subscriber, and then the wait for the next event.
    ///
    /// Without `alone`, a frame only, which others share.
    // Not inlined: the reference is then stored where the caller wants it, before the lock is released.
    // What moves it on would have to wait for that: `benches/fan_out`, "polled, burst 1, heartbeats":
    // 41 ns per delivery, and 46 inlined.
    #[inline(never)]
    pub(in crate::hub) fn take_shared(
        &mut self,
        seat: &mut Seat,
        task: &Waker,
        alone: bool,
    ) -> Option<Bytes> {
        if !seat.ticket.is_for(task) || !self.notices.is_empty() {
            return None;
        }
        let cursor = &mut self.cursors[seat.cursor];
        let group = &mut self.groups[seat.group];
        if cursor.place < group.lost_to.max(seat.live_from)
            || cursor.excused.is_some()
            || cursor.end != NEVER
            || cursor.newcomer().is_some()
            || cursor.next_move().is_some()
            || group.is_over()
            || group.has_untold(&self.untold)
            || self.gate.is_shut()
            || !self.closing.is_open()
        {
            return None;
        }
        let head = group.head;
        let only = group.only_event(cursor.place).filter(|_| alone);
        let (block, to, events) = match only.and_then(|mark| self.log.find(mark)) {
            Some(entry) if entry.block.parts().1.is_some() => return None,
            Some(entry) => {
                group.wait_again(&mut seat.ticket);
                (&entry.block, head, 1)
            }
            None => {
                let frame = group.frame_and_wait(cursor.place, &mut seat.ticket)?;
                (&frame.block, frame.to, frame.events)
            }
        };
        self.counters.delivered += events;
        self.counters.bytes += block.len() as u64;
        cursor.place = to;
        if to == head {
            seat.seen = self.changes;
        }
        // Last: counting a reference waits for all loads before it, and those wait together.
        Some(block.parts().0.clone())
    }

    /// Takes some of the pending events, one by one; an `Err` if there are none.
    pub(in crate::hub) fn take_each(
        &mut self,
        seat: &mut Seat,
        wakes: &mut Wakes,
        taken: &mut Vec<Delivery>,
    ) -> Result<(), Taken> {
        let range = self.look(seat, wakes)?;
        let (mut events, mut bytes) = (0, 0);
        let mut marks = std::mem::take(&mut self.marks);
        let to = self.visit(range, &mut marks, |entry| {
            if bytes >= FRAME || events == PER_TOPIC as u64 {
                return false;
            }
            bytes += entry.block.len();
            events += 1;
            let topic = &self.topics.get(entry.topic).name;
            taken.push(Delivery::new(topic.clone(), entry.block.clone()));
            true
        });
        self.marks = marks;
        self.advance(seat, to, events, bytes, wakes);
        Ok(())
    }

    fn look(&mut self, seat: &mut Seat, wakes: &mut Wakes) -> Result<Range, Taken> {
        self.settle_cursor(seat.cursor, wakes);
        let cursor = &mut self.cursors[seat.cursor];
        let from = cursor.place;
        let head = self.groups[seat.group].head;
        let moves = cursor.next_move().unwrap_or(u64::MAX);
        if cursor.end == SOON && from < head.min(moves) {
            self.end_served(seat.cursor, wakes);
        }
        let cursor = &self.cursors[seat.cursor];
        let (served, ended) = (cursor.end, cursor.ended());
        let closed = self.closed_at(seat.cursor);
        let lost_to = self.lost_to(seat);
        let end = closed.min(self.groups[seat.group].end);
        if from < lost_to && from < end.min(served) {
            return Err(Taken::Lagged);
        }
        let until = head.min(end).min(served).min(moves);
        if from >= until {
            // A topic that finishes after the move does not concern it.
            if moves < closed.min(served) && moves <= self.groups[seat.group].end {
                self.change_group(seat, wakes);
                return self.look(seat, wakes);
            }
            if let Some(reason) = ended.filter(|_| served <= end) {
                return Err(Taken::Ended(reason));
            }
            if end < u64::MAX && from >= head.min(end) {
                let finished = self.groups[seat.group].end <= closed;
                return Err(if finished {
                    Taken::Ended(Reason::Finished)
                } else {
                    Taken::Closed
                });
            }
            if served < SOON {
                return Err(Taken::Served);
            }
            self.wait(seat, wakes);
            return Err(Taken::Waiting);
        }
        let mut range = Range {
            group: seat.group,
            from,
            until,
            live: true,
        };
        if from < seat.live_from {
            let transient = self.log.transients_from(from).next();
            if transient.is_some_and(|entry| entry.seq < seat.live_from) {
                range.until = seat.live_from.min(until);
                range.live = false;
            }
        }
        Ok(range)
    }

    pub(super) fn wait(&mut self, seat: &mut Seat, wakes: &mut Wakes) {
        let (group, stamps) = (&mut self.groups[seat.group], &mut self.stamps);
        let slot = group.wait(&mut seat.ticket, || next(stamps), wakes);
        self.cursors[seat.cursor].slot = slot;
        // Set only when it waits: otherwise an end that is already counted would be missed.
        seat.seen = self.changes;
    }

    /// Makes a subscriber end after its first pending events. With `now`, which is for a subscriber
    /// that is sent something else, it ends after the events pending now, even if there are none.
    /// Returns its place.
    pub(in crate::hub) fn end_soon(&mut self, seat: &Seat, now: bool, wakes: &mut Wakes) -> u64 {
        self.settle_cursor(seat.cursor, wakes);
        let cursor = &mut self.cursors[seat.cursor];
        if cursor.ended().is_none() {
            match now {
                true => self.end_served(seat.cursor, wakes),
                false => cursor.end = SOON,
            }
        }
        self.place_of(seat)
    }

    /// The number of the last event of any topic that the subscriber has passed. Its groups must
    /// have been [settled](Self::settle_cursor).
    pub(super) fn place_of(&self, seat: &Seat) -> u64 {
        let cursor = &self.cursors[seat.cursor];
        let end = self.finished_at(cursor).min(self.next);
        let end = end.min(self.closed_at(seat.cursor));
        let end = if cursor.ended().is_some() {
            end.min(cursor.end)
        } else {
            end
        };
        self.progress(cursor).min(end) - 1
    }

    /// The subscriber's place, if it has advanced since the client was last told: by this method,
    /// or, for `by_events`, by the events up to its place.
    pub(in crate::hub) fn move_place(
        &mut self,
        seat: &Seat,
        by_events: bool,
        wakes: &mut Wakes,
    ) -> Option<u64> {
        self.settle_cursor(seat.cursor, wakes);
        #[cfg(any(test, feature = "redis"))]
        if self.keys.is_some() && self.lost_to(seat) > self.cursors[seat.cursor].place {
            // The place may no longer have a key, and the next place with a key is after the loss.
            return None;
        }
        #[cfg(any(test, feature = "redis"))]
        if self.keys.is_some() && self.cursors[seat.cursor].ended() == Some(Reason::Lagged) {
            // The ring was dropped and has begun again, after a loss that the client must be told
            // of.
            return None;
        }
        let place = self.place_of(seat);
        let cursor = &mut self.cursors[seat.cursor];
        let sent = if by_events {
            cursor.place.saturating_sub(1)
        } else {
            0
        };
        let moved = place > cursor.told.max(sent);
        cursor.told = place.max(cursor.told);
        moved.then_some(place)
    }

    #[inline]
    pub(super) fn advance(
        &mut self,
        seat: &Seat,
        to: u64,
        events: u64,
        bytes: usize,
        wakes: &mut Wakes,
    ) {
        let cursor = &self.cursors[seat.cursor];
        let awaited = self.gate.is_shut() || cursor.excused.is_some();
        let before = awaited.then(|| self.progress(cursor));
        self.cursors[seat.cursor].place = to;
        if let Some(before) = before {
            self.pass_gate(seat.cursor, before, wakes);
        }
        self.counters.delivered += events;
        self.counters.bytes += bytes as u64;
    }
}
