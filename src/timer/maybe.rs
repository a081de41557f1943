use std::future::{Future, Pending};
use std::time::Duration;

use super::Timer;

/// A [`Timer`] or [`NoTimer`]: the timer type of a body.
///
/// Sealed. It is implemented for every timer.
///
/// ```
/// use tower_sse::timer::{MaybeTimer, NoTimer, TokioTimer};
///
/// fn is_one(_: impl MaybeTimer) -> bool {
///     true
/// }
/// assert!(is_one(NoTimer) && is_one(TokioTimer) && is_one(tokio::time::sleep));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a timer nor `NoTimer`",
    label = "not a timer",
    note = "a timer is `tower_sse::timer::TokioTimer`, or any function from a `Duration` to a future, \
            such as `smol::Timer::after`"
)]
pub trait MaybeTimer: sealed::Sealed {
    /// The future that [`Timer::sleep`] returns, if this is a timer.
    type Sleep: Future;

    /// Returns a future that resolves `time` from now, or `None` without a timer.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_sse::timer::{MaybeTimer, NoTimer};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// assert!(NoTimer.try_sleep(Duration::ZERO).is_none());
    /// assert!(tokio::time::sleep.try_sleep(Duration::ZERO).is_some());
    /// # }
    /// ```
    fn try_sleep(&self, time: Duration) -> Option<Self::Sleep>;
}

#[diagnostic::do_not_recommend]
impl<T: Timer> MaybeTimer for T {
    type Sleep = T::Sleep;

    #[inline]
    fn try_sleep(&self, time: Duration) -> Option<T::Sleep> {
        Some(self.sleep(time))
    }
}

/// No timer, for a body that only waits for its stream and needs no runtime.
///
/// It is not a [`Timer`]. Methods that need one, such as
/// [`SseBody::max_age`](crate::SseBody::max_age), do not compile with it.
///
/// ```
/// use http_body::Body;
/// use tower_sse::{Event, SseBody, timer::NoTimer};
///
/// let events = futures_util::stream::iter([Event::new("x")]);
/// let body: SseBody<_, NoTimer> = SseBody::new(events);
/// assert!(!body.is_end_stream());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTimer;

impl MaybeTimer for NoTimer {
    type Sleep = Pending<()>;

    #[inline]
    fn try_sleep(&self, _time: Duration) -> Option<Pending<()>> {
        None
    }
}

mod sealed {
    pub trait Sealed {}
    impl<T: super::Timer> Sealed for T {}
    impl Sealed for super::NoTimer {}
}
