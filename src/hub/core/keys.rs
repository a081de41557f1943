use std::collections::VecDeque;

use super::State;
use super::draft::Draft;
use super::marks::Marks;
use super::wake_list::Wakes;
use crate::hub::change::Reason;

/// The keys of the hub's events in an outer log: a 128-bit key for each number, both increasing.
///
/// The first pair is the place where the ring begins: every event after it has been in the ring. An
/// event that retention removes from the middle keeps its key unless there are too many, so that a
/// client that saw it last resumes without the outer log.
#[derive(Debug)]
pub(super) struct Keys {
    list: VecDeque<Pair>,
    /// Whether the ring is still being filled with earlier entries of the outer log.
    filling: bool,
}

/// A key and its number.
#[derive(Debug, Clone, Copy)]
struct Pair {
    key: u128,
    seq: u64,
    /// Whether keys between this pair and the next have been forgotten.
    hole: bool,
}

impl Pair {
    fn new(key: u128, seq: u64) -> Self {
        let hole = false;
        Self { key, seq, hole }
    }
}

/// The position of a key relative to the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::hub) enum KeyPlace {
    /// Before the place where the ring begins. Events after it may never have been in the ring.
    Before,
    /// The key of this number, or of the place where the ring begins.
    Here(u64),
    /// Between two keys, after this number. The outer log has lost it, or the ring has forgotten
    /// it.
    Between(u64),
    /// After all keys. The client comes from a node that is ahead of this one.
    After,
}

/// An appended key is not after the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::hub) struct KeyOrder {
    key: u128,
    last: u128,
}

impl std::fmt::Display for KeyOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "key {:x} is not after key {:x}", self.key, self.last)
    }
}

/// The number of keys that are always kept.
const SPARE: usize = 1024;

impl Keys {
    /// Creates the keys of a ring that begins after this key and before this number.
    pub(super) fn new(key: u128, next: u64) -> Self {
        Self {
            list: VecDeque::from([Pair::new(key, next - 1)]),
            filling: false,
        }
    }

    /// Whether a key may come next.
    fn check(&self, key: u128) -> Result<(), KeyOrder> {
        match self.list.back() {
            Some(Pair { key: last, .. }) if key <= *last => Err(KeyOrder { key, last: *last }),
            _ => Ok(()),
        }
    }

    fn push(&mut self, key: u128, seq: u64, retained: &Marks) {
        self.list.push_back(Pair::new(key, seq));
        let first = retained.first().map_or(seq, |first| first.seq);
        // The ring begins at the place before its first event.
        while self.list.get(1).is_some_and(|second| second.seq < first) {
            self.list.pop_front();
        }
        if self.list.len() > 4 * retained.len() + SPARE {
            self.thin(retained);
        }
    }

    /// Records an entry that is not an event. Of several in a row, only the newest is kept, so that
    /// they take no memory.
    fn pass(&mut self, key: u128) {
        let seq = self.list.back().map_or(0, |last| last.seq);
        let before = self.list.len().checked_sub(2).map(|at| self.list[at].seq);
        match self.list.back_mut() {
            Some(last) if before == Some(seq) => last.key = key,
            _ => self.list.push_back(Pair::new(key, seq)),
        }
    }

    /// Forgets keys of events that are no longer retained, except for the first and the newest.
    fn thin(&mut self, retained: &Marks) {
        let newest = self.list.len() - SPARE / 2;
        let mut there = retained.from(0).map(|mark| mark.seq).peekable();
        let list = std::mem::take(&mut self.list);
        for (at, pair) in list.into_iter().enumerate() {
            while there.next_if(|other| *other < pair.seq).is_some() {}
            if at == 0 || at >= newest || there.peek() == Some(&pair.seq) {
                self.list.push_back(pair);
            } else if let Some(before) = self.list.back_mut() {
                before.hole = true;
            }
        }
    }

    fn find(&self, key: u128) -> KeyPlace {
        match self.list.binary_search_by_key(&key, |pair| pair.key) {
            Ok(at) => KeyPlace::Here(self.list[at].seq),
            Err(0) => KeyPlace::Before,
            Err(at) if at == self.list.len() => KeyPlace::After,
            Err(at) => KeyPlace::Between(self.list[at - 1].seq),
        }
    }

    /// Returns the key of the last place up to this number, if it is known. A client that resumed
    /// from an earlier one would get events twice.
    fn up_to(&self, seq: u64) -> Option<u128> {
        let after = self.list.partition_point(|pair| pair.seq <= seq);
        let pair = self.list.get(after.checked_sub(1)?)?;
        (!pair.hole || pair.seq == seq).then_some(pair.key)
    }
}

/// The interface for the reader of an outer log.
impl State {
    /// Begins an empty ring after this key.
    pub(in crate::hub) fn begin_after(&mut self, key: u128) {
        self.keys = Some(Keys::new(key, self.next));
    }

    /// Begins the ring after this key, to be filled. Until it is [filled](Self::filled),
    /// subscribers wait as they do before the ring begins.
    pub(in crate::hub) fn fill_after(&mut self, key: u128) {
        self.begin_after(key);
        if let Some(keys) = &mut self.keys {
            keys.filling = true;
        }
    }

    /// Marks the ring as filled, and wakes the subscribers that wait for that.
    pub(in crate::hub) fn filled(&mut self, wakes: &mut Wakes) {
        if let Some(keys) = &mut self.keys {
            keys.filling = false;
        }
        self.end_rounds(wakes);
    }

    /// Whether the ring has begun and is not filled yet.
    pub(super) fn is_filling(&self) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.filling)
    }

    /// Whether the ring has begun and is filled.
    pub(in crate::hub) fn has_begun(&self) -> bool {
        self.keys.as_ref().is_some_and(|keys| !keys.filling)
    }

    /// Appends the outer log's next event, which is encoded with its ID.
    pub(in crate::hub) fn append(
        &mut self,
        topic: &str,
        draft: Draft,
        key: u128,
        wakes: &mut Wakes,
    ) -> Result<u64, KeyOrder> {
        if let Some(Err(error)) = self.keys.as_ref().map(|keys| keys.check(key)) {
            wakes.drop_block(draft.block);
            return Err(error);
        }
        let slot = self.enter(topic);
        let is_last = draft.is_last;
        if self.topics.get(slot).finished.is_some() {
            if is_last && self.topics.get(slot).is_over() {
                // Two publishers have finished it at the same time.
                wakes.drop_block(draft.block);
                if let Some(keys) = &mut self.keys {
                    keys.pass(key);
                }
                return Ok(self.next - 1);
            }
            self.begin_run(slot, wakes);
        }
        let seq = self.number();
        self.retain(slot, seq, draft, wakes);
        if let Some(keys) = &mut self.keys {
            keys.push(key, seq, self.log.history());
        }
        if is_last {
            _ = self.finish(topic, wakes);
        }
        Ok(seq)
    }

    /// Records an entry of the outer log that is not an event, and finishes a topic if it says so.
    pub(in crate::hub) fn pass_entry(
        &mut self,
        finished: Option<&str>,
        key: u128,
        wakes: &mut Wakes,
    ) -> Result<(), KeyOrder> {
        if let Some(keys) = &mut self.keys {
            keys.check(key)?;
            keys.pass(key);
        }
        if let Some(topic) = finished {
            _ = self.finish(topic, wakes);
        }
        Ok(())
    }

    /// Returns the position of a key relative to the ring.
    pub(in crate::hub) fn find_key(&self, key: u128) -> KeyPlace {
        let keys = self.keys.as_ref();
        keys.map_or(KeyPlace::Before, |keys| keys.find(key))
    }

    /// The key of the newest event in the ring, or of the place where it begins.
    pub(in crate::hub) fn last_key(&self) -> u128 {
        let last = self.keys.as_ref().and_then(|keys| keys.list.back());
        last.map_or(0, |last| last.key)
    }

    /// Returns the key of the last place up to this number, if it is known. A client that resumes
    /// from it misses nothing and gets nothing twice.
    pub(in crate::hub) fn key_at(&self, seq: u64) -> Option<u128> {
        self.keys.as_ref()?.up_to(seq)
    }

    /// Drops the ring because the outer log has lost entries, and begins again after this key.
    ///
    /// The change has to be [counted](Self::changes).
    #[cfg(test)]
    pub(in crate::hub) fn cut(&mut self, key: u128, wakes: &mut Wakes) {
        self.break_off(wakes);
        self.begin_after(key);
    }

    /// Drops the ring. All subscribers end where they are, so that their clients reconnect and are
    /// told.
    ///
    /// The change has to be [counted](Self::changes).
    pub(in crate::hub) fn break_off(&mut self, wakes: &mut Wakes) {
        self.settle_all(wakes);
        self.changes += 1;
        let cursors: Vec<usize> = self.cursors.iter().map(|(cursor, _)| cursor).collect();
        for cursor in cursors {
            self.release(cursor);
            let place = self.cursors[cursor].place;
            self.end_one(cursor, place, Reason::Lagged, wakes);
        }
        let topics: Vec<(usize, usize)> = self
            .topics
            .iter()
            .map(|(slot, topic)| (slot, topic.retained.len()))
            .collect();
        for (slot, events) in topics {
            // Losing its last event may remove the topic.
            for _ in 0..events {
                self.lose(slot, wakes);
            }
        }
        // The next ring may begin after the topic was published to again.
        let finished = self
            .topics
            .iter()
            .filter(|(_, topic)| topic.finished.is_some());
        let finished: Vec<usize> = finished.map(|(slot, _)| slot).collect();
        for slot in finished {
            self.begin_run(slot, wakes);
        }
        let lost_to = self.next;
        self.topics.lose_all(lost_to);
        self.log.lose(lost_to - 1);
        self.settle_all(wakes);
        for (_, group) in self.groups.iter_mut() {
            group.lose_up_to(lost_to);
        }
        self.keys = None;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::hub::core::marks::Mark;

    #[test]
    fn a_key_is_found_where_it_was_or_said_to_be_in_between() {
        let (mut keys, mut marks) = (Keys::new(1_000, 1), Marks::default());
        let (mut all, mut random) = (BTreeMap::from([(1_000, 0)]), 1u64);
        let mut last = 1_000;
        for seq in 1..30_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(seq);
            let dice = random >> 33;
            last += 1 + u128::from(dice % 3);
            assert!(keys.check(last - 1).is_ok() == (last - 1 > *all.keys().last().unwrap()));
            all.insert(last, seq);
            marks.push(Mark { seq, slot: 0 });
            keys.push(last, seq, &marks);
            assert!(keys.list.len() <= 4 * marks.len() + SPARE);
            // One in a thousand stays for long, so that the ring grows far longer than what is in
            // it.
            let (gone, kept) = (seq.saturating_sub(20), |seq| seq % 1_000 == 1);
            if !kept(gone) {
                marks.remove(gone);
            }
            if seq % 9_000 == 0 {
                (0..seq - 20).for_each(|seq| marks.remove(seq));
            }
            let start = (keys.list[0].key, keys.list[0].seq);
            for key in [
                last,
                last + 1,
                last - u128::from(dice % 5_000).min(last),
                start.0,
            ] {
                let known = all.range(..=key).next_back().map(|(key, seq)| (*key, *seq));
                match keys.find(key) {
                    KeyPlace::Before => assert!(key < start.0),
                    KeyPlace::After => assert!(key > last),
                    KeyPlace::Here(seq) => assert_eq!(known, Some((key, seq))),
                    KeyPlace::Between(seq) => {
                        assert!(start.0 < key && key < last);
                        // Of what is retained, each is found.
                        let there = marks.from(seq + 1).next().unwrap().seq;
                        assert!(all.range(key..).next().unwrap().1 <= &there);
                        assert!(marks.from(known.unwrap().1).next().unwrap().seq >= seq);
                        let is_retained =
                            |seq| marks.from(seq).next().is_some_and(|m| m.seq == seq);
                        assert!(all.get(&key).is_none_or(|seq| !is_retained(*seq)));
                    }
                }
            }
            assert_eq!(keys.up_to(seq), Some(last));
            assert!(
                keys.up_to(seq.saturating_sub(dice % 50))
                    .is_none_or(|key| all[&key] == seq.saturating_sub(dice % 50))
            );
        }
    }
}
