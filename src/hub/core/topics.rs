use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use super::group::Key;

/// The slot of the topic without a name, which is always there.
pub(in crate::hub) const UNNAMED: usize = 0;

/// The topics there are: those that somebody follows by name, and those with an event in the log.
#[derive(Debug)]
pub(in crate::hub) struct Topics {
    slots: Vec<Topic>,
    free: Vec<usize>,
    by_name: BTreeMap<Arc<str>, usize>,
    /// The views that follow a prefix, under which new topics may come.
    prefixes: BTreeMap<Arc<str>, Vec<usize>>,
    /// After the last lost event of any topic that is gone.
    forgotten_to: u64,
}

#[derive(Debug)]
pub(in crate::hub) struct Topic {
    pub(in crate::hub) name: Arc<str>,
    /// The numbers of its retained events.
    pub(in crate::hub) retained: VecDeque<u64>,
    /// The views that follow it.
    pub(in crate::hub) views: Vec<usize>,
    /// After its last event that is no longer retained.
    pub(in crate::hub) lost_to: u64,
    /// How many views follow it by name, and transient events belong to it.
    pins: usize,
}

impl Topics {
    pub(in crate::hub) fn new() -> Self {
        let mut topics = Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_name: BTreeMap::new(),
            prefixes: BTreeMap::new(),
            forgotten_to: 0,
        };
        let unnamed = topics.enter("");
        topics.slots[unnamed].pins = 1;
        topics
    }

    pub(in crate::hub) fn len(&self) -> usize {
        // The one without a name counts once it is used.
        let unnamed = &self.slots[UNNAMED];
        let unused = unnamed.retained.is_empty() && unnamed.pins == 1;
        self.by_name.len() - usize::from(unused)
    }

    #[inline]
    pub(in crate::hub) fn get(&self, slot: usize) -> &Topic {
        &self.slots[slot]
    }

    #[inline]
    pub(in crate::hub) fn get_mut(&mut self, slot: usize) -> &mut Topic {
        &mut self.slots[slot]
    }

    pub(in crate::hub) fn find(&self, name: &str) -> Option<usize> {
        if name.is_empty() {
            return Some(UNNAMED);
        }
        self.by_name.get(name).copied()
    }

    /// The topic's slot; a new topic's if there is none. The views of prefixes that it has are in
    /// its list, and have yet to be told.
    pub(in crate::hub) fn enter(&mut self, name: &str) -> usize {
        if let Some(slot) = self.by_name.get(name) {
            return *slot;
        }
        let mut views = Vec::new();
        if !self.prefixes.is_empty() {
            for end in (0..=name.len()).filter(|end| name.is_char_boundary(*end)) {
                views.extend(self.prefixes.get(&name[..end]).into_iter().flatten());
            }
            views.sort_unstable();
            views.dedup();
        }
        let name: Arc<str> = Arc::from(name);
        let topic = Topic {
            name: Arc::clone(&name),
            retained: VecDeque::new(),
            views,
            lost_to: self.forgotten_to,
            pins: 0,
        };
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot] = topic;
            slot
        } else {
            self.slots.push(topic);
            self.slots.len() - 1
        };
        self.by_name.insert(name, slot);
        slot
    }

    pub(in crate::hub) fn pin(&mut self, slot: usize) {
        self.slots[slot].pins += 1;
    }

    /// Gives up a pin; true if the topic is no longer needed.
    pub(in crate::hub) fn unpin(&mut self, slot: usize) -> bool {
        self.slots[slot].pins -= 1;
        self.is_idle(slot)
    }

    pub(in crate::hub) fn is_idle(&self, slot: usize) -> bool {
        let topic = &self.slots[slot];
        topic.pins == 0 && topic.retained.is_empty()
    }

    /// Removes a topic; gives the views that follow it, by a prefix.
    pub(in crate::hub) fn remove(&mut self, slot: usize) -> Vec<usize> {
        let topic = &mut self.slots[slot];
        self.forgotten_to = self.forgotten_to.max(topic.lost_to);
        self.by_name.remove(&*topic.name);
        self.free.push(slot);
        std::mem::take(&mut topic.views)
    }

    /// The slots of the topics under a prefix.
    pub(in crate::hub) fn under(&self, prefix: &Arc<str>) -> impl Iterator<Item = usize> {
        let from = (Bound::Included(&**prefix), Bound::Unbounded);
        self.by_name
            .range::<str, _>(from)
            .take_while(move |(name, _)| name.starts_with(&**prefix))
            .map(|(_, slot)| *slot)
    }

    pub(in crate::hub) fn add_prefixes(&mut self, key: &Key, view: usize) {
        for prefix in key.prefixes() {
            self.prefixes
                .entry(Arc::clone(prefix))
                .or_default()
                .push(view);
        }
    }

    pub(in crate::hub) fn remove_prefixes(&mut self, key: &Key, view: usize) {
        for prefix in key.prefixes() {
            if let Some(views) = self.prefixes.get_mut(prefix) {
                views.retain(|other| *other != view);
                if views.is_empty() {
                    self.prefixes.remove(prefix);
                }
            }
        }
    }

    /// After the last lost event of any topic that is gone: what a prefix may have missed.
    pub(in crate::hub) fn forgotten_to(&self) -> u64 {
        self.forgotten_to
    }
}

impl Topics {
    /// Takes a view that follows everything out of every topic.
    pub(in crate::hub) fn unfollow_all(&mut self, view: usize) {
        for slot in self.by_name.values() {
            self.slots[*slot].views.retain(|other| *other != view);
        }
    }
}
