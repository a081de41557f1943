//! The machine's clocks, where they exist.
//!
//! On `wasm32-unknown-unknown` the standard library has no clock and panics when asked for the
//! time. Code that needs a clock does without it there.

use std::time::{Instant, SystemTime};

/// The time of day.
pub(crate) fn now() -> Option<SystemTime> {
    (!cfg!(all(target_family = "wasm", target_os = "unknown"))).then(SystemTime::now)
}

/// A point in time to measure from.
pub(crate) fn instant() -> Option<Instant> {
    (!cfg!(all(target_family = "wasm", target_os = "unknown"))).then(Instant::now)
}
