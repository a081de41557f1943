//! A clock that a test moves by hand, on no runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tower_sse::timer::Timer;

#[derive(Debug, Clone, Default)]
pub struct ManualTimer(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    now: Duration,
    made: usize,
    polled: usize,
    sleeping: Vec<(Duration, Waker)>,
}

impl ManualTimer {
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock and wakes whoever slept until then.
    pub fn advance(&self, by: Duration) {
        let mut state = self.0.lock().unwrap();
        state.now += by;
        let now = state.now;
        let sleeping = std::mem::take(&mut state.sleeping);
        let (due, later): (Vec<_>, _) = sleeping.into_iter().partition(|(until, _)| *until <= now);
        state.sleeping = later;
        drop(state);
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }

    pub fn now(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    /// How many sleeps have been made.
    pub fn made(&self) -> usize {
        self.0.lock().unwrap().made
    }

    /// How many times sleeps have been polled.
    pub fn polled(&self) -> usize {
        self.0.lock().unwrap().polled
    }
}

impl Timer for ManualTimer {
    type Sleep = ManualSleep;

    fn sleep(&self, time: Duration) -> ManualSleep {
        let mut state = self.0.lock().unwrap();
        state.made += 1;
        ManualSleep {
            until: state.now + time,
            timer: self.clone(),
        }
    }
}

#[derive(Debug)]
pub struct ManualSleep {
    until: Duration,
    timer: ManualTimer,
}

impl Future for ManualSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.timer.0.lock().unwrap();
        state.polled += 1;
        if state.now >= self.until {
            return Poll::Ready(());
        }
        state.sleeping.push((self.until, cx.waker().clone()));
        Poll::Pending
    }
}
