use std::task::Waker;

use bytes::Bytes;

use super::group::{Merged, View};
use super::log::Entry;
use super::state::{FRAME, Seat, State};
use super::topics::Topics;
use super::wake_list::Wakes;
use crate::hub::delivery::Delivery;
use crate::protocol::Block;

/// How many of a topic's events are looked at for one frame.
const PER_TOPIC: usize = 512;

/// What a subscriber finds when it looks.
#[derive(Debug)]
pub(in crate::hub) enum Taken {
    Frame(Block),
    /// Nothing; the task is woken when there is something.
    Waiting,
    /// It stands where events have been lost; see [`State::skip`].
    Lagged,
    /// Nothing, and nothing more will come.
    Closed,
}

/// What part of a view is to be read.
#[derive(Debug, Clone, Copy)]
struct Range {
    view: usize,
    from: u64,
    until: u64,
    /// Transient events too.
    live: bool,
}

impl State {
    /// Everything pending for the subscriber, in one piece that those at the same place share.
    pub(in crate::hub) fn take(
        &mut self,
        seat: &mut Seat,
        task: &Waker,
        wakes: &mut Wakes,
    ) -> Taken {
        let range = match self.look(seat, task, wakes) {
            Ok(range) => range,
            Err(taken) => return taken,
        };
        let view = &self.views[range.view];
        let merged = match view.merged(range.from).filter(|_| range.live) {
            Some(merged) => merged.clone(),
            None => self.merge(range),
        };
        self.advance(seat, merged.to, merged.events, merged.block.len(), wakes);
        let view = &mut self.views[range.view];
        if merged.to == view.head && self.closed_to == 0 {
            // It will look again and find nothing; that look then needs no lock.
            view.wait(&mut seat.ticket, task, wakes);
        }
        Taken::Frame(merged.block)
    }

    /// The same for the way that is nearly always taken: a frame that somebody else has had made,
    /// and then the wait for the next event.
    #[inline]
    pub(in crate::hub) fn take_merged(&mut self, seat: &mut Seat, task: &Waker) -> Option<Bytes> {
        if !seat.ticket.is_for(task) {
            return None;
        }
        let place = &mut self.places[seat.place];
        let view = &mut self.views[seat.view];
        if place.cursor < view.lost_to.max(seat.live_from) || place.excused || self.gate.is_shut() {
            return None;
        }
        let merged = view.merged(place.cursor)?;
        let (bytes, None) = merged.block.parts() else {
            return None;
        };
        let bytes = bytes.clone();
        self.counters.delivered += merged.events;
        self.counters.bytes += bytes.len() as u64;
        place.cursor = merged.to;
        if merged.to == view.head && self.closed_to == 0 {
            view.wait_again(&mut seat.ticket);
        }
        Some(bytes)
    }

    /// Some of what is pending, one by one; `Waiting` or worse if there was nothing.
    pub(in crate::hub) fn take_each(
        &mut self,
        seat: &mut Seat,
        task: &Waker,
        wakes: &mut Wakes,
        mut each: impl FnMut(Delivery),
    ) -> Result<(), Taken> {
        let range = self.look(seat, task, wakes)?;
        let (mut events, mut bytes) = (0, 0);
        let mut scratch = std::mem::take(&mut self.scratch);
        let to = self.visit(range, &mut scratch, |entry| {
            if bytes >= FRAME || events == PER_TOPIC as u64 {
                return false;
            }
            bytes += entry.block.len();
            events += 1;
            let topic = &self.topics.get(entry.topic).name;
            each(Delivery::new(topic.clone(), entry.block.clone()));
            true
        });
        self.scratch = scratch;
        self.advance(seat, to, events, bytes, wakes);
        Ok(())
    }

    #[inline]
    fn look(&mut self, seat: &mut Seat, task: &Waker, wakes: &mut Wakes) -> Result<Range, Taken> {
        let from = self.places[seat.place].cursor;
        let view = &mut self.views[seat.view];
        if from < view.lost_to {
            return Err(Taken::Lagged);
        }
        if from >= view.head {
            if seat.share() < self.closed_to {
                return Err(Taken::Closed);
            }
            view.wait(&mut seat.ticket, task, wakes);
            return Err(Taken::Waiting);
        }
        let mut range = Range {
            view: seat.view,
            from,
            until: view.head,
            live: true,
        };
        if from < seat.live_from {
            let transient = self.log.transients_from(from).next();
            if transient.is_some_and(|entry| entry.seq < seat.live_from) {
                range.until = seat.live_from;
                range.live = false;
            }
        }
        Ok(range)
    }

    /// Moves a subscriber that has lagged on; gives what it goes on after.
    pub(in crate::hub) fn skip(&mut self, seat: &Seat, to_head: bool, wakes: &mut Wakes) -> u64 {
        let view = &self.views[seat.view];
        let to = if to_head { view.head } else { view.lost_to };
        self.advance(seat, to, 0, 0, wakes);
        self.counters.lagged += 1;
        self.begins_after(seat.view, to)
    }

    /// The number that says of a subscriber's place what is behind it.
    pub(in crate::hub) fn begins_after(&self, view: usize, cursor: u64) -> u64 {
        let at_head = cursor >= self.views[view].head;
        (if at_head { self.next } else { cursor }) - 1
    }

    /// The same for the place a seat holds.
    pub(in crate::hub) fn place_of(&self, seat: Option<&Seat>) -> Option<u64> {
        seat.map(|seat| self.begins_after(seat.view, self.places[seat.place].cursor))
    }

    #[inline]
    fn advance(&mut self, seat: &Seat, to: u64, events: u64, bytes: usize, wakes: &mut Wakes) {
        let (place, view) = (&mut self.places[seat.place], &self.views[seat.view]);
        if self.gate.is_shut() || place.excused {
            let (before, after) = (view.effective(place.cursor), view.effective(to));
            self.gate.advance(before, after, place.excused, wakes);
            place.excused = false;
        }
        place.cursor = to;
        self.counters.delivered += events;
        self.counters.bytes += bytes as u64;
    }

    /// Makes one piece of what is in the range, as far as a frame holds it.
    fn merge(&mut self, range: Range) -> Merged {
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut first: Option<&Entry> = None;
        let mut bytes = Vec::new();
        let mut events = 0;
        let to = self.visit(range, &mut scratch, |entry| {
            let (head, payload) = entry.block.parts();
            match first {
                None => first = Some(entry),
                // A shared payload goes alone.
                Some(first) if payload.is_some() || first.block.parts().1.is_some() => {
                    return false;
                }
                Some(first) => {
                    if bytes.is_empty() {
                        if first.block.len() + head.len() > FRAME {
                            return false;
                        }
                        bytes.reserve(room(range, first.block.len()));
                        bytes.extend_from_slice(first.block.parts().0);
                    } else if bytes.len() + head.len() > FRAME {
                        return false;
                    }
                    bytes.extend_from_slice(head);
                }
            }
            events += 1;
            true
        });
        let block = match first {
            Some(first) if bytes.is_empty() => first.block.clone(),
            _ => Block::from_encoded(bytes),
        };
        self.scratch = scratch;
        let merged = Merged {
            from: range.from,
            to,
            events,
            block,
        };
        self.share(range, &merged);
        merged
    }

    /// Remembers a frame for the others at its place, if there may be any.
    fn share(&mut self, range: Range, merged: &Merged) {
        let view = &mut self.views[range.view];
        let len = merged.block.len();
        if view.subscribers < 2 || !range.live || merged.block.parts().1.is_some() {
            return;
        }
        if self.merged + len > self.merged_limit {
            self.merged -= view.forget();
        }
        if self.merged + len <= self.merged_limit {
            self.merged += len;
            self.merged -= view.remember(merged.clone());
        }
    }

    /// Shows the range's events in order, until one is refused; gives the place that was reached.
    fn visit<'a>(
        &'a self,
        range: Range,
        scratch: &mut Vec<u64>,
        mut each: impl FnMut(&'a Entry) -> bool,
    ) -> u64 {
        let view = &self.views[range.view];
        let matches = |entry: &&Entry| is_followed(&self.topics, view, range.view, entry.topic);
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
        let pending = self.log.count_from(range.from);
        if view.key.is_everything() || pending <= 8 * view.topics.len() {
            let history = self.log.history_from(range.from).filter(matches);
            for entry in history.take_while(|entry| entry.seq < range.until) {
                if let Some(place) = show(Some(entry), until) {
                    return place;
                }
            }
        } else {
            until = self.gather(view, range, scratch);
            for seq in &*scratch {
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

    /// The numbers of the events of a few topics, in order; gives the place up to which they are
    /// complete.
    fn gather(&self, view: &View, range: Range, numbers: &mut Vec<u64>) -> u64 {
        numbers.clear();
        let mut until = range.until;
        for slot in &view.topics {
            let retained = &self.topics.get(*slot).retained;
            let start = retained.partition_point(|seq| *seq < range.from);
            let end = retained.len().min(start + PER_TOPIC);
            numbers.extend(retained.range(start..end));
            if let Some(next) = retained.get(end) {
                until = until.min(*next);
            }
        }
        if view.topics.len() > 1 {
            numbers.sort_unstable();
        }
        let end = numbers.partition_point(|seq| *seq < until);
        numbers.truncate(end);
        until
    }

    /// How many retained events the view has from a place on.
    pub(in crate::hub) fn count_from(&self, view: usize, from: u64) -> u64 {
        let view = &self.views[view];
        if view.key.is_everything() {
            return self.log.count_from(from) as u64;
        }
        let counts = view.topics.iter().map(|slot| {
            let retained = &self.topics.get(*slot).retained;
            retained.len() - retained.partition_point(|seq| *seq < from)
        });
        counts.sum::<usize>() as u64
    }
}

/// How much room the events of a range will want, by the look of the first.
fn room(range: Range, first: usize) -> usize {
    let events = usize::try_from(range.until - range.from).unwrap_or(FRAME);
    events.saturating_mul(first + 8).min(FRAME)
}

fn is_followed(topics: &Topics, view: &View, index: usize, slot: usize) -> bool {
    view.key.is_everything() || topics.get(slot).views.contains(&index)
}
