//! The types that the hub shares between threads.
//!
//! `tests/integrations/shuttle` compiles the hub with shuttle's versions of these and runs it under many
//! interleavings.

pub(crate) use std::sync::atomic::AtomicU64;
pub(crate) use std::sync::{Arc, Mutex, MutexGuard, Weak};

/// Runs a test that uses these.
#[cfg(test)]
pub(crate) fn run(test: fn()) {
    test();
}
