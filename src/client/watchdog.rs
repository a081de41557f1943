use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::timer::Timer;

/// Detects that nothing has arrived for a while.
pub(super) struct Watchdog<T: Timer> {
    pub(super) time: Option<Duration>,
    sleep: Option<Pin<Box<T::Sleep>>>,
    /// Whether something has arrived since the sleep was created.
    stale: bool,
}

impl<T: Timer> Watchdog<T> {
    pub(super) fn new() -> Self {
        Self {
            time: None,
            sleep: None,
            stale: false,
        }
    }

    /// Restarts the time, because something has arrived or is awaited from now on.
    ///
    /// The sleep is only renewed when nothing is left to read, so a burst of data does not touch
    /// the timer.
    #[inline]
    pub(super) fn feed(&mut self) {
        self.stale = true;
    }

    pub(super) fn stop(&mut self) {
        self.sleep = None;
    }

    /// Ready with the time if nothing has arrived for that long.
    pub(super) fn poll(&mut self, timer: &T, cx: &mut Context<'_>) -> Poll<Duration> {
        let Some(time) = self.time else {
            return Poll::Pending;
        };
        let sleep = match &mut self.sleep {
            Some(sleep) => {
                if self.stale {
                    sleep.set(timer.sleep(time));
                }
                sleep
            }
            none => none.insert(Box::pin(timer.sleep(time))),
        };
        self.stale = false;
        sleep.as_mut().poll(cx).map(|_| time)
    }
}

impl<T: Timer> fmt::Debug for Watchdog<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watchdog").field(&self.time).finish()
    }
}
