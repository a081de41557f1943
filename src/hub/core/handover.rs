use super::State;
use super::cursors::Seat;
use super::following::{Begin, Last};
use super::keys::KeyPlace;
use super::reading::Taken;
use super::wake_list::Wakes;

impl Begin {
    pub(in crate::hub) fn last(&self) -> &Last {
        &self.last
    }

    pub(in crate::hub) fn not_before(&self) -> &Last {
        &self.not_before
    }
}

/// Subscribers that read the past, before they take their place in the ring.
impl State {
    /// What ends a subscriber before it has taken its place. If nothing does, its task is woken by the
    /// next event, and when something does.
    pub(in crate::hub) fn wait_in_past(
        &mut self,
        seat: &mut Seat,
        wakes: &mut Wakes,
    ) -> Option<Taken> {
        if let Some(reason) = self.cursors[seat.cursor].ended() {
            return Some(Taken::Ended(reason));
        }
        if self.is_closed_for(seat.cursor) {
            return Some(Taken::Closed);
        }
        self.wait(seat, wakes);
        None
    }

    /// Lets a subscriber take its place after a key, if that is in the ring and nothing after it is
    /// lost; false if it has to read on.
    pub(in crate::hub) fn hand_over(&mut self, seat: &mut Seat, key: u128) -> bool {
        let KeyPlace::Here(seq) = self.find_key(key) else {
            return false;
        };
        let (outcome, place) = self.resume(seat.group, seq + 1);
        if outcome.is_lossy() {
            return false;
        }
        let cursor = &mut self.cursors[seat.cursor];
        (cursor.place, cursor.told) = (place, seq);
        seat.live_from = self.groups[seat.group].head;
        true
    }

    /// Whether a subscriber follows a topic.
    pub(in crate::hub) fn follows(&self, seat: &Seat, topic: &str) -> bool {
        let key = &self.groups[seat.group].key;
        key.covers(topic) || key.topics().iter().any(|name| &**name == topic)
    }
}
