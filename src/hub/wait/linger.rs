use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::hub::Hub;
use crate::hub::core::State;
use crate::hub::shared::Shared;
use crate::sync::Arc;
use crate::timer::Timer;
#[cfg(feature = "tokio")]
use crate::timer::TokioTimer;

impl<L> Hub<L> {
    /// Lets events gather for this long before subscribers are woken, for as long as the future is
    /// polled. Spawn it; see [`Linger`].
    ///
    /// ```
    /// use futures_util::FutureExt;
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let linger = tower_sse::Hub::new().linger(Duration::from_millis(5));
    /// assert!(linger.now_or_never().is_none());
    /// # }
    /// ```
    #[cfg(feature = "tokio")]
    pub fn linger(&self, time: Duration) -> Linger<TokioTimer> {
        self.linger_with_timer(time, TokioTimer)
    }

    /// Calls [`linger`](Self::linger) with another timer.
    ///
    /// ```
    /// use futures_util::FutureExt;
    /// # use std::time::Duration;
    /// let linger = tower_sse::Hub::new().linger_with_timer(Duration::ZERO, tokio::time::sleep);
    /// assert!(linger.now_or_never().is_none());
    /// ```
    pub fn linger_with_timer<T: Timer>(&self, time: Duration, timer: T) -> Linger<T> {
        Linger::new(Arc::clone(self.shared()), time, timer)
    }
}

pin_project! {
    /// A future that lets events gather before subscribers are woken: [`Hub::linger`].
    ///
    /// Every wake-up costs each subscriber a system call. Where a few milliseconds do not matter,
    /// events published one by one are then sent together. The future never resolves. Events wait
    /// for it from its first poll until it is dropped, but never more than a thousand.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_sse::hub::Hub;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let hub = Hub::new();
    /// let linger = tokio::spawn(hub.linger(Duration::from_millis(5)));
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
        guard: LingerGuard,
    }
}

/// The future's registration with the hub, removed on drop.
struct LingerGuard {
    shared: Arc<Shared>,
    /// `Some` once the future has been polled.
    key: Option<u64>,
}

impl<T: Timer> Linger<T> {
    fn new(shared: Arc<Shared>, time: Duration, timer: T) -> Self {
        Self {
            sleep: None,
            timer,
            time,
            guard: LingerGuard { shared, key: None },
        }
    }
}

impl<T: Timer> Future for Linger<T> {
    type Output = std::convert::Infallible;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let LingerGuard { shared, key } = this.guard;
        loop {
            if let Some(sleep) = this.sleep.as_mut().as_pin_mut() {
                _ = ready!(sleep.poll(cx));
                this.sleep.set(None);
                shared.with(State::end_linger);
            }
            // The waker is cloned outside the lock: cloning it runs user code.
            let task = cx.waker().clone();
            if shared.with(|state, wakes| state.linger(key, task, wakes)) {
                return Poll::Pending;
            }
            this.sleep.set(Some(this.timer.sleep(*this.time)));
        }
    }
}

impl Drop for LingerGuard {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.shared
                .with(|state, wakes| state.leave_linger(key, wakes));
        }
    }
}

impl<T: Timer> fmt::Debug for Linger<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linger")
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}
