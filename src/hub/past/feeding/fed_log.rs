//! An outer log of events, ends and marks, and nodes that read it.

use std::sync::{Arc, Mutex};

use super::fed_client::FedClient;
use super::fed_pages::{FedDesk, FedPages};
use super::{LABELS, TOPICS, pick};
use crate::hub::core::{Draft, State};
use crate::hub::delivery::Delivery;
use crate::hub::foreign::id_of;
use crate::hub::outer::{LogEntry, Stored};
use crate::hub::{Hub, LagPolicy, Retention};
use crate::protocol::Event;

const LAGS: [LagPolicy; 4] = [
    LagPolicy::End,
    LagPolicy::End,
    LagPolicy::Oldest,
    LagPolicy::Newest,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FedWhat {
    Event {
        label: Option<&'static str>,
        is_last: bool,
    },
    Finish,
    /// Subscribers that pass it are told of a loss.
    Lost,
    Place,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct FedEntry {
    pub(super) key: u128,
    pub(super) topic: &'static str,
    pub(super) what: FedWhat,
}

impl FedEntry {
    pub(super) fn is_event(&self) -> bool {
        matches!(self.what, FedWhat::Event { .. })
    }

    pub(super) fn finishes(&self) -> bool {
        self.what == FedWhat::Finish || matches!(self.what, FedWhat::Event { is_last: true, .. })
    }

    /// Whether it is replaced by another entry.
    pub(super) fn is_replaced_by(&self, other: &Self) -> bool {
        let label = |one: &Self| match one.what {
            FedWhat::Event { label, .. } => label,
            _ => None,
        };
        let same = self.topic == other.topic && label(self) == label(other);
        same && label(self).is_some() && other.key > self.key
    }

    fn draft(&self) -> Draft {
        let event = Event::new(self.topic);
        let draft = Draft::with_number(event.encode_as(Some(&id_of(self.key))), 0, None);
        let FedWhat::Event { label, is_last } = self.what else {
            return draft;
        };
        let draft = match label {
            Some(label) => draft.with_key(label.into()),
            None => draft,
        };
        if is_last { draft.last() } else { draft }
    }

    pub(super) fn stored(&self) -> LogEntry {
        let what = match self.what {
            FedWhat::Event { label, is_last } => {
                let block = Event::new(self.topic).encode_as(Some(&id_of(self.key)));
                Stored::Event {
                    delivery: Delivery::new(self.topic.into(), block),
                    label: label.map(Into::into),
                    is_last,
                }
            }
            FedWhat::Finish => Stored::Finish(self.topic.into()),
            FedWhat::Lost => Stored::Lost,
            FedWhat::Place => Stored::Place,
        };
        LogEntry {
            key: self.key,
            what,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct FedLog {
    /// All there ever was.
    pub(super) all: Vec<FedEntry>,
    /// The index of the oldest that has not been trimmed.
    pub(super) start: usize,
    pub(super) pages: usize,
}

impl FedLog {
    pub(super) fn oldest(&self) -> u128 {
        self.all[self.start].key
    }

    pub(super) fn newest(&self) -> u128 {
        self.all.last().map_or(0, |last| last.key)
    }

    /// Whether there was never an entry with this key.
    pub(super) fn is_strange(&self, key: u128) -> bool {
        key > 0 && !self.all.iter().any(|one| one.key == key)
    }

    /// The entries after a key and before another.
    pub(super) fn between(&self, after: u128, before: u128) -> impl Iterator<Item = &FedEntry> {
        let entries = self.all.iter();
        entries.filter(move |one| one.key > after && one.key < before)
    }

    /// Whether a topic is finished after this key.
    pub(super) fn is_finished(&self, topic: &str, at: u128) -> bool {
        let upto = self.all.partition_point(|one| one.key <= at);
        let of_topic = |one: &&FedEntry| one.topic == topic && (one.is_event() || one.finishes());
        let last = self.all[..upto].iter().rev().find(of_topic);
        last.is_some_and(FedEntry::finishes)
    }

    /// Appends a random entry.
    pub(super) fn grow(&mut self, random: &mut dyn FnMut(usize) -> usize) {
        let key = self.newest() + 1 + random(5) as u128;
        let mut topic = TOPICS[random(TOPICS.len())];
        let is_finished = self.is_finished(topic, key);
        let what = match random(24) {
            0 | 1 if !is_finished => FedWhat::Finish,
            2..=4 if !is_finished => FedWhat::Event {
                label: LABELS.get(random(5)).copied(),
                is_last: true,
            },
            5 if random(3) == 0 => FedWhat::Lost,
            6 => FedWhat::Place,
            7..=11 => FedWhat::Event {
                label: Some(LABELS[random(LABELS.len())]),
                is_last: false,
            },
            _ => FedWhat::Event {
                label: None,
                is_last: false,
            },
        };
        if matches!(what, FedWhat::Lost | FedWhat::Place) {
            topic = "";
        }
        self.all.push(FedEntry { key, topic, what });
    }
}

/// What became of an entry in a node's ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RingFate {
    Retained,
    Replaced,
    Evicted,
}

/// A node, and what its ring is to have.
pub(super) struct FedNode {
    pub(super) hub: Hub,
    /// It has read up to here.
    pub(super) at: u128,
    /// The place where its ring begins, if it has begun.
    pub(super) begin: Option<u128>,
    /// The ring is still being filled.
    pub(super) is_filling: bool,
    pub(super) ring: Vec<(FedEntry, RingFate)>,
    pub(super) desk: Arc<FedDesk>,
    limits: [usize; 3],
}

impl FedNode {
    pub(super) fn new(
        log: &Arc<Mutex<FedLog>>,
        desk: &Arc<FedDesk>,
        random: &mut dyn FnMut(usize) -> usize,
    ) -> Self {
        let begin = log.lock().unwrap().newest();
        let limits = [1 + random(12), 1 + random(4), 1 + random(6)];
        let settings = Hub::builder()
            .retain_events(limits[0])
            .retain_topic("b", Retention::new().events(limits[1]))
            .retain_prefix("b/", Retention::new().events(limits[2]))
            .lag(*pick(&LAGS, random));
        let pages = FedPages {
            log: Arc::clone(log),
            desk: Arc::clone(desk),
        };
        Self {
            hub: settings.after_key(begin).past(Arc::new(pages)).build(),
            at: begin,
            begin: Some(begin),
            is_filling: false,
            ring: Vec::new(),
            desk: Arc::clone(desk),
            limits,
        }
    }

    fn limit(&self, topic: &str) -> usize {
        match topic {
            "b" => self.limits[1],
            _ if topic.starts_with("b/") => self.limits[2],
            _ => self.limits[0],
        }
    }

    /// Drops the ring, whose subscribers end.
    pub(super) fn break_off(&mut self, at: usize, clients: &mut [FedClient]) {
        self.hub.shared().change(State::break_off);
        (self.begin, self.ring) = (None, Vec::new());
        for client in clients {
            client.is_cut |= client.node == at;
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begin.is_some() && !self.is_filling
    }

    /// Begins the ring after a key, to be filled.
    pub(super) fn begin(&mut self, key: u128) {
        self.hub.shared().with(|state, _| state.fill_after(key));
        (self.begin, self.at) = (Some(key), key);
        self.is_filling = true;
    }

    /// Fills the ring with some of the entries that follow.
    pub(super) fn fill(&mut self, log: &FedLog, most: usize) {
        let after = self.at;
        let entries = log.all.iter().filter(|one| one.key > after);
        let entries = entries.take_while(|one| one.what != FedWhat::Lost);
        for entry in entries.take(most) {
            self.apply(entry);
        }
    }

    pub(super) fn filled(&mut self) {
        self.hub.shared().with(State::filled);
        self.is_filling = false;
    }

    fn begin_again(&mut self, at: usize, key: u128, clients: &mut [FedClient]) {
        self.break_off(at, clients);
        self.begin(key);
        self.filled();
    }

    /// Reads some entries.
    pub(super) fn feed(&mut self, at: usize, log: &FedLog, most: usize, clients: &mut [FedClient]) {
        if !self.has_begun() {
            return;
        }
        if self.at < log.oldest() {
            // The log was trimmed past it.
            self.begin_again(at, log.oldest() - 1, clients);
        }
        let after = self.at;
        for entry in log.all.iter().filter(|one| one.key > after).take(most) {
            if entry.what == FedWhat::Lost {
                self.begin_again(at, entry.key, clients);
                continue;
            }
            self.apply(entry);
            for client in clients.iter_mut().filter(|client| client.node == at) {
                client.note(entry);
            }
        }
    }

    fn apply(&mut self, entry: &FedEntry) {
        let key = entry.key;
        let done = self.hub.shared().with(|state, wakes| match entry.what {
            FedWhat::Event { .. } => state
                .append(entry.topic, entry.draft(), key, wakes)
                .map(|_| ()),
            FedWhat::Finish => state.pass_entry(Some(entry.topic), key, wakes),
            FedWhat::Lost | FedWhat::Place => state.pass_entry(None, key, wakes),
        });
        done.unwrap();
        self.at = key;
        if !entry.is_event() {
            return;
        }
        for (before, fate) in &mut self.ring {
            if *fate == RingFate::Retained && before.is_replaced_by(entry) {
                *fate = RingFate::Replaced;
            }
        }
        self.ring.push((*entry, RingFate::Retained));
        let limit = self.limit(entry.topic);
        let of_topic = self
            .ring
            .iter_mut()
            .filter(|(one, fate)| one.topic == entry.topic && *fate == RingFate::Retained);
        let mut of_topic: Vec<_> = of_topic.collect();
        let beyond = of_topic.len().saturating_sub(limit);
        for (_, fate) in &mut of_topic[..beyond] {
            *fate = RingFate::Evicted;
        }
        let retained = self
            .ring
            .iter()
            .filter(|(_, fate)| *fate == RingFate::Retained);
        assert_eq!(self.hub.stats().retained, retained.count());
        // An entry is read once.
        let again = self.hub.append(entry.topic, &Event::new("again"), key);
        assert!(again.is_err());
    }

    /// Whether a topic is finished for new clients.
    pub(super) fn is_over(&self, topic: &str, log: &FedLog) -> bool {
        let is_known = self
            .having(RingFate::Retained)
            .any(|one| one.topic == topic);
        is_known && log.is_finished(topic, self.at)
    }

    /// The entries of the ring with a fate.
    pub(super) fn having(&self, fate: RingFate) -> impl Iterator<Item = &FedEntry> {
        let ring = self.ring.iter().filter(move |(_, one)| *one == fate);
        ring.map(|(entry, _)| entry)
    }
}
