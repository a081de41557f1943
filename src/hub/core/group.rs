use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc as StdArc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use super::wake_list::{Sheet, Ticket, Waiters, Wakes};
use crate::protocol::Block;
use crate::sync::{Arc, AtomicU64};

/// How many merged frames a view remembers.
const FRAMES: usize = 16;

/// Which topics a subscriber follows; subscribers with equal keys share a view.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::hub) struct Key {
    topics: Vec<StdArc<str>>,
    prefixes: Vec<StdArc<str>>,
}

impl Key {
    /// Sorted, and without what something else in it covers.
    pub(in crate::hub) fn new(
        mut topics: Vec<StdArc<str>>,
        mut prefixes: Vec<StdArc<str>>,
    ) -> Self {
        prefixes.sort();
        // After sorting, what a prefix covers follows it.
        prefixes.dedup_by(|later, earlier| later.starts_with(&**earlier));
        topics.sort();
        topics.dedup();
        topics.retain(|topic| !prefixes.iter().any(|prefix| topic.starts_with(&**prefix)));
        Self { topics, prefixes }
    }

    pub(in crate::hub) fn topics(&self) -> &[StdArc<str>] {
        &self.topics
    }

    pub(in crate::hub) fn prefixes(&self) -> &[StdArc<str>] {
        &self.prefixes
    }

    pub(in crate::hub) fn is_everything(&self) -> bool {
        self.prefixes
            .first()
            .is_some_and(|prefix| prefix.is_empty())
    }
}

/// What all subscribers with one key have in common.
#[derive(Debug)]
pub(in crate::hub) struct View {
    pub(in crate::hub) key: Key,
    pub(in crate::hub) subscribers: usize,
    /// Where a subscriber stands that has seen everything: after the view's last event.
    pub(in crate::hub) head: u64,
    /// After the last of the view's events that is no longer retained.
    pub(in crate::hub) lost_to: u64,
    /// Standing at the first is as good as standing at the second: nothing lies between.
    pub(in crate::hub) jump: (u64, u64),
    /// The slots of the topics there are that it follows; left empty by one that follows all.
    pub(in crate::hub) topics: BTreeSet<usize>,
    /// Whether it waits for the linger to pass.
    pub(in crate::hub) lingering: bool,
    waiters: Waiters,
    /// Counts up whenever the waiters are taken out. A subscriber that is marked in the round looks no
    /// further, and needs no lock for that.
    round: Arc<AtomicU64>,
    frames: VecDeque<Merged>,
}

/// What lies between two places in the view, in one piece.
#[derive(Debug, Clone)]
pub(in crate::hub) struct Merged {
    pub(in crate::hub) from: u64,
    pub(in crate::hub) to: u64,
    pub(in crate::hub) events: u64,
    pub(in crate::hub) block: Block,
}

impl View {
    pub(in crate::hub) fn new(key: Key, head: u64, lost_to: u64) -> Self {
        Self {
            key,
            subscribers: 0,
            head,
            lost_to,
            jump: (head, head),
            topics: BTreeSet::new(),
            lingering: false,
            waiters: Waiters::default(),
            round: Arc::new(AtomicU64::new(1)),
            frames: VecDeque::new(),
        }
    }

    pub(in crate::hub) fn round(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.round)
    }

    /// Takes the place of a view that has gone, and its waiters: a sheet of theirs may still be out.
    pub(in crate::hub) fn succeed(&mut self, old: Self) {
        self.waiters = old.waiters;
    }

    /// Lets the next event wake the task.
    pub(in crate::hub) fn wait(&mut self, ticket: &mut Ticket, task: &Waker, wakes: &mut Wakes) {
        // Rounds change under the same lock.
        let round = self.round.load(Ordering::Relaxed);
        self.waiters.add(round, ticket, task, wakes);
    }

    /// Lets it wake the task that the ticket is for.
    #[inline]
    pub(in crate::hub) fn wait_again(&mut self, ticket: &mut Ticket) {
        self.waiters
            .mark(self.round.load(Ordering::Relaxed), ticket);
    }

    pub(in crate::hub) fn leave(&mut self, ticket: &mut Ticket, wakes: &mut Wakes) {
        self.waiters.remove(ticket, wakes);
    }

    /// Takes the waiting tasks out; `index` is the view's own.
    pub(in crate::hub) fn end_round(&mut self, index: usize, wakes: &mut Wakes) {
        if !self.waiters.is_empty() {
            self.round.fetch_add(1, Ordering::Release);
            wakes.take(&mut self.waiters, index);
        }
    }

    /// Takes a sheet back whose tasks have been woken.
    pub(in crate::hub) fn give_back(&mut self, sheet: &mut Sheet) {
        self.waiters.give_back(sheet);
    }

    /// How far a subscriber that stands here has really come.
    pub(in crate::hub) fn effective(&self, cursor: u64) -> u64 {
        if cursor >= self.head {
            u64::MAX
        } else if cursor == self.jump.0 {
            self.jump.1
        } else {
            cursor
        }
    }

    /// The frame that others have been given from this place on, unless far more has come since.
    #[inline]
    pub(in crate::hub) fn merged(&self, from: u64) -> Option<&Merged> {
        let frame = self.frames.iter().rev().find(|frame| frame.from == from)?;
        // Rebuilt only when what is pending has doubled, so that copying stays in proportion.
        let worthwhile = self.head - frame.to >= (frame.to - from).max(4)
            && frame.block.len() < super::state::FRAME / 2;
        (!worthwhile).then_some(frame)
    }

    /// Remembers a frame; gives the number of bytes no longer held.
    pub(in crate::hub) fn remember(&mut self, merged: Merged) -> usize {
        let mut freed = 0;
        self.frames.retain(|frame| {
            let stays = frame.from != merged.from && frame.to > self.lost_to;
            freed += if stays { 0 } else { frame.block.len() };
            stays
        });
        if self.frames.len() == FRAMES {
            freed += self.frames.pop_front().map_or(0, |frame| frame.block.len());
        }
        self.frames.push_back(merged);
        freed
    }

    /// Forgets the frames; gives the number of bytes no longer held.
    pub(in crate::hub) fn forget(&mut self) -> usize {
        self.frames.drain(..).map(|frame| frame.block.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_one_form() {
        let key = |topics: &[&str], prefixes: &[&str]| {
            let arcs = |names: &[&str]| names.iter().map(|name| StdArc::from(*name)).collect();
            Key::new(arcs(topics), arcs(prefixes))
        };
        assert_eq!(key(&["b", "a", "b"], &[]), key(&["a", "b"], &[]));
        assert_eq!(key(&["ab", "b"], &["a", "abc", "ac"]), key(&["b"], &["a"]));
        assert!(key(&["x"], &["", "a"]).is_everything());
        assert_ne!(key(&["a"], &[]), key(&[], &["a"]));
    }
}
