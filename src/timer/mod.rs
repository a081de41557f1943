//! Sleeping on whatever runtime there is.
//!
//! Heartbeats, maximum ages and reconnection want to wait. With feature `tokio`, on by default,
//! [`TokioTimer`] does; on any other runtime a closure from a duration to a future does.

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
/// use std::time::Duration;
/// use tower_sse::timer::Timer;
///
/// fn sleeps_with(timer: impl Timer) {
///     let _sleep = timer.sleep(Duration::from_secs(15));
/// }
/// sleeps_with(|time| async move { async_io::Timer::after(time).await });
/// sleeps_with(async_io::Timer::after);
/// ```
pub trait Timer {
    /// Resolves when the time has passed; its output is not looked at.
    type Sleep: Future;

    /// A future that resolves `time` from now on. It is made and polled inside the runtime.
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

/// No timer: what has one sleeps for ever.
///
/// The type of a body without heartbeats; it needs no runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTimer;

impl Timer for NoTimer {
    type Sleep = Pending<()>;

    fn sleep(&self, _time: Duration) -> Pending<()> {
        pending()
    }
}
