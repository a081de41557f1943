use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::box_body::BoxBody;
use super::coding::Coder;
use super::interrupts::Interrupts;
use super::rare::RareSettings;
use super::source::{Source, Written};
use crate::headers::EventStreamHeaders;
use crate::protocol::{Block, Writer};
use crate::timer::{MaybeTimer, NoTimer, Timer};

/// The default number of bytes gathered into a frame.
const FRAME_SIZE: usize = 8 * 1024;

pin_project! {
    /// An HTTP body made from a stream of events, for any server that takes an [`http_body::Body`].
    ///
    /// The items are [`Event`](crate::Event)s, [`Block`]s or `Result`s of either, or of any type
    /// with a closure that writes them. Events that are ready together are sent in one frame;
    /// nothing waits for more.
    ///
    /// - Heartbeats: [`keep_alive`](Self::keep_alive), on tokio's clock or on the timer of
    ///   [`with_timer`](Self::with_timer).
    /// - First bytes at once: [`prelude`](Self::prelude), on by default with heartbeats.
    /// - A clean end: [`end_when`](Self::end_when), [`max_age`](Self::max_age), with a
    ///   [`farewell`](Self::farewell).
    /// - An error of the stream aborts the body after the events before it, which the client sees
    ///   as a broken connection. With [`on_error`](Self::on_error), the body ends cleanly.
    /// - Guards that are dropped at the end: [`hold`](Self::hold). One type for all streams:
    ///   [`boxed`](Self::boxed).
    ///
    /// On HTTP/2, the reset of an aborted stream overtakes frames that the server has not written
    /// yet. A body with a timer therefore waits 20 ms between the last frame and the error. Without
    /// a timer, the client may lose the last events, or the whole response.
    ///
    /// A server polls a body only while its client reads. A body cannot detect a client that stops
    /// reading without closing: set a write timeout on the connection.
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
        // `None` once it has ended, so that its resources are released before the connection is.
        #[pin]
        pub(super) source: Option<S>,
        pub(super) rare: Option<Box<RareSettings>>,
        // Chunks that follow the last frame. Boxed, because they are rare.
        pub(super) left: Option<Box<Writer>>,
        // The length of the last frame of several blocks, as an estimate for the next one.
        pub(super) usual: usize,
        pub(super) frame_size: usize,
        pub(super) state: BodyState<S::Error>,
        #[pin]
        pub(super) interrupts: Interrupts<T>,
        pub(super) coder: Option<Coder>,
    }
}

#[derive(Debug)]
pub(super) enum BodyState<E> {
    /// Not polled yet.
    New,
    Open,
    /// The stream has failed. Blocks that were ready before are sent first.
    Failed(E),
    /// The stream has ended. Blocks that are ready are still sent.
    Ended,
}

impl<S: Source> SseBody<S> {
    /// Creates a body from a stream of events or blocks, or of `Result`s of either.
    ///
    /// It has no timer until [`keep_alive`](Self::keep_alive) sets tokio's.
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
    /// Creates a body like [`new`](SseBody::new), with this timer for heartbeats and the maximum
    /// age.
    ///
    /// ```
    /// use std::time::Duration;
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, MaxAge, SseBody};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let silence = futures_util::stream::pending::<Event>();
    /// let body = SseBody::with_timer(silence, tokio::time::sleep);
    /// let body = body.max_age(MaxAge::new(Duration::from_millis(1)));
    /// assert_eq!(body.collect().await.unwrap().to_bytes(), "");
    /// # }
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
    /// Creates a body from a stream of any items, each written by the closure straight into the
    /// frame.
    ///
    /// This creates no [`Event`](crate::Event) and does not allocate for each item, for streams of
    /// many small events such as tokens. The closure may write several events for an item, or none.
    /// Events written before it returns an error are sent. For a body with a timer, pass a
    /// [`Written`] to [`with_timer`](Self::with_timer).
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
                BodyState::New
            } else {
                BodyState::Ended
            },
            source,
            rare: None,
            left: None,
            usual: 0,
            frame_size: FRAME_SIZE,
            interrupts: Interrupts::new(timer),
            coder: None,
        }
    }

    /// The body with its frames compressed.
    #[cfg(feature = "compression")]
    pub(crate) fn coded(self, coder: Option<Coder>) -> Self {
        Self { coder, ..self }
    }

    #[inline(never)]
    fn poll_coded(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, S::Error>>> {
        let Some(mut coder) = self.as_mut().project().coder.take() else {
            return Poll::Ready(None);
        };
        let polled = coder.poll(|| {
            let polled = self.as_mut().poll_plain(cx);
            (polled, self.is_at_end())
        });
        *self.project().coder = Some(coder);
        polled
    }

    /// A body that consists of this text, for responses without events.
    pub(crate) fn text(text: Bytes, timer: T) -> Self {
        let mut body = Self::from_source(None, timer);
        if !text.is_empty() {
            let mut left = Writer::new();
            left.push(Block::from_shared(text));
            body.left = Some(Box::new(left));
        }
        body
    }

    /// Boxes the body, for handlers that return one of several streams: [`BoxBody`] is one type for
    /// all of them.
    ///
    /// For the `BoxBody` of http-body-util, call its method by its full path:
    /// `BodyExt::boxed(body)`.
    ///
    /// ```
    /// use http_body_util::BodyExt;
    /// use tower_sse::{Event, SseBody, body::BoxBody};
    ///
    /// fn feed(fails: bool) -> BoxBody {
    ///     let event = Event::new("x");
    ///     match fails {
    ///         false => SseBody::new(futures_util::stream::iter([event])).boxed(),
    ///         true => SseBody::new(futures_util::stream::iter([Ok(event), Err("gone")])).boxed(),
    ///     }
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// assert_eq!(feed(false).collect().await.unwrap().to_bytes(), "data: x\n\n");
    /// assert_eq!(feed(true).collect().await.unwrap_err().to_string(), "gone");
    /// # }
    /// ```
    pub fn boxed(self) -> BoxBody
    where
        S: Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>> + Send,
        T: Send + 'static,
        T::Sleep: Send,
    {
        BoxBody::new(self)
    }

    /// Converts the body into a response with an event stream's headers, except `Connection`, which
    /// depends on the request and is added by [`SseLayer`](crate::SseLayer).
    ///
    /// In axum, a handler returns the body itself, or calls axum's `into_response` on it.
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
}

impl<S: Source, T: MaybeTimer> Body for SseBody<S, T> {
    type Data = Bytes;
    type Error = S::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, S::Error>>> {
        match self.coder {
            None => self.poll_plain(cx),
            Some(_) => self.poll_coded(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.coder {
            None => self.is_at_end(),
            Some(coder) => coder.is_end_stream(),
        }
    }

    /// Never has an upper bound, not even at the end: axum would turn it into a `Content-Length`,
    /// even in a response to HEAD.
    fn size_hint(&self) -> SizeHint {
        let mut hint = SizeHint::new();
        if self.coder.is_none() {
            let left = self.left.as_ref().map_or(0, |left| left.len());
            hint.set_lower(u64::try_from(left).unwrap_or(u64::MAX));
        }
        hint
    }
}

/// An empty body, for wrappers that need one.
impl<S: Source, T: MaybeTimer + Default> Default for SseBody<S, T> {
    fn default() -> Self {
        Self::from_source(None, T::default())
    }
}

impl<S: Source, T: MaybeTimer> fmt::Debug for SseBody<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SseBody")
            .field("left", &self.left)
            .field("frame_size", &self.frame_size)
            .field("rare", &self.rare)
            .field("interrupts", &self.interrupts)
            .finish_non_exhaustive()
    }
}
