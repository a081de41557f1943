use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::core::{ALL_SHARES, Begin, Draft, Key, Last, Seat, State, Wakes, patch_id};
use super::epoch::{Epoch, Turn};
use super::outcome::{LagPolicy, Outcome};
use super::refused::Refused;
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
    epoch: Epoch,
    settings: HubSettings,
}

#[derive(Debug)]
pub(super) struct HubSettings {
    pub(super) lag: LagPolicy,
    pub(super) gap: Option<Event>,
    pub(super) farewell: Option<Block>,
    pub(super) max_subscribers: usize,
    pub(super) retry_after: Duration,
    pub(super) keep_event_ids: bool,
    pub(super) announce_place: bool,
}

impl Shared {
    pub(super) fn new(state: State, epoch: Epoch, settings: HubSettings) -> Self {
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
            _ = self.append(topic, draft, self.epoch.turn());
            return id.clone();
        }
        loop {
            let blank = self.epoch.blank();
            let blank = blank.map(|blank| (event.encode_as(Some(&blank)), blank));
            let turn = self.epoch.turn();
            let guess = self.next.load(Ordering::Relaxed);
            let id = self.epoch.id(guess);
            let filled = blank.and_then(|(mut block, blank)| {
                let filled = patch_id(&mut block, 0, blank.as_str(), id.as_str());
                filled.then_some(block)
            });
            let block = filled.unwrap_or_else(|| event.encode_as(Some(&id)));
            let draft = Draft::with_number(block, guess, self.epoch.prefix_len());
            match self.append(topic, draft, turn) {
                Some(seq) if seq == guess => return id,
                Some(seq) => return self.epoch.id(seq),
                // Others were faster, and the number has more digits by now.
                None => {}
            }
        }
    }

    #[inline]
    fn append(&self, topic: &str, draft: Draft, turn: Turn<'_>) -> Option<u64> {
        self.with(|state, wakes| {
            let seq = state.publish(topic, draft, wakes);
            self.next.store(state.next(), Ordering::Relaxed);
            // Before tasks are woken: one may publish.
            drop(turn);
            seq
        })
    }

    pub(super) fn publish_transient(&self, topic: &str, block: Block) {
        let turn = self.epoch.turn();
        self.with(|state, wakes| {
            state.publish_transient(topic, block, wakes);
            self.next.store(state.next(), Ordering::Relaxed);
            drop(turn);
        });
    }

    /// Whether an event is published under this ID of its own. One of the hub's form is not: it would
    /// stand for another place.
    fn takes(&self, id: &EventId) -> bool {
        self.settings.keep_event_ids && !id.is_empty() && self.epoch.parse(id.as_str()).is_none()
    }

    /// Where an ID stands, none for none.
    pub(super) fn last(&self, id: Option<EventId>) -> Last {
        match id.filter(|id| !id.is_empty()) {
            None => Last::Nothing,
            Some(id) => match self.epoch.parse(id.as_str()) {
                Some(seq) => Last::Event(seq),
                None => Last::Own(id),
            },
        }
    }

    /// A subscriber of these topics; gives its place too, if the client does not know it.
    pub(super) fn subscribe(
        &self,
        key: Key,
        begin: &Begin,
    ) -> Result<(Seat, Outcome, Option<u64>), Refused> {
        let subscribed = self.with(|state, wakes| {
            if let Some(closed) = self.refuses(state) {
                state.refuse();
                return Err(closed);
            }
            let skip = self.settings.lag == LagPolicy::Newest;
            let (seat, outcome) = state.subscribe(key, begin, skip, wakes);
            let place = match outcome {
                // Without events to replay, the client's place has moved on all the same.
                Outcome::Resumed(0) => state.move_place(&seat, false),
                Outcome::Resumed(_) => None,
                _ => Some(state.place_of(&seat)),
            };
            Ok((seat, outcome, place))
        });
        match &subscribed {
            Ok((_, outcome, _)) => trace::subscribed(*outcome),
            Err(closed) => trace::refused(*closed),
        }
        subscribed.map_err(|closed| Refused::new(closed, self.settings.retry_after))
    }

    /// Whether a subscriber is refused now, and then whether since the hub is closed.
    fn refuses(&self, state: &State) -> Option<bool> {
        let full = state.subscribers() >= self.settings.max_subscribers;
        (state.is_closed() || full).then(|| state.is_closed())
    }

    pub(super) fn refusal(&self) -> Option<Refused> {
        let closed = self.refuses(&self.lock())?;
        Some(Refused::new(closed, self.settings.retry_after))
    }

    pub(super) fn id(&self, seq: u64) -> EventId {
        self.epoch.id(seq)
    }

    pub(super) fn lag(&self) -> LagPolicy {
        self.settings.lag
    }

    pub(super) fn farewell(&self) -> Option<Block> {
        self.settings.farewell.clone()
    }

    pub(super) fn announces_places(&self) -> bool {
        self.settings.announce_place
    }

    /// A block without data that moves the client's last event ID.
    pub(super) fn place_block(&self, seq: u64) -> Block {
        Event::empty().with_id(self.id(seq)).encode()
    }

    /// What a subscription begins with. Where something was missed it is there, even if it is empty.
    pub(super) fn first_block(
        &self,
        outcome: Outcome,
        place: Option<u64>,
        first: Option<&Event>,
    ) -> Option<Block> {
        let seq = place?;
        match first {
            Some(first) if outcome.is_lossy() => Some(Block::write(|out| {
                out.push(self.gap_block(seq, false));
                out.push(first.encode_as(Some(&self.id(seq))));
            })),
            Some(first) if outcome == Outcome::Fresh => Some(first.encode_as(Some(&self.id(seq)))),
            _ if outcome.is_lossy() => Some(self.gap_block(seq, false)),
            _ => self.announces_places().then(|| self.place_block(seq)),
        }
    }

    /// What tells of a gap, with the place that follows it; `place` if that is told in any case. Empty
    /// if there is nothing to tell.
    pub(super) fn gap_block(&self, seq: u64, place: bool) -> Block {
        match &self.settings.gap {
            Some(gap) => gap.encode_as(Some(&self.id(seq))),
            None if place || self.announces_places() => self.place_block(seq),
            None => Block::write(|_| ()),
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
