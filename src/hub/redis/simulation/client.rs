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
    /// The newest event that it has received.
    pub(super) newest: Option<usize>,
    pub(super) got: HashSet<usize>,
    /// The lost events of which it has not been told yet.
    pub(super) owed: Vec<usize>,
    /// The newest loss of which it has been told.
    pub(super) told_of: usize,
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
            told_of: 0,
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
            // It is told because entries were trimmed, because it passes a mark, or because its
            // place is lost, and only once for each loss. The lost events may be those of other
            // topics.
            let last = self.last.unwrap_or(0).min(key);
            let mut trimmed = stream.trimmed.range(last..=key);
            let is_oldest = |oldest: &u128| *oldest > last;
            let is_trimmed =
                trimmed.next().is_some() || stream.records.keys().next().is_some_and(is_oldest);
            let marks = stream.marks.range(last..=key);
            let marks = marks.filter(|(mark, _)| **mark > last);
            // Its place tells it of one loss. Marks tell it of the others.
            let lost = stream.lost.range(last..=key).map(|(_, loss)| *loss).min();
            let newest = marks.map(|(_, loss)| *loss).max();
            let newest = newest.or(lost.filter(|_| !is_trimmed));
            let is_new = newest > Some(self.told_of);
            let is_late = stream.late.range(last..=key).next().is_some();
            assert!(
                is_trimmed || is_new || is_late,
                "told of no loss, or of {newest:?} again: {block}"
            );
            self.told_of = self.told_of.max(newest.unwrap_or(0));
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
