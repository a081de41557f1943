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

    pub(in crate::hub) fn is_anew(&self) -> bool {
        self.anew
    }

    /// The key up to which nothing is for the client; none if nothing is for it.
    pub(in crate::hub) fn floor_key(&self) -> Option<u128> {
        match &self.not_before {
            Last::Nothing => Some(0),
            Last::Key(key) => Some(*key),
            Last::Event(_) | Last::Own(_) => None,
        }
    }
}

/// How a subscriber that reads the past goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::hub) enum HandOver {
    /// It has taken its place in the ring.
    Done,
    /// There is nothing after its key in the ring, but it may have to wait for more of the past.
    Behind,
    /// It has to read on.
    NotYet,
}

/// Subscribers that read the past, before they take their place in the ring.
impl State {
    /// What ends a subscriber before it has taken its place. If nothing does, its task is woken by the
    /// next event, and when something does.
    ///
    /// A change of its topics takes effect at once if it is `free`, since it has read nothing yet. If not,
    /// it ends: the topics before and after the change are not told apart in the past.
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

    /// Lets a subscriber take its place after a key, if that is in the ring and nothing after it is
    /// lost.
    pub(in crate::hub) fn hand_over(&mut self, seat: &mut Seat, key: u128) -> HandOver {
        let seq = match self.find_key(key) {
            KeyPlace::Here(seq) if self.has_begun() => seq,
            KeyPlace::After => return HandOver::Behind,
            _ => return HandOver::NotYet,
        };
        let (outcome, place) = self.resume(seat.group, seq + 1);
        if outcome.is_lossy() {
            return HandOver::NotYet;
        }
        self.take_place(seat, place);
        self.cursors[seat.cursor].told = seq;
        HandOver::Done
    }

    /// Lets a subscriber that has waited for the ring begin there; gives the place that its client is
    /// told.
    pub(in crate::hub) fn start_here(&mut self, seat: &mut Seat, begin: &Begin) -> u128 {
        let floor = self.floor(seat.group, &begin.not_before);
        let place = self.start(seat.group, &begin.start, floor);
        self.take_place(seat, place);
        let mut place = self.place_of(seat);
        if self.key_at(place).is_none() {
            // Nothing is known to tell the client but the newest place.
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
        // It waited for the next event. Those that are there already come first.
        seat.seen = u64::MAX;
        if self.gate.is_shut() {
            // Those that wait already have not counted it.
            self.cursors[seat.cursor].excused = NonZeroU64::new(1);
        } else {
            self.gate.enter(effective);
        }
    }

    /// Whether nothing more comes for a subscriber that has taken its place: what it follows is finished,
    /// as far as it has read, and nothing came after that.
    pub(in crate::hub) fn is_at_end(&self, seat: &Seat) -> bool {
        self.cursors[seat.cursor].place >= self.groups[seat.group].head
    }

    /// The names that a subscriber follows, if it follows no prefix.
    pub(in crate::hub) fn followed_names(&self, seat: &Seat) -> Option<&[std::sync::Arc<str>]> {
        let key = &self.groups[seat.group].key;
        key.prefixes().is_empty().then(|| key.topics())
    }

    /// A subscriber is told of a gap that only the outer log knew of.
    pub(in crate::hub) fn count_gap(&mut self) {
        self.counters.gaps += 1;
    }

    /// It asks the outer log before it is known whether it has missed something.
    pub(in crate::hub) fn defer_gap(&mut self) {
        self.counters.gaps -= 1;
    }

    /// Whether a subscriber follows a topic.
    pub(in crate::hub) fn follows(&self, seat: &Seat, topic: &str) -> bool {
        let key = &self.groups[seat.group].key;
        key.covers(topic) || key.topics().iter().any(|name| &**name == topic)
    }
}
