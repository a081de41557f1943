use std::ops::{Index, IndexMut};

use slab::Slab;

/// A slab that gives its memory back: what is at its end and free goes when it has become much
/// emptier.
#[derive(Debug)]
pub(super) struct Slots<T> {
    slab: Slab<T>,
    /// How many were removed since it shrank last.
    removed: usize,
}

impl<T> Slots<T> {
    pub(super) const fn new() -> Self {
        Self {
            slab: Slab::new(),
            removed: 0,
        }
    }

    pub(super) fn insert(&mut self, value: T) -> usize {
        self.slab.insert(value)
    }

    pub(super) fn remove(&mut self, key: usize) -> T {
        let value = self.slab.remove(key);
        self.removed += 1;
        let capacity = self.slab.capacity();
        if self.slab.is_empty() {
            *self = Self::new();
        } else if self.slab.len() < capacity / 4 && self.removed >= capacity / 16 {
            // This costs nothing while the last slot is taken. When it is free, enough values have
            // gone to keep the work in proportion.
            self.slab.shrink_to_fit();
            if self.slab.capacity() < capacity {
                self.removed = 0;
            }
        }
        value
    }

    pub(super) fn len(&self) -> usize {
        self.slab.len()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, key: usize) -> Option<&mut T> {
        self.slab.get_mut(key)
    }

    /// No value has this key or a larger one.
    pub(super) fn end(&self) -> usize {
        self.slab.capacity()
    }

    /// The values from one key to another.
    pub(super) fn between(&self, from: usize, to: usize) -> impl Iterator<Item = &T> {
        (from..to).filter_map(|key| self.slab.get(key))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        self.slab.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut T)> {
        self.slab.iter_mut()
    }
}

impl<T> Index<usize> for Slots<T> {
    type Output = T;

    #[inline]
    fn index(&self, key: usize) -> &T {
        &self.slab[key]
    }
}

impl<T> IndexMut<usize> for Slots<T> {
    #[inline]
    fn index_mut(&mut self, key: usize) -> &mut T {
        &mut self.slab[key]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back() {
        let mut slots = Slots::new();
        let keys: Vec<_> = (0..10_000).map(|n| slots.insert(n)).collect();
        for key in &keys[10..] {
            slots.remove(*key);
        }
        assert!(slots.slab.capacity() < 100, "{}", slots.slab.capacity());
        for key in &keys[..10] {
            assert_eq!(slots.remove(*key), *key);
        }
        assert_eq!(slots.slab.capacity(), 0);
    }
}
