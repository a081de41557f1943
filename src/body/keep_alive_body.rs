use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::alarm::Alarm;
use super::boundary::{Boundary, Place};
use super::keep_alive::{IdleClock, KeepAlive};
use crate::protocol::Block;
#[cfg(feature = "tokio")]
use crate::timer::TokioTimer;
use crate::timer::{MaybeTimer, Timer};

pin_project! {
    /// An event stream made elsewhere, such as a proxied one, with heartbeats put in.
    ///
    /// A heartbeat goes in between two events; or, as a bare comment line, between two lines of one;
    /// never inside a line, between a CR and its LF, or before the first line, where a byte order
    /// mark may come. Where the stream stops inside a line there is none. The stream's own bytes,
    /// its trailers and its errors pass as they are.
    ///
    /// The bytes have to be the event stream itself: not compressed, not encrypted.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use futures_util::stream::{self, StreamExt};
    /// use http_body::Frame;
    /// use http_body_util::{BodyExt, StreamBody};
    /// use tower_sse::KeepAlive;
    /// use tower_sse::body::KeepAliveBody;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let foreign = stream::iter([Ok::<_, std::io::Error>(Frame::data(Bytes::from("data: x\n")))]);
    /// let foreign = StreamBody::new(foreign.chain(stream::pending()));
    /// let body = KeepAliveBody::new(foreign, KeepAlive::default());
    /// let mut body = Box::pin(body);
    /// assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "data: x\n");
    /// assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), ":\n");
    /// # }
    /// ```
    #[must_use = "a body does nothing until a server polls it"]
    pub struct KeepAliveBody<B, T: MaybeTimer> {
        #[pin]
        body: B,
        boundary: Boundary,
        heartbeat: Block,
        timer: T,
        #[pin]
        clock: IdleClock<T>,
        alarm: Alarm,
        ended: bool,
    }
}

#[cfg(feature = "tokio")]
impl<B> KeepAliveBody<B, TokioTimer> {
    /// The body with heartbeats where it is silent, on tokio's clock.
    ///
    /// ```
    /// # use http_body::Body;
    /// # use tower_sse::{KeepAlive, body::KeepAliveBody};
    /// let body = KeepAliveBody::new("data: x\n\n".to_owned(), KeepAlive::default());
    /// assert!(!body.is_end_stream());
    /// ```
    pub fn new(body: B, keep_alive: KeepAlive) -> Self {
        Self::with_timer(body, keep_alive, TokioTimer)
    }
}

impl<B, T: Timer> KeepAliveBody<B, T> {
    /// The body with heartbeats where it is silent, on this clock.
    ///
    /// ```
    /// # use http_body::Body;
    /// # use tower_sse::{KeepAlive, body::KeepAliveBody};
    /// let foreign = "data: x\n\n".to_owned();
    /// let body = KeepAliveBody::with_timer(foreign, KeepAlive::default(), smol::Timer::after);
    /// assert!(!body.is_end_stream());
    /// ```
    pub fn with_timer(body: B, keep_alive: KeepAlive, timer: T) -> Self {
        Self::of(body, keep_alive, timer)
    }
}

impl<B, T: MaybeTimer> KeepAliveBody<B, T> {
    /// Without heartbeats where there is no timer.
    pub(crate) fn of(body: B, keep_alive: KeepAlive, timer: T) -> Self {
        Self {
            body,
            boundary: Boundary::default(),
            clock: IdleClock::new(&keep_alive),
            heartbeat: keep_alive.into_block(),
            timer,
            alarm: Alarm::new(),
            ended: false,
        }
    }
}

impl<B: Body, T: MaybeTimer> Body for KeepAliveBody<B, T> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        if this.alarm.has_rung(cx) {
            this.clock.as_mut().wake();
        }
        if let Poll::Ready(frame) = this.body.poll_frame(cx) {
            let frame = frame.map(|frame| frame.map(to_bytes));
            match frame
                .as_ref()
                .map(|frame| frame.as_ref().map(Frame::data_ref))
            {
                Some(Ok(Some(data))) => {
                    this.boundary.pass(data);
                    this.clock.mark();
                }
                // Trailers, an error, the end: nothing may follow.
                _ => *this.ended = true,
            }
            return Poll::Ready(frame);
        }
        if *this.ended || !this.clock.wants_poll() {
            return Poll::Pending;
        }
        let mut cx = Context::from_waker(this.alarm.waker());
        while this.clock.as_mut().poll_due(this.timer, &mut cx).is_ready() {
            let heartbeat = match this.boundary.place() {
                Place::Inside => continue,
                Place::Line => Bytes::from_static(b":\n"),
                Place::Event => this.heartbeat.clone().into_bytes(),
            };
            // Not passed by the boundary: where a comment may stand, another may follow.
            return Poll::Ready(Some(Ok(Frame::data(heartbeat))));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.body.size_hint().lower());
        hint
    }
}

/// Without a copy where the data are `Bytes` already.
pub(crate) fn to_bytes<D: Buf>(frame: Frame<D>) -> Frame<Bytes> {
    frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
}

impl<B: fmt::Debug, T: MaybeTimer> fmt::Debug for KeepAliveBody<B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeepAliveBody")
            .field("body", &self.body)
            .field("boundary", &self.boundary)
            .field("heartbeat", &self.heartbeat)
            .finish_non_exhaustive()
    }
}
