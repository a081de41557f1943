//! The types that the hub shares between threads.
//!
//! `tests/integrations/shuttle` compiles the hub with shuttle's versions of these and runs it under many
//! interleavings.

pub(crate) use std::sync::atomic::AtomicU64;
pub(crate) use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// The number of groups to change before releasing the lock to others. Few in the unit tests.
#[inline]
pub(crate) fn crowd() -> usize {
    if cfg!(test) { 2 } else { 128 }
}

/// Runs a test that uses these.
#[cfg(test)]
pub(crate) fn run(test: fn()) {
    test();
}
