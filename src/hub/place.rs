//! Places in the log, as clients are told them.

use super::core::{Begin, Seat, State, Wakes};
use super::outcome::Outcome;
use super::shared::Shared;
use crate::protocol::EventId;

/// The ID of a place: its number, or its key in an outer log.
#[derive(Debug, Clone, Copy)]
pub(super) enum PlaceId {
    Number(u64),
    #[cfg(any(test, feature = "redis"))]
    Key(u128),
}

/// A new subscriber.
#[derive(Debug)]
pub(super) struct Subscribed {
    pub(super) seat: Seat,
    pub(super) outcome: Outcome,
    /// Its place, if the client has to be told.
    pub(super) place: Option<PlaceId>,
    /// Where it begins in the outer log, if not in the ring.
    #[cfg(any(test, feature = "redis"))]
    pub(super) from: Option<super::past::From>,
}

impl Shared {
    /// Determines what a new subscriber is told first, and where it begins.
    pub(super) fn receive(
        &self,
        state: &mut State,
        begin: &Begin,
        (seat, outcome, place): (Seat, Outcome, Option<u64>),
    ) -> Subscribed {
        let place = place.and_then(|seq| self.place(state, seq));
        #[cfg(any(test, feature = "redis"))]
        {
            let mut outcome = outcome;
            let from = self.past_from(state, begin, &mut outcome);
            Subscribed {
                seat,
                outcome,
                place: place.filter(|_| from.is_none()),
                from,
            }
        }
        #[cfg(not(any(test, feature = "redis")))]
        {
            _ = begin;
            Subscribed {
                seat,
                outcome,
                place,
            }
        }
    }

    /// The ID of a place that was [found](Self::place) under the lock.
    pub(super) fn id(&self, place: PlaceId) -> EventId {
        match place {
            PlaceId::Number(seq) => self.epoch.id(seq),
            #[cfg(any(test, feature = "redis"))]
            PlaceId::Key(key) => super::foreign::id_of(key),
        }
    }

    /// Returns the ID of a place. An outer log's key has to be looked up before the lock is
    /// released, because the ring may forget it afterwards.
    pub(super) fn place(&self, state: &State, seq: u64) -> Option<PlaceId> {
        #[cfg(any(test, feature = "redis"))]
        if self.settings.foreign {
            return state.key_at(seq).map(PlaceId::Key);
        }
        _ = state;
        Some(PlaceId::Number(seq))
    }

    /// The ID of the newest event, or of the place where the hub begins.
    pub(super) fn newest_id(&self) -> EventId {
        let state = self.lock();
        let newest = state.next() - 1;
        #[cfg(any(test, feature = "redis"))]
        if self.settings.foreign {
            let key = state.last_key();
            drop(state);
            return super::foreign::id_of(key);
        }
        drop(state);
        self.id(PlaceId::Number(newest))
    }

    /// The ID of a place that is found under the lock.
    pub(super) fn find_id(
        &self,
        find: impl FnOnce(&mut State, &mut Wakes) -> Option<u64>,
    ) -> Option<EventId> {
        let place = self.with(|state, wakes| {
            let seq = find(state, wakes)?;
            self.place(state, seq)
        });
        place.map(|place| self.id(place))
    }
}
