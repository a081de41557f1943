use super::State;
use super::group::Group;
use super::notices::News;
use super::wake_list::Wakes;
use crate::sync::crowd;

/// The maximum number of groups to tell of a loss before releasing the lock to others, and at least
/// [`crowd`].
pub(super) const TOLD: usize = 128;

/// The number of topics whose last untold losses are at hand.
const RECENT: usize = 4;

/// Losses of topics with many groups.
///
/// Such a loss is only recorded in its topic. A group asks its topics for it when a call next looks
/// at the group: most groups have nothing to read meanwhile. The exceptions are groups for which the
/// order of losses and other changes matters. These are told at once.
#[derive(Debug, Default)]
pub(super) struct Untold {
    /// The number of the most recent untold loss. The hub numbers losses from 1.
    last: u64,
    /// The most recent untold losses, one for each topic, with the topic's slot. Most groups look at
    /// nothing else: with many topics, the state of each is a cache miss.
    recent: [(usize, LastUntold); RECENT],
    /// The number of the most recent untold loss that `recent` has dropped.
    before_recent: u64,
    /// The groups that are told of each loss at once.
    attentive: Vec<usize>,
}

/// What a topic keeps for groups that have not asked for its losses.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct LastUntold {
    /// The place after the lost event.
    place: u64,
    /// The number of the loss.
    when: u64,
}

/// What a group knows of losses.
#[derive(Debug)]
pub(super) struct Known {
    /// The number of the most recent loss when it last asked.
    when: u64,
    /// Its index among the groups that are told at once.
    attentive: Option<usize>,
}

impl Untold {
    /// Records the last loss of the topic in this slot. If the slot is another topic's by then, its
    /// groups are newer than the loss.
    fn remember(&mut self, slot: usize, last: LastUntold) {
        self.last = last.when;
        let known = self.recent.iter().position(|(other, _)| *other == slot);
        let at = known.unwrap_or(RECENT - 1);
        if known.is_none() {
            self.before_recent = self.before_recent.max(self.recent[at].1.when);
        }
        self.recent[..=at].rotate_right(1);
        self.recent[0] = (slot, last);
    }
}

#[cfg(test)]
impl Untold {
    pub(super) fn last(&self) -> u64 {
        self.last
    }
}

impl Known {
    pub(super) const fn new() -> Self {
        Self {
            when: 0,
            attentive: None,
        }
    }
}

impl Group {
    /// Whether it may not know of all losses.
    #[inline]
    pub(super) fn has_untold(&self, untold: &Untold) -> bool {
        self.known.when < untold.last
    }
}

impl State {
    /// Tells the topic's groups of the loss of its oldest event.
    pub(super) fn tell_loss(&mut self, slot: usize, seq: u64, wakes: &mut Wakes) {
        let when = self.losses;
        let topic = self.topics.refresh(slot);
        let (named, prefixed) = (topic.followers.len(), topic.prefixed.len());
        let told = prefixed + self.untold.attentive.len();
        // A group that has yet to learn of its end must learn of a later loss after it.
        if named + prefixed <= crowd() || told > TOLD || self.notices.have_ends() {
            self.announce(slot, News::Loss(seq, when), wakes);
            return;
        }
        for at in 0..prefixed {
            let index = self.topics.get(slot).prefixed[at];
            self.tell_group(index, slot, seq, wakes);
        }
        for at in 0..self.untold.attentive.len() {
            let index = self.untold.attentive[at];
            if self.groups[index].follows(slot, &self.topics.get(slot).name) {
                self.tell_group(index, slot, seq, wakes);
            }
        }
        let place = seq + 1;
        let untold = LastUntold { place, when };
        self.topics.get_mut(slot).untold = untold;
        self.untold.remember(slot, untold);
    }

    fn tell_group(&mut self, index: usize, slot: usize, seq: u64, wakes: &mut Wakes) {
        self.settle(index, wakes);
        self.apply(index, slot, News::Loss(seq, self.losses), wakes);
        self.groups[index].known.when = self.losses;
    }

    /// Lets a new group know of all losses up to now.
    pub(super) fn begin_asking(&mut self, index: usize) {
        self.groups[index].known.when = self.untold.last;
        self.attend(index);
    }

    /// Lets a group know of all losses that it has not been told of. `named` is the slot of a topic
    /// that it is known to follow by name.
    #[inline]
    pub(super) fn ask(&mut self, index: usize, named: Option<usize>) {
        if self.groups[index].has_untold(&self.untold) {
            self.ask_topics(index, named);
        }
    }

    #[cold]
    fn ask_topics(&mut self, index: usize, named: Option<usize>) {
        let (place, when) = self.untold_of(&self.groups[index], named);
        let group = &mut self.groups[index];
        group.lost_to = group.lost_to.max(place);
        group.last_loss = group.last_loss.max(when);
        group.known.when = self.untold.last;
    }

    /// The place after the last lost event that a group has not been told of, and the count of all
    /// losses after the last such loss.
    fn untold_of(&self, group: &Group, named: Option<usize>) -> (u64, u64) {
        let later = |last: &LastUntold| last.when > group.known.when;
        let latest = |(place, when): (u64, u64), last: LastUntold| {
            (place.max(last.place), when.max(last.when))
        };
        if group.known.when >= self.untold.before_recent {
            let recent = self.untold.recent.iter();
            let names = |slot: usize| named == Some(slot) || group.names(slot);
            let recent = recent.filter(|(slot, last)| later(last) && names(*slot));
            return recent.map(|(_, last)| *last).fold((0, 0), latest);
        }
        let topics = group.topics.iter();
        let last = topics.map(|topic| self.topics.get(topic.slot).untold);
        last.filter(later).fold((0, 0), latest)
    }

    /// Changes a group that knows of all losses, in a way that may decide whether it is told of
    /// later ones at once.
    pub(super) fn change<R>(&mut self, index: usize, change: impl FnOnce(&mut Group) -> R) -> R {
        let result = change(&mut self.groups[index]);
        self.attend(index);
        result
    }

    /// Decides whether a group is told of losses at once.
    pub(super) fn attend(&mut self, index: usize) {
        let group = &mut self.groups[index];
        match group.known.attentive {
            None if group.is_attentive() => {
                group.known.attentive = Some(self.untold.attentive.len());
                self.untold.attentive.push(index);
            }
            Some(at) if !group.is_attentive() => {
                group.known.attentive = None;
                self.stop_attending(at);
            }
            _ => {}
        }
    }

    /// Forgets a group that is removed.
    pub(super) fn end_asking(&mut self, group: &Group) {
        if let Some(at) = group.known.attentive {
            self.stop_attending(at);
        }
    }

    fn stop_attending(&mut self, at: usize) {
        let attentive = &mut self.untold.attentive;
        attentive.swap_remove(at);
        if let Some(moved) = attentive.get(at) {
            self.groups[*moved].known.attentive = Some(at);
        }
        if attentive.len() < attentive.capacity() / 8 {
            attentive.shrink_to(2 * attentive.len());
        }
    }
}
