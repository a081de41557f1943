use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

/// How many topics that are gone are remembered, and how many bytes of names.
const TOPICS: usize = 16 * 1024;
const BYTES: usize = 1024 * 1024;

/// What topics have lost that have no followers and no retained events.
///
/// Memory for that is bounded. What is dropped raises the floor: any topic not known here may have
/// lost what is before it.
#[derive(Debug, Default)]
pub(super) struct Losses {
    by_name: BTreeMap<Arc<str>, u64>,
    by_place: BTreeSet<(u64, Arc<str>)>,
    bytes: usize,
    floor: u64,
}

impl Losses {
    /// A topic goes, and has lost what is before `lost_to`.
    pub(super) fn remember(&mut self, name: Arc<str>, lost_to: u64) {
        if lost_to <= self.floor {
            return;
        }
        self.bytes += name.len();
        self.by_place.insert((lost_to, Arc::clone(&name)));
        self.by_name.insert(name, lost_to);
        while self.by_place.len() > TOPICS || self.bytes > BYTES {
            let Some((place, name)) = self.by_place.pop_first() else {
                return;
            };
            self.by_name.remove(&name);
            self.bytes -= name.len();
            self.floor = place;
        }
    }

    /// A topic comes; gives what it has lost.
    pub(super) fn recall(&mut self, name: &str) -> u64 {
        let Some((name, lost_to)) = self.by_name.remove_entry(name) else {
            return self.floor;
        };
        self.bytes -= name.len();
        self.by_place.remove(&(lost_to, name));
        lost_to
    }

    /// Any topic that is not known here may have lost what is before this.
    pub(super) fn floor(&self) -> u64 {
        self.floor
    }

    /// Begins with a floor.
    pub(super) fn begin(&mut self, floor: u64) {
        *self = Self {
            floor,
            ..Self::default()
        };
    }

    /// The topics that are known, and what each has lost.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, u64)> {
        self.by_name.iter().map(|(name, lost_to)| (name, *lost_to))
    }

    /// What any topic with this prefix has lost.
    pub(super) fn under(&self, prefix: &str) -> u64 {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        self.by_name
            .range::<str, _>(from)
            .take_while(|(name, _)| name.starts_with(prefix))
            .map(|(_, lost_to)| *lost_to)
            .fold(self.floor, u64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_what_is_dropped_raises_the_floor() {
        let mut losses = Losses::default();
        for place in 1..=TOPICS as u64 + 10 {
            losses.remember(Arc::from(format!("room/{place}")), place);
        }
        assert_eq!((losses.floor, losses.by_name.len()), (10, TOPICS));
        assert_eq!(losses.recall("room/11"), 11);
        assert_eq!(
            (losses.recall("room/11"), losses.recall("room/3")),
            (10, 10)
        );
        assert_eq!(losses.under("room/16"), TOPICS as u64 + 10);
        assert_eq!((losses.under("room/12"), losses.under("x")), (12_999, 10));
        losses.remember(Arc::from("old"), 9);
        assert_eq!(losses.recall("old"), 10);
        losses.remember(Arc::from("x".repeat(BYTES + 1)), 1 << 40);
        assert!(losses.by_name.is_empty() && losses.bytes == 0);
    }
}
