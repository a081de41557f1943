use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::alarm::Alarm;
use super::idle_clock::IdleClock;
use super::max_age::MaxAge;
use crate::exclusive::Exclusive;
use crate::timer::MaybeTimer;

/// How long a body waits before it fails.
///
/// On HTTP/2, the reset of a failed stream overtakes the frames that hyper has not written yet, and
/// the client loses them, including the head of the response. Counted with `tests/e2e` on two
/// overloaded cores: without a pause, 18 to 41 of 300 responses were cut short. Of 12,000
/// responses, about 20 were cut with 1 ms, two with 5 ms or 10 ms, and none with 20 ms.
const PAUSE: Duration = Duration::from_millis(20);

pin_project! {
    /// Everything that wakes a body besides its stream: the next heartbeat, a shutdown, a maximum
    /// age, and the pause before an error.
    ///
    /// These rarely resolve. Polling them whenever the stream wakes the task would cost more than
    /// the event, so they are polled only after they have rung an [`Alarm`].
    pub(super) struct Interrupts<T: MaybeTimer> {
        timer: T,
        alarm: Alarm,
        idle: Option<IdleClock>,
        // The sleep of `idle`, or the pause once the stream has failed.
        #[pin]
        sleep: Option<T::Sleep>,
        sleeping: Sleeping,
        // Few streams have one.
        end: Option<Pin<Box<End<T::Sleep>>>>,
    }
}

/// What the body has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Did {
    /// It has something to send.
    Send,
    /// Its stream is pending, and nothing is left to send.
    Nothing,
    /// Its stream has failed, and nothing is left to send.
    Fail,
}

/// What the body must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// Send a heartbeat.
    Heartbeat,
    /// End, after sending what is ready.
    End,
    /// Report the error: earlier frames have had time to be written.
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sleeping {
    /// `sleep` has ended, or is not the one to wait for.
    No,
    /// `sleep` will ring the alarm.
    Waiting,
    /// The alarm has rung since `sleep` was polled.
    Rung,
    /// `sleep` is the pause before an error.
    Pausing,
}

impl<T: MaybeTimer> Interrupts<T> {
    pub(super) fn new(timer: T) -> Self {
        Self {
            timer,
            alarm: Alarm::new(),
            idle: None,
            sleep: None,
            sleeping: Sleeping::No,
            end: None,
        }
    }

    /// Keeps the parts that do not depend on a timer, and uses this timer.
    #[cfg(feature = "tokio")]
    pub(super) fn with_timer<U: MaybeTimer>(self, timer: U) -> Interrupts<U> {
        let mut new = Interrupts::new(timer);
        // `end` is pinned, but the future in it has its own box, which can move.
        if let Some(mut end) = self.end {
            if let Some(shutdown) = end.as_mut().project().shutdown.take() {
                new.end_mut().project().shutdown.replace(shutdown);
            }
        }
        new
    }

    pub(super) fn heartbeat_every(&mut self, interval: Duration) {
        self.idle = Some(IdleClock::new(interval));
    }

    pub(super) fn has_heartbeats(&self) -> bool {
        self.idle.is_some()
    }

    pub(super) fn end_when(&mut self, shutdown: impl Future<Output = ()> + Send + 'static) {
        let slot = self.end_mut().project().shutdown;
        let shutdown: Shutdown = match slot.take() {
            None => Box::pin(shutdown),
            Some(mut earlier) => {
                let mut shutdown = Box::pin(shutdown);
                Box::pin(poll_fn(move |cx| {
                    match earlier.get_mut().as_mut().poll(cx) {
                        Poll::Ready(()) => Poll::Ready(()),
                        Poll::Pending => shutdown.as_mut().poll(cx),
                    }
                }))
            }
        };
        *slot = Some(Exclusive::new(shutdown));
    }

    pub(super) fn end_at(&mut self, age: MaxAge) {
        *self.end_mut().project().max_age = Some(age);
    }

    fn end_mut(&mut self) -> Pin<&mut End<T::Sleep>> {
        let end = self.end.get_or_insert_with(|| {
            Box::pin(End {
                shutdown: None,
                max_age: None,
                age: None,
            })
        });
        end.as_mut()
    }

    /// Whether none of them has rung the alarm, which wakes this task.
    #[inline]
    pub(super) fn has_nothing(&self, cx: &Context<'_>) -> bool {
        self.is_unused() || self.alarm.is_silent(cx)
    }

    fn is_unused(&self) -> bool {
        self.idle.is_none() && self.end.is_none()
    }

    /// Records that the body has sent something.
    #[inline]
    pub(super) fn mark(self: Pin<&mut Self>) {
        let this = self.project();
        if this.idle.as_mut().is_some_and(IdleClock::mark) {
            *this.sleeping = Sleeping::No;
        }
    }

    /// Whether a silent body needs no new sleep.
    #[inline]
    pub(super) fn is_waiting(&self) -> bool {
        self.idle.is_none() || self.sleeping == Sleeping::Waiting
    }

    /// What is due, given what the body `did`. The task is woken when something is.
    // Inlined, except for what is rare: `benches/body`, "one per wake": 5 ns less per event.
    #[inline(always)]
    pub(super) fn poll(
        mut self: Pin<&mut Self>,
        did: Did,
        cx: &mut Context<'_>,
    ) -> Poll<Interrupt> {
        if did == Did::Fail {
            return self.poll_pause(cx).map(|()| Interrupt::Error);
        }
        if self.is_unused() {
            return Poll::Pending;
        }
        let this = self.as_mut().project();
        if this.alarm.has_rung(cx) && self.as_mut().poll_rung(cx).is_ready() {
            return Poll::Ready(Interrupt::End);
        }
        if did == Did::Send {
            self.mark();
            return Poll::Pending;
        }
        if self.is_waiting() {
            return Poll::Pending;
        }
        self.poll_silence(cx).map(|()| Interrupt::Heartbeat)
    }

    /// Ready when one of the futures that have rung the alarm ends the stream.
    #[cold]
    fn poll_rung(self: Pin<&mut Self>, cx: &Context<'_>) -> Poll<()> {
        let this = self.project();
        if *this.sleeping == Sleeping::Waiting {
            *this.sleeping = Sleeping::Rung;
        }
        let Some(end) = this.end else {
            return Poll::Pending;
        };
        let waker = this.alarm.waker(cx);
        let polled = end
            .as_mut()
            .poll(this.timer, &mut Context::from_waker(&waker));
        if polled.is_ready() {
            *this.end = None;
        }
        polled
    }

    /// Ready when nothing was sent for an interval, and then starts the next one.
    #[cold]
    fn poll_silence(self: Pin<&mut Self>, cx: &Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let Some(idle) = this.idle else {
            return Poll::Pending;
        };
        let waker = this.alarm.waker(cx);
        let cx = &mut Context::from_waker(&waker);
        loop {
            if *this.sleeping == Sleeping::No {
                this.sleep.set(this.timer.try_sleep(idle.time()));
            }
            *this.sleeping = Sleeping::Waiting;
            let Some(sleep) = this.sleep.as_mut().as_pin_mut() else {
                return Poll::Pending;
            };
            if sleep.poll(cx).is_pending() {
                return Poll::Pending;
            }
            *this.sleeping = Sleeping::No;
            if idle.end_sleep() {
                return Poll::Ready(());
            }
        }
    }

    /// Ready when the frames before an error have had time to be written.
    #[cold]
    fn poll_pause(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if mem::replace(this.sleeping, Sleeping::Pausing) != Sleeping::Pausing {
            this.sleep.set(this.timer.try_sleep(PAUSE));
            if this.sleep.is_none() {
                // hyper writes its buffered frames when a body is pending, and drops them when a
                // body fails.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        if let Some(sleep) = this.sleep.as_mut().as_pin_mut() {
            _ = ready!(sleep.poll(cx));
            this.sleep.set(None);
        }
        Poll::Ready(())
    }
}

type Shutdown = Pin<Box<dyn Future<Output = ()> + Send>>;

pin_project! {
    /// The futures that end a stream from outside.
    struct End<S> {
        shutdown: Option<Exclusive<Shutdown>>,
        max_age: Option<MaxAge>,
        #[pin]
        age: Option<S>,
    }
}

impl<S: Future> End<S> {
    fn poll<T: MaybeTimer<Sleep = S>>(
        self: Pin<&mut Self>,
        timer: &T,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut this = self.project();
        if let Some(shutdown) = this.shutdown {
            if shutdown.get_mut().as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
        }
        if let Some(age) = this.max_age.take() {
            this.age.set(timer.try_sleep(age.draw()));
        }
        match this.age.as_mut().as_pin_mut() {
            Some(age) => age.poll(cx).map(drop),
            None => Poll::Pending,
        }
    }
}

impl<T: MaybeTimer> fmt::Debug for Interrupts<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.end.as_ref();
        f.debug_struct("Interrupts")
            .field("idle", &self.idle)
            .field("shutdown", &end.is_some_and(|end| end.shutdown.is_some()))
            .field("max_age", &end.and_then(|end| end.max_age))
            .finish_non_exhaustive()
    }
}
