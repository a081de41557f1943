//! A node, without its connections.

use std::sync::Arc;

use super::super::exchange::{Act, Reply};
use super::super::machine::{Depth, Machine};
use super::super::ring::{apply, knows};
use super::say;
use super::stream::{SimRecord, SimRedis};
use crate::hub::foreign::id_of;
use crate::hub::{Hub, LagPolicy};

pub(super) struct SimNode {
    pub(super) hub: Hub,
    pub(super) machine: Machine,
    /// It is cut off.
    pub(super) is_away: bool,
}

impl SimNode {
    pub(super) fn new(server: &SimRedis, ring: usize) -> Self {
        let hub = Hub::builder().retain_events(ring).lag(LagPolicy::End);
        Self {
            hub: hub.past(Arc::new(server.clone())).build(),
            machine: Machine::new(Depth {
                events: ring,
                bytes: 1 << 20,
            }),
            is_away: false,
        }
    }

    /// One question and its answer, of which the second may be lost.
    pub(super) fn step(&mut self, server: &SimRedis, answer_is_lost: bool) {
        if self.is_away {
            return;
        }
        let shared = self.hub.shared();
        let ask = self.machine.ask();
        let reply = server.lock().answer(ask);
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
        for act in self.machine.answer(reply, |key| knows(shared, key)) {
            if let Act::Begin { entries, .. } | Act::Append(entries) = &act {
                let mut stream = server.lock();
                for entry in entries {
                    if let Some(SimRecord::Event(number)) =
                        stream.records.get(&entry.key()).copied()
                    {
                        stream.published[number].is_seen = true;
                    }
                }
            }
            assert!(apply(shared, act), "the ring refuses");
        }
    }
}
