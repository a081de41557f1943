use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::core::{ALL_SHARES, Draft, Last, State, Wakes};
use super::epoch::Epoch;
use super::outcome::LagPolicy;
use super::trace;
use crate::protocol::{Block, Event, EventId};
use crate::sync::{AtomicU64, Mutex, MutexGuard};

/// What a hub and its subscriptions hold together.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// The number that the next event will have, as far as is known without the lock.
    next: AtomicU64,
    /// Subscribers whose share is below this have to end.
    closed_to: AtomicU64,
    /// How many handles to publish with there are.
    hubs: AtomicU64,
    pub(super) epoch: Epoch,
    pub(super) settings: Settings,
}

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) lag: LagPolicy,
    pub(super) gap: Option<Event>,
    pub(super) farewell: Option<Block>,
    pub(super) max_subscribers: usize,
    pub(super) retry_after: Duration,
    pub(super) keep_event_ids: bool,
    pub(super) announce_place: bool,
}

impl Shared {
    pub(super) fn new(state: State, epoch: Epoch, settings: Settings) -> Self {
        Self {
            next: AtomicU64::new(state.next()),
            state: Mutex::new(state),
            closed_to: AtomicU64::new(0),
            hubs: AtomicU64::new(0),
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

    /// Changes the state. Once the lock is free, wakes whom that concerns, and drops what has gone.
    #[inline]
    pub(super) fn with<R>(&self, change: impl FnOnce(&mut State, &mut Wakes) -> R) -> R {
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        let result = change(&mut state, &mut wakes);
        drop(state);
        if wakes.has_tasks() {
            self.wake(&mut wakes);
        }
        result
    }

    #[inline(never)]
    fn wake(&self, wakes: &mut Wakes) {
        wakes.wake();
        if wakes.sheets().next().is_some() {
            let mut state = self.lock();
            for sheet in wakes.sheets() {
                state.give_back(sheet);
            }
        }
    }

    pub(super) fn publish(&self, topic: &str, event: &Event) -> EventId {
        let own = event.id().filter(|id| self.takes(id));
        if let Some(id) = own {
            let draft = Draft::with_id(event.encode_as(Some(id)), id.clone());
            // It needs no number.
            _ = self.append(topic, draft);
            return id.clone();
        }
        loop {
            let guess = self.next.load(Ordering::Relaxed);
            let id = self.epoch.id(guess);
            let block = event.encode_as(Some(&id));
            let draft = Draft::with_number(block, guess, self.epoch.prefix_len());
            match self.append(topic, draft) {
                Some(seq) if seq == guess => return id,
                Some(seq) => return self.epoch.id(seq),
                // Others were faster, and the number has more digits by now.
                None => {}
            }
        }
    }

    #[inline]
    fn append(&self, topic: &str, draft: Draft) -> Option<u64> {
        self.with(|state, wakes| {
            let seq = state.publish(topic, draft, wakes);
            self.next.store(state.next(), Ordering::Relaxed);
            seq
        })
    }

    pub(super) fn publish_transient(&self, topic: &str, block: Block) {
        self.with(|state, wakes| {
            state.publish_transient(topic, block, wakes);
            self.next.store(state.next(), Ordering::Relaxed);
        });
    }

    /// Whether an event is published under this ID of its own. One of the hub's form is not: it would
    /// stand for another place.
    fn takes(&self, id: &EventId) -> bool {
        self.settings.keep_event_ids && !id.is_empty() && self.epoch.parse(id.as_str()).is_none()
    }

    pub(super) fn last(&self, id: Option<EventId>) -> Last {
        match id {
            None => Last::Nothing,
            Some(id) => match self.epoch.parse(id.as_str()) {
                Some(seq) => Last::Event(seq),
                None => Last::Own(id),
            },
        }
    }

    pub(super) fn close_to(&self, share: u64) {
        trace::closed(share);
        self.with(|state, wakes| {
            let share = state.close_to(share, wakes);
            self.closed_to.store(share, Ordering::Release);
        });
    }

    pub(super) fn close(&self) {
        self.close_to(ALL_SHARES);
    }

    /// A handle to publish with comes.
    pub(super) fn enter(&self) {
        self.hubs.fetch_add(1, Ordering::Relaxed);
    }

    /// It goes. After the last, nothing can be published any more.
    pub(super) fn leave(&self) {
        if self.hubs.fetch_sub(1, Ordering::AcqRel) == 1 && self.closed_to() < ALL_SHARES {
            self.close();
        }
    }

    /// The share to which it is closed.
    #[inline]
    pub(super) fn closed_to(&self) -> u64 {
        self.closed_to.load(Ordering::Acquire)
    }
}
