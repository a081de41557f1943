use std::fmt;
use std::future::{Future, Pending};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::hub::Hub;

pin_project! {
    /// Waits for the slowest live subscriber: [`Hub::caught_up`].
    ///
    /// It resolves at once if that one is near enough. Else it waits until all are within half the
    /// distance, so that publisher and subscribers do not take turns event by event. It gives how
    /// many subscribers it waits for no longer, which is none unless its
    /// [patience](Self::or_after) has ended.
    ///
    /// A subscriber has an event once its server has taken it, which may be before the client has.
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
        hub: Hub,
        distance: u64,
        #[pin]
        patience: Option<S>,
    }
}

impl CaughtUp {
    pub(in crate::hub) fn new(hub: Hub, distance: u64) -> Self {
        Self {
            hub,
            distance,
            patience: None,
        }
    }
}

impl<S> CaughtUp<S> {
    /// Waits no longer than this future, a sleep. Whoever is still too far behind then is waited for
    /// by nobody until it has come on.
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
            hub: self.hub,
            distance: self.distance,
            patience: Some(patience),
        }
    }
}

impl<S: Future> Future for CaughtUp<S> {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        let this = self.project();
        let shared = &this.hub.shared;
        if shared.lock().is_caught_up(*this.distance, cx.waker()) {
            return Poll::Ready(0);
        }
        match this.patience.as_pin_mut().map(|sleep| sleep.poll(cx)) {
            Some(Poll::Ready(_)) => {
                Poll::Ready(shared.with(|state, wakes| state.excuse(*this.distance, wakes)))
            }
            _ => Poll::Pending,
        }
    }
}

impl<S> fmt::Debug for CaughtUp<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaughtUp")
            .field("distance", &self.distance)
            .finish_non_exhaustive()
    }
}
