use super::State;
use super::cursors::{SOON, Seat};
use super::group::Group;
use super::terms::Newcomer;
use super::wake_list::Wakes;
use crate::hub::outcome::LagPolicy;

/// The losses of a subscriber.
impl State {
    /// The place after the last event that the subscriber has lost.
    pub(super) fn lost_to(&mut self, seat: &Seat) -> u64 {
        // Events lost after a change of its topics, or after its end, are not its loss.
        let cursor = &self.cursors[seat.cursor];
        let before = cursor.next_move();
        let before = before.or_else(|| self.end_known(seat.cursor, cursor));
        let (cursor, group) = (&mut self.cursors[seat.cursor], &mut self.groups[seat.group]);
        match cursor.newcomer() {
            Some(newcomer) if cursor.place < newcomer.to => {
                return group.lost_since(newcomer.since, before.unwrap_or(u64::MAX));
            }
            Some(_) => {
                cursor.set_newcomer(None);
                let place = cursor.place;
                self.change(seat.group, Group::leave_newcomer);
                // Publishers wait for it from now on.
                self.gate.enter(place);
            }
            None => {}
        }
        let group = &self.groups[seat.group];
        before.map_or(group.lost_to, |at| group.lost_before(at))
    }

    /// Called when the subscriber has been told of all losses so far, or has not missed any of
    /// them. It still reads the events retained from before the last loss.
    pub(super) fn enter_newcomer(&mut self, seat: &Seat) {
        let cursor = &mut self.cursors[seat.cursor];
        if cursor.newcomer().is_some() {
            cursor.set_newcomer(None);
            self.change(seat.group, Group::leave_newcomer);
        }
        let to = self.groups[seat.group].lost_to;
        let cursor = &mut self.cursors[seat.cursor];
        if cursor.place < to {
            let since = self.losses;
            cursor.set_newcomer(Some(Newcomer { to, since }));
            self.change(seat.group, Group::enter_newcomer);
        }
    }

    /// The place where a subscriber that missed events from `from` on continues in a group: with
    /// the retained events.
    pub(super) fn place_after_gap(&self, group: usize, from: u64) -> u64 {
        let lost_to = self.groups[group].lost_to;
        let next = self.next_from(group, from);
        next.map_or(lost_to, |next| next.min(lost_to))
    }

    /// Moves a subscriber past the events it has missed. Returns the number that it continues
    /// after, or `None` if it ends.
    pub(in crate::hub) fn skip(&mut self, seat: &mut Seat, wakes: &mut Wakes) -> Option<u64> {
        self.settle_cursor(seat.cursor, wakes);
        self.counters.lagged += 1;
        let to = match self.lag {
            LagPolicy::End => return None,
            LagPolicy::Newest => {
                while self.cursors[seat.cursor].next_move().is_some() {
                    self.change_group(seat, wakes);
                }
                let place = self.cursors[seat.cursor].place;
                self.groups[seat.group].head.max(place)
            }
            LagPolicy::Oldest => {
                let cursor = &self.cursors[seat.cursor];
                let moves = cursor.next_move().unwrap_or(u64::MAX);
                self.place_after_gap(seat.group, cursor.place).min(moves)
            }
        };
        self.advance(seat, to, 0, 0, wakes);
        // Publishers wait for it again.
        self.gate.enter(self.progress(&self.cursors[seat.cursor]));
        self.enter_newcomer(seat);
        if self.cursors[seat.cursor].end == SOON {
            self.end_served(seat.cursor, wakes);
        }
        let place = self.place_of(seat);
        self.cursors[seat.cursor].told = place;
        Some(place)
    }
}
