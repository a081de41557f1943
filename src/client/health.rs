use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use crate::timer::Timer;

/// What speaks for a connection when it is over: whether the server can be taken for a working one.
pub(super) struct Health<T: Timer> {
    /// An event has arrived.
    pub(super) delivered: bool,
    /// Bytes have arrived, be they only comments.
    pub(super) received: bool,
    lasted: bool,
    /// Ends when the connection has been open for long enough.
    sleep: Option<Pin<Box<T::Sleep>>>,
}

impl<T: Timer> Health<T> {
    pub(super) fn new() -> Self {
        Self {
            delivered: false,
            received: false,
            lasted: false,
            sleep: None,
        }
    }

    /// A connection is open, which proves itself by staying so for this long.
    pub(super) fn open(&mut self, timer: &T, proof: Duration) {
        *self = Self::new();
        self.sleep = Some(Box::pin(timer.sleep(proof)));
    }

    /// Whether the connection has been open for long enough.
    ///
    /// A sleep and no clock: only a [`Timer`] is known, and a paused one stays in step.
    pub(super) fn has_lasted(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(sleep) = &mut self.sleep {
            if sleep.as_mut().poll(cx).is_ready() {
                self.sleep = None;
                self.lasted = true;
            }
        }
        self.lasted
    }

    pub(super) fn close(&mut self) {
        *self = Self::new();
    }
}

impl<T: Timer> fmt::Debug for Health<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health")
            .field("delivered", &self.delivered)
            .field("received", &self.received)
            .field("lasted", &self.lasted)
            .finish_non_exhaustive()
    }
}
