use std::fmt;
use std::future::{Future, Pending};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::hub::Hub;
use crate::hub::shared::Shared;
use crate::sync::Arc;

impl<L> Hub<L> {
    /// Waits until the hub has no subscribers: after [`close`](Self::close), until each has been
    /// served or has disconnected.
    ///
    /// A server does not poll the body of a client that has stopped reading, so its stream cannot
    /// be ended. Set a [deadline](Drain::or_after), and one for the server's own shutdown as well.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let hub = tower_sse::Hub::new();
    /// hub.close();
    /// let deadline = tokio::time::sleep(Duration::from_secs(10));
    /// assert_eq!(hub.drain().or_after(deadline).await, 0);
    /// # }
    /// ```
    pub fn drain(&self) -> Drain {
        Drain::new(Arc::clone(self.shared()))
    }
}

pin_project! {
    /// A future that waits until a hub has no subscribers: [`Hub::drain`](crate::hub::Hub::drain).
    ///
    /// The output is the number of remaining subscribers, which is 0 unless the
    /// [deadline](Self::or_after) has passed.
    ///
    /// ```
    /// use futures_util::FutureExt;
    /// use tower_sse::Hub;
    ///
    /// let hub = Hub::new();
    /// let body = hub.subscribe()?;
    /// assert!(hub.drain().now_or_never().is_none());
    /// drop(body);
    /// assert_eq!(hub.drain().now_or_never(), Some(0));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    #[must_use = "futures do nothing unless polled"]
    pub struct Drain<S = Pending<()>> {
        guard: DrainGuard,
        #[pin]
        deadline: Option<S>,
    }
}

/// Ends the wait when the future is dropped.
struct DrainGuard {
    shared: Arc<Shared>,
    key: Option<u64>,
}

impl Drop for DrainGuard {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.shared
                .with(|state, wakes| state.give_up_drain(key, wakes));
        }
    }
}

impl Drain {
    fn new(shared: Arc<Shared>) -> Self {
        Self {
            guard: DrainGuard { shared, key: None },
            deadline: None,
        }
    }
}

impl<S> Drain<S> {
    /// Waits no longer than this future, such as a sleep. Without a deadline, a single client that
    /// has stopped reading blocks the drain forever, because its server does not poll its body.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_sse::Hub;
    /// use tower_sse::timer::{Timer, TokioTimer};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let hub = Hub::new();
    /// let _stalled = hub.subscribe().unwrap();
    /// hub.close();
    /// let deadline = TokioTimer.sleep(Duration::from_secs(10));
    /// assert_eq!(hub.drain().or_after(deadline).await, 1);
    /// # }
    /// ```
    pub fn or_after<F: Future>(self, deadline: F) -> Drain<F> {
        Drain {
            guard: self.guard,
            deadline: Some(deadline),
        }
    }
}

impl<S: Future> Future for Drain<S> {
    type Output = usize;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        let this = self.project();
        let DrainGuard { shared, key } = this.guard;
        // The waker is cloned outside the lock: cloning it runs user code.
        let task = cx.waker().clone();
        if shared.with(|state, wakes| state.is_drained(key, task, wakes)) {
            return Poll::Ready(0);
        }
        match this.deadline.as_pin_mut().map(|sleep| sleep.poll(cx)) {
            Some(Poll::Ready(_)) => Poll::Ready(shared.lock().subscribers()),
            _ => Poll::Pending,
        }
    }
}

impl<S> fmt::Debug for Drain<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain").finish_non_exhaustive()
    }
}
