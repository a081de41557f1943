use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::boundary::{Boundary, Place};
use super::interrupts::{Did, Interrupt, Interrupts};
use super::keep_alive::{HEARTBEAT, KeepAlive};
#[cfg(feature = "tokio")]
use crate::timer::TokioTimer;
use crate::timer::{MaybeTimer, Timer};

pin_project! {
    /// A body that inserts heartbeats into an event stream made elsewhere, such as a proxied one.
    ///
    /// A heartbeat is inserted between two events, or, as a bare comment line, between two lines of
    /// an event. It is never inserted inside a line, between a CR and its LF, or before the first
    /// line, where a byte order mark may be. A stream that pauses inside a line gets no heartbeats.
    /// The stream's own bytes, its trailers and its errors pass unchanged. An error after data is
    /// delayed by 20 ms, because on HTTP/2 the reset overtakes frames that the server has not
    /// written yet.
    ///
    /// The bytes must be the plain event stream, neither compressed nor encrypted.
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
    pub struct KeepAliveBody<B: Body, T: MaybeTimer> {
        #[pin]
        body: B,
        boundary: Boundary,
        heartbeat: Bytes,
        #[pin]
        interrupts: Interrupts<T>,
        state: InnerState<B::Error>,
    }
}

#[derive(Debug)]
enum InnerState<E> {
    Open,
    /// Earlier frames get time to be written.
    Failed(E),
    /// No heartbeat may follow.
    Ended,
}

#[cfg(feature = "tokio")]
impl<B: Body> KeepAliveBody<B, TokioTimer> {
    /// Wraps a body and sends heartbeats while it is silent, on tokio's clock.
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

impl<B: Body, T: Timer> KeepAliveBody<B, T> {
    /// Wraps a body and sends heartbeats while it is silent, with this timer.
    ///
    /// ```
    /// # use http_body::Body;
    /// # use tower_sse::{KeepAlive, body::KeepAliveBody};
    /// let foreign = "data: x\n\n".to_owned();
    /// let body = KeepAliveBody::with_timer(foreign, KeepAlive::default(), tokio::time::sleep);
    /// assert!(!body.is_end_stream());
    /// ```
    pub fn with_timer(body: B, keep_alive: KeepAlive, timer: T) -> Self {
        Self::of(body, keep_alive, timer)
    }
}

impl<B: Body, T: MaybeTimer> KeepAliveBody<B, T> {
    /// Like [`with_timer`](Self::with_timer), but without heartbeats if there is no timer.
    pub(crate) fn of(body: B, keep_alive: KeepAlive, timer: T) -> Self {
        let (interval, heartbeat) = keep_alive.into_parts();
        let mut interrupts = Interrupts::new(timer);
        interrupts.heartbeat_every(interval);
        Self {
            body,
            boundary: Boundary::default(),
            heartbeat,
            interrupts,
            state: InnerState::Open,
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
        if !matches!(this.state, InnerState::Failed(_)) {
            match this.body.poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let frame = to_bytes(frame);
                    match frame.data_ref() {
                        Some(data) => {
                            this.boundary.pass(data);
                            _ = this.interrupts.poll(Did::Send, cx);
                        }
                        // Trailers.
                        None => *this.state = InnerState::Ended,
                    }
                    return Poll::Ready(Some(Ok(frame)));
                }
                Poll::Ready(Some(Err(error))) => *this.state = InnerState::Failed(error),
                Poll::Ready(None) => {
                    *this.state = InnerState::Ended;
                    return Poll::Ready(None);
                }
                Poll::Pending => {}
            }
        }
        let did = match this.state {
            InnerState::Ended => return Poll::Pending,
            InnerState::Failed(_) => Did::Fail,
            InnerState::Open => Did::Nothing,
        };
        while let Poll::Ready(interrupt) = this.interrupts.as_mut().poll(did, cx) {
            let heartbeat = match (interrupt, this.boundary.place()) {
                (Interrupt::Error, _) => {
                    let state = mem::replace(this.state, InnerState::Ended);
                    return Poll::Ready(match state {
                        InnerState::Failed(error) => Some(Err(error)),
                        InnerState::Open | InnerState::Ended => None,
                    });
                }
                (_, Place::Inside) => continue,
                (_, Place::Line) => Bytes::from_static(HEARTBEAT),
                (_, Place::Event) => this.heartbeat.clone(),
            };
            // Not recorded in the boundary: where a comment is allowed, another may follow.
            return Poll::Ready(Some(Ok(Frame::data(heartbeat))));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        !matches!(self.state, InnerState::Failed(_)) && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        hint.set_lower(self.body.size_hint().lower());
        hint
    }
}

/// Does not copy data that is already `Bytes`.
pub(crate) fn to_bytes<D: Buf>(frame: Frame<D>) -> Frame<Bytes> {
    frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
}

impl<B: Body + fmt::Debug, T: MaybeTimer> fmt::Debug for KeepAliveBody<B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeepAliveBody")
            .field("body", &self.body)
            .field("boundary", &self.boundary)
            .field("heartbeat", &self.heartbeat)
            .finish_non_exhaustive()
    }
}
