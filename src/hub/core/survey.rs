use super::State;
use crate::hub::topic_stats::TopicStats;

/// The number of subscribers to visit before releasing the lock to others.
const PIECE: usize = 1024;

/// A search for the slowest follower of a topic among all of the hub's subscribers, piece by piece.
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
    /// The statistics of a topic that do not require a visit to all subscribers: all but the lag.
    pub(in crate::hub) fn topic_stats(&mut self, topic: &str) -> TopicStats {
        let Some(slot) = self.topics.find(topic) else {
            return TopicStats::default();
        };
        let topic = self.topics.get(slot);
        let prefixed = self.topics.prefixed(slot);
        TopicStats {
            followers: topic.subscribers,
            prefix_followers: prefixed.map(|group| self.groups[group].followers()).sum(),
            retained: topic.retained.len(),
            retained_bytes: topic.bytes + topic.overhead(),
            finished: topic.is_over(),
            lag: 0,
        }
    }

    /// Visits the next piece of subscribers. Returns the topic's lag once it is known. A subscriber
    /// that subscribes or advances between pieces is seen either before or after that.
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
        // A subscriber that has read nothing yet is the slowest there can be.
        let known = until == end || survey.slowest <= oldest.seq;
        known.then(|| topic.retained.count_from(survey.slowest))
    }
}
