//! How long calls hold the hub's lock: in the stress test, and with many subscribers.
//!
//! The hub's own source is compiled here once more, with a mutex that measures. What counts is the
//! time that the thread was running, so that it does not matter what else the machine does.
//!
//! The bound is for release builds: `STRESS_SECONDS=60 cargo test --release --all-features --test
//! lock -- --nocapture`.

#![cfg(unix)]
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_imports,
    reason = "sources of the crate"
)]

// The stress test's.
extern crate self as tower_sse;

#[path = "../../src/body/mod.rs"]
mod body;
#[path = "../../src/clock.rs"]
mod clock;
#[path = "../../src/exclusive.rs"]
mod exclusive;
#[path = "../../src/headers/mod.rs"]
mod headers;
#[path = "../../src/hub/mod.rs"]
mod hub;
#[path = "../../src/last_event_id/mod.rs"]
mod last_event_id;
mod many;
#[path = "../../src/protocol/mod.rs"]
mod protocol;
#[path = "../../src/random.rs"]
mod random;
#[path = "../support/rng.rs"]
mod rng;
#[path = "../hub/stress.rs"]
mod stress;
mod sync;
#[path = "../../src/timer/mod.rs"]
mod timer;

mod support {
    pub(crate) use crate::rng;
}

pub use protocol::{Event, EventId};

#[test]
fn no_call_of_the_stress_test_holds_the_lock_for_long() {
    sync::report("the stress test", stress::run);
}

#[test]
fn no_call_holds_the_lock_for_long_among_many() {
    sync::report("many", many::run);
}
