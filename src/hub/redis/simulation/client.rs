//! A client that hops between nodes, and checks what it is sent.

use std::collections::HashSet;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use http_body::Body;

use super::node::SimNode;
use super::stream::{Fate, SimRedis, SimStream};
use super::{TOPICS, say};
use crate::hub::Subscription;
use crate::hub::foreign::{id_of, key_of};
use crate::protocol::EventId;

pub(super) struct SimClient {
    pub(super) topics: Vec<&'static str>,
    pub(super) body: Option<Subscription>,
    /// Its last event ID.
    pub(super) last: Option<u128>,
    /// The last event that it has got, and all of them.
    pub(super) newest: Option<usize>,
    pub(super) got: HashSet<usize>,
    /// What it has missed without being told, since nobody knew yet.
    pub(super) owed: Vec<usize>,
    /// The marks by which it has been told.
    pub(super) marks: HashSet<u128>,
    /// It has been told of a loss since the last event.
    pub(super) told: bool,
    /// What was published before it came first.
    pub(super) since: Option<usize>,
}

impl SimClient {
    pub(super) fn new(at: usize) -> Self {
        Self {
            topics: TOPICS[..1 + at % 3].to_vec(),
            body: None,
            last: None,
            newest: None,
            got: HashSet::new(),
            owed: Vec::new(),
            marks: HashSet::new(),
            told: false,
            since: None,
        }
    }

    pub(super) fn connect(&mut self, node: &SimNode) {
        say(|| {
            format!(
                "{self:p} connects to {:p} with {:?}",
                node.hub.shared(),
                self.last.map(id_of)
            )
        });
        let subscriber = node.hub.subscriber().topics(self.topics.iter().copied());
        let last = self.last.map_or(EventId::EMPTY, id_of);
        self.body = Some(subscriber.after(last).subscribe().unwrap());
    }

    pub(super) fn read(&mut self, server: &SimRedis) {
        let mut cx = Context::from_waker(Waker::noop());
        let mut idle = 0;
        while let Some(body) = &mut self.body {
            let frame = match Pin::new(body).poll_frame(&mut cx) {
                Poll::Pending if idle < 4 => {
                    idle += 1;
                    continue;
                }
                Poll::Pending => return,
                Poll::Ready(None) => {
                    self.body = None;
                    return;
                }
                Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap(),
                Poll::Ready(Some(Err(never))) => match never {},
            };
            let text = std::str::from_utf8(&frame).unwrap().to_owned();
            for block in text.split_terminator("\n\n") {
                self.take(block, &server.lock());
            }
        }
    }

    pub(super) fn take(&mut self, block: &str, stream: &SimStream) {
        say(|| format!("{self:p} {:?} takes {block:?}", self.topics));
        let field = |name| block.lines().find_map(|line| line.strip_prefix(name));
        let key = key_of(field("id: ").unwrap()).unwrap();
        if block.starts_with("event: gap") {
            // Its own ID is gone, or something after that, although it may not have been for it.
            let is_gone = |key: &u128| !stream.records.contains_key(key);
            let after = self.last.unwrap_or(0);
            let mut between = stream.published.iter();
            let is_absent = self.last.as_ref().is_some_and(is_gone)
                || between.any(|one| one.fate != Fate::Stored && one.key > after && one.key <= key);
            let passed = stream.marks.range(self.last.unwrap_or(0)..=key);
            let marks: Vec<u128> = passed.copied().collect();
            let is_new = marks.iter().any(|mark| !self.marks.contains(mark));
            assert!(is_absent || is_new, "told of a loss that is none: {block}");
            self.marks.extend(marks);
            self.told = true;
            self.owed.clear();
        } else if let Some(number) = field("data: ") {
            let number: usize = number.parse().unwrap();
            let published = &stream.published[number];
            assert!(self.topics.contains(&published.topic));
            assert_eq!(published.key, key);
            assert!(self.got.insert(number), "{number} comes twice");
            assert!(self.newest < Some(number), "{number} is out of order");
            let from = self
                .newest
                .map_or(self.since.unwrap_or(number), |newest| newest + 1);
            for missed in from..number {
                let one = &stream.published[missed];
                if self.told || !self.topics.contains(&one.topic) {
                    continue;
                }
                assert_eq!(one.fate, Fate::Lost, "{missed} is missing before {number}");
                if one.is_seen {
                    self.owed.push(missed);
                }
            }
            self.newest = Some(number);
            self.told = false;
        }
        if self.since.is_none() {
            let after = stream.published.iter().rposition(|one| one.key <= key);
            self.since = Some(after.map_or(0, |at| at + 1));
        }
        self.last = Some(key);
    }
}
