//! Where a client of fed nodes begins.

use super::super::fed_log::{FedEntry, FedLog, FedNode, RingFate};
use super::super::pick;
use super::FedClient;
use crate::hub::delivery::Delivery;
use crate::hub::foreign::{id_of, key_of};
use crate::hub::{Outcome, Start, Subscription};
use crate::protocol::{Event, EventId};

impl FedClient {
    pub(in super::super) fn connect(
        &mut self,
        at: usize,
        node: &FedNode,
        log: &FedLog,
        random: &mut dyn FnMut(usize) -> usize,
    ) {
        let mut stay = self.stays.pop().unwrap();
        (stay.from, stay.except) = (0, Vec::new());
        let is_fresh = self.last == 0 || random(8) == 0;
        *self = Self {
            stays: vec![stay],
            is_filtered: self.is_filtered,
            is_slow: self.is_slow,
            node: at,
            last: self.last,
            told: self.told,
            received: self.received,
            is_waiting: !node.has_begun(),
            is_new: is_fresh,
            ..Self::default()
        };
        if random(5) == 0 {
            self.not_before = pick(&log.all, random).key;
        }
        self.has_first = random(4) == 0;
        let start = match random(5) {
            0 => Start::Oldest,
            1 => Start::After(id_of(pick(&log.all, random).key + random(3) as u128 / 2)),
            2 => Start::Last(random(8)),
            _ => Start::Now,
        };
        self.wish = Some(start.clone());
        let mut id = EventId::EMPTY;
        if is_fresh {
            self.begin_fresh();
        } else {
            let newest = log.newest();
            match random(10) {
                0 => self.last = newest + 1 + random(9) as u128,
                1 => self.last = newest.saturating_sub(random(99) as u128).max(1),
                2 => self.last = 1 + random(9) as u128,
                3 => self.last = pick(&log.all, random).key,
                4 | 5 => {
                    // The end of a run, or the place before it.
                    let is_end = |one: &FedEntry| one.finishes() && self.stay().follows(one.topic);
                    let at = log.all.iter().rposition(is_end);
                    self.last = log.all[at.unwrap_or(0).saturating_sub(random(3) / 2)].key;
                }
                _ => {}
            }
            id = id_of(self.last);
        }
        let key = self.last;
        self.is_strange = log.is_strange(key);
        let mut subscriber = node.hub.subscriber().topics(self.stay().topics.clone());
        if let Some(prefix) = self.stay().prefix {
            subscriber = subscriber.prefix(prefix);
        }
        if self.is_filtered {
            let key = |delivery: &Delivery| key_of(delivery.id().unwrap()).unwrap();
            subscriber = subscriber.filter(move |delivery| key(delivery) % 2 == 0);
        }
        if self.not_before > 0 {
            subscriber = subscriber.not_before(id_of(self.not_before));
        }
        if self.has_first {
            subscriber = subscriber.first(Event::new("first"));
        }
        let subscribed = subscriber.start(start).after(id).subscribe();
        let outcome = subscribed.as_ref().ok().map(Subscription::outcome);
        self.begin(key, outcome, node, log);
        match subscribed {
            Ok(body) => {
                self.check_outcome(body.outcome(), key, node);
                self.handle = Some(body.handle());
                self.body = Some(body);
            }
            Err(refused) => {
                assert!(refused.is_finished() && node.has_begun());
                assert!(is_fresh || key <= node.at, "its node knows nothing");
                let is_over = self
                    .stay()
                    .ends_with(|topic| log.is_finished(topic, node.at));
                assert!(is_over, "refused, and not finished");
                let missing = self.missing(log, self.last, node.at + 1);
                assert!(missing.is_none(), "{missing:?} is refused");
            }
        }
    }

    /// Begins without a last event ID.
    fn begin_fresh(&mut self) {
        (self.last, self.told, self.is_new) = (0, 0, true);
        self.start = self.wish.clone();
        if let Some(Start::After(id)) = &self.start {
            self.last = key_of(id.as_str()).unwrap();
        }
    }

    /// The key after which it begins without a last event ID, unless it begins in the ring.
    pub(super) fn starts_after(&self) -> Option<u128> {
        match self.wish.as_ref()? {
            Start::Oldest => Some(self.not_before),
            Start::After(id) => Some(key_of(id.as_str()).unwrap().max(self.not_before)),
            _ => None,
        }
    }

    /// Begins anew, because it has missed something and is sent an event before all others.
    pub(super) fn begin_anew(&mut self, node: &FedNode, log: &FedLog) {
        self.page = None;
        self.ended_in_pages.clear();
        self.begin_fresh();
        self.told = log.oldest() - 1;
        self.is_strange = log.is_strange(self.last);
        self.begin(self.last, None, node, log);
    }

    /// Determines what it is to be sent.
    pub(super) fn begin(
        &mut self,
        key: u128,
        outcome: Option<Outcome>,
        node: &FedNode,
        log: &FedLog,
    ) {
        match &self.start {
            Some(Start::Now | Start::Last(_)) => {
                if !self.is_waiting {
                    self.begin_in_ring(node, log);
                }
            }
            None if matches!(outcome, Some(Outcome::Resumed(_))) => {
                self.last = key.max(self.not_before.min(node.at));
                self.is_placed = true;
            }
            _ => self.last = key.max(self.not_before),
        }
        self.came = self.last.min(log.newest());
        self.note_trimmed(log);
    }

    /// Begins at the place in the ring where a client without an ID does.
    fn begin_in_ring(&mut self, node: &FedNode, log: &FedLog) {
        let is_over = self.stay().ends_with(|topic| node.is_over(topic, log));
        // Others may follow the same topics and know of ends that the ring has forgotten.
        let may_be_over = self
            .stay()
            .ends_with(|topic| log.is_finished(topic, node.at));
        if may_be_over && !is_over {
            self.told = node.at;
        }
        let floor = self.not_before.min(node.at);
        let list = node
            .having(RingFate::Retained)
            .filter(|one| self.matches(one));
        let list: Vec<_> = list.filter(|one| one.key > floor).collect();
        let most = match &self.start {
            Some(Start::Last(most)) => *most,
            // A run that is over is replayed.
            _ if may_be_over => usize::MAX,
            _ => 0,
        };
        let first = list.len().saturating_sub(most);
        self.last = list.get(first).map_or(node.at, |first| first.key - 1);
        self.excused = node.having(RingFate::Evicted).map(|one| one.key).collect();
        self.came = self.last;
        self.is_placed = true;
    }

    /// A client that starts with the oldest event misses nothing that was trimmed earlier.
    pub(super) fn note_trimmed(&mut self, log: &FedLog) {
        if self.is_new && self.start == Some(Start::Oldest) {
            self.told = log.oldest() - 1;
        }
    }
}
