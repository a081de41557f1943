use std::collections::VecDeque;
use std::ops::RangeBounds;

/// The numbers and slots of events, in the order of their numbers. Any of them can be removed.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// The first is never a gap.
    list: VecDeque<Mark>,
    gaps: usize,
}

/// An event's number, and its slot in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub(super) seq: u64,
    pub(super) slot: usize,
}

/// The slot of a removed event.
const GONE: usize = usize::MAX;

/// The number of gaps that may stay in the list whatever its length.
const FEW: usize = 32;

impl Mark {
    fn is_there(&self) -> bool {
        self.slot != GONE
    }
}

impl Marks {
    /// Appends an event, which must be newer than all others.
    #[inline]
    pub(super) fn push(&mut self, mark: Mark) {
        self.list.push_back(mark);
    }

    /// The length of the list, gaps included, and for how many events it has memory.
    #[inline]
    pub(super) fn size(&self) -> (usize, usize) {
        (self.list.len(), self.list.capacity())
    }

    /// Whether a change since it had that size has moved the list in memory, or closed its gaps.
    #[inline]
    pub(super) fn has_moved(&self, (len, capacity): (usize, usize)) -> bool {
        self.list.capacity() != capacity || self.list.len() + FEW < len
    }

    /// The number of the event, or of the gap, that is this many before a place; 0 if there are
    /// fewer.
    pub(super) fn before(&self, seq: u64, events: usize) -> u64 {
        let at = self.list.partition_point(|mark| mark.seq < seq);
        let first = at.checked_sub(events).and_then(|at| self.list.get(at));
        first.map_or(0, |mark| mark.seq)
    }

    /// Puts events before all others.
    pub(super) fn prepend(&mut self, marks: &[Mark]) {
        for mark in marks.iter().rev() {
            self.list.push_front(*mark);
        }
    }

    /// Removes the oldest event.
    #[inline]
    pub(super) fn take_first(&mut self) -> Option<Mark> {
        let first = self.list.pop_front()?;
        while self.gaps > 0 && self.list.front().is_some_and(|mark| !mark.is_there()) {
            self.list.pop_front();
            self.gaps -= 1;
        }
        self.tidy();
        Some(first)
    }

    /// Removes an event, if it is there.
    #[inline]
    pub(super) fn remove(&mut self, seq: u64) {
        if self.list.front().is_some_and(|mark| mark.seq == seq) {
            self.take_first();
        } else {
            self.remove_later(seq);
        }
    }

    fn remove_later(&mut self, seq: u64) {
        if let Some(mark) = self.find(seq) {
            mark.slot = GONE;
            self.gaps += 1;
            self.tidy();
        }
    }

    fn find(&mut self, seq: u64) -> Option<&mut Mark> {
        let at = self.list.partition_point(|mark| mark.seq < seq);
        let mark = self.list.get_mut(at)?;
        (mark.seq == seq && mark.is_there()).then_some(mark)
    }

    /// Keeps gaps and unused memory in proportion to the number of events.
    #[inline]
    fn tidy(&mut self) {
        let (len, capacity) = (self.list.len(), self.list.capacity());
        if self.gaps > FEW.max(len / 2) || (len < capacity / 8 && capacity > FEW) {
            self.make_tidy();
        }
    }

    #[cold]
    fn make_tidy(&mut self) {
        if self.gaps > FEW.max(self.list.len() / 2) {
            self.list.retain(Mark::is_there);
            self.gaps = 0;
        }
        let capacity = self.list.capacity();
        if capacity > FEW && self.list.len() < capacity / 8 {
            self.list.shrink_to(2 * self.list.len());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.list.len() - self.gaps
    }

    pub(super) fn first(&self) -> Option<Mark> {
        self.list.front().copied()
    }

    /// The events from a number on.
    pub(super) fn from(&self, seq: u64) -> impl Iterator<Item = Mark> {
        let at = self.list.partition_point(|mark| mark.seq < seq);
        self.there(at..)
    }

    /// All events, the newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = Mark> {
        self.list.iter().rev().copied().filter(Mark::is_there)
    }

    /// The number of events from a number on. If there are gaps, it looks at those from it on, or at
    /// those before it if they are fewer.
    pub(super) fn count_from(&self, seq: u64) -> usize {
        let at = self.list.partition_point(|mark| mark.seq < seq);
        let rest = self.list.len() - at;
        if self.gaps == 0 {
            rest
        } else if rest <= at {
            self.there(at..).count()
        } else {
            self.len() - self.there(..at).count()
        }
    }

    fn there(&self, range: impl RangeBounds<usize>) -> impl Iterator<Item = Mark> {
        self.list.range(range).copied().filter(Mark::is_there)
    }

    /// Like [`count_from`](Self::count_from), but counts gaps too.
    pub(super) fn at_most_from(&self, seq: u64) -> usize {
        self.list.len() - self.list.partition_point(|mark| mark.seq < seq)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn does_what_a_map_does() {
        let (mut marks, mut map, mut next) = (Marks::default(), BTreeMap::new(), 1000);
        let mut random = 1u64;
        for slot in 0..20_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(slot as u64);
            let dice = random >> 33;
            if dice % 9 < if slot % 4_000 < 2_000 { 5 } else { 2 } {
                next += 1 + dice % 3;
                marks.push(Mark { seq: next, slot });
                map.insert(next, slot);
            } else if dice % 2 == 0 {
                let seq = map.keys().next().copied().unwrap_or(7);
                marks.remove(seq);
                map.remove(&seq);
            } else {
                let seq = next - dice % 300;
                marks.remove(seq);
                map.remove(&seq);
            }
            let from = next - dice % 200;
            let pairs = |mark: Mark| (mark.seq, mark.slot);
            let wanted = map.range(from..).map(|(seq, slot)| (*seq, *slot));
            assert!(marks.from(from).map(pairs).eq(wanted.clone()));
            assert_eq!(marks.count_from(from), wanted.count());
            let early = map.keys().next().copied().unwrap_or(0) + dice % 3;
            assert_eq!(marks.count_from(early), map.range(early..).count());
            assert!(marks.at_most_from(from) >= marks.count_from(from));
            let wanted = map.iter().map(|(seq, slot)| (*seq, *slot));
            assert_eq!(marks.first().map(pairs), wanted.clone().next());
            assert!(marks.newest().map(pairs).eq(wanted.rev()));
            assert_eq!((marks.len(), marks.is_empty()), (map.len(), map.is_empty()));
            assert!(marks.list.len() <= 2 * map.len() + 2 * FEW);
        }
        let first = Mark { seq: 1, slot: 0 };
        marks.prepend(&[first, Mark { seq: 2, slot: 0 }]);
        assert_eq!(
            (marks.first(), marks.from(2).count()),
            (Some(first), map.len() + 1)
        );
        (1..=next).for_each(|seq| marks.remove(seq));
        assert!(marks.is_empty() && marks.list.capacity() <= FEW);
    }
}
