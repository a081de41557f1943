use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::protocol::Block;
use crate::timer::MaybeTimer;

/// When and with what a silent stream shows that it is alive.
///
/// By default a comment line, `:`, after 15 seconds in which nothing was sent: browsers ignore it, and
/// the idle limits of the field (60 s in nginx and AWS load balancers, 100 s at Cloudflare) lie well
/// above. No empty line follows it, since some clients would take that for an event; see
/// [`Block::HEARTBEAT`].
///
/// ```
/// use std::time::Duration;
/// use http_body_util::BodyExt;
/// use tower_sse::{Event, KeepAlive, SseBody};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let keep_alive = KeepAlive::new().interval(Duration::from_secs(5)).text("still here");
/// let silence = futures_util::stream::pending::<Event>();
/// let mut body = Box::pin(SseBody::new(silence).keep_alive(keep_alive));
/// body.frame().await; // the prelude
/// let frame = body.frame().await.unwrap().unwrap();
/// assert_eq!(frame.into_data().unwrap(), ": still here\n");
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct KeepAlive {
    interval: Duration,
    block: Block,
}

impl KeepAlive {
    /// A comment after 15 seconds of silence.
    ///
    /// ```
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # use tower_sse::{Event, KeepAlive, Prelude, SseBody};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let start = tokio::time::Instant::now();
    /// # let silence = SseBody::new(futures_util::stream::pending::<Event>()).prelude(None);
    /// let mut body = Box::pin(silence.keep_alive(KeepAlive::new()));
    /// assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), ":\n");
    /// assert_eq!(start.elapsed(), Duration::from_secs(15));
    /// # }
    /// ```
    pub const fn new() -> Self {
        Self {
            interval: Duration::from_secs(15),
            block: Block::HEARTBEAT,
        }
    }

    /// How long the stream may be silent; 15 seconds by default.
    ///
    /// On a stream that was busy just before, a heartbeat comes up to an eighth later: events do not
    /// read the clock. Less than a millisecond counts as one.
    ///
    /// ```
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # use tower_sse::{Event, KeepAlive, Prelude, SseBody};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let start = tokio::time::Instant::now();
    /// # let silence = SseBody::new(futures_util::stream::pending::<Event>()).prelude(None);
    /// let keep_alive = KeepAlive::new().interval(Duration::from_secs(5));
    /// Box::pin(silence.keep_alive(keep_alive)).frame().await;
    /// assert_eq!(start.elapsed(), Duration::from_secs(5));
    /// # }
    /// ```
    pub fn interval(self, interval: Duration) -> Self {
        Self {
            interval: interval.max(Duration::from_millis(1)),
            ..self
        }
    }

    /// A comment of this text instead of an empty one; line breaks make several comment lines.
    ///
    /// ```
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # use tower_sse::{Event, KeepAlive, Prelude, SseBody};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let start = tokio::time::Instant::now();
    /// # let silence = SseBody::new(futures_util::stream::pending::<Event>()).prelude(None);
    /// let mut body = Box::pin(silence.keep_alive(KeepAlive::new().text("still here")));
    /// assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), ": still here\n");
    /// # }
    /// ```
    pub fn text(self, text: impl AsRef<str>) -> Self {
        self.event(Block::lines(text.as_ref(), None))
    }

    /// A whole event instead of a comment, for pages that watch over the connection themselves.
    ///
    /// Give it no ID: a client that reconnects with it would skip real events.
    ///
    /// ```
    /// # use http_body_util::BodyExt;
    /// # use std::time::Duration;
    /// # use tower_sse::{Event, EventType, KeepAlive, Prelude, SseBody};
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let start = tokio::time::Instant::now();
    /// # let silence = SseBody::new(futures_util::stream::pending::<Event>()).prelude(None);
    /// let ping = Event::new("").with_type(EventType::from_static("ping"));
    /// let mut body = Box::pin(silence.keep_alive(KeepAlive::new().event(ping)));
    /// let frame = body.frame().await.unwrap().unwrap();
    /// assert_eq!(frame.into_data().unwrap(), "event: ping\ndata: \n\n");
    /// # }
    /// ```
    pub fn event(self, event: impl Into<Block>) -> Self {
        Self {
            block: event.into(),
            ..self
        }
    }

    pub(crate) fn into_block(self) -> Block {
        self.block
    }
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self::new()
    }
}

/// A busy stream's clock ticks this many times per interval.
const TICKS: u32 = 8;

pin_project! {
    /// Tells when a stream has been silent for an interval, without a look at the clock per event.
    ///
    /// While the stream is silent, one sleep of the whole interval runs. The first event after that
    /// starts a tick of an eighth; further events only set a flag, which the tick finds. A tick
    /// without the flag means that the silence began with it, and the sleep for what is left of the
    /// interval runs. So an event touches the timer at most once per eighth of the interval, and the
    /// heartbeat after a lone event is exact.
    pub(crate) struct IdleClock<T: MaybeTimer> {
        interval: Duration,
        next: Duration,
        phase: Phase,
        #[pin]
        sleep: Option<T::Sleep>,
        // Whether `sleep` is the one for `next` and has been polled, so that it will wake somebody.
        running: bool,
        // Whether somebody was woken since.
        woken: bool,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing has been sent since the sleep began.
    Silent,
    /// Something has been sent when the tick began; `true` if also since.
    Ticking(bool),
}

impl<T: MaybeTimer> IdleClock<T> {
    pub(crate) fn new(keep_alive: &KeepAlive) -> Self {
        let interval = keep_alive.interval;
        Self {
            interval,
            next: interval,
            phase: Phase::Silent,
            sleep: None,
            running: false,
            woken: false,
        }
    }

    /// Something has been sent.
    #[inline]
    pub(crate) fn mark(self: Pin<&mut Self>) {
        let this = self.project();
        match this.phase {
            Phase::Ticking(busy) => *busy = true,
            Phase::Silent => {
                *this.phase = Phase::Ticking(false);
                *this.next = *this.interval / TICKS;
                *this.running = false;
            }
        }
    }

    /// The alarm that the sleep rings has rung.
    pub(crate) fn wake(self: Pin<&mut Self>) {
        *self.project().woken = true;
    }

    /// Whether a poll can tell anything new.
    #[inline]
    pub(crate) fn wants_poll(&self) -> bool {
        self.woken || !self.running
    }

    /// Ready when a heartbeat is due; starts the next interval then.
    pub(crate) fn poll_due(self: Pin<&mut Self>, timer: &T, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        *this.woken = false;
        loop {
            if !*this.running {
                this.sleep.set(timer.try_sleep(*this.next));
                *this.running = true;
            }
            let Some(sleep) = this.sleep.as_mut().as_pin_mut() else {
                return Poll::Pending;
            };
            if sleep.poll(cx).is_pending() {
                return Poll::Pending;
            }
            *this.running = false;
            match *this.phase {
                Phase::Silent => {
                    *this.next = *this.interval;
                    return Poll::Ready(());
                }
                Phase::Ticking(true) => *this.phase = Phase::Ticking(false),
                Phase::Ticking(false) => {
                    *this.phase = Phase::Silent;
                    *this.next = *this.interval - *this.next;
                }
            }
        }
    }
}
