use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::task::Waker;

use bytes::Bytes;

use super::core::{
    ALL_SHARES, Begin, Draft, Floor, Key, Last, Over, Seat, State, Taken, Terms, Wakes, patch_id,
};
use super::epoch::{Epoch, Turn};
use super::hub_settings::HubSettings;
use super::outcome::Outcome;
use super::place::{PlaceId, Subscribed};
use super::refused::{Obstacle, Refused};
use super::tail::Tail;
use super::trace;
use crate::protocol::{Block, Event, EventId};
use crate::sync::{Arc, AtomicU64, Mutex, MutexGuard};

/// The state that a hub shares with its subscriptions.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// The number of the next event, as far as it is known without the lock.
    next: AtomicU64,
    /// The place that all subscribers have reached, as far as it is known.
    floor: Arc<Floor>,
    /// The number of changes so far that a waiting subscriber has to look at.
    changes: AtomicU64,
    /// The number of `Hub` handles.
    hubs: AtomicU64,
    pub(super) epoch: Epoch,
    pub(super) settings: HubSettings,
    #[cfg(feature = "compression")]
    pub(super) tracks: std::sync::Arc<super::packed::Tracks>,
}

impl Shared {
    pub(super) fn new(state: State, epoch: Epoch, settings: HubSettings) -> Self {
        #[cfg(feature = "compression")]
        let compression = settings.compression.clone();
        Self {
            next: AtomicU64::new(state.next()),
            floor: state.floor_of_all(),
            state: Mutex::new(state),
            changes: AtomicU64::new(0),
            hubs: AtomicU64::new(0),
            epoch,
            settings,
            #[cfg(feature = "compression")]
            tracks: std::sync::Arc::new(super::packed::Tracks::new(compression)),
        }
    }

    /// No user code runs under the lock, so a panic that poisons it does not come from the user,
    /// and leaves the state consistent.
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state. Once the lock is released, wakes the tasks concerned and drops what was
    /// removed.
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

    /// Like [`with`](Self::with), for changes that waiting subscribers have to look at.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut State, &mut Wakes) -> R) -> R {
        self.with(|state, wakes| {
            let result = change(state, wakes);
            self.changes.store(state.changes(), Ordering::Release);
            result
        })
    }

    /// The number of such [changes](Self::change) so far.
    #[inline]
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Whether all subscribers are known to be at most `distance` behind.
    #[inline]
    pub(super) fn are_near(&self, distance: u64) -> bool {
        let next = self.next.load(Ordering::Relaxed);
        self.floor.get() >= next.saturating_sub(distance)
    }

    #[inline(never)]
    fn wake(&self, wakes: &mut Wakes) {
        let until = wakes.until();
        let woken = catch_unwind(AssertUnwindSafe(|| self.wake_once(wakes)));
        if let Some(topic) = wakes.sparse() {
            self.shrink_followers(topic);
        }
        let spread = until.map_or(Ok(()), |until| self.spread(until));
        if let Err(panic) = woken.and(spread) {
            resume_unwind(panic);
        }
    }

    fn wake_once(&self, wakes: &mut Wakes) {
        wakes.wake();
        if wakes.sheets().next().is_some() {
            let mut state = self.lock();
            for sheet in wakes.sheets() {
                state.give_back(sheet);
            }
        }
    }

    /// Lets a change reach its groups slice by slice, even if a waker panics. Others get the lock
    /// in between.
    #[cold]
    fn spread(&self, mut until: u64) -> std::thread::Result<()> {
        let mut result = Ok(());
        loop {
            let mut wakes = Wakes::default();
            let done = self.lock().spread(until, &mut wakes);
            let further = wakes.until().filter(|further| *further > until);
            until = further.unwrap_or(until);
            // What is dropped may panic too.
            let woken = catch_unwind(AssertUnwindSafe(move || self.wake_once(&mut wakes)));
            result = result.and(woken);
            if done && further.is_none() {
                return result;
            }
        }
    }

    /// Publishes an event, under its own ID if `own_id` is set and the hub accepts that ID.
    pub(super) fn publish(
        &self,
        topic: &str,
        event: &Event,
        own_id: bool,
        label: impl Fn(Draft) -> Draft,
    ) -> EventId {
        let own = event.id().filter(|id| own_id && self.takes(id));
        if let Some(id) = own {
            let draft = Draft::with_id(event.encode_as(Some(id)), id.clone());
            // Its ID does not depend on its number.
            _ = self.append(topic, label(draft), self.epoch.turn());
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
            match self.append(topic, label(draft), turn) {
                Some(seq) if seq == guess => return id,
                Some(seq) => return self.epoch.id(seq),
                // Other publishers were faster, and the number now has more digits.
                None => {}
            }
        }
    }

    #[inline]
    fn append(&self, topic: &str, draft: Draft, turn: Turn<'_>) -> Option<u64> {
        self.with(|state, wakes| {
            let seq = state.publish(topic, draft, wakes);
            self.next.store(state.next(), Ordering::Relaxed);
            // Before tasks are woken: one of them may publish.
            drop(turn);
            seq
        })
    }

    /// Finishes a topic where it is and returns the ID of its end.
    pub(super) fn finish(&self, topic: &str) -> EventId {
        let place = self.with(|state, wakes| state.finish(topic, wakes));
        self.epoch.id(place)
    }

    pub(super) fn publish_transient(&self, topic: &str, block: Block) {
        let turn = self.epoch.turn();
        self.with(|state, wakes| {
            state.publish_transient(topic, block, wakes);
            self.next.store(state.next(), Ordering::Relaxed);
            drop(turn);
        });
    }

    /// Takes a pending event or a frame, as [`State::take_shared`] does.
    #[inline(never)]
    pub(super) fn take_shared(&self, seat: &mut Seat, task: &Waker) -> Option<Bytes> {
        #[cfg(feature = "compression")]
        if super::packed::is_wanted() {
            return self.take_shared_packed(seat, task);
        }
        self.lock().take_shared(seat, task, true)
    }

    /// Takes the pending events as one frame, as [`State::take`] does.
    #[inline]
    pub(super) fn take(&self, seat: &mut Seat) -> Taken {
        #[cfg(feature = "compression")]
        if super::packed::is_wanted() {
            return self.take_packed(seat);
        }
        self.with(|state, wakes| state.take(seat, wakes))
    }

    /// Whether an event can be published under this ID of its own. An ID of the hub's form cannot
    /// be: it would denote another place.
    fn takes(&self, id: &EventId) -> bool {
        self.settings.keep_event_ids && !id.is_empty() && self.epoch.parse(id.as_str()).is_none()
    }

    /// The place of an ID; nothing for no ID.
    pub(super) fn last(&self, id: Option<EventId>) -> Last {
        let id = id.filter(|id| !id.is_empty());
        #[cfg(any(test, feature = "redis"))]
        if let (true, Some(id)) = (self.settings.foreign, &id) {
            let key = super::foreign::key_of(id.as_str());
            return key.map_or_else(|| Last::Own(id.clone()), Last::Key);
        }
        match id {
            None => Last::Nothing,
            Some(id) => match self.epoch.parse(id.as_str()) {
                Some(seq) => Last::Event(seq),
                None => Last::Own(id),
            },
        }
    }

    /// Adds a subscriber to these topics.
    pub(super) fn subscribe(
        &self,
        key: Key,
        begin: &Begin,
        terms: Option<Box<Terms>>,
    ) -> Result<Subscribed, Refused> {
        self.evict();
        self.load(&key, begin);
        let subscribed = self.with(|state, wakes| {
            let subscribed =
                match self.refuses(state, terms.as_ref().and_then(|terms| terms.owner())) {
                    // With finished topics it would not count against any limit.
                    Some(why) => Err(match state.refuses(key, begin, wakes) {
                        Some(Over::Finished) => Obstacle::Finished,
                        _ => why,
                    }),
                    None => state
                        .subscribe(key, begin, terms, wakes)
                        .map(|come| self.receive(state, begin, come))
                        .map_err(Obstacle::from),
                };
            if subscribed.is_err() {
                state.refuse();
            }
            subscribed
        });
        match &subscribed {
            Ok(subscribed) => trace::subscribed(subscribed.outcome),
            Err(why) => trace::refused(*why),
        }
        subscribed.map_err(|why| Refused::new(why, self.settings.retry_after))
    }

    /// Why a subscriber of this owner would be refused now, whatever its topics.
    fn refuses(&self, state: &State, owner: Option<&str>) -> Option<Obstacle> {
        let most = self.settings.max_per_owner;
        let full = if owner.is_some_and(|owner| state.owned(owner) >= most) {
            Some(Obstacle::TooMany)
        } else {
            let full = state.subscribers() >= self.settings.max_subscribers;
            full.then_some(Obstacle::Full)
        };
        // A hub that is fully closed may still have something to replay.
        let closed = state.is_closing() || (full.is_some() && state.is_closed());
        if closed { Some(Obstacle::Closed) } else { full }
    }

    /// Why such a subscriber would be refused now, if at all.
    pub(super) fn refusal(&self, key: Key, begin: &Begin, owner: Option<&str>) -> Option<Refused> {
        self.evict();
        self.load(&key, begin);
        let why = self.with(|state, wakes| {
            let why = self.refuses(state, owner);
            let over = state.refuses(key, begin, wakes);
            let over_first = why.filter(|_| over != Some(Over::Finished));
            over_first.or(over.map(Obstacle::from))
        });
        why.map(|why| Refused::new(why, self.settings.retry_after))
    }

    /// Evicts events that are too old. Others get the lock in between.
    fn evict(&self) {
        while !self.with(State::evict) {}
    }

    /// Loads the events that a new subscriber may need. Others get the lock in between, and may
    /// remove the group with what was loaded: after some pieces, the rest is left to `subscribe`.
    fn load(&self, key: &Key, begin: &Begin) {
        for _ in 0..1000 {
            if self.with(|state, wakes| state.load(key, begin, wakes)) {
                return;
            }
        }
    }

    pub(super) fn tail(&self) -> Tail {
        self.evict();
        self.with(|state, wakes| state.tail(self.epoch.number(), wakes))
    }

    #[cfg(any(test, feature = "redis"))]
    pub(super) fn past(&self) -> Option<&std::sync::Arc<dyn super::outer::Past>> {
        self.settings.past.as_ref()
    }

    pub(super) fn farewell(&self) -> Option<Block> {
        self.settings.farewell.clone()
    }

    pub(super) fn announces_places(&self) -> bool {
        self.settings.announce_place
    }

    /// A block without data that advances the client's last event ID.
    pub(super) fn place_block(&self, id: &EventId) -> Block {
        Event::empty().with_id(id).encode()
    }

    /// The first block of a subscription. It is `Some` if events were missed, even if it is empty.
    pub(super) fn first_block(
        &self,
        outcome: Outcome,
        place: Option<PlaceId>,
        first: Option<&Event>,
    ) -> Option<Block> {
        let id = &self.id(place?);
        match first {
            Some(first) if outcome.is_lossy() => Some(Block::write(|out| {
                out.push(self.gap_block(id, false));
                out.push(first.encode_as(Some(id)));
            })),
            Some(first) if outcome == Outcome::Fresh => Some(first.encode_as(Some(id))),
            _ if outcome.is_lossy() => Some(self.gap_block(id, false)),
            _ => self.announces_places().then(|| self.place_block(id)),
        }
    }

    /// The gap event, with the place that follows the gap; without a gap event, the place alone, if
    /// `place` is set or places are announced. Otherwise empty.
    pub(super) fn gap_block(&self, id: &EventId, place: bool) -> Block {
        match &self.settings.gap {
            Some(gap) => gap.encode_as(Some(id)),
            None if place || self.announces_places() => self.place_block(id),
            None => Block::write(|_| ()),
        }
    }

    pub(super) fn close_to(&self, share: u64) {
        if self.change(|state, wakes| state.close_to(share, wakes)) {
            trace::closed(share);
        }
    }

    pub(super) fn close(&self) {
        self.close_to(ALL_SHARES);
    }

    /// Counts a new `Hub` handle.
    pub(super) fn enter(&self) {
        self.hubs.fetch_add(1, Ordering::Relaxed);
    }

    /// Drops a `Hub` handle. After the last, nothing can be published any more.
    pub(super) fn leave(&self) {
        if self.hubs.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.close();
        }
    }
}
