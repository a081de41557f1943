use super::State;
use super::frames::PER_TOPIC;
use super::group::Group;
use super::log::Entry;
use super::marks::{Mark, Marks};

/// A group with more topics than this scans the events of all topics from its place on, if there
/// are at most this many for each of its topics.
const FEW_TOPICS: usize = 8;

/// The part of a group's log to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) group: usize,
    pub(super) from: u64,
    pub(super) until: u64,
    /// Whether to include transient events.
    pub(super) live: bool,
}

/// The events of a group, wherever they are retained.
impl State {
    /// Calls the closure for the events of the range, in order, until it returns `false`. Returns
    /// the place that was reached.
    pub(super) fn visit<'a>(
        &'a self,
        range: Range,
        marks: &mut Vec<Mark>,
        mut each: impl FnMut(&'a Entry) -> bool,
    ) -> u64 {
        let group = &self.groups[range.group];
        let everything = group.is_everything;
        let matches = |entry: &&Entry| {
            everything || group.follows(entry.topic, &self.topics.get(entry.topic).name)
        };
        let mut transients = self
            .log
            .transients_from(range.from)
            .filter(|entry| range.live && entry.seq < range.until)
            .filter(matches)
            .peekable();
        // Returns the place if the visit is over.
        let mut show = |entry: Option<&'a Entry>, until: u64| {
            let before = entry.map_or(until, |entry| entry.seq);
            while let Some(transient) = transients.next_if(|other| other.seq < before) {
                if !each(transient) {
                    return Some(transient.seq);
                }
            }
            entry.filter(|entry| !each(entry)).map(|entry| entry.seq)
        };
        let mut until = range.until;
        let scan = everything || {
            let topics = group.topics.len();
            group.own.is_none()
                && topics > FEW_TOPICS
                && self.log.history().at_most_from(range.from) <= FEW_TOPICS * topics
        };
        if scan {
            let history = self.log.history().from(range.from);
            let history = history.take_while(|mark| mark.seq < until);
            for entry in history.map(|mark| self.log.get(mark)).filter(matches) {
                if let Some(place) = show(Some(entry), until) {
                    return place;
                }
            }
        } else {
            until = self.gather(group, range, marks);
            for mark in &*marks {
                if let Some(place) = show(Some(self.log.get(*mark)), until) {
                    return place;
                }
            }
        }
        show(None, until).unwrap_or(until)
    }

    /// Collects the group's events, in order, and returns the place up to which they are complete.
    fn gather(&self, group: &Group, range: Range, marks: &mut Vec<Mark>) -> u64 {
        marks.clear();
        let mut until = range.until;
        for list in self.lists(group) {
            let mut from = list.from(range.from).take_while(|mark| mark.seq < until);
            // One extra: the first event of a new segment, if there is one, seals the frame.
            marks.extend(from.by_ref().take(PER_TOPIC + 1));
            if let Some(next) = from.next() {
                until = next.seq;
            }
        }
        if group.topics.len() > 1 {
            marks.sort_unstable();
        }
        let end = marks.partition_point(|mark| mark.seq < until);
        marks.truncate(end);
        until
    }

    /// The lists that hold the group's retained events.
    fn lists<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = &'a Marks> {
        let everything = group.is_everything.then(|| self.log.history());
        let one = everything.or(group.own.as_ref().map(|own| &own.marks));
        let named: &[_] = if one.is_some() { &[] } else { &group.topics };
        let named = named
            .iter()
            .map(|topic| &self.topics.get(topic.slot).retained);
        one.into_iter().chain(named)
    }

    /// Whether the group has a retained event between two places.
    pub(super) fn has_between(&self, index: usize, from: u64, to: u64) -> bool {
        self.next_from(index, from).is_some_and(|seq| seq < to)
    }

    /// The number of the group's first retained event from a place on.
    pub(super) fn next_from(&self, index: usize, from: u64) -> Option<u64> {
        let lists = self.lists(&self.groups[index]);
        let next = lists.filter_map(|list| list.from(from).next());
        next.map(|mark| mark.seq).min()
    }

    /// The number of the first of the group's newest `events` retained events before a place; the
    /// head if there are none.
    pub(super) fn last_from(&self, index: usize, events: usize, until: u64) -> u64 {
        let group = &self.groups[index];
        let lists = self.lists(group);
        let mut numbers: Vec<u64> = lists
            .flat_map(|list| {
                let newest = list.newest().skip_while(|mark| mark.seq >= until);
                newest.take(events)
            })
            .map(|mark| mark.seq)
            .collect();
        numbers.sort_unstable();
        let first = numbers.len().saturating_sub(events);
        numbers.get(first).copied().unwrap_or(group.head)
    }

    /// The number of the group's retained events from a place on.
    pub(super) fn count_from(&self, index: usize, from: u64) -> u64 {
        let lists = self.lists(&self.groups[index]);
        lists.map(|list| list.count_from(from) as u64).sum()
    }
}
