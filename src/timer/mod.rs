//! Sleeping on whatever runtime there is.
//!
//! Heartbeats, maximum ages and reconnection want to wait. With feature `tokio`, on by default,
//! [`TokioTimer`] does it; on any other runtime a closure from a duration to a future does.

#[cfg(feature = "tokio")]
mod tokio;

use std::future::{Future, Pending, pending};
use std::time::Duration;

#[cfg(feature = "tokio")]
pub use self::tokio::{TokioSleep, TokioTimer};

/// Makes futures that resolve after a time.
///
/// Any `Fn(Duration) -> impl Future` is one, whatever the future's output.
///
/// ```
/// use std::time::{Duration, Instant};
/// use tower_sse::timer::Timer;
///
/// async fn naps(timer: impl Timer) -> bool {
///     let start = Instant::now();
///     timer.sleep(Duration::from_millis(2)).await;
///     start.elapsed() >= Duration::from_millis(2)
/// }
/// smol::block_on(async {
///     assert!(naps(smol::Timer::after).await);
///     assert!(naps(|time| async move { smol::Timer::after(time).await }).await);
/// });
/// ```
pub trait Timer {
    /// Whether its sleeps end. What waits for a time does not compile with a timer whose sleeps do not.
    ///
    /// ```
    /// use tower_sse::timer::{NoTimer, Timer, TokioTimer};
    ///
    /// assert!(TokioTimer::RUNS && !NoTimer::RUNS);
    /// ```
    const RUNS: bool = true;

    /// Resolves when the time has passed; its output is not looked at.
    type Sleep: Future;

    /// A future that resolves `time` from now. It is made and polled inside the runtime.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use tower_sse::timer::Timer;
    /// smol::block_on(async {
    ///     let start = Instant::now();
    ///     Timer::sleep(&smol::Timer::after, Duration::from_millis(2)).await;
    ///     assert!(start.elapsed() >= Duration::from_millis(2));
    /// });
    /// ```
    fn sleep(&self, time: Duration) -> Self::Sleep;
}

impl<F, S> Timer for F
where
    F: Fn(Duration) -> S,
    S: Future,
{
    type Sleep = S;

    fn sleep(&self, time: Duration) -> S {
        self(time)
    }
}

/// No timer: its sleeps never end.
///
/// The type of a body without heartbeats; it needs no runtime.
///
/// ```
/// use std::time::Duration;
/// use futures_util::FutureExt;
/// use tower_sse::timer::{NoTimer, Timer};
///
/// assert_eq!(NoTimer.sleep(Duration::ZERO).now_or_never(), None);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTimer;

impl Timer for NoTimer {
    const RUNS: bool = false;

    type Sleep = Pending<()>;

    fn sleep(&self, _time: Duration) -> Pending<()> {
        pending()
    }
}
