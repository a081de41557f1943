use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use pin_project_lite::pin_project;

use crate::hub::Hub;
use crate::hub::core::Pause;
use crate::hub::shared::Shared;
use crate::sync::Arc;
use crate::timer::Timer;
#[cfg(feature = "tokio")]
use crate::timer::TokioTimer;

/// The number of pieces of work done before other tasks get a turn.
const PIECES: usize = 16;

impl<L> Hub<L> {
    /// Ends subscriptions at their [instant](crate::hub::SubscriptionBuilder::end_at) and evicts
    /// events at their [age](crate::hub::HubBuilder::retain_for) for as long as the future is
    /// polled. Spawn it; see [`KeepTime`].
    ///
    /// ```
    /// use futures_util::FutureExt;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let hub = tower_sse::Hub::new();
    /// assert!(hub.keep_time().now_or_never().is_none());
    /// hub.close();
    /// assert!(hub.keep_time().now_or_never().is_some());
    /// # }
    /// ```
    #[cfg(feature = "tokio")]
    pub fn keep_time(&self) -> KeepTime<TokioTimer> {
        self.keep_time_with_timer(TokioTimer)
    }

    /// Calls [`keep_time`](Self::keep_time) with another timer.
    ///
    /// ```
    /// use futures_util::FutureExt;
    /// # use tower_sse::hub::Hub;
    /// let time = Hub::new().keep_time_with_timer(tokio::time::sleep);
    /// assert!(time.now_or_never().is_some());
    /// ```
    pub fn keep_time_with_timer<T: Timer>(&self, timer: T) -> KeepTime<T> {
        KeepTime::new(Arc::clone(self.shared()), timer)
    }
}

pin_project! {
    /// A future that does the timed work of a hub: [`Hub::keep_time`].
    ///
    /// While this future is polled, subscriptions [end](crate::hub::SubscriptionBuilder::end_at)
    /// and events [expire](crate::hub::HubBuilder::retain_for) on time. It resolves when the hub is
    /// closed and has no subscribers left. Several such futures do no harm. Dropping one loses
    /// nothing: due work then waits for the next such future, or for the subscription's own next
    /// poll.
    ///
    /// The time is that of the [timer](Timer::now). In tests with a paused clock, take instants
    /// from that clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use http_body_util::BodyExt;
    /// use tower_sse::hub::Hub;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let hub = Hub::builder().epoch(36).build();
    /// tokio::spawn(hub.keep_time());
    ///
    /// let expiry = tokio::time::Instant::now() + Duration::from_secs(3_600);
    /// let body = hub.subscriber().end_at(expiry.into_std()).subscribe().unwrap();
    /// assert_eq!(body.collect().await.unwrap().to_bytes(), "id: 10-0\n\n");
    /// # }
    /// ```
    #[must_use = "time is kept only while this is polled"]
    pub struct KeepTime<T: Timer> {
        #[pin]
        sleep: Option<T::Sleep>,
        // The instant that it sleeps until.
        until: Option<Instant>,
        timer: T,
        keeper: Keeper,
    }
}

/// The future's registration with the hub, removed on drop.
struct Keeper {
    shared: Arc<Shared>,
    /// `Some` once the future has been polled.
    key: Option<u64>,
}

impl<T: Timer> KeepTime<T> {
    fn new(shared: Arc<Shared>, timer: T) -> Self {
        Self {
            sleep: None,
            until: None,
            timer,
            keeper: Keeper { shared, key: None },
        }
    }
}

impl<T: Timer> Future for KeepTime<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let Keeper { shared, key } = this.keeper;
        for _ in 0..PIECES {
            // The waker is cloned outside the lock: cloning it runs user code.
            let task = cx.waker().clone();
            let next = match shared.with(|state, wakes| state.keep_time(key, task, wakes)) {
                Pause::Over => return Poll::Ready(()),
                Pause::Open => {
                    this.sleep.set(None);
                    *this.until = None;
                    return Poll::Pending;
                }
                Pause::Until(next) => next,
            };
            let now = this.timer.now().filter(|now| *now < next);
            if let Some(now) = now {
                if *this.until != Some(next) {
                    this.sleep.set(Some(this.timer.sleep(next - now)));
                    *this.until = Some(next);
                }
                if let Some(sleep) = this.sleep.as_mut().as_pin_mut() {
                    _ = ready!(sleep.poll(cx));
                }
            }
            this.sleep.set(None);
            *this.until = None;
            let now = this.timer.now().map_or(next, |now| now.max(next));
            shared.change(|state, wakes| state.pass_time(now, wakes));
        }
        // Other tasks get a turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.shared
                .with(|state, wakes| state.leave_time(key, wakes));
        }
    }
}

impl<T: Timer> fmt::Debug for KeepTime<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeepTime")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
