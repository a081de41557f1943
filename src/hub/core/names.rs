use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// The slots of named things, in the order of their names, so that those with a prefix are found
/// among any number of others.
#[derive(Debug, Default)]
pub(super) struct Names {
    slots: BTreeMap<Arc<str>, usize>,
}

impl Names {
    /// Adds a name, which must not be there.
    pub(super) fn insert(&mut self, name: Arc<str>, slot: usize) {
        let before = self.slots.insert(name, slot);
        debug_assert!(before.is_none(), "two of one name");
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.slots.remove(name);
    }

    /// The slots of the names with this prefix.
    pub(super) fn under(&self, prefix: &str) -> impl Iterator<Item = usize> {
        self.under_after(prefix, None).map(|(_, slot)| slot)
    }

    /// The names with this prefix after another name with it, and their slots.
    pub(super) fn under_after(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&Arc<str>, usize)> {
        let from = after.map_or(Bound::Included(prefix), Bound::Excluded);
        self.slots
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(move |(name, _)| name.starts_with(prefix))
            .map(|(name, slot)| (name, *slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_those_with_a_prefix() {
        let mut names = Names::default();
        let all = ["", "a", "a/", "a/1", "a/2", "a0", "b", "é", "ê"];
        for (slot, name) in all.iter().enumerate() {
            names.insert(Arc::from(*name), slot);
        }
        names.remove("a/1");
        for prefix in ["", "a", "a/", "a/1", "a/2", "b", "c", "é", "ê/"] {
            let expected =
                (0..all.len()).filter(|n| all[*n].starts_with(prefix) && all[*n] != "a/1");
            assert!(names.under(prefix).eq(expected), "{prefix}");
        }
    }
}
