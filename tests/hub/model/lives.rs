//! The lives of a hub: it ends, or crashes, and begins again with a tail of an earlier life. Its
//! clients come with the IDs that they have.

use tower_sse::hub::Tail;

use super::{Client, EVERYWHERE, Model, Published, limits};
use crate::support::rng::Rng;
use crate::tail::{load, store};

/// A tail that was stored while the hub ran, and what the model knew then.
pub(super) struct Left {
    tail: Tail,
    /// Of each event, whether it was lost, and whether it was replaced.
    fates: Vec<(bool, bool)>,
    finished: Vec<&'static str>,
}

impl Model {
    /// Stores a tail, in case of a crash.
    pub(super) fn leave(&mut self) {
        let tail = self.hub.tail();
        assert!(!tail.is_complete());
        let fates = self.events.iter().map(|e| (e.lost, e.replaced));
        self.left = Some(Left {
            tail,
            fates: fates.collect(),
            finished: self.finished(),
        });
    }

    /// Closes the hub and begins again with what it leaves.
    pub(super) fn restart(&mut self, clients: &mut [Client], rng: &mut Rng) {
        self.hub.close();
        self.closed = true;
        for client in clients.iter_mut() {
            client.end = client.end.min(self.next);
        }
        // This comes in the next life, to those who resume.
        self.publish_more(rng);
        for client in clients {
            if rng.one_in(2) {
                self.read(client, usize::MAX);
                assert!(client.body.is_none(), "closed, and not ended");
            }
            client.body = None;
        }
        let tail = self.hub.tail();
        assert!(tail.is_complete());
        self.begin(tail, rng);
        self.closed = false;
        assert_eq!(self.ids.last(), Some(&self.hub.last_event_id()));
    }

    /// Begins again with the tail that was stored last, however old it is. What came later is lost,
    /// and all clients are told, since nobody knows what they have seen.
    pub(super) fn crash(&mut self, clients: &mut [Client], rng: &mut Rng) {
        for client in clients {
            if rng.one_in(2) {
                self.read(client, usize::MAX);
            }
            client.body = None;
        }
        let Some(Left {
            tail,
            fates,
            finished,
        }) = &self.left
        else {
            self.leave();
            return;
        };
        let (tail, known) = (tail.clone(), fates.len());
        for (event, (lost, replaced)) in self.events.iter_mut().zip(fates) {
            (event.lost, event.replaced) = (*lost, *replaced);
        }
        for (name, topic) in &mut self.topics {
            topic.finished = finished.contains(name);
        }
        for event in &mut self.events[known..] {
            event.lost |= !event.transient;
        }
        self.events.push(Published {
            seq: self.next,
            topic: EVERYWHERE,
            data: String::new(),
            transient: false,
            len: 0,
            key: None,
            replaced: false,
            lost: true,
        });
        self.next += 1;
        self.begin(tail, rng);
        // No ID is given again.
        self.note_place();
    }

    fn begin(&mut self, tail: Tail, rng: &mut Rng) {
        let tail = if rng.one_in(2) {
            load(&store(&tail)).unwrap()
        } else {
            tail
        };
        let finished = self.finished();
        let hub = (self.settings)().lag(self.lag);
        let (hub, topics, retain_bytes) = limits(rng, hub);
        self.hub = hub.tail(tail).build();
        (self.topics, self.retain_bytes, self.turns) = (topics, retain_bytes, 0);
        self.born = self.next;
        // It takes up one event after the other, by its own limits.
        for event in std::mem::take(&mut self.events) {
            let (seq, topic, is_retained) = (event.seq, event.topic, event.is_retained());
            self.events.push(event);
            if is_retained {
                self.weigh(topic);
                self.evict_after(topic, seq);
            }
        }
        for topic in finished {
            self.topics.get_mut(topic).unwrap().finished = true;
        }
        self.check_stats();
    }

    fn finished(&self) -> Vec<&'static str> {
        let finished = self.topics.iter().filter(|(_, topic)| topic.finished);
        finished.map(|(name, _)| *name).collect()
    }
}
