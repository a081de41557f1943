use std::sync::Arc as StdArc;

use super::cursors::NEVER;
use super::few::Few;
use super::frames::{Frame, Frames};
use super::key::Key;
use super::late::Late;
use super::marks::{Mark, Marks};
use super::rounds::Rounds;
use super::topics::LossLookup;
use super::transit::Transit;
use super::untold::Known;
use super::wake_list::{SheetOut, Ticket, WakeList, Wakes};
use crate::sync::Arc;

/// The state that all subscribers with the same key share.
///
/// The fields are in this order in memory. Those that an event and its delivery need are the first:
/// with many groups, each further cache line is a miss.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Group {
    /// The place of a subscriber that has seen everything: after the group's last event.
    pub(super) head: u64,
    /// Two equivalent places: the group has no event between the first and the second.
    pub(super) jump: (u64, u64),
    /// The place where its subscribers end once all its topics are finished.
    pub(super) end: u64,
    /// The place after the last of the group's events that was lost.
    pub(super) lost_to: u64,
    /// The events it follows, if it has prefixes that do not cover everything.
    pub(super) own: Option<Box<Own>>,
    /// The rounds of its wake list and those of its neighbours.
    rounds: Arc<Rounds>,
    /// Whether its key covers every topic.
    pub(super) is_everything: bool,
    /// Whether it waits for a linger to end.
    pub(super) lingering: bool,
    /// The slot in the log of its last event, or [`NONE`]. The event may be gone.
    newest: u32,
    pub(super) known: Known,
    wake_list: WakeList,
    /// The topics it follows by name, sorted by slot.
    pub(super) topics: Few<Followed>,
    /// `Some` once several subscribers have shared a frame.
    pub(super) frames: Option<Box<Frames>>,
    pub(super) subscribers: usize,
    /// The compressed counterpart of its frames, once an encoder has asked for it.
    #[cfg(feature = "compression")]
    pub(super) track: Option<StdArc<crate::hub::packed::Track>>,
    /// `Some` while subscribers are due to arrive from other groups or to leave for them.
    pub(super) transit: Option<Box<Transit>>,
    /// `Some` while newcomers read events retained from before a loss.
    late: Option<Box<Late>>,
    /// The number of the first [notice](super::notices) that it has not been told of.
    pub(super) noticed: u64,
    /// The count of all losses after the last loss of one of its events.
    pub(super) last_loss: u64,
    /// The number of its topics that are finished.
    pub(super) finished: usize,
    pub(super) key: StdArc<Key>,
}

/// No slot.
const NONE: u32 = u32::MAX;

/// A topic that a group follows by name.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) slot: usize,
    /// The index of the group among the topic's followers.
    pub(super) at: usize,
    /// Whether it is finished for the group's subscribers.
    pub(super) is_finished: bool,
}

/// The retained events of a group with prefixes, from a place on.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) from: u64,
    pub(super) marks: Marks,
    /// How much `lost_to` includes of what topics under a prefix had lost before the group existed.
    pub(super) losses: LossLookup,
}

impl Group {
    /// Creates a group without subscribers. `stamp` must be unique.
    pub(super) fn new(key: StdArc<Key>, head: u64, stamp: u64, rounds: Arc<Rounds>) -> Self {
        let prefixed = !key.prefixes().is_empty() && !key.is_everything();
        Self {
            is_everything: key.is_everything(),
            key,
            subscribers: 0,
            head,
            lost_to: 0,
            last_loss: 0,
            known: Known::new(),
            jump: (head, head),
            newest: NONE,
            end: NEVER,
            finished: 0,
            topics: Few::new(),
            own: prefixed.then(|| {
                Box::new(Own {
                    from: head,
                    marks: Marks::default(),
                    losses: LossLookup::default(),
                })
            }),
            noticed: 0,
            late: None,
            transit: None,
            lingering: false,
            frames: None,
            #[cfg(feature = "compression")]
            track: None,
            wake_list: WakeList::new(stamp),
            rounds,
        }
    }

    pub(super) fn rounds(&self) -> Arc<Rounds> {
        Arc::clone(&self.rounds)
    }

    /// Registers the task that the ticket was prepared for, to be woken by the next event. Returns
    /// its slot.
    pub(super) fn wait(
        &mut self,
        ticket: &mut Ticket,
        stamp: impl FnOnce() -> u64,
        wakes: &mut Wakes,
    ) -> Option<usize> {
        self.wake_list.add(ticket, stamp, wakes)
    }

    /// Registers the task that the ticket already holds.
    #[inline]
    pub(super) fn wait_again(&mut self, ticket: &mut Ticket) {
        self.wake_list.mark(ticket);
    }

    pub(super) fn leave(
        &mut self,
        ticket: &mut Ticket,
        stamp: impl FnOnce() -> u64,
        wakes: &mut Wakes,
    ) {
        self.wake_list.remove(ticket, stamp, wakes);
    }

    /// Removes a subscriber whose task will wait in another group.
    pub(super) fn depart(
        &mut self,
        ticket: &mut Ticket,
        stamp: impl FnOnce() -> u64,
        wakes: &mut Wakes,
    ) {
        self.wake_list.depart(ticket, stamp, wakes);
    }

    /// Takes the waiting tasks out, to be woken. `index` is the index of this group.
    #[inline]
    pub(super) fn end_round(&mut self, index: usize, wakes: &mut Wakes) {
        if !self.wake_list.is_empty() {
            self.rounds.set(index, self.wake_list.next_round());
            wakes.take(&mut self.wake_list, index);
        }
    }

    /// Takes out one waiting task, to be woken alone.
    pub(super) fn wake_one(&mut self, slot: usize, wakes: &mut Wakes) {
        wakes.wake_later(self.wake_list.take_one(slot));
    }

    /// Takes back a sheet whose tasks have been woken.
    pub(super) fn give_back(&mut self, sheet: &mut SheetOut) {
        self.wake_list.give_back(sheet);
    }

    /// Hands out everything that may run user code when dropped.
    pub(super) fn clear(&mut self, wakes: &mut Wakes) {
        self.wake_list.clear(wakes);
        if let Some(frames) = &mut self.frames {
            frames.clear(wakes);
        }
        #[cfg(feature = "compression")]
        wakes.drop_later(self.track.take().map(|track| track as _));
    }

    /// Whether its frames are compressed.
    pub(super) fn is_packed(&self) -> bool {
        #[cfg(feature = "compression")]
        return self.track.is_some();
        #[cfg(not(feature = "compression"))]
        return false;
    }

    /// The events it follows, if it keeps a list of its own.
    #[inline]
    pub(super) fn own_marks(&self) -> Option<&Marks> {
        self.own.as_ref().map(|own| &own.marks)
    }

    /// Whether it follows the topic in this slot.
    #[inline]
    pub(super) fn follows(&self, slot: usize, name: &str) -> bool {
        match &*self.topics {
            [only] if self.own.is_none() => only.slot == slot,
            topics => {
                let found = topics.binary_search_by_key(&slot, |topic| topic.slot);
                found.is_ok() || self.key.covers(name)
            }
        }
    }

    /// Whether it follows the topic in this slot by name.
    pub(super) fn names(&self, slot: usize) -> bool {
        let found = self.topics.binary_search_by_key(&slot, |topic| topic.slot);
        found.is_ok()
    }

    /// Records an event, and its mark if it is retained.
    #[inline]
    pub(super) fn push(&mut self, seq: u64, retained: Option<Mark>) {
        self.jump = (self.head, seq);
        self.head = seq + 1;
        self.newest = retained.map_or(NONE, |mark| u32::try_from(mark.slot).unwrap_or(NONE));
        if let (Some(own), Some(mark)) = (&mut self.own, retained) {
            own.marks.push(mark);
        }
    }

    /// The mark of the only event after this place, if there is one. The event may be gone.
    #[inline]
    pub(super) fn only_event(&self, place: u64) -> Option<Mark> {
        let slot = usize::try_from(self.newest).ok()?;
        let seq = self.jump.1;
        let is_known = place == self.jump.0 && self.newest != NONE;
        is_known.then_some(Mark { seq, slot })
    }

    /// Records the loss of one of its events. `when` is the count of all losses.
    #[inline]
    pub(super) fn lose(&mut self, seq: u64, when: u64) {
        if seq >= self.end {
            return;
        }
        self.lost_to = self.lost_to.max(seq + 1);
        self.last_loss = when;
        if let Some(own) = &mut self.own {
            own.marks.remove(seq);
        }
        if let Some(late) = &mut self.late {
            let left = self
                .transit
                .as_ref()
                .map_or(0, |transit| transit.last_left(seq));
            late.lose(when, seq + 1, left);
        }
        if let Some(transit) = &mut self.transit {
            transit.lose(seq + 1);
        }
    }

    /// Records the loss of everything before a place. New subscribers begin there.
    #[cfg(any(test, feature = "redis"))]
    pub(super) fn lose_up_to(&mut self, place: u64) {
        self.lost_to = place;
        if !self.is_over() && self.head < place {
            self.jump = (self.head, place);
            self.head = place;
            self.newest = NONE;
        }
    }

    /// Forgets one of its events that has been replaced. It is no longer delivered.
    pub(super) fn forget(&mut self, seq: u64, wakes: &mut Wakes) {
        if let Some(own) = &mut self.own {
            own.marks.remove(seq);
        }
        if let Some(frames) = &mut self.frames {
            frames.forget(seq, wakes);
        }
    }

    /// Marks the topic in this slot as finished, if it follows it by name. The last one ends the
    /// group.
    pub(super) fn finish(&mut self, slot: usize, next: u64) {
        let Some(topic) = self.named(slot) else {
            return;
        };
        let before = std::mem::replace(&mut topic.is_finished, true);
        self.finished += usize::from(!before);
        let all = self.key.prefixes().is_empty() && self.finished == self.topics.len();
        // The end is kept: later runs of the topics are for new groups.
        if all && !self.is_over() {
            self.end = next;
        }
    }

    /// Marks the topic in this slot as no longer finished, because it is published to again.
    pub(super) fn begin_run(&mut self, slot: usize) {
        if let Some(topic) = self.named(slot) {
            let before = std::mem::replace(&mut topic.is_finished, false);
            self.finished -= usize::from(before);
        }
    }

    fn named(&mut self, slot: usize) -> Option<&mut Followed> {
        let found = self.topics.binary_search_by_key(&slot, |topic| topic.slot);
        found.ok().map(|which| &mut self.topics[which])
    }

    /// Whether it must be told of each loss at once: of the events it keeps a list of, before or after
    /// a subscriber comes or leaves, or after its end.
    pub(super) fn is_attentive(&self) -> bool {
        let listed = self.own.is_some() && !self.topics.is_empty();
        listed || self.late.is_some() || self.transit.is_some() || self.is_over()
    }

    /// Whether all its topics have finished, so that its subscribers end.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        self.end != NEVER
    }

    /// Adds a newcomer, which begins before a loss that does not concern it.
    pub(super) fn enter_newcomer(&mut self) {
        self.late.get_or_insert_default().newcomers += 1;
    }

    /// Removes a newcomer, once it has passed that loss.
    pub(super) fn leave_newcomer(&mut self) {
        if let Some(late) = &mut self.late {
            late.newcomers -= 1;
            if late.newcomers == 0 {
                self.late = None;
            }
        }
    }

    /// The place after the last event before `before` that was lost after the loss number `when`.
    pub(super) fn lost_since(&self, when: u64, before: u64) -> u64 {
        self.late
            .as_ref()
            .map_or(0, |late| late.lost_since(when, before))
    }

    /// The place that a subscriber at this place has effectively reached.
    pub(super) fn effective(&self, place: u64) -> u64 {
        if place >= self.head {
            u64::MAX
        } else if place == self.jump.0 {
            self.jump.1
        } else {
            place
        }
    }

    /// The bytes of its cached frames.
    pub(super) fn frame_bytes(&self) -> usize {
        self.frames.as_ref().map_or(0, |frames| frames.bytes())
    }

    /// The frame that others were given from this place on, unless much more is pending by now.
    #[inline]
    pub(super) fn frame(&self, from: u64) -> Option<&Frame> {
        self.frames.as_ref()?.get(from, self.head)
    }

    /// Such a frame, if it has one piece. If nothing follows it, registers the task that the ticket
    /// holds.
    #[inline]
    pub(super) fn frame_and_wait(&mut self, from: u64, ticket: &mut Ticket) -> Option<&Frame> {
        let frame = self.frames.as_ref()?.get(from, self.head)?;
        if frame.block.parts().1.is_some() {
            return None;
        }
        if frame.to == self.head {
            self.wake_list.mark(ticket);
        }
        Some(frame)
    }
}
