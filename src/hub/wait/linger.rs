use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::hub::Hub;
use crate::hub::core::State;
use crate::timer::Timer;

pin_project! {
    /// Lets events gather before subscribers are woken: [`Hub::linger`].
    ///
    /// Every wake-up costs each subscriber a system call. Where a few milliseconds do not matter,
    /// events that come one by one then leave together. The future never resolves; while it is there,
    /// events wait for it. Dropped, the hub is as before.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_sse::hub::Hub;
    /// use tower_sse::timer::TokioTimer;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let hub = Hub::new();
    /// let linger = tokio::spawn(hub.linger(Duration::from_millis(5), TokioTimer));
    /// assert!(!linger.is_finished());
    /// # linger.abort();
    /// # }
    /// ```
    #[must_use = "events gather only while this is polled"]
    pub struct Linger<T: Timer> {
        #[pin]
        sleep: Option<T::Sleep>,
        timer: T,
        time: Duration,
        turn: Turn,
    }
}

/// Counts the lingers of a hub; the last to go lets all subscribers off.
struct Turn(Hub);

impl<T: Timer> Linger<T> {
    pub(in crate::hub) fn new(hub: Hub, time: Duration, timer: T) -> Self {
        let mut state = hub.shared.lock();
        state.lingers += 1;
        state.lingering.get_or_insert_default();
        drop(state);
        Self {
            sleep: None,
            timer,
            time,
            turn: Turn(hub),
        }
    }
}

impl<T: Timer> Future for Linger<T> {
    type Output = std::convert::Infallible;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let shared = &this.turn.0.shared;
        loop {
            if let Some(sleep) = this.sleep.as_mut().as_pin_mut() {
                _ = ready!(sleep.poll(cx));
                this.sleep.set(None);
                shared.with(State::end_linger);
            }
            let mut state = shared.lock();
            if state.lingering.as_ref().is_none_or(Vec::is_empty) {
                state.linger_task = Some(cx.waker().clone());
                return Poll::Pending;
            }
            drop(state);
            this.sleep.set(Some(this.timer.sleep(*this.time)));
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.shared.with(|state, wakes| {
            state.lingers -= 1;
            state.end_linger(wakes);
            if state.lingers == 0 {
                state.lingering = None;
            }
        });
    }
}

impl<T: Timer> fmt::Debug for Linger<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linger")
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}
