//! An outer log of events, ends and marks, and nodes that read it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use super::{LABELS, TOPICS, fed_client::FedClient};
use crate::hub::core::{Draft, State};
use crate::hub::delivery::Delivery;
use crate::hub::foreign::id_of;
use crate::hub::outer::{Anchor, LogEntry, Page, PageFuture, Past, Stored};
use crate::hub::{Hub, LagPolicy, Retention};
use crate::protocol::Event;

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

    fn stored(&self) -> LogEntry {
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
            2 | 3 if !is_finished => FedWhat::Event {
                label: LABELS.get(random(5)).copied(),
                is_last: true,
            },
            4 if random(3) == 0 => FedWhat::Lost,
            5 => FedWhat::Place,
            6..=11 => FedWhat::Event {
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

/// The pages of the log, each of which is ready after some polls.
#[derive(Debug)]
pub(super) struct FedPages {
    pub(super) log: Arc<Mutex<FedLog>>,
    pub(super) polls: Arc<AtomicUsize>,
}

impl Past for FedPages {
    fn page(&self, after: u128) -> PageFuture {
        let log = Arc::clone(&self.log);
        let mut polls = self.polls.load(Ordering::Relaxed);
        Box::pin(std::future::poll_fn(move |cx| {
            if polls > 0 {
                polls -= 1;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let mut log = log.lock().unwrap();
            log.pages += 1;
            let there = &log.all[log.start..];
            let at = there.partition_point(|one| one.key < after);
            let known = there.get(at).is_some_and(|one| one.key == after);
            let page = there[at..].iter().take(4 + usize::from(known));
            let mut entries: Vec<LogEntry> = page.map(FedEntry::stored).collect();
            Stored::drop_replaced(&mut entries);
            let is_known = known || after == 0;
            Poll::Ready(Page {
                anchor: if is_known {
                    Anchor::Present
                } else {
                    Anchor::Gone
                },
                from: usize::from(known),
                newest: log.newest(),
                is_end: entries.last().is_none_or(|last| last.key == log.newest()),
                entries: entries.into(),
            })
        }))
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
    pub(super) ring: Vec<(FedEntry, RingFate)>,
    limits: [usize; 3],
}

impl FedNode {
    pub(super) fn new(
        log: &Arc<Mutex<FedLog>>,
        polls: &Arc<AtomicUsize>,
        random: &mut dyn FnMut(usize) -> usize,
    ) -> Self {
        let begin = log.lock().unwrap().newest();
        let limits = [1 + random(12), 1 + random(4), 1 + random(6)];
        let settings = Hub::builder()
            .retain_events(limits[0])
            .retain_topic("b", Retention::new().events(limits[1]))
            .retain_prefix("b/", Retention::new().events(limits[2]))
            .lag(LagPolicy::End);
        let pages = FedPages {
            log: Arc::clone(log),
            polls: Arc::clone(polls),
        };
        Self {
            hub: settings.after_key(begin).past(Arc::new(pages)).build(),
            at: begin,
            begin: Some(begin),
            ring: Vec::new(),
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

    /// Begins the ring after a key, with some of the entries that follow.
    pub(super) fn begin(&mut self, key: u128, log: &FedLog, most: usize) {
        self.hub.shared().with(|state, _| state.fill_after(key));
        (self.begin, self.at) = (Some(key), key);
        let entries = log.all.iter().filter(|one| one.key > key);
        let entries = entries.take_while(|one| one.what != FedWhat::Lost);
        for entry in entries.take(most) {
            self.apply(entry);
        }
        self.hub.shared().with(State::filled);
    }

    /// Reads some entries.
    pub(super) fn feed(&mut self, at: usize, log: &FedLog, most: usize, clients: &mut [FedClient]) {
        if self.begin.is_none() {
            return;
        }
        if self.at < log.oldest() {
            // The log was trimmed past it.
            self.break_off(at, clients);
            self.begin(log.oldest() - 1, log, 0);
        }
        let after = self.at;
        for entry in log.all.iter().filter(|one| one.key > after).take(most) {
            if entry.what == FedWhat::Lost {
                self.break_off(at, clients);
                self.begin(entry.key, log, 0);
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
