use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use super::Timer;
use crate::clock;

/// A timer on tokio's clock, including `tokio::time::pause`.
///
/// A body creates its sleeps when it is first polled, so it may be built outside the runtime.
///
/// # Panics
///
/// `sleep` panics outside a tokio runtime, or in one without its time driver.
///
/// ```
/// use std::time::Duration;
/// use tower_sse::timer::{Timer, TokioTimer};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let start = tokio::time::Instant::now();
/// TokioTimer.sleep(Duration::from_secs(15)).await;
/// assert_eq!(start.elapsed(), Duration::from_secs(15));
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioTimer;

impl Timer for TokioTimer {
    type Sleep = TokioSleep;

    fn sleep(&self, time: Duration) -> TokioSleep {
        TokioSleep {
            sleep: tokio::time::sleep(time),
        }
    }

    fn now(&self) -> Option<Instant> {
        clock::instant().map(|_| tokio::time::Instant::now().into_std())
    }
}

pin_project! {
    /// A sleep on tokio's clock, returned by [`TokioTimer`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_sse::timer::{Timer, TokioSleep, TokioTimer};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let sleep: TokioSleep = TokioTimer.sleep(Duration::from_secs(1));
    /// assert_eq!(sleep.await, ());
    /// # }
    /// ```
    #[must_use = "futures do nothing unless polled"]
    pub struct TokioSleep {
        #[pin]
        sleep: tokio::time::Sleep,
    }
}

impl Future for TokioSleep {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().sleep.poll(cx)
    }
}

impl fmt::Debug for TokioSleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokioSleep").finish_non_exhaustive()
    }
}
