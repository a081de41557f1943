use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::hub::Hub;
use crate::hub::core::ALL_SHARES;
use crate::timer::Timer;

/// How long a share waits after the last, at least: clocks tick in milliseconds.
const STEP: Duration = Duration::from_millis(20);

pin_project! {
    /// Ends a hub's streams one after the other: [`Hub::close_over`].
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// use std::time::Duration;
    /// use tower_sse::timer::TokioTimer;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let hub = Hub::new();
    /// let start = tokio::time::Instant::now();
    /// hub.close_over(Duration::from_secs(10), TokioTimer).await;
    /// assert_eq!(start.elapsed(), Duration::from_secs(10));
    /// # }
    /// ```
    #[must_use = "futures do nothing unless polled"]
    pub struct CloseOver<T: Timer> {
        hub: Hub,
        timer: T,
        pause: Duration,
        steps: u32,
        step: u32,
        #[pin]
        sleep: Option<T::Sleep>,
    }
}

impl<T: Timer> CloseOver<T> {
    pub(in crate::hub) fn new(hub: Hub, time: Duration, timer: T) -> Self {
        let steps = (time.as_millis() / STEP.as_millis()).clamp(1, 1024);
        let steps = u32::try_from(steps).unwrap_or(1);
        Self {
            hub,
            timer,
            pause: time / steps,
            steps,
            step: 0,
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
                // Nobody yet, but the door is shut.
                None => this.hub.close_to(1),
                Some(sleep) => {
                    _ = ready!(sleep.poll(cx));
                    *this.step += 1;
                    let share = ALL_SHARES * u64::from(*this.step) / u64::from(*this.steps);
                    this.hub.close_to(share);
                }
            }
            if *this.step >= *this.steps {
                return Poll::Ready(());
            }
            this.sleep.set(Some(this.timer.sleep(*this.pause)));
        }
    }
}

impl<T: Timer> fmt::Debug for CloseOver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloseOver")
            .field("pause", &self.pause)
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

/// Waits until a hub has no subscriber: [`Hub::drain`].
///
/// ```
/// # use tower_sse::hub::Hub;
/// use futures_util::FutureExt;
///
/// let hub = Hub::new();
/// let body = hub.subscribe()?;
/// assert!(hub.drain().now_or_never().is_none());
/// drop(body);
/// assert!(hub.drain().now_or_never().is_some());
/// # Ok::<(), tower_sse::hub::Refused>(())
/// ```
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Drain {
    hub: Hub,
}

impl Drain {
    pub(in crate::hub) fn new(hub: Hub) -> Self {
        Self { hub }
    }
}

impl Future for Drain {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.hub.shared.lock();
        if state.counters.subscribers == 0 {
            return Poll::Ready(());
        }
        state.gate.drain(cx.waker());
        Poll::Pending
    }
}
