use std::sync::Arc;

use super::State;
use super::beginning::Beginning;
use super::cursors::{Cursor, NEVER, Seat};
use super::few::Few;
use super::finishing::Over;
use super::group::{Followed, Group};
use super::key::Key;
use super::marks::Mark;
use super::terms::Terms;
use super::wake_list::{Ticket, Wakes};
use crate::hub::change::Reason;
use crate::hub::outcome::Outcome;
use crate::protocol::EventId;

/// The last event that a client claims to have seen.
#[derive(Debug, Clone)]
pub(in crate::hub) enum Last {
    Nothing,
    /// The event with this number.
    Event(u64),
    /// An event with an ID that is not of the hub's form.
    Own(EventId),
    /// The event with this key in the outer log.
    #[cfg(any(test, feature = "redis"))]
    Key(u128),
}

/// Where a subscriber begins.
#[derive(Debug, Clone)]
pub(in crate::hub) struct Begin {
    pub(super) last: Last,
    pub(super) start: Fresh,
    /// Whether a client that has missed events begins like a new one.
    pub(super) anew: bool,
    /// No event up to this one is delivered to it.
    pub(super) not_before: Last,
}

/// Where a subscriber begins if its client has seen nothing.
#[derive(Debug, Clone)]
pub(in crate::hub) enum Fresh {
    Now,
    Oldest,
    Last(usize),
    After(Last),
}

impl Begin {
    pub(in crate::hub) fn new(last: Last, start: Fresh, anew: bool, not_before: Last) -> Self {
        Self {
            last,
            start,
            anew,
            not_before,
        }
    }
}

/// The number of events to visit for a new subscriber of prefixes before releasing the lock to
/// others.
const PIECE: usize = 1024;

/// The maximum number of topics whose events are looked up topic by topic for a new subscriber of
/// prefixes. Events of more topics are found among those of all topics.
const FEW: usize = 64;

/// Adding and removing subscribers and their groups.
impl State {
    /// Adds a cursor to the group of these topics. Returns its seat, its outcome, and the place to
    /// tell the client first, if any; an `Err` if it would end at once.
    pub(in crate::hub) fn subscribe(
        &mut self,
        key: Key,
        begin: &Begin,
        terms: Option<Box<Terms>>,
        wakes: &mut Wakes,
    ) -> Result<(Seat, Outcome, Option<u64>), Over> {
        self.evict(wakes);
        let index = self.enter_key(key, wakes);
        let found = self.place_for(index, begin);
        let Beginning {
            outcome,
            place,
            last,
            anew,
        } = match found {
            Ok(found) => found,
            Err(over) => {
                self.remove_if_unused(index, wakes);
                return Err(over);
            }
        };
        let head = self.groups[index].head;
        self.counters.gaps += u64::from(outcome.is_lossy());
        self.counters.subscribers += 1;
        let group = &mut self.groups[index];
        group.subscribers += 1;
        let rounds = group.rounds();
        self.gate.enter(group.effective(place));
        let cursor = self.cursors.insert(Cursor {
            place,
            group: index,
            slot: None,
            excused: None,
            end: NEVER,
            told: 0,
            terms,
        });
        self.begin_terms(cursor, wakes);
        self.count_arrival(cursor, wakes);
        let seat = Seat {
            cursor,
            group: index,
            live_from: head,
            ticket: Ticket::default(),
            rounds,
            seen: 0,
        };
        if self.is_closed() {
            self.cursors[cursor].come_after_close();
        }
        if anew || outcome == Outcome::Gap {
            self.enter_newcomer(&seat);
        }
        self.cursors[cursor].told = match (outcome, last) {
            (Outcome::Resumed(_), Some(Some(seq))) => seq,
            _ => self.place_of(&seat),
        };
        let first = match outcome {
            // Without events to replay, the client's place may still have advanced.
            Outcome::Resumed(0) => self.move_place(&seat, false, wakes),
            Outcome::Resumed(_) => None,
            _ => Some(self.place_of(&seat)),
        };
        Ok((seat, outcome, first))
    }

    /// Loads a piece of the events for such a subscriber, if it follows prefixes. Returns `true` if
    /// there are no more. Its group is created, so [`subscribe`](Self::subscribe) or
    /// [`refuses`](Self::refuses) must follow.
    pub(in crate::hub) fn load(&mut self, key: &Key, begin: &Begin, wakes: &mut Wakes) -> bool {
        if key.prefixes().is_empty() || key.is_everything() {
            return true;
        }
        let index = self.enter_key(key.clone(), wakes);
        let Some(from) = self.begins_from(index, begin) else {
            return true;
        };
        if !self.know_losses(index, from, PIECE) {
            return false;
        }
        let Some(own) = self.groups[index].own.as_ref() else {
            return true;
        };
        let mut piece = self.log.history().before(own.from, PIECE);
        if let Some(slots) = self.few_followed(index) {
            let events = |slot: &usize| self.topics.get(*slot).retained.at_most_from(from);
            if slots.iter().map(events).sum::<usize>() <= PIECE {
                piece = from;
            }
        }
        self.number_from(index, piece.max(from));
        piece <= from
    }

    /// Whether such a subscriber would end at once.
    pub(in crate::hub) fn refuses(
        &mut self,
        key: Key,
        begin: &Begin,
        wakes: &mut Wakes,
    ) -> Option<Over> {
        self.evict(wakes);
        let index = self.enter_key(key, wakes);
        let over = self.place_for(index, begin).err();
        self.remove_if_unused(index, wakes);
        over
    }

    /// Loads the events and the losses of the group from a place on.
    pub(super) fn know(&mut self, index: usize, from: u64) {
        _ = self.know_losses(index, from, usize::MAX);
        self.number_from(index, from);
    }

    /// Loads the losses of the group from a place on, of at most this many topics. Returns `true`
    /// if there are no more.
    fn know_losses(&mut self, index: usize, from: u64, most: usize) -> bool {
        let group = &mut self.groups[index];
        let own = group.own.as_mut().filter(|own| !own.losses.is_over());
        let Some(own) = own.filter(|_| from < self.log.lost_to()) else {
            return true;
        };
        let lost_to = self.topics.lost_under(&group.key, &mut own.losses, most);
        // For topics that no longer exist, it is only known that they may have lost events before
        // some place.
        group.lost_to = group.lost_to.max(lost_to.min(group.head));
        own.losses.is_over()
    }

    /// Loads the events of the group from a place on.
    fn number_from(&mut self, index: usize, from: u64) {
        let group = &self.groups[index];
        let Some(until) = group.own.as_ref().map(|own| own.from) else {
            return;
        };
        if from >= until {
            return;
        }
        let end = until.min(self.closing.served_to());
        let missing = match self.few_followed(index) {
            Some(slots) => {
                let marks = slots.iter().flat_map(|slot| {
                    let retained = &self.topics.get(*slot).retained;
                    retained.from(from).take_while(|mark| mark.seq < end)
                });
                let mut missing: Vec<Mark> = marks.collect();
                missing.sort_unstable();
                missing
            }
            None => {
                let history = self.log.history().from(from);
                let history = history.take_while(|mark| mark.seq < end);
                let follows = |mark: &Mark| {
                    let topic = self.log.get(*mark).topic;
                    group.follows(topic, &self.topics.get(topic).name)
                };
                history.filter(follows).collect()
            }
        };
        if let Some(own) = &mut self.groups[index].own {
            own.from = from;
            own.marks.prepend(&missing);
        }
    }

    /// The slots of the topics that the group follows, unless there are [many](FEW).
    fn few_followed(&self, index: usize) -> Option<Vec<usize>> {
        let group = &self.groups[index];
        let named = group.topics.iter().map(|topic| topic.slot);
        let slots = named.chain(self.topics.covered(&group.key));
        let slots: Vec<usize> = slots.take(FEW + 1).collect();
        (slots.len() <= FEW).then_some(slots)
    }

    /// The group of these topics, which is created if it does not exist.
    pub(super) fn enter_key(&mut self, key: Key, wakes: &mut Wakes) -> usize {
        let hash = self.by_key.hash(&key);
        if let Some(index) = self.find_group(&key, hash) {
            // It may learn that it is not for new subscribers.
            self.settle(index, wakes);
        }
        match self.find_group(&key, hash) {
            Some(index) => index,
            None => self.enter_group(key, hash),
        }
    }

    fn find_group(&self, key: &Key, hash: u64) -> Option<usize> {
        self.by_key
            .find(hash, |index| *self.groups[index].key == *key)
    }

    fn enter_group(&mut self, key: Key, hash: u64) -> usize {
        let key = Arc::new(key);
        self.stamps += 1;
        let rounds = self.next_rounds();
        let group = Group::new(Arc::clone(&key), self.next, self.stamps, rounds);
        let index = self.groups.insert(group);
        if key.is_everything() {
            self.groups[index].lost_to = self.log.lost_to();
        }
        self.groups[index].noticed = self.notices.end();
        let mut topics: Vec<Followed> = Vec::with_capacity(key.topics().len());
        for name in key.topics() {
            let slot = self.enter(name);
            self.topics.pin(slot);
            topics.push(Followed {
                slot,
                at: 0,
                is_finished: false,
            });
        }
        topics.sort_unstable_by_key(|topic| topic.slot);
        let group = &mut self.groups[index];
        for (which, followed) in topics.iter_mut().enumerate() {
            let topic = self.topics.get_mut(followed.slot);
            followed.at = topic.followers.len();
            topic.followers.push((index, which));
            group.lost_to = group.lost_to.max(topic.lost_to);
        }
        group.topics = Few::from(topics);
        for which in 0..group.topics.len() {
            let slot = group.topics[which].slot;
            if self.topics.get(slot).is_over() {
                group.finish(slot, self.next);
            }
        }
        self.begin_asking(index);
        self.topics.add_prefixes(&key, index);
        self.by_key.insert(hash, index);
        index
    }

    /// Removes a subscriber and its cursor.
    pub(in crate::hub) fn leave(&mut self, seat: &mut Seat, reason: Reason, wakes: &mut Wakes) {
        self.settle_cursor(seat.cursor, wakes);
        self.end_terms(seat.cursor);
        let mut cursor = self.cursors.remove(seat.cursor);
        if cursor.excused.is_none() {
            let before = self.progress(&cursor);
            self.gate.pass(seat.cursor, before, u64::MAX, wakes);
        }
        self.count_departure(cursor.last_group(), cursor.terms.as_deref(), reason, wakes);
        if let Some(at) = self.end_known(seat.cursor, &cursor) {
            self.change(cursor.last_group(), |group| group.ended(at));
        }
        self.give_up_moves(&mut cursor, wakes);
        let group = &mut self.groups[seat.group];
        if cursor.newcomer().is_some() {
            group.leave_newcomer();
        }
        let stamps = &mut self.stamps;
        group.leave(&mut seat.ticket, || next(stamps), wakes);
        group.subscribers -= 1;
        self.attend(seat.group);
        self.remove_if_unused(seat.group, wakes);
        self.counters.subscribers -= 1;
        wakes.free_later(self.cursors.take_emptied());
        wakes.free_later(self.groups.take_emptied());
        wakes.free_later(self.by_key.take_emptied());
        self.topics.hand_out_emptied(wakes);
        self.owners.hand_out_emptied(wakes);
        if self.counters.subscribers == 0 {
            self.gate.empty(wakes);
            // Transient events were kept for these subscribers.
            self.evict_transients(true, wakes);
            self.tell_if_over(wakes);
        }
    }

    /// How much memory a topic's list of followers needs, if it has far more.
    pub(in crate::hub) fn room_for_followers(&mut self, topic: usize) -> Option<usize> {
        let topic = self.topics.find_slot(topic)?;
        let followers = &topic.followers;
        followers.is_sparse().then(|| 2 * followers.len())
    }

    /// Moves a topic's list of followers into this memory, if that is enough. Returns the memory that
    /// is left over, to be freed after the lock is released.
    pub(in crate::hub) fn move_followers(
        &mut self,
        topic: usize,
        memory: Vec<(usize, usize)>,
    ) -> Vec<(usize, usize)> {
        match self.topics.find_slot(topic) {
            Some(topic) if topic.followers.is_sparse() => topic.followers.move_into(memory),
            _ => memory,
        }
    }

    pub(super) fn remove_if_unused(&mut self, index: usize, wakes: &mut Wakes) {
        if self.groups[index].is_unused() {
            self.remove_group(index, wakes);
        }
    }

    fn remove_group(&mut self, index: usize, wakes: &mut Wakes) {
        let mut group = self.groups.remove(index);
        self.end_asking(&group);
        self.frames -= group.frame_bytes();
        group.clear(wakes);
        self.by_key.remove(self.by_key.hash(&*group.key), index);
        self.topics.remove_prefixes(&group.key, index);
        for &Followed { slot, at, .. } in &*group.topics {
            let followers = &mut self.topics.get_mut(slot).followers;
            wakes.free_later(followers.swap_remove(at));
            if followers.is_sparse() {
                wakes.shrink_later(slot);
            }
            // The last follower has taken its place in the list.
            if let Some((moved, which)) = followers.get(at).copied() {
                self.groups[moved].topics[which].at = at;
            }
            self.topics.unpin(slot);
        }
    }
}

/// A new, unique stamp.
pub(super) fn next(stamps: &mut u64) -> u64 {
    *stamps += 1;
    *stamps
}
