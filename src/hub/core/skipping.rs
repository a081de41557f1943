use super::State;
use super::cursors::{SOON, Seat};
use super::terms::Newcomer;
use super::wake_list::Wakes;
use crate::hub::outcome::LagPolicy;

/// What is lost for a subscriber.
impl State {
    /// After the last event that is lost for the subscriber.
    pub(super) fn lost_to(&mut self, seat: &Seat) -> u64 {
        let (cursor, group) = (&mut self.cursors[seat.cursor], &mut self.groups[seat.group]);
        // What is lost after a change of its topics is not its loss.
        let before = cursor.next_move();
        match cursor.newcomer() {
            Some(newcomer) if cursor.place < newcomer.to => {
                return group.lost_since(newcomer.since, before.unwrap_or(u64::MAX));
            }
            Some(_) => {
                cursor.set_newcomer(None);
                group.leave_newcomer();
            }
            None => {}
        }
        before.map_or(group.lost_to, |at| group.lost_before(at))
    }

    /// The subscriber has been told of all that has been lost, or has not missed it. What is retained from
    /// before the last of that is for it.
    pub(super) fn enter_newcomer(&mut self, seat: &Seat) {
        let (cursor, group) = (&mut self.cursors[seat.cursor], &mut self.groups[seat.group]);
        if cursor.newcomer().is_some() {
            group.leave_newcomer();
            cursor.set_newcomer(None);
        }
        if cursor.place < group.lost_to {
            group.enter_newcomer();
            cursor.set_newcomer(Some(Newcomer {
                to: group.lost_to,
                since: self.losses,
            }));
        }
    }

    /// Where one continues in a group that has missed something from a place on: with what is retained.
    pub(super) fn place_after_gap(&self, group: usize, from: u64) -> u64 {
        let lost_to = self.groups[group].lost_to;
        let next = self.next_from(group, from);
        next.map_or(lost_to, |next| next.min(lost_to))
    }

    /// Moves a subscriber on that has missed something; gives the number it continues after, or none
    /// if it ends.
    pub(in crate::hub) fn skip(&mut self, seat: &mut Seat, wakes: &mut Wakes) -> Option<u64> {
        self.counters.lagged += 1;
        let to = match self.lag {
            LagPolicy::End => return None,
            LagPolicy::Newest => {
                while self.cursors[seat.cursor].next_move().is_some() {
                    self.change_group(seat, wakes);
                }
                self.groups[seat.group].head
            }
            LagPolicy::Oldest => {
                let cursor = &self.cursors[seat.cursor];
                let moves = cursor.next_move().unwrap_or(u64::MAX);
                self.place_after_gap(seat.group, cursor.place).min(moves)
            }
        };
        self.advance(seat, to, 0, 0, wakes);
        self.enter_newcomer(seat);
        let cursor = &mut self.cursors[seat.cursor];
        if cursor.end == SOON {
            cursor.end = self.next;
        }
        let place = self.place_of(seat);
        self.cursors[seat.cursor].told = place;
        Some(place)
    }
}
