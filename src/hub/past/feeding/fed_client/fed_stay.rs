//! What a client of fed nodes follows.

use super::super::TOPICS;

/// What a client follows after a key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in super::super) struct FedStay {
    pub(super) from: u128,
    pub(super) topics: Vec<&'static str>,
    pub(super) prefix: Option<&'static str>,
    /// Although it follows their prefix.
    pub(super) except: Vec<&'static str>,
}

impl FedStay {
    pub(in super::super) fn random(random: &mut dyn FnMut(usize) -> usize) -> Self {
        let prefix = [None, Some("b"), Some("b/"), Some("")][random(9).saturating_sub(5)];
        let mut topics: Vec<_> = TOPICS.into_iter().filter(|_| random(4) == 0).collect();
        if topics.is_empty() && prefix.is_none() {
            topics.push("a");
        }
        Self {
            topics,
            prefix,
            ..Self::default()
        }
    }

    pub(super) fn follows(&self, topic: &str) -> bool {
        let begins = self.prefix.is_some_and(|prefix| topic.starts_with(prefix));
        self.topics.contains(&topic) || (begins && !self.except.contains(&topic))
    }

    /// Whether nothing more comes once these topics are finished.
    pub(super) fn ends_with(&self, is_finished: impl Fn(&str) -> bool) -> bool {
        let all = self.topics.iter().all(|topic| is_finished(topic));
        all && self.prefix.is_none() && !self.topics.is_empty()
    }

    pub(super) fn follow(&mut self, topic: &'static str) {
        if self.except.contains(&topic) {
            self.except.retain(|other| *other != topic);
        } else if !self.follows(topic) {
            self.topics.push(topic);
        }
    }

    pub(super) fn leave(&mut self, topic: &'static str) {
        self.topics.retain(|other| *other != topic);
        if self.follows(topic) {
            self.except.push(topic);
        }
    }
}
