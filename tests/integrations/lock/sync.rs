//! `src/sync.rs` with a mutex that measures how long it is held.

use std::alloc::System;
use std::backtrace::Backtrace;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{self, LockResult, PoisonError};
use std::time::Duration;

pub(crate) use std::sync::atomic::AtomicU64;
pub(crate) use std::sync::{Arc, Weak};

use stats_alloc::{INSTRUMENTED_SYSTEM, Stats, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The most bytes that were allocated and freed during one hold of the lock, by any thread.
static MOST_MEMORY: sync::Mutex<(usize, usize)> = sync::Mutex::new((0, 0));

/// The number of groups to change before releasing the lock to others.
static CROWD: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn crowd() -> usize {
    CROWD.load(Ordering::Relaxed)
}

/// No call may hold the lock longer than this.
const BOUND: Duration = Duration::from_millis(if cfg!(debug_assertions) { 20 } else { 1 });

/// It is found out which call held the lock longer than this.
const NOTABLE: Duration = Duration::from_micros(200);

/// What the unit tests call. They do not run here.
#[cfg(test)]
pub(crate) fn run(_test: fn()) {}

#[derive(Debug, Default)]
struct Holds {
    count: u64,
    sum: Duration,
    longest: Duration,
    /// How many were longer than the [bound](BOUND).
    too_long: u64,
    /// How often each call held it longer than is [notable](NOTABLE), and how long at most.
    notable: BTreeMap<String, (u64, Duration)>,
}

impl Holds {
    fn add(&mut self, held: Duration) {
        self.count += 1;
        self.sum += held;
        self.longest = self.longest.max(held);
        self.too_long += u64::from(held > BOUND);
    }

    fn print(&self, name: &str) {
        let mean = self.sum / u32::try_from(self.count).unwrap_or(u32::MAX).max(1);
        println!(
            "{name}: {} times, {mean:?} on average, {:?} at most, {} times longer than {BOUND:?}",
            self.count, self.longest, self.too_long
        );
    }
}

/// Those of the hub's lock, and the control: after each, a loop of about that length that holds
/// nothing. The clock counts interrupts and some of what the host takes, of which the control has as
/// much.
static HOLDS: sync::Mutex<Option<(Holds, Holds)>> = sync::Mutex::new(None);

/// Prints how long the lock is held meanwhile, and checks that it is not for too long.
pub(crate) fn report(name: &str, crowd: usize, run: impl FnOnce()) {
    CROWD.store(crowd, Ordering::Relaxed);
    *HOLDS.lock().unwrap() = Some(Default::default());
    run();
    let (holds, control) = HOLDS.lock().unwrap().take().unwrap();
    holds.print(name);
    control.print("a loop");
    for (call, (count, longest)) in &holds.notable {
        println!("{longest:>14?} at most, {count:>6} times longer than {NOTABLE:?}: {call}");
    }
    // Three standard deviations of the difference.
    let noise = control.too_long + (18 * control.too_long).isqrt();
    assert!(holds.too_long <= noise, "longer than {BOUND:?}");
}

/// The most bytes that were allocated and freed during one hold of the lock since the last call. Only
/// of use where one thread runs.
pub(crate) fn most_memory() -> (usize, usize) {
    std::mem::take(&mut MOST_MEMORY.lock().unwrap())
}

/// How long this thread has been running.
#[cfg(unix)]
fn running() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (secs, nanos) = (time.tv_sec.try_into(), time.tv_nsec.try_into());
    Duration::new(secs.unwrap(), nanos.unwrap())
}

#[cfg(not(unix))]
fn running() -> Duration {
    Duration::ZERO
}

#[derive(Debug)]
pub(crate) struct Mutex<T>(sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let guard = |guard| MutexGuard {
            guard: Some(guard),
            since: running(),
            memory: ALLOCATOR.stats(),
        };
        match self.0.lock() {
            Ok(locked) => Ok(guard(locked)),
            Err(poisoned) => Err(PoisonError::new(guard(poisoned.into_inner()))),
        }
    }
}

#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    /// There until it is dropped.
    guard: Option<sync::MutexGuard<'a, T>>,
    since: Duration,
    memory: Stats,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.guard.as_ref().unwrap()
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.guard.as_mut().unwrap()
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        let held = running().saturating_sub(self.since);
        let memory = ALLOCATOR.stats();
        self.guard = None;
        let allocated = memory.bytes_allocated - self.memory.bytes_allocated;
        let freed = memory.bytes_deallocated - self.memory.bytes_deallocated;
        let mut most = MOST_MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
        *most = (most.0.max(allocated), most.1.max(freed));
        drop(most);
        let call = (held > NOTABLE).then(call);
        let looped = loop_for(held);
        if let Some((holds, control)) = HOLDS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
        {
            holds.add(held);
            control.add(looped);
            if let Some(call) = call {
                let (count, longest) = holds.notable.entry(call).or_default();
                *count += 1;
                *longest = held.max(*longest);
            }
        }
    }
}

/// Does nothing for about this time, and at most for as long as calls usually take. Returns how long
/// this thread has been running meanwhile.
fn loop_for(time: Duration) -> Duration {
    let since = running();
    // About a nanosecond each.
    for n in 0..time.as_nanos().min(100_000) {
        std::hint::black_box(n);
    }
    running().saturating_sub(since)
}

/// The line of the hub's source that the call began with, and the line that has the lock.
fn call() -> String {
    let trace = Backtrace::force_capture().to_string();
    let lines = trace
        .lines()
        .filter_map(|line| line.trim().split_once("/src/hub/"));
    let lines: Vec<_> = lines.map(|(_, line)| line).collect();
    match &*lines {
        [inner, .., outer] => format!("{outer} by {inner}"),
        lines => lines.concat(),
    }
}
