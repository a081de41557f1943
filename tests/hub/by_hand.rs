//! Subscriptions that are polled by hand, and how often their tasks are woken.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use http_body::Body;
use tower_sse::hub::{Hub, Subscription};

/// Counts how often a task is woken.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (Arc::clone(&count), Waker::from(count))
    }

    pub(crate) fn woken(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Counts from 0 again.
    pub(crate) fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

/// Its IDs begin with `10-`.
pub(crate) fn hub() -> Hub {
    Hub::builder().epoch(36).build()
}

/// The text that is ready, and whether the subscription has ended. Otherwise it wakes the task.
pub(crate) fn read(body: &mut Subscription, task: &Waker) -> (String, bool) {
    let mut text = String::new();
    let mut cx = Context::from_waker(task);
    loop {
        match Pin::new(&mut *body).poll_frame(&mut cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let data = frame.into_data().unwrap();
                assert!(!data.is_empty());
                text.push_str(std::str::from_utf8(&data).unwrap());
            }
            Poll::Ready(None) => return (text, true),
            Poll::Pending => return (text, false),
            Poll::Ready(Some(Err(never))) => match never {},
        }
    }
}

/// The same without a task.
pub(crate) fn drain(body: &mut Subscription) -> (String, bool) {
    read(body, Waker::noop())
}
