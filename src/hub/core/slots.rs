use std::mem;
use std::ops::{Index, IndexMut};

use slab::Slab;

/// A slab in pieces. Growing never moves existing values, and a piece that becomes empty gives its
/// memory back. So no insertion or removal takes long under the lock, however many values there are.
#[derive(Debug)]
pub(super) struct Slots<T> {
    pieces: Vec<Slab<T>>,
    /// Empty pieces, to be [taken](Self::take_emptied) or used again.
    emptied: Vec<Slab<T>>,
    /// A bit for each piece that is not full.
    open: Vec<u64>,
    /// No bit is set in the words before this one.
    first_open: usize,
    len: usize,
}

/// The number of values in a piece.
const PIECE: usize = 128;

/// The number of pieces whose list is kept small. That of more takes little beside them.
const FEW: usize = 8;

impl<T> Slots<T> {
    pub(super) const fn new() -> Self {
        Self {
            pieces: Vec::new(),
            emptied: Vec::new(),
            open: Vec::new(),
            first_open: 0,
            len: 0,
        }
    }

    /// Inserts into the first piece that has room, so that the last pieces become empty.
    pub(super) fn insert(&mut self, value: T) -> usize {
        let at = self.first_open().unwrap_or_else(|| self.add_piece());
        let piece = &mut self.pieces[at];
        let key = piece.insert(value);
        if piece.len() == PIECE {
            self.open[at / 64] &= !(1 << (at % 64));
        }
        self.len += 1;
        at * PIECE + key
    }

    /// The key of the next value that is inserted.
    pub(super) fn next_key(&mut self) -> usize {
        let at = self.first_open().unwrap_or_else(|| self.add_piece());
        at * PIECE + self.pieces[at].vacant_key()
    }

    #[inline]
    fn first_open(&mut self) -> Option<usize> {
        while let Some(word) = self.open.get(self.first_open) {
            if *word != 0 {
                return Some(self.first_open * 64 + word.trailing_zeros() as usize);
            }
            self.first_open += 1;
        }
        None
    }

    #[cold]
    fn add_piece(&mut self) -> usize {
        let at = self.pieces.len();
        // The first piece grows with its contents, since many slabs stay small.
        let capacity = if at == 0 { 0 } else { PIECE };
        let piece = self.emptied.pop().filter(|_| at > 0);
        self.pieces
            .push(piece.unwrap_or_else(|| Slab::with_capacity(capacity)));
        if at % 64 == 0 {
            self.open.push(0);
        }
        self.open_piece(at);
        at
    }

    #[inline]
    fn open_piece(&mut self, at: usize) {
        self.open[at / 64] |= 1 << (at % 64);
        self.first_open = self.first_open.min(at / 64);
    }

    pub(super) fn remove(&mut self, key: usize) -> T {
        let at = key / PIECE;
        let piece = &mut self.pieces[at];
        let value = piece.remove(key % PIECE);
        self.len -= 1;
        match piece.len() {
            0 => self.empty_piece(at),
            left if left == PIECE - 1 => self.open_piece(at),
            _ => {}
        }
        value
    }

    #[cold]
    fn empty_piece(&mut self, at: usize) {
        let piece = mem::take(&mut self.pieces[at]);
        // Those that were not taken.
        self.emptied.clear();
        self.emptied.push(piece);
        while self.pieces.last().is_some_and(Slab::is_empty) {
            self.pieces.pop();
            let last = self.pieces.len();
            self.open[last / 64] &= !(1 << (last % 64));
        }
        self.open.truncate(self.pieces.len().div_ceil(64));
        self.first_open = self.first_open.min(self.open.len());
        let is_large = self.pieces.capacity() > 4 * FEW;
        if self.pieces.is_empty() || (is_large && self.pieces.len() <= FEW) {
            // Not `shrink_to`, which frees memory.
            let mut all = Vec::with_capacity(2 * self.pieces.len());
            all.append(&mut self.pieces);
            let mut emptied = mem::replace(&mut self.pieces, all);
            emptied.append(&mut self.emptied);
            self.emptied = emptied;
        }
    }

    /// Takes the memory that is no longer needed, to be freed after the lock is released: see
    /// [`Wakes::free_later`](super::wake_list::Wakes::free_later).
    pub(super) fn take_emptied(&mut self) -> Option<Vec<Slab<T>>> {
        let some = self.emptied.capacity() > 0;
        some.then(|| mem::take(&mut self.emptied))
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn get(&self, key: usize) -> Option<&T> {
        self.pieces.get(key / PIECE)?.get(key % PIECE)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, key: usize) -> Option<&mut T> {
        self.pieces.get_mut(key / PIECE)?.get_mut(key % PIECE)
    }

    /// The key after the last value's.
    pub(super) fn end(&self) -> usize {
        let last = self
            .pieces
            .last()
            .and_then(|piece| piece.iter().next_back());
        last.map_or(0, |(key, _)| (self.pieces.len() - 1) * PIECE + key + 1)
    }

    /// The values from one key to another.
    pub(super) fn between(&self, from: usize, to: usize) -> impl Iterator<Item = &T> {
        (from..to).filter_map(|key| self.pieces.get(key / PIECE)?.get(key % PIECE))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let pieces = self.pieces.iter().enumerate();
        pieces.flat_map(|(at, piece)| piece.iter().map(move |(key, it)| (at * PIECE + key, it)))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut T)> {
        let pieces = self.pieces.iter_mut().enumerate();
        pieces.flat_map(|(at, piece)| {
            piece
                .iter_mut()
                .map(move |(key, it)| (at * PIECE + key, it))
        })
    }
}

impl<T> Index<usize> for Slots<T> {
    type Output = T;

    #[inline]
    fn index(&self, key: usize) -> &T {
        &self.pieces[key / PIECE][key % PIECE]
    }
}

impl<T> IndexMut<usize> for Slots<T> {
    #[inline]
    fn index_mut(&mut self, key: usize) -> &mut T {
        &mut self.pieces[key / PIECE][key % PIECE]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn capacity<T>(slots: &Slots<T>) -> usize {
        slots.pieces.iter().map(Slab::capacity).sum()
    }

    #[test]
    fn memory_comes_back() {
        let mut slots = Slots::new();
        let keys: Vec<_> = (0..10_000).map(|n| slots.insert(n)).collect();
        assert_eq!(keys, (0..10_000).collect::<Vec<_>>());
        for key in &keys[10..] {
            slots.remove(*key);
        }
        assert!(capacity(&slots) <= PIECE && slots.pieces.capacity() <= 2 * FEW);
        let emptied = slots.take_emptied().unwrap();
        assert!(emptied.len() == 1 && emptied.capacity() > 10_000 / PIECE);
        assert!(slots.take_emptied().is_none());
        for key in &keys[..10] {
            assert_eq!(slots.remove(*key), *key);
        }
        assert_eq!((capacity(&slots), slots.end()), (0, 0));
    }

    #[test]
    fn does_what_a_map_does() {
        let (mut slots, mut map, mut random) = (Slots::new(), BTreeMap::new(), 1u64);
        for n in 0..200_000_u64 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(n);
            let dice = (random >> 33) as usize;
            // It grows and shrinks by turns, over more pieces than a word has bits.
            let grows = n % 50_000 < 25_000;
            if dice % 10 < if grows { 8 } else { 2 } {
                let key = slots.insert(n);
                assert_eq!(map.insert(key, n), None);
            } else if let Some(key) = map.keys().copied().nth(dice % map.len().clamp(1, 50)) {
                assert_eq!(Some(slots.remove(key)), map.remove(&key));
            }
            assert_eq!(slots.len(), map.len());
            let last = map.keys().next_back();
            assert_eq!(slots.end(), last.map_or(0, |key| key + 1));
            assert_eq!(
                slots.get_mut(dice % 20_000).copied(),
                map.get(&(dice % 20_000)).copied()
            );
            if n % 5_000 == 0 {
                assert!(slots.iter().eq(map.iter().map(|(key, it)| (*key, it))));
                let all = slots.iter().map(|(_, it)| *it);
                assert!(slots.between(0, slots.end()).copied().eq(all));
                let full = slots.pieces.iter().map(|piece| piece.len() == PIECE);
                let open = |at: usize| slots.open[at / 64] >> (at % 64) & 1 == 0;
                assert!(full.enumerate().all(|(at, full)| full == open(at)));
            }
        }
        assert!(slots.pieces.len() > 64);
    }
}
