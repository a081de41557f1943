use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use super::State;
use super::frames::PER_TOPIC;
use super::group::Group;
use super::log::Entry;
use super::marks::{Mark, Marks};

/// A group with more topics than this scans the events of all topics from its place on, if there
/// are at most this many for each of its topics.
const FEW_TOPICS: usize = 8;

/// How many events a group with more topics than that is shown at most, whatever is retained.
const MERGED: usize = 2 * PER_TOPIC;

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
        let only = group.only_event(range.from);
        let only = only.filter(|_| range.until == group.head);
        if let Some(only) = only.and_then(|mark| self.log.find(mark)) {
            // The lists of the group's topics are not needed.
            return if each(only) { range.until } else { only.seq };
        }
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
        if group.own.is_none() && group.topics.len() > FEW_TOPICS {
            return self.gather_merged(group, range, marks);
        }
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

    /// Collects the first events of a group with many topics, without looking at the others.
    #[cold]
    fn gather_merged(&self, group: &Group, range: Range, marks: &mut Vec<Mark>) -> u64 {
        let lists = self.lists(group).map(|list| {
            let list = list.from(range.from);
            list.take_while(|mark| mark.seq < range.until)
        });
        let mut lists: Vec<_> = lists.collect();
        let firsts = lists.iter_mut().enumerate();
        let firsts = firsts.filter_map(|(at, list)| Some(Reverse((list.next()?, at))));
        let mut firsts: BinaryHeap<_> = firsts.collect();
        while let Some(mut first) = firsts.peek_mut() {
            let Reverse((mark, at)) = *first;
            if marks.len() == MERGED {
                return mark.seq;
            }
            marks.push(mark);
            match lists[at].next() {
                Some(next) => *first = Reverse((next, at)),
                None => _ = PeekMut::pop(first),
            }
        }
        range.until
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

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::hub::core::{Begin, Draft, Fresh, Key, Last, Rules, Taken, Wakes};
    use crate::hub::outcome::LagPolicy;
    use crate::hub::retention::Retention;
    use crate::protocol::Event;

    #[test]
    fn a_frame_of_many_topics_looks_at_few_of_their_events() {
        crate::sync::run(looks_at_few);
    }

    fn looks_at_few() {
        let rules = Rules::new(usize::MAX, Retention::new().events(usize::MAX));
        let mut state = State::new(rules, LagPolicy::Oldest);
        let mut wakes = Wakes::default();
        // Every other topic is followed. Some events have been replaced, and one topic has most.
        let mut expected = Vec::new();
        for n in 0..30_000 {
            let topic = if n % 3 == 0 { 0 } else { n % 200 };
            let mut draft = Draft::with_number(Event::display(n).unwrap().encode(), n + 1, None);
            if n % 7 == 0 && topic > 0 {
                draft = draft.with_key(format!("{}", n % 2).into());
                expected.retain(|(other, key, _)| (*other, *key) != (topic, n % 2));
                expected.push((topic, n % 2, n));
            } else {
                expected.push((topic, u64::MAX, n));
            }
            state.publish(&format!("{topic}"), draft, &mut wakes);
        }
        let followed = |topic: u64| topic % 2 == 0;
        let names = (0..200).filter(|topic| followed(*topic));
        let names = names.map(|topic| format!("{topic}").into()).collect();
        let begin = Begin::new(Last::Nothing, Fresh::Oldest, false, Last::Nothing);
        let come = state.subscribe(Key::new(names, Vec::new()), &begin, None, &mut wakes);
        let (mut seat, ..) = come.unwrap();
        seat.prepare(Waker::noop());
        let (mut text, mut frames) = (String::new(), 0);
        while let Taken::Frame(block) = state.take(&mut seat, &mut wakes) {
            let bytes: Vec<u8> = block.into_chunks().flat_map(Vec::from).collect();
            text.push_str(&String::from_utf8(bytes).unwrap());
            frames += 1;
        }
        let expected = expected.iter().filter(|(topic, ..)| followed(*topic));
        let expected = expected.map(|(_, _, n)| format!("data: {n}\n\n"));
        assert_eq!(text, expected.collect::<String>());
        assert!(frames < 300, "{frames}");
        assert!(
            state.marks.capacity() <= 2 * MERGED,
            "{}",
            state.marks.capacity()
        );
    }
}
