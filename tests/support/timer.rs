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
    sleeping: Vec<Sleeper>,
}

impl ManualTimer {
    pub fn new() -> Self {
        Self::default()
    }

    /// Advances the clock and wakes the sleepers whose time has come.
    pub fn advance(&self, by: Duration) {
        let mut state = self.0.lock().unwrap();
        state.now = state.now.saturating_add(by);
        let now = state.now;
        let sleeping = std::mem::take(&mut state.sleeping);
        let (due, later): (Vec<_>, _) = sleeping.into_iter().partition(|(until, ..)| *until <= now);
        state.sleeping = later;
        drop(state);
        due.into_iter().for_each(|(.., waker)| waker.wake());
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
            until: state.now.saturating_add(time),
            number: state.made,
            done: false,
            timer: self.clone(),
        }
    }
}

/// When it is over, which sleep it is, and the task that polled it last.
type Sleeper = (Duration, usize, Waker);

#[derive(Debug)]
pub struct ManualSleep {
    until: Duration,
    number: usize,
    done: bool,
    timer: ManualTimer,
}

impl Future for ManualSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // As an async block does.
        assert!(!self.done, "polled after completion");
        let now = self.timer.now();
        self.done = now >= self.until;
        let mut state = self.timer.0.lock().unwrap();
        state.polled += 1;
        if state.now >= self.until {
            return Poll::Ready(());
        }
        state
            .sleeping
            .retain(|(_, number, _)| *number != self.number);
        let sleeper = (self.until, self.number, cx.waker().clone());
        state.sleeping.push(sleeper);
        Poll::Pending
    }
}
