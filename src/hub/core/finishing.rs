use std::num::NonZeroU64;

use super::State;
use super::cursors::NEVER;
use super::notices::News;
use super::wake_list::Wakes;

/// Finishing topics. The end of a topic is a place in the log, as a close is.
///
/// A group ends there once all its topics are finished. When one of them is published to again, the
/// group is kept for its present subscribers, and new subscribers form another group.
impl State {
    /// Finishes a topic at the head of the log and returns its last place.
    pub(in crate::hub) fn finish(&mut self, topic: &str, wakes: &mut Wakes) -> u64 {
        let Some(slot) = self.topics.find(topic) else {
            return self.next - 1;
        };
        let topic = self.topics.get_mut(slot);
        if let Some(end) = topic.finished.filter(|_| topic.is_over()) {
            return end.get() - 1;
        }
        topic.finished = NonZeroU64::new(self.next);
        let is_known = topic.is_over();
        self.announce(slot, News::End(self.next), wakes);
        if !is_known {
            self.forget_end(slot, wakes);
        }
        self.next - 1
    }

    /// Begins the next run of a finished topic that is published to again.
    #[cold]
    pub(super) fn begin_run(&mut self, slot: usize, wakes: &mut Wakes) {
        self.forget_end(slot, wakes);
        self.topics.get_mut(slot).finished = None;
        self.announce(slot, News::NextRun, wakes);
    }

    /// Forgets the end of a topic that retains no event or is published to again, so that new
    /// subscribers do not join a group that is over. Present subscribers still end.
    pub(super) fn forget_end(&mut self, slot: usize, wakes: &mut Wakes) {
        self.announce(slot, News::EndForgotten, wakes);
    }

    /// The place where a subscriber that joins this group now would end, and why.
    pub(super) fn end_for_new(&self, group: usize) -> Option<(u64, Over)> {
        let finished = self.groups[group].end;
        let finished = (finished != NEVER).then_some((finished, Over::Finished));
        let closed = self.closing.end_of_all();
        let closed = closed.map(|place| (place, Over::Closed));
        finished
            .into_iter()
            .chain(closed)
            .min_by_key(|(place, _)| *place)
    }
}

/// Why no further events follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::hub) enum Over {
    Finished,
    Closed,
}
