use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Makes a `Send` value `Sync` as well, by giving access only through `&mut`.
///
/// Servers and middleware require bodies to be `Sync`, but only poll them through `&mut`. The mutex
/// is never locked: it costs a word of memory and no time.
#[derive(Default)]
pub(crate) struct Exclusive<T>(Mutex<T>);

impl<T> Exclusive<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    #[inline]
    pub(crate) fn get_mut(&mut self) -> &mut T {
        // Never locked, so never poisoned.
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for Exclusive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exclusive").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_sync_whatever_it_holds() {
        fn sync<T: Sync>(value: T) -> T {
            value
        }
        let mut cell = sync(Exclusive::new(std::cell::Cell::new(1)));
        cell.get_mut().set(2);
        assert_eq!(cell.get_mut().get(), 2);
    }
}
