use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use crate::timer::Timer;

/// The evidence that a connection was healthy, so that the server can be assumed to work.
pub(super) struct Health<T: Timer> {
    /// Whether an event has arrived.
    pub(super) delivered: bool,
    /// Whether bytes have arrived, even if only comments.
    pub(super) received: bool,
    /// Counts from the request.
    asked: Proof<T>,
    /// Counts from the head of the response.
    open: Proof<T>,
}

impl<T: Timer> Health<T> {
    pub(super) fn new() -> Self {
        Self {
            delivered: false,
            received: false,
            asked: Proof::new(),
            open: Proof::new(),
        }
    }

    /// Records that a request is sent. A clean response that takes this long is healthy: the head
    /// of a long poll may arrive with its end.
    pub(super) fn ask(&mut self, timer: &T, proof: Duration) {
        *self = Self::new();
        self.asked.begin(timer, proof);
    }

    /// Records that the connection is open. It is healthy if it stays open for this long.
    pub(super) fn open(&mut self, timer: &T, proof: Duration) {
        self.open.begin(timer, proof);
    }

    /// Whether the connection has been open long enough.
    pub(super) fn has_lasted(&mut self, cx: &mut Context<'_>) -> bool {
        self.open.is_over(cx)
    }

    /// Whether the request was sent long enough ago.
    pub(super) fn has_taken_long(&mut self, cx: &mut Context<'_>) -> bool {
        self.asked.is_over(cx)
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
            .finish_non_exhaustive()
    }
}

/// A time after which a connection is proven healthy.
///
/// Uses a sleep instead of a clock, because only a [`Timer`] is at hand, and a paused one stays in
/// step.
struct Proof<T: Timer> {
    sleep: Option<Pin<Box<T::Sleep>>>,
    over: bool,
}

impl<T: Timer> Proof<T> {
    fn new() -> Self {
        Self {
            sleep: None,
            over: false,
        }
    }

    fn begin(&mut self, timer: &T, time: Duration) {
        self.over = false;
        self.sleep = Some(Box::pin(timer.sleep(time)));
    }

    /// Must be polled for its sleep to run.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(sleep) = &mut self.sleep {
            if sleep.as_mut().poll(cx).is_ready() {
                self.sleep = None;
                self.over = true;
            }
        }
        self.over
    }
}
