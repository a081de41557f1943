//! A Redis with one stream, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use super::super::entry::StreamEntry;
use super::super::exchange::{Ask, Reply};
use super::super::unread::Unread;
use super::say;
use crate::hub::delivery::Delivery;
use crate::hub::foreign::id_of;
use crate::hub::outer::{Anchor, LogEntry, Page, PageFuture, Past, Stored};
use crate::protocol::Event;

/// A published event.
#[derive(Debug, Clone, Copy)]
pub(super) struct SimEvent {
    pub(super) topic: &'static str,
    pub(super) key: u128,
    /// A node has read it, or its publisher was told its ID by a node.
    pub(super) is_seen: bool,
    pub(super) fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Stored,
    Trimmed,
    /// Lost from the stream's end. If no node had read it, no node knows.
    Lost,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum SimRecord {
    Event(usize),
    Begin,
    Lost,
}

/// Redis.
#[derive(Debug, Default)]
pub(super) struct SimStream {
    pub(super) records: BTreeMap<u128, SimRecord>,
    pub(super) published: Vec<SimEvent>,
    pub(super) clock: u64,
    pub(super) last: u128,
    /// Keeps the IDs of different runs of the server apart. A stream that is lost entirely
    /// starts over, so that its IDs could repeat.
    pub(super) life: u64,
    pub(super) pages: usize,
    /// No node has yet to find a loss.
    pub(super) is_settled: bool,
    /// How often the tail was lost.
    pub(super) losses: usize,
    /// All marks so far, with the number of losses before each.
    pub(super) marks: BTreeMap<u128, usize>,
    /// Marks of losses whose place had been trimmed, perhaps together with an earlier mark.
    pub(super) late: BTreeSet<u128>,
    /// What was trimmed.
    pub(super) trimmed: BTreeSet<u128>,
    /// What was lost, and by which loss.
    pub(super) lost: BTreeMap<u128, usize>,
}

impl SimStream {
    pub(super) fn id(&mut self) -> u128 {
        let by_clock = (u128::from(self.clock) << 64) + u128::from(self.life * 1_000_000);
        self.last = by_clock.max(self.last + 1);
        self.last
    }

    /// Appends the first entry, with an ID that is ahead of the time.
    fn begin(&mut self) {
        self.last = self.last.max(u128::from(self.clock + 1) << 64);
        self.records.insert(self.last, SimRecord::Begin);
    }

    pub(super) fn publish(&mut self, topic: &'static str, is_seen: bool) -> u128 {
        if self.records.is_empty() {
            self.begin();
        }
        let key = self.id();
        self.records
            .insert(key, SimRecord::Event(self.published.len()));
        self.published.push(SimEvent {
            topic,
            key,
            is_seen,
            fate: Fate::Stored,
        });
        key
    }

    /// Notes that a node has read these entries.
    pub(super) fn see(&mut self, keys: impl Iterator<Item = u128>) {
        for key in keys {
            if let Some(SimRecord::Event(number)) = self.records.get(&key) {
                self.published[*number].is_seen = true;
            }
        }
    }

    pub(super) fn remove(&mut self, keys: Vec<u128>, fate: Fate) {
        say(|| {
            format!(
                "{fate:?} {:?}",
                keys.iter().map(|key| id_of(*key)).collect::<Vec<_>>()
            )
        });
        for key in keys {
            match fate {
                Fate::Lost => _ = self.lost.insert(key, self.losses),
                Fate::Trimmed | Fate::Stored => _ = self.trimmed.insert(key),
            }
            if let Some(SimRecord::Event(number)) = self.records.remove(&key) {
                self.published[number].fate = fate;
            }
        }
    }

    pub(super) fn trim(&mut self, count: usize) {
        let oldest = self.records.keys().copied().take(count).collect();
        self.remove(oldest, Fate::Trimmed);
    }

    pub(super) fn lose_tail(&mut self, count: usize) {
        self.losses += 1;
        // By now, no ID is ahead of the time.
        self.clock = self.clock.max((self.last >> 64) as u64);
        let newest = self.records.keys().rev().copied().take(count).collect();
        self.remove(newest, Fate::Lost);
        self.last = self.newest();
        if self.records.is_empty() {
            self.life = 0;
        } else {
            self.life += 1;
        }
    }

    pub(super) fn entry(&self, key: u128, record: SimRecord) -> StreamEntry {
        let what = match record {
            SimRecord::Begin => Stored::Begin,
            SimRecord::Lost => Stored::Lost,
            SimRecord::Event(number) => {
                let event = Event::new(number.to_string());
                let topic = self.published[number].topic.into();
                Stored::Event {
                    delivery: Delivery::new(topic, event.encode_as(Some(&id_of(key)))),
                    label: None,
                    is_last: false,
                }
            }
        };
        let print = match record {
            SimRecord::Event(number) => number as u64,
            SimRecord::Begin => u64::MAX,
            SimRecord::Lost => u64::MAX - 1,
        };
        StreamEntry {
            entry: LogEntry { key, what },
            // Few fit into a batch.
            size: 1 << 20,
            print,
            is_skipped: false,
        }
    }

    /// What became of an entry; `None` while a node may still append a mark.
    fn anchor(&self, key: u128) -> Option<Anchor> {
        if key == 0 || self.records.contains_key(&key) {
            return Some(Anchor::Present);
        }
        match self.records.keys().next() {
            // Trimmed, or flushed.
            Some(oldest) if *oldest > key => return Some(Anchor::Gone),
            Some(_) => {}
            // An empty stream has no place to tell.
            None => return None,
        }
        let mut later = self.records.range(key..).map(|(_, record)| record);
        match later.any(|record| matches!(record, SimRecord::Lost)) {
            true => Some(Anchor::Marked),
            false => self.is_settled.then_some(Anchor::Gone),
        }
    }

    pub(super) fn newest(&self) -> u128 {
        self.records.keys().last().copied().unwrap_or(0)
    }

    pub(super) fn answer(&mut self, ask: Ask) -> Reply {
        match ask {
            Ask::Before { key, count } => {
                let records = self.records.range(..key.unwrap_or(u128::MAX)).rev();
                let entries = records.take(count);
                Reply::Entries(entries.map(|(key, one)| self.entry(*key, *one)).collect())
            }
            Ask::From { key, count } => {
                let records = self.records.range(key..).take(count);
                let entries: Vec<_> = records.map(|(key, one)| self.entry(*key, *one)).collect();
                Reply::Entries(entries)
            }
            Ask::Wait { after, count } => {
                let records = self.records.range(after + 1..).take(count);
                let entries = records.map(|(key, one)| self.entry(*key, *one)).collect();
                Reply::Entries(entries)
            }
            Ask::Confirm { key } => {
                let record = self.records.get(&key);
                let entry = record.map(|record| self.entry(key, *record));
                Reply::Entries(entry.into_iter().collect())
            }
            Ask::Begin => {
                if self.records.is_empty() {
                    self.begin();
                }
                Reply::Marked(true)
            }
            Ask::Lost { from, after } => {
                let mut later = self.records.range(after + 1..);
                if later.any(|(_, record)| matches!(record, SimRecord::Lost)) {
                    return Reply::Marked(false);
                }
                let key = self.id();
                let is_trimmed = self.trimmed.range(from..).next().is_some();
                if is_trimmed && !self.records.contains_key(&from) {
                    self.late.insert(key);
                }
                self.records.insert(key, SimRecord::Lost);
                self.marks.insert(key, self.losses);
                Reply::Marked(true)
            }
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct SimRedis(Arc<Mutex<SimStream>>);

impl SimRedis {
    pub(super) fn lock(&self) -> MutexGuard<'_, SimStream> {
        self.0.lock().unwrap()
    }
}

/// The pages of a node.
#[derive(Debug)]
pub(super) struct SimPages {
    pub(super) server: SimRedis,
    pub(super) unread: Arc<Unread>,
}

/// Reads a page at the second poll, or once it is known what became of the entry before it.
impl Past for SimPages {
    fn page(&self, after: u128) -> PageFuture {
        let (server, unread, mut polls) = (self.server.clone(), Arc::clone(&self.unread), 0);
        Box::pin(std::future::poll_fn(move |_| {
            polls += 1;
            if polls < 2 {
                return Poll::Pending;
            }
            let mut stream = server.lock();
            let Some(anchor) = stream.anchor(after) else {
                return Poll::Pending;
            };
            stream.pages += 1;
            let records = stream.records.range(after..).take(4);
            let entries: Vec<LogEntry> = records
                .map(|(key, one)| stream.entry(*key, *one).entry)
                .collect();
            if let Some(newest) = entries.last() {
                unread.insert(newest.key);
            }
            stream.see(entries.iter().map(|entry| entry.key));
            let is_first = entries.first().is_some_and(|first| first.key == after);
            let newest = stream.newest();
            Poll::Ready(Page {
                anchor,
                from: usize::from(is_first),
                is_end: entries.last().is_none_or(|last| last.key == newest),
                entries: entries.into(),
                newest,
            })
        }))
    }
}
