use std::fmt;
use std::future::{Future, Pending};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::hub::Hub;
use crate::hub::shared::Shared;
use crate::sync::Arc;

impl Hub {
    /// Resolves when there is no subscriber: after [`close`](Self::close), when all have been served
    /// or have gone.
    ///
    /// A client that has stopped reading is polled by no server and cannot be ended, so give it a
    /// [deadline](Drain::or_after), and the server's own shutdown one as well.
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
    /// Waits until a hub has no subscriber: [`Hub::drain`](crate::hub::Hub::drain). Gives how many
    /// there still are, which is none unless its [deadline](Self::or_after) has passed.
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

/// What the hub is told when the future is dropped.
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
    /// Waits no longer than this future, a sleep. A body that its server no longer polls, since the
    /// client has stopped reading, cannot be ended: without a deadline it is waited for for ever.
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
        // A task is cloned while no lock is held.
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
