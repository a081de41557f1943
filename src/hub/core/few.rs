use std::mem;
use std::ops::{Deref, DerefMut};
use std::slice;

/// A list that stores a single value in place. Most topics have one follower, and most groups one
/// topic and one subscriber. With many of them, each list in memory of its own is a cache miss.
#[derive(Debug)]
pub(super) enum Few<T> {
    One(T),
    /// None, or several.
    List(Vec<T>),
}

impl<T> Few<T> {
    pub(super) const fn new() -> Self {
        Self::List(Vec::new())
    }

    pub(super) fn push(&mut self, value: T) {
        *self = match mem::replace(self, Self::new()) {
            Self::List(list) if list.is_empty() => Self::One(value),
            Self::One(first) => Self::List(vec![first, value]),
            Self::List(mut list) => {
                list.push(value);
                Self::List(list)
            }
        };
    }

    /// Removes a value, whose place the last one takes. Returns the list's memory, if it is no longer
    /// needed. While it is [sparse](Self::is_sparse), the list has to [move](Self::move_into).
    pub(super) fn swap_remove(&mut self, at: usize) -> Option<Vec<T>> {
        match self {
            Self::One(_) => {
                *self = Self::new();
                None
            }
            Self::List(list) => {
                list.swap_remove(at);
                if list.len() > 1 {
                    return None;
                }
                let mut list = mem::take(list);
                if let Some(only) = list.pop() {
                    *self = Self::One(only);
                }
                Some(list)
            }
        }
    }

    /// Whether it has far more memory than it needs.
    pub(super) fn is_sparse(&self) -> bool {
        match self {
            Self::One(_) => false,
            Self::List(list) => list.len() < list.capacity() / 8,
        }
    }

    /// Moves a sparse list into this memory, if that is enough, and returns its own.
    pub(super) fn move_into(&mut self, mut memory: Vec<T>) -> Vec<T> {
        match self {
            Self::List(list) if list.len() <= memory.capacity() => {
                memory.append(list);
                mem::replace(list, memory)
            }
            _ => memory,
        }
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(list: Vec<T>) -> Self {
        match <[T; 1]>::try_from(list) {
            Ok([only]) => Self::One(only),
            Err(list) => Self::List(list),
        }
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Self::One(only) => slice::from_ref(only),
            Self::List(list) => list,
        }
    }
}

impl<T> DerefMut for Few<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::One(only) => slice::from_mut(only),
            Self::List(list) => list,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn does_what_a_list_does() {
        let (mut few, mut list, mut random) = (Few::new(), Vec::new(), 1u64);
        for n in 0..20_000_u64 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(n);
            let dice = (random >> 33) as usize;
            // Mostly none, one or two, and at times many.
            let grows = if n % 2_000 < 200 { 9 } else { 4 };
            if dice % 10 < grows {
                few.push(n);
                list.push(n);
            } else if !list.is_empty() {
                let at = dice / 10 % list.len();
                few.swap_remove(at);
                list.swap_remove(at);
                if few.is_sparse() {
                    let old = few.move_into(Vec::with_capacity(2 * few.len()));
                    assert!(old.is_empty() && old.capacity() >= 8 * few.len());
                }
            }
            assert_eq!(*few, *list);
            assert_eq!(*Few::from(list.clone()), *list);
            match &few {
                Few::One(_) => assert_eq!(list.len(), 1),
                Few::List(few) => {
                    assert_ne!(few.len(), 1);
                    assert!(few.capacity() < 8 * (few.len() + 1));
                }
            }
        }
    }
}
