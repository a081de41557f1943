use std::sync::Arc;

/// Which topics a subscriber follows; subscribers with equal keys are one group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::hub) struct Key {
    topics: Vec<Arc<str>>,
    prefixes: Vec<Arc<str>>,
}

impl Key {
    /// Sorted, and without what something else in it covers.
    pub(in crate::hub) fn new(mut topics: Vec<Arc<str>>, mut prefixes: Vec<Arc<str>>) -> Self {
        prefixes.sort();
        // After sorting, what a prefix covers follows it.
        prefixes.dedup_by(|later, earlier| later.starts_with(&**earlier));
        topics.sort();
        topics.dedup();
        let mut key = Self { topics, prefixes };
        let topics = std::mem::take(&mut key.topics);
        key.topics = topics
            .into_iter()
            .filter(|topic| !key.covers(topic))
            .collect();
        key
    }

    pub(super) fn topics(&self) -> &[Arc<str>] {
        &self.topics
    }

    /// None of them begins with another.
    pub(super) fn prefixes(&self) -> &[Arc<str>] {
        &self.prefixes
    }

    pub(super) fn is_everything(&self) -> bool {
        self.prefixes
            .first()
            .is_some_and(|prefix| prefix.is_empty())
    }

    /// Whether a prefix covers the topic.
    pub(super) fn covers(&self, topic: &str) -> bool {
        let after = self.prefixes.partition_point(|prefix| &**prefix <= topic);
        after > 0 && topic.starts_with(&*self.prefixes[after - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_one_form() {
        let key = |topics: &[&str], prefixes: &[&str]| {
            let arcs = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect();
            Key::new(arcs(topics), arcs(prefixes))
        };
        assert_eq!(key(&["b", "a", "b"], &[]), key(&["a", "b"], &[]));
        assert_eq!(key(&["ab", "b"], &["a", "abc", "ac"]), key(&["b"], &["a"]));
        assert!(key(&["x"], &["", "a"]).is_everything());
        assert_ne!(key(&["a"], &[]), key(&[], &["a"]));
        let rooms = key(&[], &["a/", "b", "c/d"]);
        assert!(rooms.covers("a/") && rooms.covers("bc") && rooms.covers("c/d/e"));
        assert!(!rooms.covers("a") && !rooms.covers("c") && !rooms.covers("d"));
    }
}
