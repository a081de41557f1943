use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::alarm::Alarm;
use super::keep_alive::IdleClock;
use super::lifecycle::Lifecycle;
use super::prelude::Prelude;
use super::source::{Source, Written};
use crate::headers::EventStreamHeaders;
use crate::protocol::{Block, Writer};
use crate::timer::{MaybeTimer, NoTimer, Timer};

/// How many bytes a frame gathers before it leaves.
const FRAME_SIZE: usize = 8 * 1024;

/// How many items one poll takes at most, in case they write nothing.
const ITEMS_PER_POLL: usize = 4096;

pin_project! {
    /// A stream of events as an HTTP body, for any server that takes an [`http_body::Body`].
    ///
    /// Made from a stream of [`Event`](crate::Event)s or of [`Block`]s, or of `Result`s of either, or
    /// of any items with a closure that writes them. Events that are ready together leave in one
    /// frame; nothing waits for more.
    ///
    /// - Heartbeats: [`keep_alive`](Self::keep_alive), on tokio's clock or on that of
    ///   [`with_timer`](Self::with_timer).
    /// - First bytes at once: [`prelude`](Self::prelude), on by default with heartbeats.
    /// - A clean end: [`end_when`](Self::end_when), [`max_age`](Self::max_age), with a
    ///   [`farewell`](Self::farewell).
    /// - An error of the stream aborts the body, which the client notices as a broken connection;
    ///   or [`on_error`](Self::on_error).
    ///
    /// A server polls a body only while its client reads. One that has stopped reading without
    /// closing is the server's to find: set a write timeout on the connection.
    ///
    /// ```
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, SseBody};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let events = [Event::new("kick-off"), Event::new("goal").with_id(1u64)];
    /// let events = futures_util::stream::iter(events);
    /// let bytes = SseBody::new(events).collect().await.unwrap().to_bytes();
    /// assert_eq!(bytes, "data: kick-off\n\nid: 1\ndata: goal\n\n");
    /// # }
    /// ```
    #[must_use = "a body does nothing until a server polls it"]
    pub struct SseBody<S: Source, T: MaybeTimer = NoTimer> {
        // `None` once it has ended, so that what it holds is freed before the connection is.
        #[pin]
        pub(super) source: Option<S>,
        // What is ready to leave.
        pub(super) out: Writer,
        pub(super) frame_size: usize,
        pub(super) state: State<S::Error>,
        pub(super) prelude: PreludeSetting,
        pub(super) timer: T,
        pub(super) heartbeat: Option<Block>,
        #[pin]
        pub(super) clock: Option<IdleClock<T>>,
        #[pin]
        pub(super) age: Option<T::Sleep>,
        pub(super) lifecycle: Option<Box<Lifecycle>>,
        // There if `clock`, `age` or `lifecycle` has something to wait for.
        pub(super) alarm: Option<Alarm>,
    }
}

#[derive(Debug)]
pub(super) enum State<E> {
    /// Not polled yet.
    New,
    Open,
    /// The stream has failed; what was ready before leaves first.
    Failed(E),
    /// The same, and the server has had the time to write what left.
    Flushed(E),
    /// Over, once what is ready has left.
    Ended,
}

#[derive(Debug)]
pub(super) enum PreludeSetting {
    /// One if there are heartbeats.
    Unset,
    Set(Option<Prelude>),
}

impl<S: Source> SseBody<S> {
    /// A body of the stream's events, or of its ready-made blocks; each may be a `Result`.
    ///
    /// It has no timer until [`keep_alive`](Self::keep_alive) gives it tokio's.
    ///
    /// ```
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, SseBody};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let events = futures_util::stream::iter([Ok(Event::new("x")), Err("database gone")]);
    /// let mut body = SseBody::new(events);
    /// assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "data: x\n\n");
    /// assert_eq!(body.frame().await.unwrap().unwrap_err(), "database gone");
    /// # }
    /// ```
    pub fn new(source: S) -> Self {
        Self::from_source(Some(source), NoTimer)
    }
}

impl<S: Source, T: Timer> SseBody<S, T> {
    /// A body as [`new`](SseBody::new) makes it, whose heartbeats and maximum age run on this clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, MaxAge, SseBody};
    ///
    /// smol::block_on(async {
    ///     let silence = futures_util::stream::pending::<Event>();
    ///     let body = SseBody::with_timer(silence, smol::Timer::after);
    ///     let body = body.max_age(MaxAge::new(Duration::from_millis(1)));
    ///     assert_eq!(body.collect().await.unwrap().to_bytes(), "");
    /// });
    /// ```
    pub fn with_timer(source: S, timer: T) -> Self {
        Self::from_source(Some(source), timer)
    }
}

impl<S, F, I, E> SseBody<Written<S, F>>
where
    S: Stream<Item = Result<I, E>>,
    F: FnMut(I, &mut Writer) -> Result<(), E>,
{
    /// A body of the stream's items, each written by the closure straight into the frame.
    ///
    /// There is no event in between, and no allocation per item: the form for tokens by the million.
    /// The closure may write several events for an item, or none; what it wrote before it returns an
    /// error is sent.
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use http_body_util::BodyExt;
    /// use tower_sse::{EventType, SseBody};
    ///
    /// const TOKEN: EventType = EventType::from_static("token");
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let tokens = futures_util::stream::iter([Ok::<_, Infallible>("Once"), Ok(" upon")]);
    /// let mut n = 0;
    /// let body = SseBody::writer(tokens, move |token, out| {
    ///     n += 1;
    ///     out.typed(&TOKEN).id(n).data(token);
    ///     Ok(())
    /// });
    /// assert_eq!(
    ///     body.collect().await.unwrap().to_bytes(),
    ///     "event: token\nid: 1\ndata: Once\n\nevent: token\nid: 2\ndata:  upon\n\n",
    /// );
    /// # }
    /// ```
    pub fn writer(stream: S, write: F) -> Self {
        Self::from_source(Some(Written::new(stream, write)), NoTimer)
    }
}

impl<S: Source, T: MaybeTimer> SseBody<S, T> {
    pub(crate) fn from_source(source: Option<S>, timer: T) -> Self {
        Self {
            state: if source.is_some() {
                State::New
            } else {
                State::Ended
            },
            source,
            out: Writer::new(),
            frame_size: FRAME_SIZE,
            prelude: PreludeSetting::Unset,
            timer,
            heartbeat: None,
            clock: None,
            age: None,
            lifecycle: None,
            alarm: None,
        }
    }

    /// A response with this body and an event stream's headers, except `Connection`: it depends on the
    /// request, which [`SseLayer`](crate::SseLayer) sees.
    ///
    /// In axum a handler returns the body itself, or calls axum's `into_response` on it.
    ///
    /// ```
    /// use tower_sse::{Event, SseBody};
    ///
    /// let events = futures_util::stream::empty::<Event>();
    /// let response = SseBody::new(events).into_http_response();
    /// assert_eq!(response.headers()["content-type"], "text/event-stream");
    /// assert_eq!(response.headers()["cache-control"], "no-cache, no-transform");
    /// ```
    pub fn into_http_response(self) -> Response<Self> {
        let mut response = Response::new(self);
        EventStreamHeaders::new().add(false, response.headers_mut());
        response
    }

    /// Whether the alarm has rung: whether heartbeat, shutdown or age have news.
    #[inline]
    fn has_rung(self: Pin<&mut Self>, cx: &Context<'_>) -> bool {
        let this = self.project();
        let rung = this.alarm.as_mut().is_some_and(|alarm| alarm.has_rung(cx));
        if let (true, Some(clock)) = (rung, this.clock.as_pin_mut()) {
            clock.wake();
        }
        rung
    }

    /// Whether shutdown or age end the stream now.
    fn poll_over(self: Pin<&mut Self>) -> Poll<()> {
        let mut this = self.project();
        let (Some(lifecycle), Some(alarm)) = (this.lifecycle, this.alarm) else {
            return Poll::Pending;
        };
        let cx = &mut Context::from_waker(alarm.waker());
        if lifecycle.poll_shutdown(cx).is_ready() {
            return Poll::Ready(());
        }
        if let Some(age) = lifecycle.max_age.take() {
            this.age.set(this.timer.try_sleep(age.draw()));
        }
        match this.age.as_mut().as_pin_mut() {
            Some(age) => age.poll(cx).map(|_| ()),
            None => Poll::Pending,
        }
    }

    /// Writes what is ready, until a frame is full.
    #[inline]
    fn fill(self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let mut this = self.project();
        let Some(mut source) = this.source.as_mut().as_pin_mut() else {
            return;
        };
        for _ in 0..ITEMS_PER_POLL {
            if this.out.is_full(*this.frame_size) {
                return;
            }
            match source.as_mut().poll_into(cx, this.out) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(()))) => {}
                Poll::Ready(Some(Err(error))) => {
                    let last = this
                        .lifecycle
                        .as_mut()
                        .and_then(|life| life.on_error.take());
                    *this.state = match last {
                        None => State::Failed(error),
                        Some(last) => {
                            this.out.push(last);
                            State::Ended
                        }
                    };
                    this.source.set(None);
                    return;
                }
                Poll::Ready(None) => {
                    *this.state = State::Ended;
                    this.source.set(None);
                    return;
                }
            }
        }
        cx.waker().wake_by_ref();
    }

    /// The first poll: what goes out before the first event.
    fn open(self: Pin<&mut Self>) {
        let this = self.project();
        *this.state = State::Open;
        let prelude = match mem::replace(this.prelude, PreludeSetting::Set(None)) {
            PreludeSetting::Set(prelude) => prelude,
            PreludeSetting::Unset => this.heartbeat.is_some().then(Prelude::new),
        };
        if let Some(prelude) = prelude {
            this.out.push(prelude.to_block());
        }
    }

    /// Ends the stream from outside, after what is ready.
    fn end(self: Pin<&mut Self>) {
        let mut this = self.project();
        *this.state = State::Ended;
        this.source.set(None);
        if let Some(farewell) = this
            .lifecycle
            .as_mut()
            .and_then(|life| life.farewell.take())
        {
            this.out.push(farewell);
        }
    }

    /// The next frame, if one is ready, and a mark that something was sent.
    #[inline(always)]
    fn take_frame(self: Pin<&mut Self>) -> Option<Frame<Bytes>> {
        let this = self.project();
        let frame = this.out.next_frame().map(Frame::data);
        if let (Some(_), Some(clock)) = (&frame, this.clock.as_pin_mut()) {
            clock.mark();
        }
        frame
    }

    /// The heartbeat, if one is due.
    #[inline]
    fn poll_heartbeat(self: Pin<&mut Self>) -> Option<Frame<Bytes>> {
        let this = self.project();
        let (mut clock, alarm) = (this.clock.as_pin_mut()?, this.alarm.as_ref()?);
        if !clock.wants_poll() {
            return None;
        }
        let mut cx = Context::from_waker(alarm.waker());
        if clock.as_mut().poll_due(this.timer, &mut cx).is_pending() {
            return None;
        }
        this.out.push(this.heartbeat.clone()?);
        this.out.next_frame().map(Frame::data)
    }
}

impl<S: Source, T: MaybeTimer> Body for SseBody<S, T> {
    type Data = Bytes;
    type Error = S::Error;

    #[inline]
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, S::Error>>> {
        // What a shared payload is cut into leaves before anything else is asked.
        if let Some(chunk) = self.as_mut().project().out.next_chunk() {
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        if matches!(self.state, State::New) {
            self.as_mut().open();
        }
        let rung = self.as_mut().has_rung(cx);
        self.as_mut().fill(cx);
        if rung && matches!(self.state, State::Open) && self.as_mut().poll_over().is_ready() {
            self.as_mut().end();
        }
        if let Some(frame) = self.as_mut().take_frame() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if matches!(self.state, State::Open) {
            return match self.as_mut().poll_heartbeat() {
                Some(frame) => Poll::Ready(Some(Ok(frame))),
                None => Poll::Pending,
            };
        }
        match mem::replace(self.as_mut().project().state, State::Ended) {
            // hyper drops what it has not written when a body fails. It writes while a body is pending.
            State::Failed(error) => {
                *self.project().state = State::Flushed(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            State::Flushed(error) => Poll::Ready(Some(Err(error))),
            State::New | State::Open | State::Ended => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Ended) && self.out.is_empty()
    }

    /// Never with an upper bound, not even at the end: axum would make a `Content-Length` of it, for an
    /// answer to HEAD too.
    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(u64::try_from(self.out.len()).unwrap_or(u64::MAX));
        hint
    }
}

/// A body that is at its end, for wrappers that want one.
impl<S: Source, T: MaybeTimer + Default> Default for SseBody<S, T> {
    fn default() -> Self {
        Self::from_source(None, T::default())
    }
}

impl<S: Source, T: MaybeTimer> fmt::Debug for SseBody<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SseBody")
            .field("out", &self.out)
            .field("frame_size", &self.frame_size)
            .field("prelude", &self.prelude)
            .field("heartbeat", &self.heartbeat)
            .field("lifecycle", &self.lifecycle)
            .finish_non_exhaustive()
    }
}
