use std::collections::{BTreeSet, HashMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::task::Waker;

use super::State;
use super::slots::Slots;
use super::terms::Terms;
use super::wake_list::Wakes;
use crate::clock;
use crate::hub::change::{Change, Reason};

/// The maximum number of changes queued for a watch that is not polled.
const QUEUE: usize = 16 * 1024;

/// The watchers, which are notified of each follower that joins or leaves.
#[derive(Debug)]
pub(super) struct Watchers {
    slots: Slots<Watcher>,
    /// The watchers of all topics, and the watchers of single topics.
    all: BTreeSet<usize>,
    by_topic: HashMap<Arc<str>, BTreeSet<usize>>,
}

#[derive(Debug)]
pub(in crate::hub) struct Watcher {
    topic: Option<Arc<str>>,
    queue: VecDeque<Change>,
    missed: bool,
    /// `Some` while it waits.
    task: Option<Waker>,
}

/// The result of polling a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::hub) enum Seen {
    Changes,
    /// Changes before the queued ones were dropped.
    Missed,
    /// Nothing is queued. The task is woken when something is.
    Waiting,
    /// Nothing is queued, and nothing will follow.
    Over,
}

impl Default for Watchers {
    fn default() -> Self {
        Self {
            slots: Slots::new(),
            all: BTreeSet::new(),
            by_topic: HashMap::new(),
        }
    }
}

impl Watchers {
    #[inline]
    fn is_empty(&self) -> bool {
        self.slots.len() == 0
    }

    fn tell(&mut self, change: &Change, wakes: &mut Wakes) {
        let of_topic = self.by_topic.get(change.topic());
        for index in self.all.iter().chain(of_topic.into_iter().flatten()) {
            let watcher = &mut self.slots[*index];
            if watcher.queue.len() == QUEUE {
                watcher.queue.pop_front();
                watcher.missed = true;
            }
            watcher.queue.push_back(change.clone());
            wakes.wake_later(watcher.task.take());
        }
    }
}

impl State {
    /// Watches one topic or all topics, and returns the watch's key.
    pub(in crate::hub) fn watch(&mut self, topic: Option<Arc<str>>) -> usize {
        let watchers = &mut self.watchers;
        let key = watchers.slots.insert(Watcher {
            topic: topic.clone(),
            queue: VecDeque::new(),
            missed: false,
            task: None,
        });
        let watching = match topic {
            Some(topic) => watchers.by_topic.entry(topic).or_default(),
            None => &mut watchers.all,
        };
        watching.insert(key);
        key
    }

    /// Ends a watch. The caller drops the returned watcher after releasing the lock.
    pub(in crate::hub) fn unwatch(&mut self, key: usize) -> Watcher {
        let watchers = &mut self.watchers;
        let watcher = watchers.slots.remove(key);
        drop(watchers.slots.take_emptied());
        match &watcher.topic {
            None => _ = watchers.all.remove(&key),
            Some(topic) => {
                if let Some(watching) = watchers.by_topic.get_mut(topic) {
                    watching.remove(&key);
                    if watching.is_empty() {
                        watchers.by_topic.remove(topic);
                    }
                }
                if watchers.by_topic.len() < watchers.by_topic.capacity() / 8 {
                    watchers.by_topic.shrink_to(2 * watchers.by_topic.len());
                }
            }
        }
        watcher
    }

    /// Takes all queued changes.
    pub(in crate::hub) fn take_changes(
        &mut self,
        key: usize,
        task: Waker,
        taken: &mut VecDeque<Change>,
        wakes: &mut Wakes,
    ) -> Seen {
        let is_over = self.is_over();
        let watcher = &mut self.watchers.slots[key];
        if !watcher.missed && watcher.queue.is_empty() && !is_over {
            wakes.drop_tasks(watcher.task.replace(task));
            return Seen::Waiting;
        }
        wakes.drop_tasks([task]);
        if mem::take(&mut watcher.missed) {
            Seen::Missed
        } else if watcher.queue.is_empty() {
            Seen::Over
        } else {
            mem::swap(&mut watcher.queue, taken);
            Seen::Changes
        }
    }

    /// Wakes all watchers, so that they poll again.
    pub(super) fn wake_watchers(&mut self, wakes: &mut Wakes) {
        for (_, watcher) in self.watchers.slots.iter_mut() {
            wakes.wake_later(watcher.task.take());
        }
    }

    pub(super) fn has_watchers(&self) -> bool {
        !self.watchers.is_empty()
    }

    pub(super) fn tell_watchers(&mut self, change: &Change, wakes: &mut Wakes) {
        self.watchers.tell(change, wakes);
    }

    /// Counts a new subscriber in the topics that it follows by name.
    #[inline]
    pub(super) fn count_arrival(&mut self, cursor: usize, wakes: &mut Wakes) {
        let group = self.cursors[cursor].group;
        for followed in &*self.groups[group].topics {
            self.topics.get_mut(followed.slot).subscribers += 1;
        }
        if !self.watchers.is_empty() {
            self.tell_arrival(cursor, wakes);
        }
    }

    /// Counts the departure of a subscriber of this group, which must still exist.
    #[inline]
    pub(super) fn count_departure(
        &mut self,
        group: usize,
        terms: Option<&Terms>,
        reason: Reason,
        wakes: &mut Wakes,
    ) {
        for followed in &*self.groups[group].topics {
            self.topics.get_mut(followed.slot).subscribers -= 1;
        }
        if !self.watchers.is_empty() {
            self.tell_departure(group, terms, reason, wakes);
        }
    }

    #[cold]
    fn tell_arrival(&mut self, cursor: usize, wakes: &mut Wakes) {
        let cursor = &mut self.cursors[cursor];
        let owner = cursor.begin_lasting(clock::instant());
        for followed in &*self.groups[cursor.group].topics {
            let topic = self.topics.get(followed.slot);
            let name = Arc::clone(&topic.name);
            let change = Change::arrival(name, owner.clone(), topic.subscribers);
            self.watchers.tell(&change, wakes);
        }
    }

    #[cold]
    fn tell_departure(
        &mut self,
        group: usize,
        terms: Option<&Terms>,
        reason: Reason,
        wakes: &mut Wakes,
    ) {
        let now = terms.and_then(|_| clock::instant());
        let owner = terms.and_then(|terms| terms.owner.clone());
        for followed in &*self.groups[group].topics {
            let topic = self.topics.get(followed.slot);
            let name = Arc::clone(&topic.name);
            let followers = topic.subscribers;
            let since = terms.and_then(|terms| terms.since.of(followed.slot));
            let lasted = now.zip(since).map(|(now, since)| now - since);
            let change = Change::departure(name, owner.clone(), followers, reason, lasted);
            self.watchers.tell(&change, wakes);
        }
    }
}
