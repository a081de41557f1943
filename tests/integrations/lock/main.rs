//! How long calls hold the hub's lock, in the stress test and with many subscribers, and what memory
//! subscribers that leave allocate and free meanwhile.
//!
//! The hub's own source is compiled here once more, with a mutex that measures. What counts is the
//! time that the thread was running, so that it does not matter what else the machine does.
//!
//! The bound is for release builds: `STRESS_SECONDS=60 cargo test --release -p integrations --test lock`.
//!
//! There is no test harness, so that the unit tests of these sources do not run a second time.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    unexpected_cfgs,
    unused_imports,
    reason = "sources of the crate"
)]

// The stress test's.
extern crate self as tower_sse;

include!("../sources.rs");

mod clock;
mod leaving;
mod many;
#[path = "../../hub/stress.rs"]
mod stress;
mod sync;

#[path = "../../support/mod.rs"]
mod support;

pub use protocol::{Event, EventId};

/// Runs all of them, or those whose names contain one of the arguments.
fn main() {
    if !cfg!(unix) {
        return println!("lock: this system does not say how long a thread was running");
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |name: &str| {
        let mut words = words
            .iter()
            .filter(|word| !word.starts_with('-'))
            .peekable();
        words.peek().is_none() || words.any(|word| name.contains(word.as_str()))
    };
    // Few groups are already a crowd to the stress test, which has few. Otherwise as in the library.
    let measurements: [(&str, usize, fn()); 3] = [
        ("stress", 2, stress::run),
        ("many", 128, many::run),
        ("leaving", 128, leaving::run),
    ];
    for (name, crowd, run) in measurements {
        if is_wanted(name) {
            sync::report(name, crowd, run);
        }
    }
}
