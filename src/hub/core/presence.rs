use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Instant;

use super::State;
use super::wake_list::Wakes;
use crate::clock;
use crate::hub::change::{Change, Reason};

/// The instants at which a subscriber joined its topics, if the hub was being watched then.
#[derive(Debug, Default)]
pub(super) struct Since {
    /// For the topics that it subscribed to.
    came: Option<Instant>,
    /// For the topics that it was moved to, by their slots.
    moved: Vec<(usize, Option<Instant>)>,
}

impl Since {
    pub(super) fn came(at: Option<Instant>) -> Self {
        Self {
            came: at,
            moved: Vec::new(),
        }
    }

    pub(super) fn of(&self, slot: usize) -> Option<Instant> {
        let moved = self.moved.iter().find(|(other, _)| *other == slot);
        moved.map_or(self.came, |(_, at)| *at)
    }

    fn arrive(&mut self, slot: usize, at: Option<Instant>) {
        if at.is_some() || self.came.is_some() {
            self.moved.push((slot, at));
        }
    }

    fn leave(&mut self, slot: usize) -> Option<Instant> {
        let since = self.of(slot);
        self.moved.retain(|(other, _)| *other != slot);
        if self.moved.is_empty() {
            self.moved = Vec::new();
        }
        since
    }
}

impl State {
    /// Counts a subscriber's move to another group: updates the counts of topics that only one of
    /// the groups follows by name, and notifies their watchers.
    pub(super) fn count_move(&mut self, cursor: usize, from: usize, to: usize, wakes: &mut Wakes) {
        let (old, new) = (&self.groups[from].topics, &self.groups[to].topics);
        let (mut left, mut come) = (Vec::new(), Vec::new());
        let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (Some(one), Some(other)) => one.slot.cmp(&other.slot),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            if order != Ordering::Greater {
                left.extend(old.next().map(|topic| topic.slot).filter(|_| order.is_lt()));
            }
            if order != Ordering::Less {
                come.extend(new.next().map(|topic| topic.slot).filter(|_| order.is_gt()));
            }
        }
        let watched = self.has_watchers();
        let now = watched.then(clock::instant).flatten();
        for slot in left {
            let since = self.cursors[cursor].terms().since.leave(slot);
            let topic = self.topics.get_mut(slot);
            topic.subscribers -= 1;
            if watched {
                let (name, followers) = (Arc::clone(&topic.name), topic.subscribers);
                let lasted = now.zip(since).map(|(now, since)| now - since);
                let owner = self.cursors[cursor].terms().owner.clone();
                let change = Change::departure(name, owner, followers, Reason::Moved, lasted);
                self.tell_watchers(&change, wakes);
            }
        }
        for slot in come {
            self.cursors[cursor].terms().since.arrive(slot, now);
            let topic = self.topics.get_mut(slot);
            topic.subscribers += 1;
            if watched {
                let (name, followers) = (Arc::clone(&topic.name), topic.subscribers);
                let owner = self.cursors[cursor].terms().owner.clone();
                let change = Change::arrival(name, owner, followers);
                self.tell_watchers(&change, wakes);
            }
        }
    }
}
