use std::sync::PoisonError;
use std::time::Duration;

use super::core::{Last, State, Wakes};
use super::epoch::Epoch;
use super::outcome::Lag;
use crate::protocol::{Block, Event, EventId};
use crate::sync::{Mutex, MutexGuard};

/// What a hub and its subscriptions hold together.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) epoch: Epoch,
    pub(super) settings: Settings,
}

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) lag: Lag,
    pub(super) gap: Option<Event>,
    pub(super) farewell: Option<Block>,
    pub(super) max_subscribers: usize,
    pub(super) retry_after: Duration,
    pub(super) user_ids: bool,
    pub(super) announce_place: bool,
}

impl Shared {
    pub(super) fn new(state: State, epoch: Epoch, settings: Settings) -> Self {
        Self {
            state: Mutex::new(state),
            epoch,
            settings,
        }
    }

    /// No code of a user's runs under the lock, so a panic that poisons it is not one of theirs, and
    /// leaves the state whole.
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and wakes whom that concerns once the lock is free.
    #[inline]
    pub(super) fn with<R>(&self, change: impl FnOnce(&mut State, &mut Wakes) -> R) -> R {
        let mut state = self.lock();
        let mut wakes = Wakes::default();
        let result = change(&mut state, &mut wakes);
        drop(state);
        if !wakes.is_empty() {
            self.wake(wakes);
        }
        result
    }

    #[inline(never)]
    fn wake(&self, mut wakes: Wakes) {
        wakes.wake();
        if wakes.sheets().next().is_some() {
            let mut state = self.lock();
            for sheet in wakes.sheets() {
                state.views[sheet.view].give_back(sheet);
            }
        }
    }

    pub(super) fn find(&self, state: &State, last: Option<&EventId>) -> Last {
        let Some(id) = last else {
            return Last::Nothing;
        };
        let seq = state
            .log
            .find_id(id)
            .or_else(|| self.epoch.parse(id.as_str()));
        seq.map_or(Last::Unknown, Last::Event)
    }
}
