//! The machine's clocks, where there are any.
//!
//! On `wasm32-unknown-unknown` the standard library has none, and asking it panics: there, what
//! needs a clock does without.

use std::time::{Instant, SystemTime};

/// The time of day.
pub(crate) fn now() -> Option<SystemTime> {
    (!cfg!(all(target_family = "wasm", target_os = "unknown"))).then(SystemTime::now)
}

/// A point in time to measure from.
pub(crate) fn instant() -> Option<Instant> {
    (!cfg!(all(target_family = "wasm", target_os = "unknown"))).then(Instant::now)
}
