use std::collections::VecDeque;

use super::State;
use super::marks::{Mark, Marks};
use super::wake_list::Wakes;
use crate::sync::crowd;

/// The number of marks that are moved in memory in the time that a group takes for a change.
const MARKS: usize = 16;

/// A change of a topic, for all groups that follow it.
#[derive(Debug, Clone, Copy)]
pub(super) enum News {
    /// An event, and its mark if it is retained.
    Event(u64, Option<Mark>),
    /// The loss of an event, and the count of all losses.
    Loss(u64, u64),
    /// The removal of an event that a later one with the same key has replaced.
    Replacement(u64),
    /// The end of the topic, at this place.
    End(u64),
    /// The end must not be known to new subscribers.
    EndForgotten,
    /// The topic is published to again.
    NextRun,
}

impl News {
    fn is_end(self) -> bool {
        matches!(self, Self::End(_))
    }
}

/// Changes of topics with more than [`crowd`] groups, which do not all fit under one hold of the
/// lock.
///
/// Such a change is posted here, and applied to the groups in slices, by the call that made it.
/// Others get the lock in between. A group that a call looks at or changes meanwhile is first
/// [settled](State::settle): all that is posted is applied to it, in order. So no call can tell
/// that a change has not reached all groups yet.
#[derive(Debug, Default)]
pub(super) struct Notices {
    list: VecDeque<Notice>,
    /// How many of them are [ends](News::End).
    ends: usize,
    /// The number of the first notice in the list.
    first: u64,
    walk: Option<Walk>,
    /// Groups whose round must end because a linger has ended.
    lingered: Vec<usize>,
    /// The group from which on all rounds must end.
    round: Option<usize>,
}

#[derive(Debug)]
struct Notice {
    slot: usize,
    news: News,
    /// Whether it has reached all groups.
    done: bool,
}

/// The visit to all groups that follow the topic of the first notice.
#[derive(Debug)]
struct Walk {
    /// The number of the next notice when the visit began.
    begun: u64,
    /// Groups that follow the topic by name and have not been visited are below this index. A
    /// removal does not change that: the last group takes the place of the removed one.
    rest: usize,
    /// The length of the prefix and the group to visit next.
    next: (usize, usize),
}

impl Notices {
    pub(super) fn end(&self) -> u64 {
        self.first + self.list.len() as u64
    }

    /// Whether the end of a topic has not reached all groups.
    #[inline]
    pub(super) fn have_ends(&self) -> bool {
        self.ends > 0
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Ends the rounds of these groups, in slices.
    pub(super) fn end_lingering(&mut self, groups: &mut Vec<usize>) {
        self.lingered.append(groups);
    }

    /// Ends all rounds, in slices.
    pub(super) fn end_rounds(&mut self) {
        self.round = Some(0);
    }
}

impl State {
    /// Applies a change of a topic to the groups that follow it, or posts it if these are many.
    pub(super) fn announce(&mut self, slot: usize, news: News, wakes: &mut Wakes) {
        let topic = self.topics.refresh(slot);
        let (named, prefixed) = (topic.followers.len(), topic.prefixed.len());
        if named + prefixed > crowd() {
            self.post(slot, news, wakes);
            return;
        }
        for at in 0..named {
            let index = self.topics.get(slot).followers[at].0;
            self.settle(index, wakes);
            self.apply(index, slot, news, wakes);
        }
        for at in 0..prefixed {
            let index = self.topics.get(slot).prefixed[at];
            self.settle(index, wakes);
            self.apply(index, slot, news, wakes);
        }
    }

    #[cold]
    fn post(&mut self, slot: usize, news: News, wakes: &mut Wakes) {
        // The topic must exist until all groups know of its change.
        self.topics.pin(slot);
        let done = false;
        self.notices.ends += usize::from(news.is_end());
        self.notices.list.push_back(Notice { slot, news, done });
        wakes.spread_until(self.notices.end());
    }

    /// Applies to a group what has been posted.
    #[inline]
    pub(super) fn settle(&mut self, index: usize, wakes: &mut Wakes) {
        if self.notices.is_empty() {
            self.ask(index, None);
        } else {
            _ = self.catch_up(index, None, wakes);
        }
    }

    /// Settles all groups in which a subscriber has yet to read.
    #[inline]
    pub(super) fn settle_cursor(&mut self, cursor: usize, wakes: &mut Wakes) {
        let cursor = &self.cursors[cursor];
        if self.notices.is_empty() && cursor.next_move().is_none() {
            self.ask(cursor.group, None);
            return;
        }
        let groups: Vec<usize> = self.stays(cursor).map(|(group, _)| group).collect();
        for group in groups {
            self.settle(group, wakes);
        }
    }

    /// Settles all groups, for calls that visit all subscribers.
    pub(super) fn settle_all(&mut self, wakes: &mut Wakes) {
        while !(self.spread(self.notices.end(), wakes) && self.notices.is_empty()) {}
    }

    /// Applies to a group what it has not been told of. `named` is the slot of a topic that it is known
    /// to follow by name: the list of its topics, which may be a cache miss, is for others.
    ///
    /// Returns what it took in steps: the changes that it had not been told of, and the marks that
    /// these moved in memory.
    #[cold]
    fn catch_up(&mut self, index: usize, named: Option<usize>, wakes: &mut Wakes) -> usize {
        self.ask(index, named);
        let (first, end) = (self.notices.first, self.notices.end());
        let from = self.groups[index].noticed.max(first);
        let mut moved = 0;
        for number in from..end {
            let at = usize::try_from(number - first).unwrap_or(usize::MAX);
            let Some(Notice { slot, news, .. }) = self.notices.list.get(at) else {
                break;
            };
            let (slot, news) = (*slot, *news);
            let group = &self.groups[index];
            if named == Some(slot) || group.follows(slot, &self.topics.get(slot).name) {
                let before = group.own_marks().map(Marks::size);
                self.apply(index, slot, news, wakes);
                // Groups with the same events do this at the same event.
                if let (Some(marks), Some(before)) = (self.groups[index].own_marks(), before) {
                    moved += usize::from(marks.has_moved(before)) * before.0;
                }
            }
        }
        self.groups[index].noticed = end;
        usize::try_from(end - from).map_or(usize::MAX, |changes| changes + moved / MARKS)
    }

    pub(super) fn apply(&mut self, index: usize, slot: usize, news: News, wakes: &mut Wakes) {
        let group = &mut self.groups[index];
        match news {
            News::Event(seq, retained) => {
                if group.is_over() {
                    return;
                }
                group.push(seq, retained);
                if self.lingers.is_empty() {
                    group.end_round(index, wakes);
                } else {
                    let first = !std::mem::replace(&mut group.lingering, true);
                    self.lingers.gather(index, first, wakes);
                }
            }
            News::Loss(seq, when) => group.lose(seq, when),
            News::Replacement(seq) => {
                self.frames -= group.frame_bytes();
                group.forget(seq, wakes);
                self.frames += group.frame_bytes();
            }
            News::End(place) => {
                self.change(index, |group| group.finish(slot, place));
                let group = &mut self.groups[index];
                if group.is_over() {
                    group.end_round(index, wakes);
                }
            }
            News::EndForgotten => {
                if group.is_over() {
                    // Those that read the past join another group.
                    group.end_round(index, wakes);
                    let hash = self.by_key.hash(&*group.key);
                    self.by_key.remove(hash, index);
                }
            }
            News::NextRun => group.begin_run(slot),
        }
    }

    /// Lets what was posted before notice number `until` reach further groups. Returns `true` once
    /// it has reached all.
    pub(in crate::hub) fn spread(&mut self, until: u64, wakes: &mut Wakes) -> bool {
        if !self.keep_all_bounds(wakes) {
            return false;
        }
        let mut budget = crowd();
        while let Some(index) = self.notices.lingered.pop() {
            if let Some(group) = self.groups.get_mut(index) {
                if std::mem::take(&mut group.lingering) {
                    group.end_round(index, wakes);
                }
            }
            budget -= 1;
            if budget == 0 {
                return false;
            }
        }
        if self.notices.lingered.capacity() > crowd() {
            self.notices.lingered = Vec::new();
        }
        if let Some(round) = self.notices.round {
            let end = self.groups.end().min(round + budget);
            for index in round..end {
                if let Some(group) = self.groups.get_mut(index) {
                    group.end_round(index, wakes);
                }
            }
            self.notices.round = (end < self.groups.end()).then_some(end);
            return self.notices.round.is_none() && self.notices.first >= until;
        }
        while self.notices.first < until {
            if !self.walk(&mut budget, wakes) {
                return false;
            }
        }
        true
    }

    /// Visits groups for the first notice. Returns `false` if the budget is used up before it has
    /// reached all.
    fn walk(&mut self, budget: &mut usize, wakes: &mut Wakes) -> bool {
        let Some(front) = self.notices.list.front() else {
            return true;
        };
        let slot = front.slot;
        let (begun, followers) = (self.notices.end(), self.topics.get(slot).followers.len());
        let mut walk = self.notices.walk.take().unwrap_or(Walk {
            begun,
            rest: followers,
            next: (0, 0),
        });
        walk.rest = walk.rest.min(followers);
        loop {
            if *budget == 0 {
                self.notices.walk = Some(walk);
                return false;
            }
            let (index, named) = if walk.rest > 0 {
                walk.rest -= 1;
                (self.topics.get(slot).followers[walk.rest].0, Some(slot))
            } else if let Some((len, index)) = self.topics.next_prefixed(slot, walk.next) {
                walk.next = (len, index + 1);
                (index, None)
            } else {
                break;
            };
            let steps = self.catch_up(index, named, wakes);
            *budget = budget.saturating_sub(1 + steps / 4);
        }
        // Notices of the same topic have reached the same groups.
        let reached = usize::try_from(walk.begun - self.notices.first).unwrap_or(usize::MAX);
        for notice in self.notices.list.iter_mut().take(reached) {
            notice.done |= notice.slot == slot;
        }
        while self.notices.list.front().is_some_and(|notice| notice.done) {
            if let Some(notice) = self.notices.list.pop_front() {
                self.notices.first += 1;
                self.notices.ends -= usize::from(notice.news.is_end());
                self.topics.unpin(notice.slot);
            }
        }
        if self.notices.list.is_empty() && self.notices.list.capacity() > crowd() {
            self.notices.list = VecDeque::new();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc as StdArc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use super::*;
    use crate::hub::change::Reason;
    use crate::hub::core::{
        ALL_SHARES, Begin, Course, Draft, Excuse, Fresh, Key, Last, Rules, Seat, Taken,
    };
    use crate::hub::outcome::LagPolicy;
    use crate::hub::retention::Retention;
    use crate::protocol::{Event, EventId};

    const TOPICS: [&str; 6] = ["a", "a/1", "a/2", "b", "b/1", "c"];

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: StdArc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    struct Reader {
        seat: Seat,
        count: StdArc<Count>,
        task: Waker,
        /// Whether it waits, and how often it had been woken when it began to.
        waits: Option<usize>,
    }

    struct Twin {
        state: State,
        readers: BTreeMap<u64, Reader>,
        linger: Option<u64>,
        wait: Option<crate::hub::core::Wait>,
        /// Whether each change reaches all groups at once.
        is_eager: bool,
        until: Option<u64>,
    }

    impl Twin {
        fn new(is_eager: bool, lag: LagPolicy, max_bytes: usize) -> Self {
            let rules = Rules::new(max_bytes, Retention::new().events(12));
            Self {
                state: State::new(rules, lag),
                readers: BTreeMap::new(),
                linger: None,
                wait: None,
                is_eager,
                until: None,
            }
        }

        fn call<R>(&mut self, call: impl FnOnce(&mut Self, &mut Wakes) -> R) -> R {
            let mut wakes = Wakes::default();
            let result = call(self, &mut wakes);
            // An event that is yet to be evicted is still there, so calls can tell.
            while !self.state.keep_all_bounds(&mut wakes) {}
            self.until = self.until.max(wakes.until());
            self.wake(wakes);
            if self.is_eager {
                self.settle();
            }
            result
        }

        fn wake(&mut self, mut wakes: Wakes) {
            wakes.wake();
            wakes.sheets().for_each(|sheet| self.state.give_back(sheet));
        }

        /// One slice. Returns whether there are more.
        fn spread(&mut self) -> bool {
            let Some(until) = self.until else {
                return false;
            };
            let (mut wakes, groups) = (Wakes::default(), self.state.groups.len());
            let done = self.state.spread(until, &mut wakes);
            let further = wakes.until().filter(|further| *further > until);
            self.until = further.or(self.until.filter(|_| !done));
            assert!(
                wakes.sheets().count() <= crowd().min(groups),
                "in one slice"
            );
            self.wake(wakes);
            self.until.is_some()
        }

        fn settle(&mut self) {
            while self.spread() {}
            if self.is_eager {
                let groups: Vec<usize> = self.state.groups.iter().map(|(at, _)| at).collect();
                let mut wakes = Wakes::default();
                for group in groups {
                    self.state.settle(group, &mut wakes);
                }
            }
        }

        fn act(&mut self, dice: u64, chosen: Option<u64>, name: u64) -> String {
            let topic = TOPICS[usize::try_from(dice / 16 % 6).unwrap()];
            let sub = dice / 96;
            self.call(|twin, wakes| {
                let state = &mut twin.state;
                let reader = chosen.and_then(|chosen| twin.readers.get_mut(&chosen));
                match (dice % 16, reader) {
                    (0..4, _) => {
                        let id = EventId::try_from(format!("10-{}", state.next())).unwrap();
                        let block = Event::new(format!("{name}")).encode_as(Some(&id));
                        let mut draft = Draft::with_number(block, state.next(), Some(3));
                        if sub % 3 == 0 {
                            draft = draft.with_key(format!("key {}", sub / 3 % 3).into());
                        }
                        if sub % 11 == 0 {
                            draft = draft.last();
                        }
                        format!("{:?}", state.publish(topic, draft, wakes))
                    }
                    (4, _) => {
                        let block = Event::new(format!("transient {name}")).encode_as(None);
                        state.publish_transient(topic, block, wakes);
                        String::new()
                    }
                    (5, _) if sub % 4 == 0 => format!("{:?}", state.finish(topic, wakes)),
                    (5..8, _) => {
                        let has = |bit: u64| sub >> bit & 1 == 1;
                        let names = (0..6).filter(|bit| has(*bit));
                        let names = names.map(|bit| TOPICS[usize::try_from(bit).unwrap()].into());
                        let prefixes = [("a", 6), ("a/", 7), ("", 8)].into_iter();
                        let prefixes = prefixes.filter(|(_, bit)| has(*bit) && has(bit + 3));
                        let prefixes = prefixes.map(|(prefix, _)| prefix.into());
                        let key = Key::new(names.collect(), prefixes.collect());
                        let last = match sub >> 12 & 3 {
                            0 => Last::Nothing,
                            at => Last::Event(state.next().saturating_sub(at * 7)),
                        };
                        let start = if has(14) { Fresh::Now } else { Fresh::Oldest };
                        let begin = Begin::new(last, start, has(15), Last::Nothing);
                        let come = state.subscribe(key, &begin, None, wakes);
                        let (seat, outcome, first) = match come {
                            Ok(come) => come,
                            Err(over) => return format!("{over:?}"),
                        };
                        let count = StdArc::<Count>::default();
                        let task = Waker::from(StdArc::clone(&count));
                        let waits = None;
                        let reader = Reader {
                            seat,
                            count,
                            task,
                            waits,
                        };
                        twin.readers.insert(name, reader);
                        format!("{outcome:?} {first:?}")
                    }
                    (8..11, Some(reader)) => {
                        let taken = read(state, reader, wakes);
                        if taken == "Lagged" {
                            let skipped = state.skip(&mut reader.seat, wakes);
                            return format!("{skipped:?}");
                        }
                        taken
                    }
                    (11, Some(reader)) => {
                        let name = state.name(&reader.seat);
                        let topic = topic.into();
                        let course = match sub % 3 {
                            0 => Course::Follow(topic),
                            1 => Course::Leave(topic),
                            _ => Course::to([topic]),
                        };
                        let moved = state.move_named(name, &course, wakes);
                        format!("{moved}")
                    }
                    (12, Some(reader)) => match sub % 6 {
                        0 => {
                            let name = state.name(&reader.seat);
                            format!("{}", state.end_named(name, wakes))
                        }
                        1 => {
                            // Its own task calls this.
                            reader.waits = None;
                            let now = sub / 6 % 2 == 0;
                            format!("{}", state.end_soon(&reader.seat, now, wakes))
                        }
                        2 => format!("{:?}", state.move_place(&reader.seat, false, wakes)),
                        3 => {
                            let mut reader = chosen.and_then(|one| twin.readers.remove(&one));
                            if let Some(reader) = &mut reader {
                                state.leave(&mut reader.seat, Reason::Left, wakes);
                            }
                            String::new()
                        }
                        _ => String::new(),
                    },
                    (13, _) => {
                        match twin.linger.take() {
                            Some(key) => state.leave_linger(key, wakes),
                            None => {
                                let task = Waker::noop().clone();
                                _ = state.linger(&mut twin.linger, task, wakes);
                            }
                        }
                        String::new()
                    }
                    (14, _) => {
                        let task = Waker::noop().clone();
                        let distance = sub % 20;
                        let wait = &mut twin.wait;
                        let mut caught_up = state.is_caught_up(distance, wait, task, wakes);
                        while caught_up.is_none() {
                            caught_up = state.keep_counting(wait, wakes);
                        }
                        if sub % 5 == 0 {
                            let mut excuse = Excuse::new();
                            while !state.excuse(distance, &mut excuse, wakes) {}
                            return format!("{}", excuse.late());
                        }
                        format!("{caught_up:?}")
                    }
                    (15, _) if sub % 150 == 0 => {
                        let share = if sub % 4 == 0 {
                            ALL_SHARES
                        } else {
                            ALL_SHARES / 3
                        };
                        format!("{}", state.close_to(share, wakes))
                    }
                    _ => String::new(),
                }
            })
        }

        /// What all read; each that waited must have been woken if it can read something.
        fn read_all(&mut self) -> Vec<String> {
            self.settle();
            let names: Vec<u64> = self.readers.keys().copied().collect();
            let mut all = Vec::new();
            for name in names {
                let waited = self.readers[&name].waits;
                let woken = self.readers[&name].count.0.load(Ordering::SeqCst);
                let taken = self.call(|twin, wakes| {
                    let reader = twin.readers.get_mut(&name).unwrap();
                    read(&mut twin.state, reader, wakes)
                });
                let lingers = self.linger.is_some();
                assert!(
                    taken == "Waiting" || waited.is_none_or(|before| woken > before) || lingers,
                    "{name} was not woken for {taken}"
                );
                all.push(taken);
            }
            all
        }
    }

    /// All that is pending, in however many frames, and what comes after it.
    fn read(state: &mut State, reader: &mut Reader, wakes: &mut Wakes) -> String {
        let mut text = String::new();
        loop {
            let woken = reader.count.0.load(Ordering::SeqCst);
            let bytes = state.take_shared(&mut reader.seat, &reader.task, true);
            reader.seat.prepare(&reader.task);
            let taken = match bytes {
                Some(bytes) => Taken::Frame(crate::protocol::Block::from_shared(bytes)),
                None => state.take(&mut reader.seat, wakes),
            };
            let Taken::Frame(block) = taken else {
                let waits = matches!(taken, Taken::Waiting);
                reader.waits = waits.then_some(woken);
                return text + &format!("{taken:?}");
            };
            for chunk in block.into_chunks() {
                text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        }
    }

    #[test]
    fn a_slice_moves_the_marks_of_few_groups() {
        crate::sync::run(moves_few_marks);
    }

    fn moves_few_marks() {
        let rules = Rules::new(100_000_000, Retention::new().events(5_000));
        let mut state = State::new(rules, LagPolicy::Oldest);
        let begin = Begin::new(Last::Nothing, Fresh::Now, false, Last::Nothing);
        for name in 0..20 {
            let key = Key::new(vec![format!("own {name}").into()], vec!["a".into()]);
            state
                .subscribe(key, &begin, None, &mut Wakes::default())
                .unwrap();
        }
        let sizes = |state: &State| -> Vec<_> {
            let marks = state.groups.iter().map(|(_, group)| group.own_marks());
            marks.map(|marks| marks.unwrap().size()).collect()
        };
        let mut moved = 0;
        for number in 1..=9_000 {
            let id = EventId::try_from(format!("10-{number}")).unwrap();
            let block = Event::new("").encode_as(Some(&id));
            let draft = Draft::with_number(block, number, Some(3));
            let mut wakes = Wakes::default();
            state.publish("a", draft, &mut wakes);
            let until = wakes.until().unwrap();
            loop {
                let before = sizes(&state);
                let done = state.spread(until, &mut Wakes::default());
                let marks = state.groups.iter().map(|(_, group)| group.own_marks());
                let pairs = marks.map(Option::unwrap).zip(before);
                let changed =
                    pairs.filter(|(now, before)| before.0 > 512 && now.has_moved(*before));
                let changed = changed.count();
                assert!(changed <= 1, "{changed} groups moved their marks");
                moved += changed;
                if done {
                    break;
                }
            }
        }
        assert!(moved >= 20 * 3, "{moved}");
    }

    /// One hub lets each change reach all groups at once, the other in slices between other calls.
    #[test]
    fn no_call_can_tell_that_a_change_has_not_reached_all_groups() {
        crate::sync::run(cannot_tell);
    }

    fn cannot_tell() {
        let (mut posted, mut closed, mut untold) = (0, 0, 0);
        for seed in 0..300u64 {
            let lag = [LagPolicy::Oldest, LagPolicy::Newest, LagPolicy::End][(seed % 3) as usize];
            // With few bytes, topics that nothing is published to lose events.
            let max_bytes = [20_000, 5_000][(seed / 2 % 2) as usize];
            let mut twins = [true, false].map(|is_eager| Twin::new(is_eager, lag, max_bytes));
            let mut random = seed;
            for name in 0..400 {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let dice = random >> 20;
                let names: Vec<u64> = twins[0].readers.keys().copied().collect();
                let chosen = usize::try_from(random >> 50).unwrap() % names.len().max(1);
                let chosen = names.get(chosen).copied();
                let before = twins[1].state.untold.last();
                let [eager, lazy] = twins.each_mut().map(|twin| twin.act(dice, chosen, name));
                untold += u64::from(twins[1].state.untold.last() > before);
                assert_eq!(eager, lazy, "seed {seed}, call {name}");
                posted += u64::from(twins[1].until.is_some());
                // In every other run only losses wait, for somebody to ask.
                let slices = if seed % 2 == 0 {
                    random >> 33 & 3
                } else {
                    u64::MAX
                };
                for _ in 0..slices {
                    if !twins[1].spread() {
                        break;
                    }
                }
                if name % 100 == 99 {
                    let [eager, lazy] = twins.each_mut().map(Twin::read_all);
                    assert_eq!(eager, lazy, "seed {seed}, after call {name}");
                    let [eager, lazy] = twins.each_ref().map(|twin| twin.state.stats());
                    assert_eq!(eager, lazy, "seed {seed}, after call {name}");
                    assert!(twins[1].state.notices.is_empty());
                }
            }
            closed += u64::from(twins[0].state.is_closed());
        }
        assert!(
            posted > 7_000 && closed > 20 && untold > 1,
            "{posted}, {closed} and {untold}"
        );
        println!("{posted} {closed} {untold}");
    }
}
