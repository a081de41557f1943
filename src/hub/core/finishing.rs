use std::num::NonZeroU64;

use super::State;
use super::cursors::NEVER;
use super::wake_list::Wakes;

/// Topics that finish. That is a place in the log, as a close is.
///
/// A group ends there once all its topics are finished. When one of them is published to again, the group
/// stays for the subscribers that it has, and those that come are another.
impl State {
    /// Ends a topic where it is; gives its last place.
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
        for (index, which) in &topic.followers {
            let group = &mut self.groups[*index];
            group.finish(*which, self.next);
            if group.is_over() {
                group.end_round(*index, wakes);
            }
        }
        if !is_known {
            self.forget_end(slot);
        }
        self.next - 1
    }

    /// A finished topic is published to again.
    #[cold]
    pub(super) fn begin_run(&mut self, slot: usize) {
        self.forget_end(slot);
        let topic = self.topics.get_mut(slot);
        topic.finished = None;
        for (index, which) in &topic.followers {
            self.groups[*index].begin_run(*which);
        }
    }

    /// A finished topic retains nothing by which those that come would know that. Those that are there
    /// know.
    pub(super) fn forget_end(&mut self, slot: usize) {
        for (index, _) in &self.topics.get(slot).followers {
            let group = &self.groups[*index];
            if group.is_over() {
                self.by_key.remove(self.by_key.hash(&*group.key), *index);
            }
        }
    }

    /// Where a subscriber of this group ends that comes now, and why.
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

/// Why nothing more comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::hub) enum Over {
    Finished,
    Closed,
}
