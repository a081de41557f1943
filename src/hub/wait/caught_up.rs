use std::fmt;
use std::future::{Future, Pending};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::hub::Hub;
use crate::hub::core::{Excuse, Wait};
use crate::hub::shared::Shared;
use crate::sync::Arc;

impl<L> Hub<L> {
    /// Waits until the slowest live subscriber is at most this many events behind. It is for
    /// publishers that would rather wait than let subscribers lag.
    ///
    /// Set its [patience](CaughtUp::or_after), or a single stalled client blocks the publisher
    /// forever.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_sse::Event;
    /// use tower_sse::hub::Hub;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let hub = Hub::new();
    /// for n in 0..10_000 {
    ///     hub.publish(Event::display(n).unwrap());
    ///     let patience = tokio::time::sleep(Duration::from_secs(1));
    ///     hub.caught_up(1_000).or_after(patience).await;
    /// }
    /// assert_eq!(hub.stats().published, 10_000);
    /// # }
    /// ```
    pub fn caught_up(&self, distance: u64) -> CaughtUp {
        CaughtUp::new(Arc::clone(self.shared()), distance)
    }
}

pin_project! {
    /// A future that waits for the slowest live subscriber: [`Hub::caught_up`].
    ///
    /// It resolves at once if that subscriber is within the distance. Otherwise it waits until all
    /// are within half the distance, so that publisher and subscribers do not take turns event by
    /// event. The output is the number of subscribers that it has given up on, which is 0 unless
    /// its [patience](Self::or_after) has ended.
    ///
    /// A subscriber counts as having an event once its server has taken it, which may be before the
    /// client receives it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_sse::Event;
    /// use tower_sse::hub::Hub;
    /// use tower_sse::timer::{Timer, TokioTimer};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let hub = Hub::new();
    /// let _stalled = hub.subscribe().unwrap();
    /// hub.publish(Event::new("x"));
    /// let patience = TokioTimer.sleep(Duration::from_secs(1));
    /// assert_eq!(hub.caught_up(0).or_after(patience).await, 1);
    /// assert_eq!(hub.caught_up(0).await, 0);
    /// # }
    /// ```
    #[must_use = "futures do nothing unless polled"]
    pub struct CaughtUp<S = Pending<()>> {
        guard: CaughtUpGuard,
        distance: u64,
        #[pin]
        patience: Option<S>,
    }
}

/// Ends the wait when the future is dropped.
struct CaughtUpGuard {
    shared: Arc<Shared>,
    wait: Option<Wait>,
}

impl Drop for CaughtUpGuard {
    fn drop(&mut self) {
        if self.wait.is_some() {
            self.shared
                .with(|state, wakes| state.give_up_wait(&mut self.wait, wakes));
        }
    }
}

impl CaughtUp {
    fn new(shared: Arc<Shared>, distance: u64) -> Self {
        Self {
            guard: CaughtUpGuard { shared, wait: None },
            distance,
            patience: None,
        }
    }
}

impl<S> CaughtUp<S> {
    /// Waits no longer than this future, such as a sleep. Subscribers still further behind at that
    /// point are ignored by all such waits until they are within the distance.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// # futures_util::FutureExt::now_or_never(async {
    /// let patience = std::future::ready(());
    /// assert_eq!(Hub::new().caught_up(0).or_after(patience).await, 0);
    /// # }).unwrap();
    /// ```
    pub fn or_after<F: Future>(self, patience: F) -> CaughtUp<F> {
        CaughtUp {
            guard: self.guard,
            distance: self.distance,
            patience: Some(patience),
        }
    }
}

impl<S: Future> Future for CaughtUp<S> {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        let this = self.project();
        let CaughtUpGuard { shared, wait } = this.guard;
        let distance = *this.distance;
        if wait.is_none() && shared.are_near(distance) {
            return Poll::Ready(0);
        }
        // The waker is cloned outside the lock: cloning it runs user code.
        let task = cx.waker().clone();
        let mut caught_up =
            shared.with(|state, wakes| state.is_caught_up(distance, wait, task, wakes));
        // Others get the lock in between.
        while caught_up.is_none() {
            caught_up = shared.with(|state, wakes| state.keep_counting(wait, wakes));
        }
        if caught_up == Some(true) {
            return Poll::Ready(0);
        }
        let patience = this.patience.as_pin_mut();
        if patience.is_none_or(|sleep| sleep.poll(cx).is_pending()) {
            return Poll::Pending;
        }
        shared.with(|state, wakes| state.give_up_wait(wait, wakes));
        let mut excuse = Excuse::new();
        while !shared.with(|state, wakes| state.excuse(distance, &mut excuse, wakes)) {}
        Poll::Ready(excuse.late())
    }
}

impl<S> fmt::Debug for CaughtUp<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaughtUp")
            .field("distance", &self.distance)
            .finish_non_exhaustive()
    }
}
