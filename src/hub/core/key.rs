use std::sync::Arc;

/// The topics that a subscriber follows. Subscribers with equal keys form one group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::hub) struct Key {
    topics: Vec<Arc<str>>,
    prefixes: Vec<Arc<str>>,
    /// Topics that are not followed although they start with a prefix.
    except: Vec<Arc<str>>,
}

impl Key {
    /// Creates a key that is sorted and free of topics and prefixes that another prefix covers.
    pub(in crate::hub) fn new(mut topics: Vec<Arc<str>>, mut prefixes: Vec<Arc<str>>) -> Self {
        prefixes.sort();
        // After sorting, the prefixes that a prefix covers follow it.
        prefixes.dedup_by(|later, earlier| later.starts_with(&**earlier));
        topics.sort();
        topics.dedup();
        let mut key = Self {
            topics: Vec::new(),
            prefixes,
            except: Vec::new(),
        };
        topics.retain(|topic| !key.covers(topic));
        key.topics = topics;
        key
    }

    /// This key with one more topic.
    pub(super) fn with(&self, topic: &Arc<str>) -> Self {
        let mut key = self.clone();
        if let Ok(at) = key.except.binary_search(topic) {
            key.except.remove(at);
        } else if !key.covers(topic) {
            if let Err(at) = key.topics.binary_search(topic) {
                key.topics.insert(at, Arc::clone(topic));
            }
        }
        key
    }

    /// This key without one topic.
    pub(super) fn without(&self, topic: &Arc<str>) -> Self {
        let mut key = self.clone();
        if let Ok(at) = key.topics.binary_search(topic) {
            key.topics.remove(at);
        } else if key.covers(topic) {
            if let Err(at) = key.except.binary_search(topic) {
                key.except.insert(at, Arc::clone(topic));
            }
        }
        key
    }

    pub(super) fn topics(&self) -> &[Arc<str>] {
        &self.topics
    }

    /// The prefixes, none of which starts with another.
    pub(super) fn prefixes(&self) -> &[Arc<str>] {
        &self.prefixes
    }

    /// Topics that are not followed although they start with a prefix.
    pub(super) fn except(&self) -> &[Arc<str>] {
        &self.except
    }

    pub(super) fn is_everything(&self) -> bool {
        let first = self.prefixes.first();
        first.is_some_and(|prefix| prefix.is_empty()) && self.except.is_empty()
    }

    /// Whether a prefix covers the topic.
    pub(super) fn covers(&self, topic: &str) -> bool {
        let after = self.prefixes.partition_point(|prefix| &**prefix <= topic);
        after > 0
            && topic.starts_with(&*self.prefixes[after - 1])
            && self
                .except
                .binary_search_by(|name| (**name).cmp(topic))
                .is_err()
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

    #[test]
    fn topics_come_and_go() {
        let arc = |name: &str| Arc::<str>::from(name);
        let key = |topics: &[&str], prefixes: &[&str]| {
            let arcs = |names: &[&str]| names.iter().map(|name| arc(name)).collect();
            Key::new(arcs(topics), arcs(prefixes))
        };
        let both = key(&["a", "b"], &[]);
        assert_eq!(key(&["b"], &[]).with(&arc("a")).with(&arc("a")), both);
        assert_eq!(both.without(&arc("a")).without(&arc("a")), key(&["b"], &[]));
        let all = key(&["a"], &["b"]);
        assert_eq!(all.with(&arc("b/1")), all);
        let but_one = all.without(&arc("b/1"));
        assert_eq!(but_one, but_one.without(&arc("b/1")));
        assert!(but_one.covers("b") && but_one.covers("b/11") && !but_one.covers("b/1"));
        assert_eq!(but_one.with(&arc("b/1")), all);
        let everything = key(&[], &[""]);
        assert!(!everything.without(&arc("")).is_everything());
        assert!(everything.without(&arc("")).with(&arc("")).is_everything());
    }
}
