use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::clock;
use crate::hub::Hub;
use crate::hub::core::ALL_SHARES;
use crate::hub::shared::Shared;
use crate::sync::Arc;
use crate::timer::Timer;
#[cfg(feature = "tokio")]
use crate::timer::TokioTimer;

/// The minimum pause between two shares: clocks tick in milliseconds.
const STEP: Duration = Duration::from_millis(20);

/// The maximum number of shares.
const STEPS: u32 = 1024;

impl<L> Hub<L> {
    /// Closes the hub like [`close`](Self::close), but ends the streams one after the other, spread
    /// evenly over this time, so that their clients do not all reconnect at once. New subscribers
    /// are refused from the first poll on. If the future is dropped before it resolves, the
    /// remaining streams stay.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_sse::hub::Hub;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let hub = Hub::new();
    /// let _body = hub.subscribe().unwrap();
    /// hub.close_over(Duration::from_secs(10)).await;
    /// assert!(hub.subscribe().unwrap_err().is_closed());
    /// # }
    /// ```
    #[cfg(feature = "tokio")]
    pub fn close_over(&self, time: Duration) -> CloseOver<TokioTimer> {
        self.close_over_with_timer(time, TokioTimer)
    }

    /// Calls [`close_over`](Self::close_over) with another timer.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let hub = tower_sse::Hub::new();
    /// hub.close_over_with_timer(Duration::ZERO, tokio::time::sleep).await;
    /// assert!(hub.subscribe().unwrap_err().is_closed());
    /// # }
    /// ```
    pub fn close_over_with_timer<T: Timer>(&self, time: Duration, timer: T) -> CloseOver<T> {
        CloseOver::new(Arc::clone(self.shared()), time, timer)
    }
}

pin_project! {
    /// A future that ends a hub's streams one after the other: [`Hub::close_over`].
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let hub = Hub::new();
    /// let start = tokio::time::Instant::now();
    /// hub.close_over(Duration::from_secs(10)).await;
    /// assert_eq!(start.elapsed(), Duration::from_secs(10));
    /// # }
    /// ```
    #[must_use = "futures do nothing unless polled"]
    pub struct CloseOver<T: Timer> {
        shared: Arc<Shared>,
        timer: T,
        time: Duration,
        // The instant of the first poll, where there is a clock, and the time slept by the timer.
        start: Option<Instant>,
        slept: Duration,
        #[pin]
        sleep: Option<T::Sleep>,
    }
}

impl<T: Timer> CloseOver<T> {
    fn new(shared: Arc<Shared>, time: Duration, timer: T) -> Self {
        Self {
            shared,
            timer,
            time,
            start: None,
            slept: Duration::ZERO,
            sleep: None,
        }
    }
}

impl<T: Timer> Future for CloseOver<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        loop {
            match this.sleep.as_mut().as_pin_mut() {
                // No stream ends yet, but new subscribers are refused.
                None => {
                    *this.start = clock::instant();
                    this.shared.close_to(0);
                }
                Some(sleep) => _ = ready!(sleep.poll(cx)),
            }
            // Each sleep overruns a little, so the time since the start counts. A timer with a time
            // of its own, such as tokio's when paused, counts by the time it was asked to sleep.
            let passed = this.start.map_or(Duration::ZERO, |start| start.elapsed());
            let passed = passed.max(*this.slept);
            if passed >= *this.time {
                this.shared.close();
                return Poll::Ready(());
            }
            let share = share_of(passed, *this.time);
            let shares = this.shared.lock().shares_up_to(share);
            shares.for_each(|share| this.shared.close_to(share));
            let pause = (*this.time / STEPS).max(STEP).min(*this.time - passed);
            *this.slept = passed + pause;
            this.sleep.set(Some(this.timer.sleep(pause)));
        }
    }
}

/// The share of all streams that has ended by then.
fn share_of(passed: Duration, time: Duration) -> u64 {
    let share = u128::from(ALL_SHARES) * passed.as_nanos() / time.as_nanos().max(1);
    u64::try_from(share).unwrap_or(ALL_SHARES)
}

impl<T: Timer> fmt::Debug for CloseOver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloseOver")
            .field("time", &self.time)
            .field("slept", &self.slept)
            .finish_non_exhaustive()
    }
}
