use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::hub::retention::Retention;

/// The retention rules, for each topic and for all topics together.
#[derive(Debug, Clone)]
pub(in crate::hub) struct Rules {
    /// The maximum bytes of all topics together.
    bytes: usize,
    /// The first rule is for all topics, and a fallback for the others.
    list: Vec<Retention>,
    by_name: HashMap<Arc<str>, u32>,
    /// By the length of the prefix.
    by_prefix: BTreeMap<usize, HashMap<Arc<str>, u32>>,
}

impl Rules {
    pub(in crate::hub) fn new(bytes: usize, all: Retention) -> Self {
        Self {
            bytes,
            list: vec![all],
            by_name: HashMap::new(),
            by_prefix: BTreeMap::new(),
        }
    }

    pub(in crate::hub) fn bytes(&mut self, bytes: usize) {
        self.bytes = bytes;
    }

    /// Changes the rule for all topics.
    pub(in crate::hub) fn all(&mut self, all: Retention) {
        self.list[0] = all.or(self.list[0]);
    }

    pub(in crate::hub) fn topic(&mut self, name: Arc<str>, retention: Retention) {
        let rule = self.add(retention);
        self.by_name.insert(name, rule);
    }

    pub(in crate::hub) fn prefix(&mut self, prefix: Arc<str>, retention: Retention) {
        let rule = self.add(retention);
        let by_name = self.by_prefix.entry(prefix.len()).or_default();
        by_name.insert(prefix, rule);
    }

    fn add(&mut self, retention: Retention) -> u32 {
        self.list.push(retention);
        u32::try_from(self.list.len() - 1).unwrap_or(0)
    }

    /// The index of the rule for a topic: its own, that of its longest prefix, or the rule for all
    /// topics.
    pub(super) fn find(&self, topic: &str) -> u32 {
        let prefixes = self.by_prefix.range(..=topic.len()).rev();
        let mut prefixes = prefixes.filter_map(|(len, by_name)| by_name.get(topic.get(..*len)?));
        let rule = self.by_name.get(topic).or_else(|| prefixes.next());
        rule.copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn get(&self, rule: u32) -> Retention {
        let all = self.list[0];
        match rule {
            0 => all,
            rule => self.list[rule as usize].or(all),
        }
    }

    /// The most events of a topic, and bytes of all topics, that are retained where no other rule is.
    #[cfg(feature = "redis")]
    pub(in crate::hub) fn bounds(&self) -> (usize, usize) {
        (self.list[0].max_events(), self.bytes)
    }

    pub(super) fn max_bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rule_counts_and_leaves_the_rest_as_it_is() {
        let mut rules = Rules::new(1, Retention::new().events(10).bytes(20));
        rules.prefix("a".into(), Retention::new().events(1));
        rules.prefix("a/b".into(), Retention::new().events(2));
        rules.prefix("ä".into(), Retention::new().bytes(3));
        rules.topic("a/bc".into(), Retention::new().bytes(4));
        let of = |topic| {
            let retention = rules.get(rules.find(topic));
            (retention.max_events(), retention.max_bytes())
        };
        assert_eq!([of(""), of("b"), of("A")], [(10, 20); 3]);
        assert_eq!([of("a"), of("a/c"), of("a/")], [(1, 20); 3]);
        assert_eq!([of("a/b"), of("a/bd"), of("a/bcd")], [(2, 20); 3]);
        assert_eq!(
            [of("a/bc"), of("äh"), of("á")],
            [(10, 4), (10, 3), (10, 20)]
        );
    }
}
