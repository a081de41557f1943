//! The cases of `encode` and `body` with allocations and reallocations counted instead of the time
//! taken, for counting takes longer than encoding a small event; and the heap of an idle body.

use std::alloc::System;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use bytes::Bytes;
use http_body::Body;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use support::bodies::{self, Numbers};
use support::events::Typical;
use support::{row, selected};

#[path = "encode/main.rs"]
mod encode;

#[path = "body.rs"]
mod body;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn counter() -> (usize, usize) {
    let stats = ALLOCATOR.stats();
    (stats.allocations, stats.reallocations)
}

/// Bytes on the heap now.
fn heap() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// What a body holds that is boxed, as servers box it, has been polled and has nothing to say.
fn idle<B: Body<Data = Bytes>>(body: impl FnOnce() -> B, boxed: bool) -> f64 {
    let before = heap();
    let cx = &mut Context::from_waker(Waker::noop());
    let mut poll = |mut body: Pin<&mut B>| {
        // The prelude, where there is one.
        while body.as_mut().poll_frame(cx).is_ready() {}
        heap() - before
    };
    let bytes = match boxed {
        true => poll(Box::pin(body()).as_mut()),
        // axum's is a box already.
        false => poll(pin!(body()).as_mut()),
    };
    bytes as f64
}

fn idle_bodies() {
    let title = "allocations/idle body";
    if !selected(title) {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _context = runtime.enter();
    let events = Typical::new();
    let peers = [
        (
            "axum",
            idle(|| bodies::axum(Numbers::idle(), events), false),
        ),
        (
            "sse-stream",
            idle(|| bodies::sse_stream(Numbers::idle(), events), true),
        ),
        (
            "actix-web-lab",
            idle(|| bodies::actix(Numbers::idle(), events), true),
        ),
    ];
    let ours = [
        (
            "Events of a String",
            idle(|| bodies::ours(Numbers::idle(), events), true),
        ),
        (
            "writer form",
            idle(|| bodies::ours_written(Numbers::idle(), events), true),
        ),
    ];
    println!("{title}");
    for (name, bytes) in peers.iter().chain(&ours) {
        println!("  {name:<28}{bytes:>8.0} B");
    }
    let best = peers.iter().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    for (name, bytes) in ours {
        row::print(
            &format!("{title}/{name}"),
            bytes,
            best.1,
            best.1 / bytes,
            best.0,
        );
    }
}

fn main() {
    support::COUNTER.set(counter).expect("set once");
    encode::main();
    body::main();
    idle_bodies();
}
