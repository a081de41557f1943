use std::num::NonZeroU64;

use super::State;
use super::cursors::Seat;
use super::following::{Begin, Fresh, Last};
use super::keys::KeyPlace;
use super::reading::Taken;
use super::wake_list::Wakes;
use crate::hub::change::Reason;

impl Begin {
    pub(in crate::hub) fn last(&self) -> &Last {
        &self.last
    }

    pub(in crate::hub) fn start(&self) -> &Fresh {
        &self.start
    }

    /// Returns the key up to which the client may not see events; `None` if it may see none.
    pub(in crate::hub) fn floor_key(&self) -> Option<u128> {
        match &self.not_before {
            Last::Nothing => Some(0),
            Last::Key(key) => Some(*key),
            Last::Event(_) | Last::Own(_) => None,
        }
    }
}

/// Whether a subscriber that reads the past has taken its place in the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::hub) enum HandOver {
    /// It has taken its place in the ring.
    Done,
    /// The ring has not reached its key.
    Behind,
    /// It has to read another page.
    NotYet,
    /// The run that it waited for is over, and it has to wait for the next.
    Rejoined,
}

/// Subscribers that read the past before they take their place in the ring.
impl State {
    /// Returns what ends a subscriber before it has taken its place. If nothing does, its task will
    /// be woken by the next event and by its end.
    ///
    /// If it is `free`, it has read nothing, and a change of its topics takes effect at once. If
    /// not, it ends, because pages do not distinguish topics before and after the change.
    pub(in crate::hub) fn wait_in_past(
        &mut self,
        seat: &mut Seat,
        free: bool,
        wakes: &mut Wakes,
    ) -> Option<Taken> {
        if let Some(reason) = self.cursors[seat.cursor].ended() {
            return Some(Taken::Ended(reason));
        }
        if self.is_closed_for(seat.cursor) {
            return Some(Taken::Closed);
        }
        while self.cursors[seat.cursor].next_move().is_some() {
            if !free {
                return Some(Taken::Ended(Reason::Lagged));
            }
            self.change_group(seat, wakes);
        }
        self.wait(seat, wakes);
        None
    }

    /// Moves a subscriber to the place after a key, if the ring has that place and everything after
    /// it.
    pub(in crate::hub) fn hand_over(
        &mut self,
        seat: &mut Seat,
        key: u128,
        wakes: &mut Wakes,
    ) -> HandOver {
        self.settle_cursor(seat.cursor, wakes);
        if self.cursors[seat.cursor].next_move().is_some() {
            // Its next poll ends it.
            return HandOver::Behind;
        }
        let seq = match self.find_key(key) {
            KeyPlace::Here(seq) if self.has_begun() => seq,
            KeyPlace::After if self.rejoin_after(u64::MAX, seat, wakes) => {
                return HandOver::Rejoined;
            }
            KeyPlace::After => return HandOver::Behind,
            _ => return HandOver::NotYet,
        };
        if self.rejoin_after(seq, seat, wakes) {
            return HandOver::Rejoined;
        }
        let (outcome, place) = self.resume(seat.group, seq + 1);
        if outcome.is_lossy() {
            return HandOver::NotYet;
        }
        self.take_place(seat, place);
        self.cursors[seat.cursor].told = seq;
        HandOver::Done
    }

    /// Places a subscriber that has waited for the ring to begin. Returns the place to tell its
    /// client.
    pub(in crate::hub) fn start_here(
        &mut self,
        seat: &mut Seat,
        begin: &Begin,
        wakes: &mut Wakes,
    ) -> u128 {
        self.settle_cursor(seat.cursor, wakes);
        _ = self.rejoin_after(u64::MAX, seat, wakes);
        let floor = self.floor(seat.group, &begin.not_before);
        let start = match &begin.start {
            // A finished run has no further events, so it is replayed.
            Fresh::Now if self.groups[seat.group].is_over() => &Fresh::Oldest,
            start => start,
        };
        let place = self.start(seat.group, start, floor);
        self.take_place(seat, place);
        let mut place = self.place_of(seat);
        if self.key_at(place).is_none() {
            // Only the newest place has a known key.
            let head = self.groups[seat.group].head;
            self.take_place(seat, head);
            place = self.place_of(seat);
        }
        self.enter_newcomer(seat);
        self.cursors[seat.cursor].told = place;
        self.key_at(place).unwrap_or_else(|| self.last_key())
    }

    fn take_place(&mut self, seat: &mut Seat, place: u64) {
        let group = &self.groups[seat.group];
        let (head, effective) = (group.head, group.effective(place));
        self.cursors[seat.cursor].place = place;
        seat.live_from = head;
        // It has waited for the next event, but the events in the ring come first.
        seat.seen = u64::MAX;
        if self.gate.is_shut() {
            // Waits that have begun do not count it.
            self.cursors[seat.cursor].excused = NonZeroU64::new(1);
        } else {
            self.gate.enter(effective);
        }
    }

    /// Whether a subscriber that has taken its place has nothing left to read.
    pub(in crate::hub) fn is_at_end(&mut self, seat: &Seat, wakes: &mut Wakes) -> bool {
        self.settle_cursor(seat.cursor, wakes);
        self.cursors[seat.cursor].place >= self.groups[seat.group].head
    }

    /// Returns the topics that a subscriber follows, if it follows no prefix.
    pub(in crate::hub) fn followed_names(&self, seat: &Seat) -> Option<&[std::sync::Arc<str>]> {
        let key = &self.groups[seat.group].key;
        key.prefixes().is_empty().then(|| key.topics())
    }

    /// Counts a gap that was found in the outer log.
    pub(in crate::hub) fn count_gap(&mut self) {
        self.counters.gaps += 1;
    }

    /// Takes back a counted gap, because the outer log decides whether there is one.
    pub(in crate::hub) fn defer_gap(&mut self) {
        self.counters.gaps -= 1;
    }

    /// Whether a subscriber follows a topic.
    pub(in crate::hub) fn follows(&self, seat: &Seat, topic: &str) -> bool {
        let key = &self.groups[seat.group].key;
        key.covers(topic) || key.topics().iter().any(|name| &**name == topic)
    }
}
