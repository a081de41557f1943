use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::few::Few;
use super::index::SlotIndex;
use super::key::Key;
use super::losses::Losses;
use super::marks::{Mark, Marks};
use super::names::Names;
use super::prefixes::Prefixes;
use super::rules::Rules;
use super::shares::{Share, Shares};
use super::slots::Slots;
use super::topic_state::TopicState;
use super::untold::{LastUntold, TOLD};
use super::wake_list::Wakes;
use crate::hub::retention::Retention;

/// The slot of the topic without a name, which always exists.
pub(super) const UNNAMED: usize = 0;

/// The maximum number of groups in a topic's list of those that follow a prefix of it: one more than
/// are told of a change one by one. More are visited without the list.
const PREFIXED: usize = TOLD + 1;

/// The existing topics: those with a follower by name, and those with an event in the log.
#[derive(Debug)]
pub(super) struct Topics {
    slots: Slots<TopicState>,
    by_name: SlotIndex,
    names: Names,
    prefixes: Prefixes,
    losses: Losses,
    rules: Rules,
    shares: Shares,
    /// When an event of a topic may be too old. Each topic whose events expire appears once.
    due: BTreeSet<(Instant, usize)>,
}

impl Topics {
    pub(super) fn new(rules: Rules) -> Self {
        let by_name = SlotIndex::default();
        let mut topics = Self {
            slots: Slots::new(),
            losses: Losses::new(&by_name),
            by_name,
            names: Names::default(),
            prefixes: Prefixes::default(),
            rules,
            shares: Shares::new(),
            due: BTreeSet::new(),
        };
        let unnamed = topics.enter("");
        topics.slots[unnamed].pins = 1;
        topics
    }

    pub(super) fn len(&self) -> usize {
        // The topic without a name counts once it is used.
        let unnamed = &self.slots[UNNAMED];
        let unused = unnamed.retained.is_empty() && unnamed.pins == 1;
        self.slots.len() - usize::from(unused)
    }

    #[inline]
    pub(super) fn get(&self, slot: usize) -> &TopicState {
        &self.slots[slot]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, slot: usize) -> &mut TopicState {
        &mut self.slots[slot]
    }

    /// The topic in this slot, if it still exists.
    pub(super) fn find_slot(&mut self, slot: usize) -> Option<&mut TopicState> {
        self.slots.get_mut(slot)
    }

    /// Hands out the memory of topics that were removed.
    pub(super) fn hand_out_emptied(&mut self, wakes: &mut Wakes) {
        wakes.free_later(self.slots.take_emptied());
        wakes.free_later(self.by_name.take_emptied());
    }

    #[cfg(any(test, feature = "redis"))]
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &TopicState)> {
        self.slots.iter()
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        if name.is_empty() {
            return Some(UNNAMED);
        }
        self.find_hashed(name, self.by_name.hash(name))
    }

    #[inline]
    fn find_hashed(&self, name: &str, hash: u64) -> Option<usize> {
        self.by_name
            .find(hash, |slot| *self.slots[slot].name == *name)
    }

    /// The slot of the topic, which is created if it does not exist.
    pub(super) fn enter(&mut self, name: &str) -> usize {
        if name.is_empty() && self.slots.len() > 0 {
            return UNNAMED;
        }
        let hash = self.by_name.hash(name);
        if let Some(slot) = self.find_hashed(name, hash) {
            return slot;
        }
        let (lost_to, lost_late) = self.losses.recall(name, hash);
        let name: Arc<str> = Arc::from(name);
        let slot = self.slots.insert(TopicState {
            name: Arc::clone(&name),
            hash,
            retained: Marks::default(),
            bytes: 0,
            latest: BTreeMap::new(),
            rule: self.rules.find(&name),
            share: Share::new(),
            due: None,
            followers: Few::new(),
            subscribers: 0,
            prefixed: Vec::new(),
            as_of: 0,
            lost_to,
            lost_late,
            untold: LastUntold::default(),
            finished: None,
            pins: 0,
            segment: (0, 0),
        });
        self.by_name.insert(hash, slot);
        self.names.insert(name, slot);
        slot
    }

    /// Puts a topic that retains far more or far less than before into another class.
    #[cold]
    pub(super) fn classify(&mut self, slot: usize) {
        let bytes = self.slots[slot].bytes;
        self.shares.update(&mut self.slots, slot, bytes);
    }

    /// Makes an event the latest of its key and returns the event it replaces.
    pub(super) fn set_latest(&mut self, slot: usize, key: Arc<str>, mark: Mark) -> Option<Mark> {
        self.slots[slot].latest.insert(key, mark)
    }

    /// The retention rule of the topic.
    #[inline]
    pub(super) fn rule(&self, slot: usize) -> Retention {
        self.rules.get(self.slots[slot].rule)
    }

    /// The maximum bytes retained of all topics together.
    pub(super) fn max_bytes(&self) -> usize {
        self.rules.max_bytes()
    }

    /// The topic that must lose its oldest event, which is never the newest of all. `oldest` is the
    /// topic with the oldest event of all.
    pub(super) fn giving_way(&mut self, oldest: usize, newest: u64) -> Option<usize> {
        let can = |topic: &TopicState| topic.retained.first().is_some_and(|mark| mark.seq < newest);
        let topic = &self.slots[oldest];
        if !self.shares.is_spared(topic) {
            return can(topic).then_some(oldest);
        }
        for _ in 0..2 {
            let slot = self.shares.largest(&mut self.slots)?;
            if can(&self.slots[slot]) {
                return Some(slot);
            }
        }
        None
    }

    /// Records that an event of the topic will be too old then. Returns `false` if an earlier one
    /// is already recorded.
    pub(super) fn set_due(&mut self, slot: usize, due: Instant) -> bool {
        let topic = &mut self.slots[slot];
        let first = topic.due.is_none();
        if first {
            topic.due = Some(due);
            self.due.insert((due, slot));
        }
        first
    }

    /// The next instant at which an event may be too old.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Whether any topic's events expire.
    #[inline]
    pub(super) fn have_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Takes out a topic that may have an event that is too old by now.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<usize> {
        let (_, slot) = self.due.first().filter(|(due, _)| *due <= now).copied()?;
        self.due.pop_first();
        self.slots[slot].due = None;
        Some(slot)
    }

    pub(super) fn pin(&mut self, slot: usize) {
        self.slots[slot].pins += 1;
    }

    pub(super) fn unpin(&mut self, slot: usize) {
        self.slots[slot].pins -= 1;
        self.remove_if_idle(slot);
    }

    /// Removes the topic if it has no followers by name and no events.
    pub(super) fn remove_if_idle(&mut self, slot: usize) {
        let topic = &self.slots[slot];
        if topic.pins > 0 || !topic.retained.is_empty() {
            return;
        }
        let topic = self.slots.remove(slot);
        if let Some(due) = topic.due {
            self.due.remove(&(due, slot));
        }
        self.by_name.remove(topic.hash, slot);
        self.names.remove(&topic.name);
        let lost = (topic.lost_to, topic.lost_late);
        self.losses.remember(topic.name, topic.hash, lost);
    }

    /// Updates the list of groups that follow a prefix of the topic, if prefixes have changed.
    #[inline]
    pub(super) fn refresh(&mut self, slot: usize) -> &mut TopicState {
        if self.slots[slot].as_of != self.prefixes.changes() {
            self.tell_prefixes(slot);
        }
        &mut self.slots[slot]
    }

    #[cold]
    fn tell_prefixes(&mut self, slot: usize) {
        let topic = &mut self.slots[slot];
        topic.as_of = self.prefixes.changes();
        let groups = self.prefixes.covering(&topic.name);
        topic.prefixed.clear();
        topic.prefixed.extend(groups.take(PREFIXED));
        topic.prefixed.shrink_to_fit();
    }

    /// All groups that follow a prefix of the topic.
    pub(super) fn prefixed(&self, slot: usize) -> impl Iterator<Item = usize> {
        self.prefixes.covering(&self.slots[slot].name)
    }

    /// See [`Prefixes::next`].
    pub(super) fn next_prefixed(
        &self,
        slot: usize,
        from: (usize, usize),
    ) -> Option<(usize, usize)> {
        self.prefixes.next(&self.slots[slot].name, from)
    }

    pub(super) fn add_prefixes(&mut self, key: &Key, group: usize) {
        self.prefixes.add(key, group);
    }

    pub(super) fn remove_prefixes(&mut self, key: &Key, group: usize) {
        self.prefixes.remove(key, group);
    }

    /// The place before which any topic may have lost events, and the topics of which more is
    /// known.
    pub(super) fn losses(&self) -> (u64, BTreeMap<Arc<str>, u64>) {
        let floor = self.losses.floor();
        let there = self.slots.iter().map(|(_, topic)| topic);
        let there = there
            .map(|topic| (topic, topic.lost_to.max(topic.lost_late)))
            .filter(|(_, lost_to)| *lost_to != floor)
            .filter(|(topic, lost_to)| {
                let stays = !topic.retained.is_empty() || topic.name.is_empty();
                *lost_to > floor || stays
            })
            .map(|(topic, lost_to)| (&topic.name, lost_to));
        let known = there.chain(self.losses.iter());
        let known = known.map(|(name, lost_to)| (Arc::clone(name), lost_to));
        (floor, known.collect())
    }

    /// Starts with topics that may all have lost events before the floor, except for the topic
    /// without a name, if more is known of that.
    pub(super) fn begin(&mut self, floor: u64, unnamed: Option<u64>) {
        self.losses.begin(floor);
        self.slots[UNNAMED].lost_to = unnamed.unwrap_or(floor);
    }

    /// Makes all topics lose what is before this place, including topics that do not exist.
    #[cfg(any(test, feature = "redis"))]
    pub(super) fn lose_all(&mut self, lost_to: u64) {
        self.losses.begin(lost_to);
        for (_, topic) in self.slots.iter_mut() {
            topic.lost_to = lost_to;
        }
    }

    /// Records that a topic that does not exist has lost what is before this place.
    pub(super) fn lose(&mut self, name: Arc<str>, lost_to: u64) {
        let hash = self.by_name.hash(&*name);
        self.losses.remember(name, hash, (lost_to, 0));
    }

    /// The slots of the topics that the key's prefixes cover.
    pub(super) fn covered(&self, key: &Key) -> impl Iterator<Item = usize> {
        let slots = key
            .prefixes()
            .iter()
            .flat_map(|prefix| self.names.under(prefix));
        slots.filter(|slot| key.covers(&self.slots[*slot].name))
    }

    /// Looks up the losses of at most this many further topics that the key's prefixes cover.
    /// Returns the place after the last lost event of these.
    pub(super) fn lost_under(&self, key: &Key, lookup: &mut LossLookup, most: usize) -> u64 {
        let mut lost_to = self.losses.floor();
        let mut left = most;
        while let Some(prefix) = key.prefixes().get(lookup.prefix) {
            let after = lookup.after.take();
            let mut there = self.names.under_after(prefix, after.as_deref()).peekable();
            let mut gone = self.losses.under_after(prefix, after.as_deref()).peekable();
            loop {
                // A topic that comes or goes between two pieces stays in its place in this order.
                let is_gone = match (there.peek(), gone.peek()) {
                    (None, None) => break,
                    (Some((there, _)), Some((gone, _))) => gone < there,
                    (there, _) => there.is_none(),
                };
                let next = if is_gone {
                    gone.next()
                } else {
                    there.next().map(|(name, slot)| {
                        let lost_to = self.slots[slot].lost_to;
                        (name, if key.covers(name) { lost_to } else { 0 })
                    })
                };
                let Some((name, lost)) = next else {
                    break;
                };
                lost_to = lost_to.max(lost);
                left -= 1;
                if left == 0 {
                    lookup.after = Some(Arc::clone(name));
                    return lost_to;
                }
            }
            lookup.prefix += 1;
        }
        lookup.is_over = true;
        lost_to
    }
}

/// How far the losses of the topics under a key's prefixes have been looked up.
#[derive(Debug, Default)]
pub(super) struct LossLookup {
    /// The prefix that comes next, and the last name under it.
    prefix: usize,
    after: Option<Arc<str>>,
    is_over: bool,
}

impl LossLookup {
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Topics come and go and lose events, which are looked up by prefixes and by looking at each.
    #[test]
    fn losses_under_a_prefix_are_those_of_each_topic() {
        let mut topics = Topics::new(Rules::new(1 << 20, Retention::new()));
        // What each name has lost, of those that exist and of those that are remembered.
        let mut lost = BTreeMap::<String, u64>::new();
        let mut there = BTreeMap::<String, usize>::new();
        let mut random = 1_u64;
        let mut dice = |sides: u64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % sides
        };
        for step in 1..5_000 {
            let name = format!("{}/{}", dice(12), dice(40));
            match there.remove(&name) {
                Some(slot) if dice(3) == 0 => topics.unpin(slot),
                Some(slot) => {
                    topics.get_mut(slot).lost_to = step;
                    lost.insert(name.clone(), step);
                    there.insert(name, slot);
                }
                None => {
                    let slot = topics.enter(&name);
                    topics.pin(slot);
                    there.insert(name, slot);
                }
            }
            let prefixes = [format!("{}/", dice(14)), format!("{}", dice(3))];
            let key = Key::new(
                Vec::new(),
                prefixes.iter().map(|p| Arc::from(&**p)).collect(),
            );
            let key = key.without(&Arc::from(format!("1/{}", dice(40))));
            let covered = lost.iter().filter(|(name, _)| {
                // Those that no longer exist count whatever is excepted.
                let is_there = there.contains_key(*name);
                let prefixes = key.prefixes();
                key.covers(name) || !is_there && prefixes.iter().any(|p| name.starts_with(&**p))
            });
            let expected = covered.map(|(_, lost_to)| *lost_to).max().unwrap_or(0);
            let (mut lookup, mut found) = (LossLookup::default(), 0);
            let most = 1 + usize::try_from(step % 50).unwrap();
            while !lookup.is_over() {
                found = topics.lost_under(&key, &mut lookup, most).max(found);
                // Topics come and go meanwhile.
                let name = format!("{}/{}", 2 + dice(10), dice(40));
                match there.remove(&name) {
                    Some(slot) => topics.unpin(slot),
                    None => {
                        let slot = topics.enter(&name);
                        topics.pin(slot);
                        there.insert(name, slot);
                    }
                }
            }
            assert_eq!(found, expected, "{key:?}");
        }
        assert!(there.len() > 50);
    }
}
