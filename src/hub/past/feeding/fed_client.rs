//! A client of fed nodes, which connects, is moved and reads.

mod fed_begin;
mod fed_checks;
mod fed_stay;

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use http_body::Body;

pub(super) use self::fed_stay::FedStay;
use super::fed_log::{FedEntry, FedLog, FedNode, FedWhat};
use super::fed_pages::FedPage;
use super::{TOPICS, pick};
use crate::body::SealedSource;
use crate::hub::{Handle, Start, Subscription};

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
    /// It is seldom polled.
    pub(super) is_slow: bool,
    pub(super) node: usize,
    body: Option<Subscription>,
    handle: Option<Handle>,
    wake: Arc<FedWake>,
    /// Where it begins, without a last event ID.
    start: Option<Start>,
    /// Where it asked to begin, with one or not.
    wish: Option<Start>,
    /// It is sent an event before all others if it is new or has missed something.
    has_first: bool,
    not_before: u128,
    /// It has been sent, or is not to be sent, everything up to here.
    last: u128,
    /// It waits for a page.
    is_awaiting: bool,
    /// The last page that it has read.
    page: Option<FedPage>,
    /// The topics that have ended in the pages that it has read, without a loss since.
    ended_in_pages: HashSet<&'static str>,
    /// It has read up to here, and possibly further.
    came: u128,
    /// It knows that something may be missing up to here.
    told: u128,
    /// What its ring had lost before it began there.
    excused: HashSet<u128>,
    /// It came with an ID that the log never had.
    is_strange: bool,
    /// It has been sent an event of the log.
    is_served: bool,
    /// It has been told of a gap, and the event that comes before all others is next.
    needs_first: bool,
    /// It has just been told of a gap.
    is_gapped: bool,
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
    pub(super) fn new(stay: FedStay, random: &mut dyn FnMut(usize) -> usize) -> Self {
        Self {
            stays: vec![stay],
            is_filtered: random(3) == 0,
            is_slow: random(4) == 0,
            ..Self::default()
        }
    }

    pub(super) fn is_there(&self) -> bool {
        self.body.is_some()
    }

    fn stay(&self) -> &FedStay {
        self.stays.last().unwrap()
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

    /// It has read a page.
    fn note_page(&mut self, page: &FedPage, log: &FedLog) {
        if !page.is_known {
            self.ended_in_pages.clear();
        }
        for entry in log.between(page.from.max(1) - 1, page.upto + 1) {
            match entry.what {
                FedWhat::Lost => self.ended_in_pages.clear(),
                FedWhat::Place => {}
                _ if entry.finishes() => _ = self.ended_in_pages.insert(entry.topic),
                _ => _ = self.ended_in_pages.remove(entry.topic),
            }
        }
        self.page = Some(*page);
    }

    /// Moves or ends it by its handle.
    pub(super) fn steer(
        &mut self,
        node: &FedNode,
        stays: &[FedStay],
        random: &mut dyn FnMut(usize) -> usize,
    ) {
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
                // Others may follow the same.
                let mut topics = pick(stays, random).topics.clone();
                if random(3) == 0 {
                    topics = TOPICS.into_iter().filter(|_| random(2) == 0).collect();
                }
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
            if self.is_waiting && self.stays.len() > 1 {
                // Nothing has come since.
                stay.from = self.stay().from;
            }
            self.is_moved |= !self.is_placed;
            if self.stay().from == stay.from && self.stays.len() > 1 {
                self.stays.pop();
            }
            self.stays.push(stay);
        }
        self.finished.clear();
    }

    /// What a heartbeat tells it.
    pub(super) fn place(&mut self, log: &FedLog, node: &FedNode) -> bool {
        let body = self.body.as_mut();
        let Some(place) = body.and_then(|body| Pin::new(body).place()) else {
            return false;
        };
        let text = String::from_utf8(place.into_bytes().into()).unwrap();
        self.take(text.trim_end(), log, node);
        true
    }

    /// Its task is woken by a heartbeat.
    pub(super) fn beat(&self) {
        self.wake.0.store(true, Ordering::Relaxed);
    }

    /// Polls it until it has nothing to read.
    pub(super) fn read_all(&mut self, log: &FedLog, node: &FedNode) {
        self.read(log, node, usize::MAX);
        while self.is_awaiting && self.is_there() {
            node.desk.wake();
            self.read(log, node, usize::MAX);
        }
    }

    /// Polls it as often as its task is woken.
    pub(super) fn read(&mut self, log: &FedLog, node: &FedNode, mut most: usize) {
        let waker = Waker::from(Arc::clone(&self.wake));
        let mut is_polled = false;
        while most > 0 && self.body.is_some() {
            self.note_trimmed(log);
            if !self.wake.0.swap(false, Ordering::Relaxed) {
                // Unless events wake it, it does not see that the ring has got where it is.
                let is_waiting = self.is_waiting || self.is_awaiting;
                self.is_placed |= is_polled && !is_waiting && node.at == log.newest();
                self.check_idle(log, node);
                let is_over = self.is_over_in_pages(log, node);
                assert!(!(is_polled && is_over), "over, and not ended");
                return;
            }
            let is_there = !self.is_cut && self.ended.is_none();
            if self.is_waiting && node.has_begun() && is_there {
                self.is_waiting = false;
                self.begin(self.last, None, node, log);
            }
            is_polled = true;
            most -= 1;
            node.desk.take();
            let body = Pin::new(self.body.as_mut().unwrap());
            let frame = body.poll_frame(&mut Context::from_waker(&waker));
            let (pages, is_awaiting) = node.desk.take();
            self.is_awaiting = is_awaiting;
            pages.iter().for_each(|page| self.note_page(page, log));
            match frame {
                Poll::Pending => {}
                Poll::Ready(None) => {
                    self.body = None;
                    self.check_end(log, node);
                }
                Poll::Ready(Some(Ok(frame))) => {
                    self.wake.0.store(true, Ordering::Relaxed);
                    let text = frame.into_data().unwrap();
                    let text = std::str::from_utf8(&text).unwrap();
                    let blocks = text.split_terminator("\n\n");
                    let received = self.received;
                    blocks.for_each(|block| self.take(block, log, node));
                    let is_early = self.received > received && !node.has_begun();
                    assert!(!is_early, "before the ring has begun");
                }
                Poll::Ready(Some(Err(never))) => match never {},
            }
        }
    }
}
