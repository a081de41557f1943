//! `src/sync.rs` with a mutex that measures how long it is held.

use std::backtrace::Backtrace;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{self, LockResult, PoisonError};
use std::time::Duration;

pub(crate) use std::sync::atomic::AtomicU64;
pub(crate) use std::sync::{Arc, Weak};

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
    /// How often each call held it longer than is [notable](NOTABLE), and how long at most.
    notable: BTreeMap<String, (u64, Duration)>,
}

static HOLDS: sync::Mutex<Option<Holds>> = sync::Mutex::new(None);

/// Prints how long the lock is held meanwhile, and checks that it is not for too long.
pub(crate) fn report(name: &str, crowd: usize, run: impl FnOnce()) {
    CROWD.store(crowd, Ordering::Relaxed);
    *HOLDS.lock().unwrap() = Some(Holds::default());
    run();
    let holds = HOLDS.lock().unwrap().take().unwrap();
    let mean = holds.sum / u32::try_from(holds.count).unwrap_or(u32::MAX);
    println!(
        "{name}: held {} times, {mean:?} on average, {:?} at most",
        holds.count, holds.longest
    );
    for (call, (count, longest)) in &holds.notable {
        println!("{longest:>14?} at most, {count:>6} times longer than {NOTABLE:?}: {call}");
    }
    assert!(holds.longest <= BOUND, "longer than {BOUND:?}");
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
        self.guard = None;
        let call = (held > NOTABLE).then(call);
        if let Some(holds) = HOLDS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
        {
            holds.count += 1;
            holds.sum += held;
            holds.longest = holds.longest.max(held);
            if let Some(call) = call {
                let (count, longest) = holds.notable.entry(call).or_default();
                *count += 1;
                *longest = held.max(*longest);
            }
        }
    }
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
