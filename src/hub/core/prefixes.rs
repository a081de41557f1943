use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::key::Key;

/// The groups that follow a prefix, under which new topics may appear.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    by_len: BTreeMap<usize, HashMap<Arc<str>, BTreeSet<usize>>>,
    /// Topics that some of the groups do not follow although they start with a prefix.
    except: BTreeMap<Arc<str>, BTreeSet<usize>>,
    /// Counts additions and removals. A topic learns of them when it is next published to.
    changes: u64,
}

impl Prefixes {
    #[inline]
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn add(&mut self, key: &Key, group: usize) {
        for topic in key.except() {
            let except = self.except.entry(Arc::clone(topic)).or_default();
            except.insert(group);
        }
        for prefix in key.prefixes() {
            self.changes += 1;
            let by_name = self.by_len.entry(prefix.len()).or_default();
            by_name.entry(Arc::clone(prefix)).or_default().insert(group);
        }
    }

    pub(super) fn remove(&mut self, key: &Key, group: usize) {
        for topic in key.except() {
            if let Some(groups) = self.except.get_mut(topic) {
                groups.remove(&group);
                if groups.is_empty() {
                    self.except.remove(topic);
                }
            }
        }
        for prefix in key.prefixes() {
            self.changes += 1;
            let Some(by_name) = self.by_len.get_mut(&prefix.len()) else {
                continue;
            };
            if let Some(groups) = by_name.get_mut(prefix) {
                groups.remove(&group);
                if groups.is_empty() {
                    by_name.remove(prefix);
                }
            }
            if by_name.is_empty() {
                self.by_len.remove(&prefix.len());
            } else if by_name.len() < by_name.capacity() / 8 {
                by_name.shrink_to(2 * by_name.len());
            }
        }
    }

    /// The first group, in the order of the prefix's length and the group's index, that follows a
    /// prefix of the topic and is not before `from`. The group may follow all but this topic.
    pub(super) fn next(&self, name: &str, from: (usize, usize)) -> Option<(usize, usize)> {
        if from.0 > name.len() {
            return None;
        }
        self.by_len
            .range(from.0..=name.len())
            .find_map(|(len, by_name)| {
                let groups = by_name.get(name.get(..*len)?)?;
                let first = if *len == from.0 { from.1 } else { 0 };
                let group = groups.range(first..).next()?;
                Some((*len, *group))
            })
    }

    /// The groups that follow a prefix of the topic.
    pub(super) fn covering(&self, name: &str) -> impl Iterator<Item = usize> {
        let except = self.except.get(name);
        self.by_len
            .range(..=name.len())
            .filter_map(move |(len, by_name)| by_name.get(name.get(..*len)?))
            .flatten()
            .copied()
            .filter(move |group| except.is_none_or(|except| !except.contains(group)))
    }
}
