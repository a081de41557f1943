use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::task::Waker;

use super::gate::Gate;
use super::group::{Key, View};
use super::log::{Log, Retention};
use super::topics::Topics;
use super::wake_list::{Ticket, Wakes};
use crate::hub::outcome::Outcome;
use crate::hub::stats::Stats;
use crate::protocol::{Block, EventId};
use crate::sync::{Arc, AtomicU64};

/// From how many bytes on a frame takes no further event.
pub(in crate::hub) const FRAME: usize = 64 * 1024;

/// Everything that publishers and subscribers share, behind one lock that is never held while a
/// task is woken or a user's function called.
#[derive(Debug)]
pub(in crate::hub) struct State {
    pub(in crate::hub) log: Log,
    pub(in crate::hub) topics: Topics,
    /// By slot; one without subscribers is a free slot.
    pub(in crate::hub) views: Vec<View>,
    free_views: Vec<usize>,
    by_key: BTreeMap<Key, usize>,
    pub(in crate::hub) places: Vec<Place>,
    free_places: Vec<usize>,
    /// The number of the next event; the first has 1.
    pub(in crate::hub) next: u64,
    pub(in crate::hub) gate: Gate,
    /// Bytes in merged frames that views remember, and their bound.
    pub(in crate::hub) merged: usize,
    pub(in crate::hub) merged_limit: usize,
    /// Subscribers whose share is below this are to end.
    pub(in crate::hub) closed_to: u64,
    /// While a linger runs, the views that have news.
    pub(in crate::hub) lingering: Option<Vec<usize>>,
    pub(in crate::hub) lingers: usize,
    /// Waits for the first news.
    pub(in crate::hub) linger_task: Option<Waker>,
    pub(in crate::hub) counters: Stats,
    pub(in crate::hub) scratch: Vec<u64>,
}

/// Where a subscriber stands.
#[derive(Debug)]
pub(in crate::hub) struct Place {
    pub(in crate::hub) cursor: u64,
    pub(in crate::hub) view: usize,
    pub(in crate::hub) live: bool,
    /// No publisher waits for it until it has come on.
    pub(in crate::hub) excused: bool,
}

/// A subscriber's side of its place.
#[derive(Debug)]
pub(in crate::hub) struct Seat {
    pub(in crate::hub) place: usize,
    pub(in crate::hub) view: usize,
    /// What comes before this is replayed: history, and nothing transient.
    pub(in crate::hub) live_from: u64,
    pub(in crate::hub) ticket: Ticket,
    pub(in crate::hub) round: Arc<AtomicU64>,
}

/// All shares together: closed to this, every subscriber ends.
pub(in crate::hub) const ALL_SHARES: u64 = 1 << 32;

impl Seat {
    /// Which share of the subscribers it belongs to when they end one share after the other: spread
    /// evenly by the golden ratio.
    pub(in crate::hub) fn share(&self) -> u64 {
        (self.place as u64).wrapping_mul(0x9e37_79b9) % ALL_SHARES
    }
}

impl Seat {
    /// Whether the task will be woken and has nothing to look for until then. A round ends before
    /// its tasks are woken: who still sees its own is woken later.
    #[inline]
    pub(in crate::hub) fn is_waiting(&self, task: &Waker) -> bool {
        self.ticket.holds(self.round.load(Ordering::Acquire), task)
    }
}

/// What a client says it saw last.
#[derive(Debug, Clone, Copy)]
pub(in crate::hub) enum Last {
    Nothing,
    Unknown,
    Event(u64),
}

impl State {
    pub(in crate::hub) fn new(retention: Retention) -> Self {
        Self {
            log: Log::new(retention),
            topics: Topics::new(),
            views: Vec::new(),
            free_views: Vec::new(),
            by_key: BTreeMap::new(),
            places: Vec::new(),
            free_places: Vec::new(),
            next: 1,
            gate: Gate::default(),
            merged: 0,
            merged_limit: retention.bytes.max(4 * FRAME),
            closed_to: 0,
            lingering: None,
            lingers: 0,
            linger_task: None,
            counters: Stats::default(),
            scratch: Vec::new(),
        }
    }

    /// Appends an event to the log.
    pub(in crate::hub) fn publish(
        &mut self,
        topic: &str,
        wakes: &mut Wakes,
        encode: impl FnOnce(u64) -> (Block, Option<EventId>),
    ) {
        let seq = self.number();
        let slot = match self.topics.find(topic) {
            Some(slot) => slot,
            None => self.enter(topic),
        };
        let (block, id) = encode(seq);
        self.topics.get_mut(slot).retained.push_back(seq);
        self.log.push(seq, slot, block, id);
        self.tell(slot, seq, wakes);
        if self.evict() {
            // Whoever has lost something is not waited for.
            self.gate.reopen(wakes);
        }
    }

    /// Hands an event to those who follow the topic now, and keeps it out of the history.
    pub(in crate::hub) fn publish_transient(
        &mut self,
        topic: &str,
        block: Block,
        wakes: &mut Wakes,
    ) {
        let seq = self.number();
        let slot = match self.topics.find(topic) {
            Some(slot) => slot,
            // Somebody may follow a prefix of it.
            None => self.enter(topic),
        };
        if self.topics.get(slot).views.is_empty() {
            if self.topics.is_idle(slot) {
                self.remove_topic(slot);
            }
            return;
        }
        self.topics.pin(slot);
        self.log.push_transient(seq, slot, block);
        self.tell(slot, seq, wakes);
        while let Some(entry) = self.log.evict_transient() {
            if self.topics.unpin(entry.topic) {
                self.remove_topic(entry.topic);
            }
        }
    }

    fn number(&mut self) -> u64 {
        let seq = self.next;
        self.next += 1;
        self.counters.published += 1;
        seq
    }

    fn enter(&mut self, topic: &str) -> usize {
        let slot = self.topics.enter(topic);
        for view in &self.topics.get(slot).views {
            let view = &mut self.views[*view];
            if !view.key.is_everything() {
                view.topics.insert(slot);
            }
        }
        slot
    }

    fn tell(&mut self, slot: usize, seq: u64, wakes: &mut Wakes) {
        for index in &self.topics.get(slot).views {
            let view = &mut self.views[*index];
            view.jump = (view.head, seq);
            view.head = seq + 1;
            match &mut self.lingering {
                None => view.end_round(*index, wakes),
                Some(_) if view.lingering => {}
                Some(views) => {
                    view.lingering = true;
                    views.push(*index);
                    wakes.add(self.linger_task.take().into_iter().collect());
                }
            }
        }
    }

    /// Lets go of what is beyond the bounds; true if there was something.
    pub(in crate::hub) fn evict(&mut self) -> bool {
        let now = self.log.now();
        let mut some = false;
        while let Some(entry) = self.log.evict(now) {
            let topic = self.topics.get_mut(entry.topic);
            topic.retained.pop_front();
            topic.lost_to = entry.seq + 1;
            for view in &topic.views {
                self.views[*view].lost_to = entry.seq + 1;
            }
            if self.topics.is_idle(entry.topic) {
                self.remove_topic(entry.topic);
            }
            some = true;
        }
        some
    }

    fn remove_topic(&mut self, slot: usize) {
        for view in self.topics.remove(slot) {
            self.views[view].topics.remove(&slot);
        }
    }

    /// A place in the view of these topics, after what the client saw last.
    pub(in crate::hub) fn subscribe(
        &mut self,
        key: Key,
        last: Last,
        skip: bool,
    ) -> (Seat, Outcome) {
        self.evict();
        let index = match self.by_key.get(&key) {
            Some(index) => *index,
            None => self.enter_view(key),
        };
        let (head, lost_to) = (self.views[index].head, self.views[index].lost_to);
        let (outcome, cursor) = match last {
            Last::Nothing => (Outcome::Fresh, head),
            Last::Event(seq) if seq < self.next => {
                if seq + 1 < lost_to {
                    (Outcome::Gap, if skip { head } else { lost_to })
                } else {
                    let missed = self.count_from(index, seq + 1);
                    let cursor = if missed == 0 { head } else { seq + 1 };
                    (Outcome::Resumed(missed), cursor)
                }
            }
            Last::Event(_) | Last::Unknown => (Outcome::Unknown, head),
        };
        self.counters.gaps += u64::from(outcome.is_lossy());
        self.counters.subscribers += 1;
        let view = &mut self.views[index];
        view.subscribers += 1;
        self.gate.enter(view.effective(cursor));
        let place = Place {
            cursor,
            view: index,
            live: true,
            excused: false,
        };
        let slot = if let Some(slot) = self.free_places.pop() {
            self.places[slot] = place;
            slot
        } else {
            self.places.push(place);
            self.places.len() - 1
        };
        let seat = Seat {
            place: slot,
            view: index,
            live_from: head,
            ticket: Ticket::default(),
            round: view.round(),
        };
        (seat, outcome)
    }

    fn enter_view(&mut self, key: Key) -> usize {
        let index = self.free_views.pop().unwrap_or(self.views.len());
        let view = View::new(key.clone(), self.next, 0);
        if index == self.views.len() {
            self.views.push(view);
        } else {
            let old = std::mem::replace(&mut self.views[index], view);
            self.views[index].succeed(old);
        }
        for name in key.topics() {
            let slot = match self.topics.find(name) {
                Some(slot) => slot,
                None => self.enter(name),
            };
            self.topics.pin(slot);
            self.follow(index, slot);
        }
        for prefix in key.prefixes() {
            let under: Vec<usize> = self.topics.under(prefix).collect();
            for slot in under {
                self.follow(index, slot);
            }
            let forgotten_to = self.topics.forgotten_to();
            let view = &mut self.views[index];
            view.lost_to = view.lost_to.max(forgotten_to);
        }
        self.topics.add_prefixes(&key, index);
        self.by_key.insert(key, index);
        index
    }

    fn follow(&mut self, index: usize, slot: usize) {
        let view = &mut self.views[index];
        let topic = self.topics.get_mut(slot);
        topic.views.push(index);
        view.lost_to = view.lost_to.max(topic.lost_to);
        if !view.key.is_everything() {
            view.topics.insert(slot);
        }
    }

    /// Gives a place up.
    pub(in crate::hub) fn leave(&mut self, seat: &mut Seat, wakes: &mut Wakes) {
        let view = &mut self.views[seat.view];
        let cursor = self.places[seat.place].cursor;
        self.gate.leave(view.effective(cursor), wakes);
        self.places[seat.place].live = false;
        self.free_places.push(seat.place);
        view.leave(&mut seat.ticket, wakes);
        view.subscribers -= 1;
        if view.subscribers == 0 {
            self.remove_view(seat.view);
        }
        self.counters.subscribers -= 1;
        if self.counters.subscribers == 0 {
            self.gate.empty(wakes);
        }
    }

    fn remove_view(&mut self, index: usize) {
        let view = &mut self.views[index];
        self.merged -= view.forget();
        let key = view.key.clone();
        let slots = std::mem::take(&mut view.topics);
        if let Some(lingering) = &mut self.lingering {
            lingering.retain(|other| *other != index);
        }
        self.by_key.remove(&key);
        self.topics.remove_prefixes(&key, index);
        if key.is_everything() {
            self.topics.unfollow_all(index);
        }
        for slot in slots {
            self.topics
                .get_mut(slot)
                .views
                .retain(|other| *other != index);
        }
        for name in key.topics() {
            if let Some(slot) = self.topics.find(name) {
                if self.topics.unpin(slot) {
                    self.remove_topic(slot);
                }
            }
        }
        self.free_views.push(index);
    }

    /// Takes all waiting tasks out.
    pub(in crate::hub) fn end_rounds(&mut self, wakes: &mut Wakes) {
        for (index, view) in self.views.iter_mut().enumerate() {
            view.lingering = false;
            view.end_round(index, wakes);
        }
        if let Some(lingering) = &mut self.lingering {
            lingering.clear();
        }
    }

    /// Takes out the tasks that wait for what has gathered.
    pub(in crate::hub) fn end_linger(&mut self, wakes: &mut Wakes) {
        for index in self.lingering.iter_mut().flat_map(|views| views.drain(..)) {
            let view = &mut self.views[index];
            view.lingering = false;
            view.end_round(index, wakes);
        }
    }

    pub(in crate::hub) fn stats(&self) -> Stats {
        let (retained, retained_bytes) = self.log.retained();
        Stats {
            topics: self.topics.len(),
            retained,
            retained_bytes,
            ..self.counters
        }
    }
}
