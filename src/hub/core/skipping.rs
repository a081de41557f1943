use super::State;
use super::cursors::{SOON, Seat};
use super::terms::Newcomer;
use super::wake_list::Wakes;
use crate::hub::outcome::LagPolicy;

/// How a subscriber that has missed something continues.
#[derive(Debug)]
pub(in crate::hub) struct Skip {
    after: Option<u64>,
    lagged: bool,
}

impl Skip {
    /// It continues after this number, or ends if there is none.
    pub(in crate::hub) fn after(&self) -> Option<u64> {
        self.after
    }

    /// Whether it has fallen behind, and does not just resume.
    pub(in crate::hub) fn lagged(&self) -> bool {
        self.lagged
    }
}

/// What is lost for a subscriber.
impl State {
    /// After the last event that is lost for the subscriber.
    pub(super) fn lost_to(&mut self, seat: &Seat) -> u64 {
        let (cursor, group) = (&mut self.cursors[seat.cursor], &mut self.groups[seat.group]);
        let lost_to = match cursor.newcomer() {
            None => group.lost_to,
            Some(newcomer) if cursor.place < newcomer.to => group.lost_since(newcomer.since),
            Some(_) => {
                cursor.set_newcomer(None);
                group.leave_newcomer();
                group.lost_to
            }
        };
        // What is lost after a change of its topics is not its loss.
        match cursor.next_move() {
            None => lost_to,
            Some(at) => lost_to.min(group.lost_before(at)),
        }
    }

    /// What is retained from before a loss is for the subscriber, which has missed nothing.
    pub(super) fn enter_newcomer(&mut self, seat: &Seat) {
        let (cursor, group) = (&mut self.cursors[seat.cursor], &mut self.groups[seat.group]);
        if cursor.place < group.lost_to {
            group.enter_newcomer();
            cursor.set_newcomer(Some(Newcomer {
                to: group.lost_to,
                since: self.losses,
            }));
        }
    }

    /// Moves a subscriber on that has missed something.
    pub(in crate::hub) fn skip(&mut self, seat: &mut Seat, wakes: &mut Wakes) -> Skip {
        let lost_to = self.lost_to(seat);
        let cursor = &mut self.cursors[seat.cursor];
        let lagged = lost_to > cursor.forgiven();
        self.counters.lagged += u64::from(lagged);
        if lagged && self.lag == LagPolicy::End {
            return Skip {
                after: None,
                lagged,
            };
        }
        if let Some(newcomer) = cursor.newcomer() {
            let since = self.losses;
            cursor.set_newcomer(Some(Newcomer { since, ..newcomer }));
        }
        let to_head = lagged && self.lag == LagPolicy::Newest;
        let mut to = lost_to;
        if to_head {
            while self.cursors[seat.cursor].next_move().is_some() {
                self.change_group(seat, wakes);
            }
            to = self.groups[seat.group].head;
        }
        self.advance(seat, to, 0, 0, wakes);
        let cursor = &mut self.cursors[seat.cursor];
        if cursor.end == SOON {
            cursor.end = self.next;
        }
        let place = self.place_of(seat);
        self.cursors[seat.cursor].told = place;
        Skip {
            after: Some(place),
            lagged,
        }
    }
}
