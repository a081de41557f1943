//! One event to 1,000 bodies, bare and with heartbeats: publishing it and polling each body until it
//! is pending again, or having tasks poll them. Events come alone or 16 at a time.
//!
//! Before anything is timed, each body's bytes are compared with what was published.

mod bodies;
mod contestants;
mod floor;
mod locked;

use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use bodies::BODIES;
use contestants::{Contestant, ready_bytes};
use support::{Case, selected};
use tokio::runtime::Runtime;

const SETTLED: Duration = Duration::from_millis(50);

/// How long the first event may take to all bodies before the case is broken.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() {
    for burst in [1, 16] {
        for heartbeats in [false, true] {
            for (how, run) in [
                ("polled", polled as fn(&mut Case<'_>, u64, bool)),
                ("tasks", tasks),
            ] {
                let with = if heartbeats { ", heartbeats" } else { "" };
                let title = format!("fan_out/{how}, burst {burst}{with}");
                if selected(&title) {
                    let mut case = Case::new(title, burst * BODIES as u64);
                    run(&mut case, burst, heartbeats);
                }
            }
        }
    }
}

/// All of them, or the one that `ONLY` names, for a profiler.
fn contestants(heartbeats: bool) -> Vec<Contestant> {
    let mut contestants = contestants::all(heartbeats);
    if let Ok(only) = std::env::var("ONLY") {
        contestants.retain(|one| one.name == only);
    }
    contestants
}

fn polled(case: &mut Case<'_>, burst: u64, heartbeats: bool) {
    // For the heartbeats' clock.
    let runtime = runtime();
    let _guard = runtime.enter();
    let wakers = wakers();
    for mut one in contestants(heartbeats) {
        check(&mut one, &wakers);
        let wakers = wakers.clone();
        let mut n = 16;
        case.add(one.name, one.side, move || {
            for _ in 0..burst {
                n += 1;
                (one.publish)(n);
            }
            let bytes = one.bodies.drain(&wakers);
            assert!(bytes as u64 > 120 * burst * BODIES as u64, "{}", one.name);
        });
    }
    case.run();
}

fn tasks(case: &mut Case<'_>, burst: u64, heartbeats: bool) {
    let runtime = Rc::new(runtime());
    let contestants = {
        let _guard = runtime.enter();
        contestants(heartbeats)
    };
    for mut one in contestants {
        let received: Arc<AtomicU64> = Arc::default();
        runtime.block_on(async {
            one.bodies.spawn(&received);
            // Preludes and positions are short, and come before the count begins.
            tokio::time::sleep(SETTLED).await;
            received.store(0, Ordering::Relaxed);
            (one.publish)(1);
            let everything = async {
                while received.load(Ordering::Relaxed) < length(1..=1) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            let arrived = tokio::time::timeout(PATIENCE, everything).await;
            assert!(arrived.is_ok(), "{} delivers to everybody", one.name);
        });
        let runtime = Rc::clone(&runtime);
        let mut n = 1;
        case.add_timed(one.name, one.side, move |times| {
            runtime.block_on(async {
                let mut time = Duration::ZERO;
                for _ in 0..times {
                    received.store(0, Ordering::Relaxed);
                    let all = length(n + 1..=n + burst);
                    let start = Instant::now();
                    for _ in 0..burst {
                        n += 1;
                        (one.publish)(n);
                    }
                    while received.load(Ordering::Relaxed) < all {
                        tokio::task::yield_now().await;
                    }
                    // Those that have been polled look once more before they wait.
                    tokio::task::yield_now().await;
                    time += start.elapsed();
                }
                time
            })
        });
    }
    case.run();
}

/// The length of these events to all bodies. The next are published when they have arrived: a body that
/// lags would read several at once.
fn length(events: RangeInclusive<u64>) -> u64 {
    let lengths = events.map(|n| ready_bytes(n).len() as u64);
    lengths.sum::<u64>() * BODIES as u64
}

/// Each has to say the same, in an order of its own.
fn check(contestant: &mut Contestant, wakers: &[Waker]) {
    // A prelude and a position.
    contestant.bodies.drain(wakers);
    for n in 1..=16 {
        (contestant.publish)(n);
    }
    let block = |n| String::from_utf8(ready_bytes(n).to_vec()).unwrap();
    let expected: Vec<String> = (1..=16).map(|n| sorted(block(n).trim_end())).collect();
    for bytes in contestant.bodies.collect(wakers) {
        let text = String::from_utf8(bytes).unwrap();
        let blocks: Vec<String> = text.split_terminator("\n\n").map(sorted).collect();
        assert_eq!(blocks, expected, "{}", contestant.name);
    }
}

/// A block's fields in alphabetical order: axum writes them in that of the calls.
fn sorted(block: &str) -> String {
    let mut lines: Vec<&str> = block.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// A waker that costs what a task's does: a count of references.
struct Task;

impl Wake for Task {
    fn wake(self: Arc<Self>) {}

    // As with a task's, no reference is counted for it.
    fn wake_by_ref(self: &Arc<Self>) {}
}

fn wakers() -> Vec<Waker> {
    (0..BODIES).map(|_| Waker::from(Arc::new(Task))).collect()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}
