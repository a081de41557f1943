use super::State;
use crate::hub::topic_stats::TopicStats;

/// At how many subscribers it looks before others have the lock in between.
const PIECE: usize = 1024;

/// A look at all of the hub's subscribers for the slowest that follows a topic, piece by piece.
#[derive(Debug)]
pub(in crate::hub) struct Survey {
    next: usize,
    slowest: u64,
}

impl Survey {
    pub(in crate::hub) fn new() -> Self {
        Self {
            next: 0,
            slowest: u64::MAX,
        }
    }
}

impl State {
    /// What is known of a topic without a look at all subscribers: all but the lag.
    pub(in crate::hub) fn topic_stats(&mut self, topic: &str) -> TopicStats {
        let Some(slot) = self.topics.find(topic) else {
            return TopicStats::default();
        };
        let topic = self.topics.refresh(slot);
        let prefixed = topic.prefixed.iter();
        TopicStats {
            followers: topic.subscribers,
            prefix_followers: prefixed.map(|group| self.groups[*group].followers()).sum(),
            retained: topic.retained.len(),
            retained_bytes: topic.bytes,
            finished: topic.is_over(),
            lag: 0,
        }
    }

    /// Looks at some more subscribers; gives the topic's lag when that is known. A subscriber that comes
    /// or moves on meanwhile is seen as it was before or as it is after.
    pub(in crate::hub) fn survey(&mut self, topic: &str, survey: &mut Survey) -> Option<usize> {
        let Some(slot) = self.topics.find(topic) else {
            return Some(0);
        };
        self.topics.refresh(slot);
        let topic = self.topics.get(slot);
        let is_followed = topic.subscribers > 0 || !topic.prefixed.is_empty();
        let Some(oldest) = topic.retained.first().filter(|_| is_followed) else {
            return Some(0);
        };
        let end = self.cursors.end();
        let until = end.min(survey.next + PIECE);
        for cursor in self.cursors.between(survey.next, until) {
            for (group, place) in self.stays(cursor) {
                if place < survey.slowest && self.groups[group].follows(slot, &topic.name) {
                    survey.slowest = place;
                }
            }
        }
        survey.next = until;
        // Nobody is slower than one that has everything before it.
        let known = until == end || survey.slowest <= oldest.seq;
        known.then(|| topic.retained.count_from(survey.slowest))
    }
}
