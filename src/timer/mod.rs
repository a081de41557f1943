//! Sleeping on any runtime.
//!
//! Heartbeats, maximum ages and reconnection need a timer. With the feature `tokio`, which is on by
//! default, that is [`TokioTimer`]. On any other runtime, it is a closure from a duration to a
//! future.
//!
//! Types with a constructor `new` take a timer in `with_timer`. Methods that sleep, such as
//! [`Hub::close_over`](crate::Hub::close_over), have a counterpart that takes a timer, such as
//! [`close_over_with_timer`](crate::Hub::close_over_with_timer).

mod maybe;
#[cfg(feature = "tokio")]
mod tokio;

use std::future::Future;
use std::time::{Duration, Instant};

use crate::clock;

pub use self::maybe::{MaybeTimer, NoTimer};
#[cfg(feature = "tokio")]
pub use self::tokio::{TokioSleep, TokioTimer};

/// Creates futures that resolve after a duration.
///
/// Any `Fn(Duration) -> impl Future` is a timer, whatever the future's output.
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
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// assert!(naps(tokio::time::sleep).await); // or `smol::Timer::after`
/// assert!(naps(|time| async move { tokio::time::sleep(time).await }).await);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a timer",
    label = "this needs a timer",
    note = "pass a body or a layer its timer when it is created: `SseBody::with_timer(stream, TokioTimer)`, \
            `SseLayer::with_timer(TokioTimer)`",
    note = "with the feature `tokio`, a call of `.keep_alive(..)` before this one sets tokio's timer",
    note = "a timer is `tower_sse::timer::TokioTimer`, or any function from a `Duration` to a future, \
            such as `smol::Timer::after`"
)]
pub trait Timer {
    /// The future that resolves when the time has passed. Its output is ignored.
    type Sleep: Future;

    /// Returns a future that resolves `time` from now. It is created and polled inside the runtime.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use tower_sse::timer::Timer;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let start = Instant::now();
    /// Timer::sleep(&tokio::time::sleep, Duration::from_millis(2)).await;
    /// assert!(start.elapsed() >= Duration::from_millis(2));
    /// # }
    /// ```
    fn sleep(&self, time: Duration) -> Self::Sleep;

    /// Returns the current time, for sleeps until an instant. By default it is read from the
    /// machine's clock; `None` where there is none, as on `wasm32-unknown-unknown`.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use tower_sse::timer::{Timer, TokioTimer};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let before = TokioTimer.now().unwrap();
    /// TokioTimer.sleep(Duration::from_secs(3_600)).await;
    /// assert_eq!(TokioTimer.now().unwrap() - before, Duration::from_secs(3_600));
    /// assert!(Timer::now(&tokio::time::sleep).unwrap() <= Instant::now());
    /// # }
    /// ```
    fn now(&self) -> Option<Instant> {
        clock::instant()
    }
}

#[diagnostic::do_not_recommend]
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
