//! A client of fed nodes, which connects, is moved and reads.

mod fed_checks;
mod fed_stay;

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use http_body::Body;

use self::fed_stay::FedStay;
use super::fed_log::{FedEntry, FedLog, FedNode, RingFate};
use super::{TOPICS, pick};
use crate::body::SealedSource;
use crate::hub::delivery::Delivery;
use crate::hub::foreign::{id_of, key_of};
use crate::hub::{Handle, Outcome, Start, Subscription};
use crate::protocol::EventId;

/// Set when the client's task is woken.
struct FedWake(AtomicBool);

impl Wake for FedWake {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Default for FedWake {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

#[derive(Default)]
pub(super) struct FedClient {
    /// One after the other, as it was moved.
    stays: Vec<FedStay>,
    /// Lets through what has an even key.
    is_filtered: bool,
    pub(super) node: usize,
    body: Option<Subscription>,
    handle: Option<Handle>,
    wake: Arc<FedWake>,
    /// Where it begins, without a last event ID.
    start: Option<Start>,
    not_before: u128,
    /// It has been sent, or is not to be sent, everything up to here.
    last: u128,
    /// It has read up to here, and possibly further.
    came: u128,
    /// It knows that something may be missing up to here.
    told: u128,
    /// What its ring had lost before it began there.
    excused: HashSet<u128>,
    /// It came with an ID that the log never had.
    is_strange: bool,
    /// It has been sent nothing yet.
    is_new: bool,
    /// The ring had not begun, and it has not been polled since.
    is_waiting: bool,
    /// It certainly has its place in the ring.
    is_placed: bool,
    /// It was moved while it may have been reading pages.
    is_moved: bool,
    /// Its ring was dropped, or its hub closed.
    pub(super) is_cut: bool,
    /// It was ended here, by its handle or by the ends of its topics.
    ended: Option<u128>,
    /// The topics whose ends it was there for.
    finished: HashSet<&'static str>,
    pub(super) received: usize,
}

impl FedClient {
    pub(super) fn new(random: &mut dyn FnMut(usize) -> usize) -> Self {
        let prefix = [None, Some("b"), Some("b/"), Some("")][random(8).saturating_sub(4)];
        let mut topics: Vec<_> = TOPICS.into_iter().filter(|_| random(3) == 0).collect();
        if topics.is_empty() && prefix.is_none() {
            topics.push("a");
        }
        let stay = FedStay {
            topics,
            prefix,
            ..FedStay::default()
        };
        Self {
            stays: vec![stay],
            is_filtered: random(4) == 0,
            ..Self::default()
        }
    }

    pub(super) fn is_there(&self) -> bool {
        self.body.is_some()
    }

    fn stay(&self) -> &FedStay {
        self.stays.last().unwrap()
    }

    pub(super) fn connect(
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
            node: at,
            last: self.last,
            told: self.told,
            received: self.received,
            is_waiting: node.begin.is_none(),
            is_new: is_fresh,
            ..Self::default()
        };
        if random(5) == 0 {
            self.not_before = pick(&log.all, random).key;
        }
        let (mut start, mut id) = (Start::Now, EventId::EMPTY);
        if is_fresh {
            (self.last, self.told) = (0, 0);
            let most = random(8);
            start = match random(5) {
                0 => Start::Oldest,
                1 => {
                    self.last = pick(&log.all, random).key + random(3) as u128 / 2;
                    Start::After(id_of(self.last))
                }
                2 => Start::Last(most),
                _ => Start::Now,
            };
            self.start = Some(start.clone());
        } else {
            match random(8) {
                0 => self.last = log.newest() + 1 + random(9) as u128,
                1 => self.last = log.newest().saturating_sub(random(99) as u128).max(1),
                2 => self.last = 1 + random(9) as u128,
                3 => self.last = pick(&log.all, random).key,
                _ => {}
            }
            id = id_of(self.last);
        }
        let key = self.last;
        self.is_strange = key > 0 && !log.all.iter().any(|one| one.key == key);
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
                assert!(refused.is_finished());
                let is_over = self
                    .stay()
                    .ends_with(|topic| log.is_finished(topic, node.at));
                assert!(is_over, "refused, and not finished");
                let missing = self.missing(log, self.last, node.at + 1);
                assert!(missing.is_none(), "{missing:?} is refused");
            }
        }
    }

    /// Determines what it is to be sent.
    fn begin(&mut self, key: u128, outcome: Option<Outcome>, node: &FedNode, log: &FedLog) {
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
    fn note_trimmed(&mut self, log: &FedLog) {
        if self.is_new && self.start == Some(Start::Oldest) {
            self.told = log.oldest() - 1;
        }
    }

    /// Its node has read an entry.
    pub(super) fn note(&mut self, entry: &FedEntry) {
        if !self.is_placed {
            // Ends before its place may not be known there.
        } else if entry.finishes() {
            self.finished.insert(entry.topic);
        } else if entry.is_event() {
            self.finished.remove(entry.topic);
        }
        let is_over = self.stay().ends_with(|topic| self.finished.contains(topic));
        if is_over && !self.is_cut && self.ended.is_none() {
            self.ended = Some(entry.key);
        }
    }

    /// Moves or ends it by its handle.
    pub(super) fn steer(&mut self, node: &FedNode, random: &mut dyn FnMut(usize) -> usize) {
        let Some(handle) = &self.handle else { return };
        if self.body.is_none() {
            assert!(handle.is_gone() && !handle.follow("a") && !handle.end());
            return;
        }
        let mut stay = self.stay().clone();
        let topic = *pick(&TOPICS, random);
        let done = match random(7) {
            0 | 1 => {
                stay.follow(topic);
                handle.follow(topic)
            }
            2 | 3 => {
                stay.leave(topic);
                handle.leave(topic)
            }
            4 | 5 => {
                let topics: Vec<_> = TOPICS.into_iter().filter(|_| random(2) == 0).collect();
                stay = FedStay {
                    topics: topics.clone(),
                    ..FedStay::default()
                };
                handle.move_to(topics)
            }
            _ => {
                let done = handle.end();
                assert!(done || self.is_cut || self.ended.is_some() || stay.prefix.is_none());
                self.ended = self.ended.or(done.then_some(node.at));
                return;
            }
        };
        if !done {
            return;
        }
        assert!(!self.is_cut && self.ended.is_none(), "moved after its end");
        if self.is_waiting && self.start.is_some() {
            // It has read nothing.
            self.stays = vec![stay];
        } else if stay != *self.stay() {
            stay.from = node.at;
            self.is_moved |= !self.is_placed;
            if self.stay().from == node.at && self.stays.len() > 1 {
                self.stays.pop();
            }
            self.stays.push(stay);
        }
        self.finished.clear();
    }

    /// What a heartbeat tells it.
    pub(super) fn place(&mut self, log: &FedLog) -> bool {
        let body = self.body.as_mut();
        let Some(place) = body.and_then(|body| Pin::new(body).place()) else {
            return false;
        };
        let text = String::from_utf8(place.into_bytes().into()).unwrap();
        self.take(text.trim_end(), log);
        true
    }

    /// Polls it as often as its task is woken.
    pub(super) fn read(&mut self, log: &FedLog, node: &FedNode, mut most: usize) {
        let waker = Waker::from(Arc::clone(&self.wake));
        let mut is_polled = false;
        while most > 0 && self.body.is_some() {
            self.note_trimmed(log);
            if !self.wake.0.swap(false, Ordering::Relaxed) {
                // Unless events wake it, it does not see that the ring has got where it is.
                self.is_placed |= is_polled && !self.is_waiting && node.at == log.newest();
                return self.check_idle(log, node);
            }
            let is_there = !self.is_cut && self.ended.is_none();
            if self.is_waiting && node.begin.is_some() && is_there {
                self.is_waiting = false;
                self.begin(self.last, None, node, log);
            }
            is_polled = true;
            let body = Pin::new(self.body.as_mut().unwrap());
            match body.poll_frame(&mut Context::from_waker(&waker)) {
                Poll::Pending => {}
                Poll::Ready(None) => {
                    self.body = None;
                    self.check_end(log, node);
                }
                Poll::Ready(Some(Ok(frame))) => {
                    most -= 1;
                    self.wake.0.store(true, Ordering::Relaxed);
                    let text = frame.into_data().unwrap();
                    let text = std::str::from_utf8(&text).unwrap();
                    let blocks = text.split_terminator("\n\n");
                    blocks.for_each(|block| self.take(block, log));
                }
                Poll::Ready(Some(Err(never))) => match never {},
            }
        }
    }
}
