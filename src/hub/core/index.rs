use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::mem;

/// An index that finds slots by their contents: topics by their names, groups by their keys.
///
/// It holds only hashes and slots, and the caller compares the contents. It is a map in parts that
/// grows and shrinks by one part at a time, so no call moves more than a few hundred slots. A hash
/// has 64 bits under a random key, so names cannot be chosen to collide.
#[derive(Debug)]
pub(super) struct SlotIndex {
    parts: Vec<SlotMap>,
    /// Empty parts, to be [taken](Self::take_emptied) or used again.
    emptied: Vec<SlotMap>,
    len: usize,
    /// Slots whose hash another slot already had.
    twins: Vec<(u64, usize)>,
    random: RandomState,
}

pub(super) type SlotMap = HashMap<u64, usize, BuildHasherDefault<Hashed>>;

/// The maximum number of slots of a part, on average.
const PART: usize = 256;

impl Default for SlotIndex {
    fn default() -> Self {
        Self {
            parts: vec![HashMap::default()],
            emptied: Vec::new(),
            len: 0,
            twins: Vec::new(),
            random: RandomState::new(),
        }
    }
}

impl SlotIndex {
    /// An empty index for other slots, with the same hashes.
    pub(super) fn like(&self) -> Self {
        Self {
            random: self.random.clone(),
            ..Self::default()
        }
    }

    #[inline]
    pub(super) fn hash(&self, value: &(impl Hash + ?Sized)) -> u64 {
        self.random.hash_one(value)
    }

    /// The slot with this hash for which the closure returns `true`.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_right: impl Fn(usize) -> bool) -> Option<usize> {
        let slot = *self.parts[self.part(hash)].get(&hash)?;
        if is_right(slot) {
            return Some(slot);
        }
        let twins = self.twins.iter().filter(|(other, _)| *other == hash);
        twins.map(|(_, slot)| *slot).find(|slot| is_right(*slot))
    }

    /// Adds a slot, which must not be there yet.
    pub(super) fn insert(&mut self, hash: u64, slot: usize) {
        if self.len >= self.parts.len() * PART {
            self.split();
        }
        let part = self.part(hash);
        if let Some(first) = self.parts[part].insert(hash, slot) {
            self.twins.push((hash, first));
        }
        self.len += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Removes a slot, if it is there.
    pub(super) fn remove(&mut self, hash: u64, slot: usize) {
        let part = self.part(hash);
        let twin = self.twins.iter().position(|twin| *twin == (hash, slot));
        if let Some(twin) = twin {
            self.twins.swap_remove(twin);
        } else if self.parts[part].get(&hash) == Some(&slot) {
            self.parts[part].remove(&hash);
            let twin = self.twins.iter().position(|(other, _)| *other == hash);
            if let Some(twin) = twin {
                let (_, slot) = self.twins.swap_remove(twin);
                self.parts[part].insert(hash, slot);
            }
        } else {
            return;
        }
        self.len -= 1;
        if self.len == 0 {
            self.emptied = mem::replace(&mut self.parts, vec![HashMap::default()]);
        } else if self.parts.len() > 1 && self.len < self.parts.len() * PART / 4 {
            self.join();
        }
    }

    /// Parts that have already been split in this round are distinguished by one more bit.
    #[inline]
    fn part(&self, hash: u64) -> usize {
        let parts = self.parts.len();
        let wide = parts.next_power_of_two() - 1;
        // The map itself uses the lowest and the highest bits.
        let bits = (hash >> 24) as usize;
        let part = bits & wide;
        if part < parts {
            part
        } else {
            bits & (wide >> 1)
        }
    }

    /// The part that the last part was split from.
    fn parent(&self) -> usize {
        let last = self.parts.len() - 1;
        last & !(1 << last.ilog2())
    }

    #[cold]
    fn split(&mut self) {
        self.parts.push(self.emptied.pop().unwrap_or_default());
        let parent = self.parent();
        for (hash, slot) in mem::take(&mut self.parts[parent]) {
            let part = self.part(hash);
            self.parts[part].insert(hash, slot);
        }
    }

    /// Joins the last part with its parent, if the parent has memory for both. An allocation could
    /// take long: see [`Wakes::free_later`](super::wake_list::Wakes::free_later).
    #[cold]
    fn join(&mut self) {
        let parent = self.parent();
        let last = self.parts.pop().unwrap_or_default();
        let both = &mut self.parts[parent];
        if both.capacity() < both.len() + last.len() {
            self.parts.push(last);
            return;
        }
        let mut last = last;
        // `extend` reserves memory for both.
        last.drain()
            .for_each(|(hash, slot)| _ = both.insert(hash, slot));
        // Those that were not taken.
        self.emptied.clear();
        self.emptied.push(last);
    }

    /// Takes the memory that is no longer needed, to be freed after the lock is released: see
    /// [`Wakes::free_later`](super::wake_list::Wakes::free_later).
    pub(super) fn take_emptied(&mut self) -> Option<Vec<SlotMap>> {
        let some = self.emptied.capacity() > 0;
        some.then(|| mem::take(&mut self.emptied))
    }
}

/// A hasher for keys that are hashes already.
#[derive(Debug, Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Each slot is its own value, found by a hash that others may have as well.
    #[test]
    fn does_what_a_map_does_whatever_the_hashes() {
        for bits in [2, 7, 64] {
            let (mut index, mut map) = (SlotIndex::default(), BTreeMap::new());
            let (mut random, mut largest) = (1u64, 0);
            for n in 0..60_000_u64 {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(n);
                let dice = random >> 33;
                let most = if bits == 64 { 8_000 } else { 60 };
                let slot = (dice % most) as usize;
                let hash = index.hash(&slot) >> (64 - bits);
                let grows = n % 30_000 < 15_000;
                let found = index.find(hash, |other| other == slot);
                assert_eq!(found, map.get(&slot).copied());
                if found.is_none() && dice / most % 10 < if grows { 9 } else { 1 } {
                    index.insert(hash, slot);
                    map.insert(slot, slot);
                } else if dice / most % 10 < if grows { 1 } else { 9 } {
                    index.remove(hash, slot);
                    map.remove(&slot);
                }
                assert_eq!(index.len, map.len());
                assert!(index.parts.len() <= 1 + 8 * index.len / PART);
                largest = index.parts.len().max(largest);
            }
            assert_eq!(largest > 16, bits == 64);
            let all: Vec<usize> = map.keys().copied().collect();
            for slot in all {
                index.remove(index.hash(&slot) >> (64 - bits), slot);
            }
            assert!(index.len == 0 && index.twins.is_empty());
            assert!(index.parts.len() == 1 && index.parts[0].capacity() == 0);
        }
    }
}
