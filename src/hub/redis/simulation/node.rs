//! A node, without its connections.

use std::sync::Arc;

use super::super::entry::StreamEntry;
use super::super::exchange::{Act, Ask, Reply};
use super::super::machine::{Depth, Machine};
use super::super::ring::{apply, knows};
use super::super::unread::Unread;
use super::say;
use super::stream::{SimPages, SimRecord, SimRedis, SimStream};
use crate::hub::foreign::id_of;
use crate::hub::{Hub, LagPolicy};

pub(super) struct SimNode {
    pub(super) hub: Hub,
    pub(super) machine: Machine,
    /// What was acknowledged to its publishers, and the ends of its pages.
    pub(super) unread: Arc<Unread>,
    /// The reply to the read that was sent with a wait: the key, and the entry.
    early: Option<(u128, Reply)>,
    /// Whether Redis runs the next such read at once.
    is_early: bool,
    /// It is cut off.
    pub(super) is_away: bool,
}

impl SimNode {
    pub(super) fn new(server: &SimRedis, ring: usize) -> Self {
        let hub = Hub::builder().retain_events(ring).lag(LagPolicy::End);
        let unread = Arc::new(Unread::default());
        let pages = SimPages {
            server: server.clone(),
            unread: Arc::clone(&unread),
        };
        Self {
            hub: hub.past(Arc::new(pages)).build(),
            machine: Machine::new(Depth {
                events: ring,
                bytes: 1 << 40,
            }),
            unread,
            early: None,
            is_early: false,
            is_away: false,
        }
    }

    /// One question and its answer, of which the second may be lost.
    pub(super) fn step(&mut self, server: &SimRedis, answer_is_lost: bool) {
        if self.is_away {
            return;
        }
        if let Some((settled, last)) = self.machine.looks_after() {
            self.machine.look_for(self.unread.after(settled, last));
        }
        let ask = self.machine.ask();
        let reply = self.query(&mut server.lock(), ask);
        let shared = self.hub.shared();
        if let (Ask::Lost { .. }, Reply::Marked(is_marked)) = (ask, &reply) {
            self.unread.set_aside();
            self.unread.marked(*is_marked && !answer_is_lost);
        }
        say(|| {
            let keys: Vec<_> = match &reply {
                Reply::Entries(entries) => entries.iter().map(|one| id_of(one.key())).collect(),
                _ => Vec::new(),
            };
            format!("{shared:p} {ask:x?} lost:{answer_is_lost} {keys:?}")
        });
        if answer_is_lost {
            self.early = None;
            self.machine.fail();
            return;
        }
        let acts = self.machine.answer(reply, |key| knows(shared, key));
        for act in acts {
            if let Act::Begin { entries, .. } | Act::Append(entries) = &act {
                server.lock().see(entries.iter().map(StreamEntry::key));
            }
            assert!(apply(shared, act), "the ring refuses");
        }
    }

    fn query(&mut self, stream: &mut SimStream, ask: Ask) -> Reply {
        match (ask, self.early.take()) {
            (Ask::Confirm { key }, Some((sent, reply))) if key == sent => return reply,
            _ => {}
        }
        let reply = stream.answer(ask);
        if let Ask::Wait { after: key, .. } = ask {
            self.is_early = !self.is_early;
            let early = stream.answer(Ask::Confirm { key });
            self.early = self.is_early.then_some((key, early));
        }
        reply
    }

    /// Whether it knows that nothing is lost of what it has read, and of what was acknowledged to
    /// it.
    pub(super) fn is_settled(&self, stream: &SimStream) -> bool {
        self.machine.tip().is_some_and(|tip| {
            let mut read = self.unread.after(tip, tip);
            read.push(tip);
            read.iter().all(|key| stream.records.contains_key(key))
        })
    }

    /// Whether the stream may be trimmed: it has nothing to find that is lost and not marked. It
    /// cannot tell a lost entry from a trimmed one once all before it are trimmed too.
    pub(super) fn allows_trimming(&self, stream: &SimStream) -> bool {
        if self.machine.tip().is_some() {
            return self.is_settled(stream);
        }
        let settled = self.machine.settled();
        let mut read = self.unread.after(settled, settled).into_iter();
        read.all(|key| {
            let mut after = stream.records.range(key..);
            let is_there = stream.records.contains_key(&key);
            is_there || after.any(|(_, record)| matches!(record, SimRecord::Lost))
        })
    }
}
