//! The same cases, with allocations and reallocations counted instead of the time taken: counting
//! takes longer than encoding a small event does.

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
    support::COUNTER.set(counter).expect("set once");
    encode::main();
    body::main();
}
