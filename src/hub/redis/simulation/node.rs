//! A node, without its connections.

use std::sync::Arc;

use super::super::entry::StreamEntry;
use super::super::exchange::{Act, Ask, Reply};
use super::super::machine::{Depth, Machine};
use super::super::ring::{apply, knows};
use super::super::unread::Unread;
use super::say;
use super::stream::{SimPages, SimRedis, SimStream};
use crate::hub::foreign::id_of;
use crate::hub::{Hub, LagPolicy};

pub(super) struct SimNode {
    pub(super) hub: Hub,
    pub(super) machine: Machine,
    /// What was acknowledged to its publishers, and the ends of its pages.
    pub(super) unread: Arc<Unread>,
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
            is_away: false,
        }
    }

    /// One question and its answer, of which the second may be lost.
    pub(super) fn step(&mut self, server: &SimRedis, answer_is_lost: bool) {
        if self.is_away {
            return;
        }
        let shared = self.hub.shared();
        if let Some(last) = self.machine.read_up_to() {
            self.machine.look_for(self.unread.after(last));
        }
        let ask = self.machine.ask();
        let reply = server.lock().answer(ask);
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

    /// Whether it knows that nothing is lost of what it has read, and of what was acknowledged to
    /// it.
    pub(super) fn is_settled(&self, stream: &SimStream) -> bool {
        self.machine.tip().is_some_and(|tip| {
            let mut read = self.unread.after(tip);
            read.push(tip);
            read.iter().all(|key| stream.records.contains_key(key))
        })
    }
}
