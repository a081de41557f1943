//! The same cases, with allocations and reallocations counted instead of the time taken: counting
//! takes longer than encoding a small event does.

#![allow(clippy::duplicate_mod, reason = "each bench brings its own support")]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[path = "encode.rs"]
mod encode;

#[path = "body.rs"]
mod body;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn counter() -> (usize, usize) {
    let stats = ALLOCATOR.stats();
    (stats.allocations, stats.reallocations)
}

fn main() {
    for seen_by in [&encode::support::COUNTER, &body::support::COUNTER] {
        seen_by.set(counter).expect("set once");
    }
    encode::main();
    body::main();
}
