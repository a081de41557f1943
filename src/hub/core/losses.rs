use std::collections::BTreeSet;
use std::sync::Arc;

use super::index::SlotIndex;
use super::names::Names;
use super::slots::Slots;

/// The maximum number of removed topics that are remembered, and of bytes in their names.
const TOPICS: usize = 16 * 1024;
const BYTES: usize = 1024 * 1024;

/// The losses of topics that no longer exist: those without followers and retained events.
///
/// The memory for them is bounded. Dropping a topic raises the floor: any topic not in here may
/// have lost events before it.
#[derive(Debug)]
pub(super) struct Losses {
    slots: Slots<Loss>,
    by_name: SlotIndex,
    names: Names,
    by_place: BTreeSet<(u64, usize)>,
    bytes: usize,
    floor: u64,
}

#[derive(Debug)]
struct Loss {
    name: Arc<str>,
    hash: u64,
    /// The place after the last lost event of those published before the hub was closed, and of
    /// those published later.
    lost: (u64, u64),
}

impl Loss {
    fn lost_to(&self) -> u64 {
        self.lost.0.max(self.lost.1)
    }
}

impl Losses {
    /// `hashes` is the index whose hashes the names come with.
    pub(super) fn new(hashes: &SlotIndex) -> Self {
        Self {
            slots: Slots::new(),
            by_name: hashes.like(),
            names: Names::default(),
            by_place: BTreeSet::new(),
            bytes: 0,
            floor: 0,
        }
    }

    /// Remembers a topic that is removed, and the places after its last lost events: of those
    /// published before the hub was closed, and of those published later.
    pub(super) fn remember(&mut self, name: Arc<str>, hash: u64, lost: (u64, u64)) {
        let lost_to = lost.0.max(lost.1);
        if lost_to <= self.floor {
            return;
        }
        self.bytes += name.len();
        let slot = self.slots.insert(Loss {
            name: Arc::clone(&name),
            hash,
            lost,
        });
        self.by_name.insert(hash, slot);
        self.names.insert(name, slot);
        self.by_place.insert((lost_to, slot));
        while self.slots.len() > TOPICS || self.bytes > BYTES {
            let Some((place, slot)) = self.by_place.pop_first() else {
                return;
            };
            self.take(slot);
            self.floor = place;
        }
    }

    /// Returns the losses of a topic that is created, and forgets it.
    pub(super) fn recall(&mut self, name: &str, hash: u64) -> (u64, u64) {
        let known = self
            .by_name
            .find(hash, |slot| *self.slots[slot].name == *name);
        let Some(slot) = known else {
            return (self.floor, 0);
        };
        let loss = self.take(slot);
        self.by_place.remove(&(loss.lost_to(), slot));
        loss.lost
    }

    fn take(&mut self, slot: usize) -> Loss {
        let loss = self.slots.remove(slot);
        self.by_name.remove(loss.hash, slot);
        self.names.remove(&loss.name);
        self.bytes -= loss.name.len();
        loss
    }

    /// The place before which any topic not in here may have lost events.
    pub(super) fn floor(&self) -> u64 {
        self.floor
    }

    /// Starts over with a floor.
    pub(super) fn begin(&mut self, floor: u64) {
        *self = Self {
            floor,
            ..Self::new(&self.by_name)
        };
    }

    /// The known topics with their losses.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, u64)> {
        let all = self.slots.iter();
        all.map(|(_, loss)| (&loss.name, loss.lost_to()))
    }

    /// The removed topics with this prefix after another name with it, each with the place before
    /// which it may have lost events, of those published before the hub was closed.
    pub(super) fn under_after(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&Arc<str>, u64)> {
        let under = self.names.under_after(prefix, after);
        under.map(|(name, slot)| (name, self.slots[slot].lost.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_what_is_dropped_raises_the_floor() {
        let hashes = SlotIndex::default();
        let mut losses = Losses::new(&hashes);
        let remember = |losses: &mut Losses, name: String, place| {
            losses.remember(Arc::from(&*name), hashes.hash(&*name), (place, 0));
        };
        let recall = |losses: &mut Losses, name: &str| losses.recall(name, hashes.hash(name)).0;
        for place in 1..=TOPICS as u64 + 10 {
            remember(&mut losses, format!("room/{place}"), place);
        }
        assert_eq!((losses.floor, losses.slots.len()), (10, TOPICS));
        assert_eq!(recall(&mut losses, "room/11"), 11);
        assert_eq!(recall(&mut losses, "room/11"), 10);
        assert_eq!(recall(&mut losses, "room/3"), 10);
        let under = |prefix: &str, after| {
            let under = losses.under_after(prefix, after);
            under.map(|(_, place)| place).max()
        };
        assert_eq!(under("room/16", None), Some(TOPICS as u64 + 10));
        assert_eq!(
            (under("room/12", None), under("x", None)),
            (Some(12_999), None)
        );
        assert_eq!(under("room/12", Some("room/1298")), Some(12_999));
        assert_eq!(under("room/12", Some("room/1299")), Some(12_999));
        remember(&mut losses, "old".to_owned(), 9);
        assert_eq!(recall(&mut losses, "old"), 10);
        remember(&mut losses, "x".repeat(BYTES + 1), 1 << 40);
        assert!(losses.slots.len() == 0 && losses.bytes == 0);
    }
}
