use std::sync::Arc as StdArc;
use std::sync::atomic::Ordering;

use super::cursors::NEVER;
use super::frames::{FRAME, Frame, Frames};
use super::key::Key;
use super::late::Late;
use super::marks::Marks;
use super::transit::Transit;
use super::wake_list::{Sheet, Ticket, WakeList, Wakes};
use crate::sync::{Arc, AtomicU64};

/// What all subscribers with one key have in common.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) key: StdArc<Key>,
    pub(super) subscribers: usize,
    /// Where a subscriber stands that has seen everything: after the group's last event.
    pub(super) head: u64,
    /// After the last of the group's events that is no longer retained.
    pub(super) lost_to: u64,
    /// Whether `lost_to` counts what topics under a prefix had lost before the group was there.
    pub(super) knows_losses: bool,
    /// Standing at the first is as good as standing at the second: nothing lies between.
    pub(super) jump: (u64, u64),
    /// Where its subscribers end, since all its topics are finished; and how many are.
    pub(super) end: u64,
    pub(super) finished: usize,
    /// The topics it follows by name, by their slots.
    pub(super) topics: Vec<Followed>,
    /// The events it follows, if it has prefixes, but not of everything.
    pub(super) own: Option<Own>,
    /// There while newcomers read what is retained from before a loss.
    late: Option<Box<Late>>,
    /// There while subscribers are to come from other groups, or to leave for them.
    pub(super) transit: Option<Box<Transit>>,
    /// Whether it waits for the linger to pass.
    pub(super) lingering: bool,
    pub(super) frames: Frames,
    wake_list: WakeList,
    /// Counts up whenever the waiting tasks are taken out. A subscriber that is marked in the round
    /// looks no further, and needs no lock for that.
    round: Arc<AtomicU64>,
}

/// A topic that a group follows by name.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) slot: usize,
    /// Which of the topic's followers the group is.
    pub(super) at: usize,
    /// Whether it has finished for those that are here.
    pub(super) is_finished: bool,
}

/// The retained events of a group with prefixes, from a place on.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) from: u64,
    pub(super) marks: Marks,
}

impl Group {
    /// `stamp` is one that no other group has had.
    pub(super) fn new(key: StdArc<Key>, head: u64, stamp: u64) -> Self {
        let prefixed = !key.prefixes().is_empty() && !key.is_everything();
        Self {
            knows_losses: !prefixed,
            key,
            subscribers: 0,
            head,
            lost_to: 0,
            jump: (head, head),
            end: NEVER,
            finished: 0,
            topics: Vec::new(),
            own: prefixed.then(|| Own {
                from: head,
                marks: Marks::default(),
            }),
            late: None,
            transit: None,
            lingering: false,
            frames: Frames::default(),
            wake_list: WakeList::new(stamp),
            round: Arc::new(AtomicU64::new(1)),
        }
    }

    pub(super) fn round(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.round)
    }

    /// Lets the next event wake the task that the ticket was prepared for; gives its slot.
    pub(super) fn wait(
        &mut self,
        ticket: &mut Ticket,
        stamp: impl FnOnce() -> u64,
        wakes: &mut Wakes,
    ) -> Option<usize> {
        // Rounds change under the same lock.
        let round = self.round.load(Ordering::Relaxed);
        self.wake_list.add(round, ticket, stamp, wakes)
    }

    /// Lets it wake the task that the ticket is for.
    #[inline]
    pub(super) fn wait_again(&mut self, ticket: &mut Ticket) {
        self.wake_list
            .mark(self.round.load(Ordering::Relaxed), ticket);
    }

    pub(super) fn leave(
        &mut self,
        ticket: &mut Ticket,
        stamp: impl FnOnce() -> u64,
        wakes: &mut Wakes,
    ) {
        self.wake_list.remove(ticket, stamp, wakes);
    }

    /// The same for a subscriber whose task will wait in another group.
    pub(super) fn depart(
        &mut self,
        ticket: &mut Ticket,
        stamp: impl FnOnce() -> u64,
        wakes: &mut Wakes,
    ) {
        self.wake_list.depart(ticket, stamp, wakes);
    }

    /// Takes the waiting tasks out; `index` is the group's own.
    #[inline]
    pub(super) fn end_round(&mut self, index: usize, wakes: &mut Wakes) {
        if !self.wake_list.is_empty() {
            self.round.fetch_add(1, Ordering::Release);
            wakes.take(&mut self.wake_list, index);
        }
    }

    /// Takes one of them out, which is to look again.
    pub(super) fn wake_one(&mut self, slot: usize, wakes: &mut Wakes) {
        wakes.wake_later(self.wake_list.take_one(slot));
    }

    /// Takes a sheet back whose tasks have been woken.
    pub(super) fn give_back(&mut self, sheet: &mut Sheet) {
        self.wake_list.give_back(sheet);
    }

    /// Hands out what may run a user's code when it is dropped.
    pub(super) fn clear(&mut self, wakes: &mut Wakes) {
        self.wake_list.clear(wakes);
        self.frames.clear(wakes);
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

    /// One of its events is no longer retained. `when` counts all losses.
    #[inline]
    pub(super) fn lose(&mut self, seq: u64, when: u64) {
        if seq >= self.end {
            return;
        }
        self.lost_to = self.lost_to.max(seq + 1);
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

    /// One of its events has been replaced: it is given to nobody any more.
    pub(super) fn forget(&mut self, seq: u64, wakes: &mut Wakes) {
        if let Some(own) = &mut self.own {
            own.marks.remove(seq);
        }
        self.frames.forget(seq, wakes);
    }

    /// One of its topics finishes, or is finished already; ends the group if that was the last.
    pub(super) fn finish(&mut self, which: usize, next: u64) {
        let before = std::mem::replace(&mut self.topics[which].is_finished, true);
        self.finished += usize::from(!before);
        let all = self.key.prefixes().is_empty() && self.finished == self.topics.len();
        // A further run of theirs is for others.
        if all && !self.is_over() {
            self.end = next;
        }
    }

    /// One of its topics is published to again.
    pub(super) fn begin_run(&mut self, which: usize) {
        let before = std::mem::replace(&mut self.topics[which].is_finished, false);
        self.finished -= usize::from(before);
    }

    /// Whether its subscribers end.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        self.end != NEVER
    }

    /// A newcomer begins before a loss that does not concern it.
    pub(super) fn enter_newcomer(&mut self) {
        self.late.get_or_insert_default().newcomers += 1;
    }

    /// It is one no longer.
    pub(super) fn leave_newcomer(&mut self) {
        if let Some(late) = &mut self.late {
            late.newcomers -= 1;
            if late.newcomers == 0 {
                self.late = None;
            }
        }
    }

    /// After the last event before a place that was lost later than this, as the newcomers count.
    pub(super) fn lost_since(&self, when: u64, before: u64) -> u64 {
        self.late
            .as_ref()
            .map_or(0, |late| late.lost_since(when, before))
    }

    /// How far a subscriber that stands here has really come.
    pub(super) fn effective(&self, place: u64) -> u64 {
        if place >= self.head {
            u64::MAX
        } else if place == self.jump.0 {
            self.jump.1
        } else {
            place
        }
    }

    /// The frame that others have been given from this place on, unless far more has come since.
    #[inline]
    pub(super) fn frame(&self, from: u64) -> Option<&Frame> {
        let frame = self.frames.get(from)?;
        // Rebuilt only when what is pending has doubled, so that copying stays in proportion.
        let worthwhile = !frame.sealed
            && self.head - frame.to >= (frame.to - from).max(4)
            && frame.block.len() < FRAME / 2;
        (!worthwhile).then_some(frame)
    }
}
