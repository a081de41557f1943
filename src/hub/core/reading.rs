use std::collections::VecDeque;
use std::task::Waker;

use bytes::Bytes;

use super::State;
use super::cursors::{NEVER, SOON, Seat};
use super::following::next;
use super::frames::{FRAME, Frame, PER_TOPIC};
use super::group::Group;
use super::log::Entry;
use super::wake_list::Wakes;
use crate::hub::delivery::Delivery;
use crate::protocol::Block;

/// What a subscriber finds when it looks.
#[derive(Debug)]
pub(in crate::hub) enum Taken {
    Frame(Block),
    /// Nothing; the task is woken when there is something.
    Waiting,
    /// It stands where events have been lost; see [`State::skip`].
    Lagged,
    /// Nothing, and what a long poll was to send has been sent.
    Served,
    /// Nothing, and nothing more will come.
    Closed,
    /// The same, for this subscriber alone.
    Ended,
}

/// What part of a group's log is to be read.
#[derive(Debug, Clone, Copy)]
struct Range {
    group: usize,
    from: u64,
    until: u64,
    /// Transient events too.
    live: bool,
}

impl State {
    /// Everything pending for the subscriber, in one piece that those at the same place share.
    ///
    /// The seat has been prepared for the task that is to be woken.
    pub(in crate::hub) fn take(&mut self, seat: &mut Seat, wakes: &mut Wakes) -> Taken {
        let range = match self.look(seat, wakes) {
            Ok(range) => range,
            Err(taken) => return taken,
        };
        let remembered = self.groups[range.group].frame(range.from).filter(|frame| {
            frame.to <= range.until && !(frame.transient && range.from < seat.live_from)
        });
        let frame = match remembered {
            Some(frame) if range.live => frame.clone(),
            _ => self.merge(range, wakes),
        };
        self.advance(seat, frame.to, frame.events, frame.block.len(), wakes);
        let group = &mut self.groups[range.group];
        let ends = self.cursors[seat.cursor].end != NEVER;
        if frame.to == group.head && self.closing.is_open() && !ends {
            // It will look again and find nothing; that look then needs no lock.
            self.wait(seat, wakes);
        }
        Taken::Frame(frame.block)
    }

    /// The same for the way that is nearly always taken: a frame that somebody else has had made,
    /// and then the wait for the next event.
    #[inline]
    pub(in crate::hub) fn take_shared(&mut self, seat: &mut Seat, task: &Waker) -> Option<Bytes> {
        if !seat.ticket.is_for(task) {
            return None;
        }
        let cursor = &mut self.cursors[seat.cursor];
        let group = &mut self.groups[seat.group];
        if cursor.place < group.lost_to.max(seat.live_from)
            || cursor.excused.is_some()
            || cursor.end != NEVER
            || self.gate.is_shut()
            || !self.closing.is_open()
        {
            return None;
        }
        let frame = group.frame(cursor.place)?;
        let (bytes, None) = frame.block.parts() else {
            return None;
        };
        let bytes = bytes.clone();
        self.counters.delivered += frame.events;
        self.counters.bytes += bytes.len() as u64;
        cursor.place = frame.to;
        if frame.to == group.head {
            seat.seen = self.changes;
            group.wait_again(&mut seat.ticket);
        }
        Some(bytes)
    }

    /// Some of what is pending, one by one; `Waiting` or worse if there was nothing.
    pub(in crate::hub) fn take_each(
        &mut self,
        seat: &mut Seat,
        wakes: &mut Wakes,
        taken: &mut Vec<Delivery>,
    ) -> Result<(), Taken> {
        let range = self.look(seat, wakes)?;
        let (mut events, mut bytes) = (0, 0);
        let mut numbers = std::mem::take(&mut self.numbers);
        let to = self.visit(range, &mut numbers, |entry| {
            if bytes >= FRAME || events == PER_TOPIC as u64 {
                return false;
            }
            bytes += entry.block.len();
            events += 1;
            let topic = &self.topics.get(entry.topic).name;
            taken.push(Delivery::new(topic.clone(), entry.block.clone()));
            true
        });
        self.numbers = numbers;
        self.advance(seat, to, events, bytes, wakes);
        Ok(())
    }

    fn look(&mut self, seat: &mut Seat, wakes: &mut Wakes) -> Result<Range, Taken> {
        let cursor = &mut self.cursors[seat.cursor];
        let from = cursor.place;
        if cursor.end == SOON && from < self.groups[seat.group].head {
            cursor.end = self.next;
        }
        let served = cursor.end;
        let ended = cursor.is_ended();
        let end = self.closing.end_of(seat.cursor);
        let group = &self.groups[seat.group];
        if from < group.lost_to && from < end.min(served) {
            return Err(Taken::Lagged);
        }
        let until = group.head.min(end).min(served);
        if from >= until {
            if ended && served <= end {
                return Err(Taken::Ended);
            }
            if end < u64::MAX && from >= group.head.min(end) {
                return Err(Taken::Closed);
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

    fn wait(&mut self, seat: &mut Seat, wakes: &mut Wakes) {
        let (group, stamps) = (&mut self.groups[seat.group], &mut self.stamps);
        let slot = group.wait(&mut seat.ticket, || next(stamps), wakes);
        self.cursors[seat.cursor].slot = slot;
        // Not where it does not wait: an end that is already counted would be missed.
        seat.seen = self.changes;
    }

    /// Moves a subscriber that has lagged on; gives the number it continues after.
    pub(in crate::hub) fn skip(&mut self, seat: &Seat, to_head: bool, wakes: &mut Wakes) -> u64 {
        let group = &self.groups[seat.group];
        let to = if to_head { group.head } else { group.lost_to };
        self.advance(seat, to, 0, 0, wakes);
        self.counters.lagged += 1;
        let cursor = &mut self.cursors[seat.cursor];
        if cursor.end == SOON {
            cursor.end = self.next;
        }
        let place = self.place_of(seat);
        self.cursors[seat.cursor].told = place;
        place
    }

    /// Lets a subscriber end after what is pending, as soon as something is; `now` if something else
    /// has been sent to it. Gives its place.
    pub(in crate::hub) fn end_soon(&mut self, seat: &Seat, now: bool) -> u64 {
        let cursor = &mut self.cursors[seat.cursor];
        if !cursor.is_ended() {
            cursor.end = if now { self.next } else { SOON };
        }
        self.place_of(seat)
    }

    /// The number of the last event that is behind the subscriber, of whatever topic.
    pub(in crate::hub) fn place_of(&self, seat: &Seat) -> u64 {
        let cursor = &self.cursors[seat.cursor];
        let end = self.closing.end_of(seat.cursor).min(self.next);
        let end = if cursor.is_ended() {
            end.min(cursor.end)
        } else {
            end
        };
        self.groups[seat.group].effective(cursor.place).min(end) - 1
    }

    /// The subscriber's place, if it has moved on since the client was told last: by this, or `by_events`
    /// up to where it stands.
    pub(in crate::hub) fn move_place(&mut self, seat: &Seat, by_events: bool) -> Option<u64> {
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
    fn advance(&mut self, seat: &Seat, to: u64, events: u64, bytes: usize, wakes: &mut Wakes) {
        let (cursor, group) = (&mut self.cursors[seat.cursor], &self.groups[seat.group]);
        if self.gate.is_shut() || cursor.excused.is_some() {
            let (before, after) = (group.effective(cursor.place), group.effective(to));
            match cursor.excused {
                None => self.gate.pass(before, after, wakes),
                Some(near) if after.saturating_add(near.get()) > self.next => {
                    cursor.excused = None;
                    self.gate.enter(after);
                }
                Some(_) => {}
            }
        }
        cursor.place = to;
        self.counters.delivered += events;
        self.counters.bytes += bytes as u64;
    }

    /// Makes one piece of what is in the range, as far as a frame holds it.
    fn merge(&mut self, range: Range, wakes: &mut Wakes) -> Frame {
        let mut numbers = std::mem::take(&mut self.numbers);
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut first: Option<&Entry> = None;
        let (mut events, mut transient, mut border) = (0, false, false);
        let to = self.visit(range, &mut numbers, |entry| {
            let (head, payload) = entry.block.parts();
            match first {
                None => first = Some(entry),
                // Where one segment ends, the frames of all end.
                Some(_) if entry.border => {
                    border = true;
                    return false;
                }
                // A shared payload goes alone.
                Some(first) if payload.is_some() || first.block.parts().1.is_some() => {
                    return false;
                }
                Some(first) => {
                    if bytes.is_empty() {
                        if first.block.len() + head.len() > FRAME {
                            return false;
                        }
                        bytes.extend_from_slice(first.block.parts().0);
                    } else if bytes.len() + head.len() > FRAME {
                        return false;
                    }
                    bytes.extend_from_slice(head);
                }
            }
            events += 1;
            transient |= entry.transient;
            true
        });
        let begins = first.is_some_and(|first| first.border);
        let block = match first {
            Some(first) if bytes.is_empty() => first.block.clone(),
            // One exact copy: what is reserved counts, and is not known before.
            _ => Block::from_shared(Bytes::copy_from_slice(&bytes)),
        };
        (self.numbers, self.bytes) = (numbers, bytes);
        let frame = Frame {
            from: range.from,
            to,
            events,
            block,
            transient,
            sealed: to < range.until,
            whole: begins && border,
        };
        if range.live {
            self.share(range.group, &frame, wakes);
        }
        frame
    }

    /// Remembers a frame for the others at its place, if there may be any.
    fn share(&mut self, index: usize, frame: &Frame, wakes: &mut Wakes) {
        let group = &mut self.groups[index];
        if group.subscribers < 2 || frame.block.parts().1.is_some() {
            return;
        }
        self.frames -= group.frames.bytes();
        let lost_to = group.lost_to;
        group.frames.remember(frame.clone(), lost_to, wakes);
        self.frames += group.frames.bytes();
        if !std::mem::replace(&mut group.frames.queued, true) {
            self.framed.push_back(index);
        }
        while self.frames > self.frames_limit {
            let Some(index) = self.framed.pop_front() else {
                return;
            };
            let Some(group) = self.groups.get_mut(index) else {
                continue;
            };
            let before = group.frames.bytes();
            if group.frames.forget_one(wakes) {
                self.framed.push_back(index);
            } else {
                group.frames.queued = false;
            }
            self.frames -= before - group.frames.bytes();
        }
    }

    /// Shows the range's events in order, until one is refused; gives the place that was reached.
    fn visit<'a>(
        &'a self,
        range: Range,
        numbers: &mut Vec<u64>,
        mut each: impl FnMut(&'a Entry) -> bool,
    ) -> u64 {
        let group = &self.groups[range.group];
        let everything = group.key.is_everything();
        let matches = |entry: &&Entry| {
            everything || group.follows(entry.topic, &self.topics.get(entry.topic).name)
        };
        let mut transients = self
            .log
            .transients_from(range.from)
            .filter(|entry| range.live && entry.seq < range.until)
            .filter(matches)
            .peekable();
        // Gives the place if the visit is over.
        let mut show = |entry: Option<&'a Entry>, until: u64| {
            let before = entry.map_or(until, |entry| entry.seq);
            while let Some(transient) = transients.next_if(|other| other.seq < before) {
                if !each(transient) {
                    return Some(transient.seq);
                }
            }
            entry.filter(|entry| !each(entry)).map(|entry| entry.seq)
        };
        let mut until = range.until;
        let scan = everything || {
            let few = 8 * group.topics.len();
            group.numbers.is_none() && self.log.count_from(range.from) <= few
        };
        if scan {
            let history = self.log.history_from(range.from).filter(matches);
            for entry in history.take_while(|entry| entry.seq < range.until) {
                if let Some(place) = show(Some(entry), until) {
                    return place;
                }
            }
        } else {
            until = self.gather(group, range, numbers);
            for seq in &*numbers {
                let Some(entry) = self.log.get(*seq) else {
                    continue;
                };
                if let Some(place) = show(Some(entry), until) {
                    return place;
                }
            }
        }
        show(None, until).unwrap_or(until)
    }

    /// The numbers of the group's events, in order; gives the place up to which they are complete.
    fn gather(&self, group: &Group, range: Range, numbers: &mut Vec<u64>) -> u64 {
        numbers.clear();
        let mut until = range.until;
        let named = group.topics.iter();
        let named = named.map(|topic| &self.topics.get(topic.slot).retained);
        let lists = match &group.numbers {
            Some(own) => None.into_iter().flatten().chain(Some(&own.list)),
            None => Some(named).into_iter().flatten().chain(None),
        };
        for list in lists {
            let start = list.partition_point(|seq| *seq < range.from);
            // One more: the first of a new segment, if it is there, seals the frame.
            let end = list.len().min(start + PER_TOPIC + 1);
            numbers.extend(list.range(start..end));
            if let Some(next) = list.get(end) {
                until = until.min(*next);
            }
        }
        if group.topics.len() > 1 {
            numbers.sort_unstable();
        }
        let end = numbers.partition_point(|seq| *seq < until);
        numbers.truncate(end);
        until
    }

    /// The number of the first of the group's newest retained events, of which there are this many; the
    /// head if there are none.
    pub(super) fn last_from(&self, index: usize, events: usize) -> u64 {
        let group = &self.groups[index];
        if events == 0 {
            return group.head;
        }
        let last = |list: &VecDeque<u64>| {
            let start = list.len().saturating_sub(events);
            list.range(start..).copied().collect::<Vec<u64>>()
        };
        let mut numbers = if group.key.is_everything() {
            self.log.last(events).collect()
        } else if let Some(numbers) = &group.numbers {
            last(&numbers.list)
        } else {
            let topics = group.topics.iter();
            topics
                .flat_map(|topic| last(&self.topics.get(topic.slot).retained))
                .collect()
        };
        numbers.sort_unstable();
        let first = numbers.len().saturating_sub(events);
        numbers.get(first).copied().unwrap_or(group.head)
    }

    /// How many retained events the group has from a place on.
    pub(super) fn count_from(&self, index: usize, from: u64) -> u64 {
        let group = &self.groups[index];
        let after = |list: &VecDeque<u64>| list.len() - list.partition_point(|seq| *seq < from);
        let count = if group.key.is_everything() {
            self.log.count_from(from)
        } else if let Some(numbers) = &group.numbers {
            after(&numbers.list)
        } else {
            let topics = group.topics.iter();
            topics
                .map(|topic| after(&self.topics.get(topic.slot).retained))
                .sum()
        };
        count as u64
    }
}
