use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_core::Stream;
use futures_core::stream::FusedStream;
use http_body::Body;
use pin_project_lite::pin_project;

use crate::protocol::{Decoder, EventId, LimitExceeded, MessageEvent};

/// How many frames without an event one poll takes at most, in case they never end.
const FRAMES_PER_POLL: usize = 256;

pin_project! {
    /// The events of a body, as a stream: what [`SseBody`](crate::SseBody) makes, taken apart.
    ///
    /// Any [`http_body::Body`] will do, whatever its data are; data that are [`Bytes`] are not
    /// copied. It looks at no header: see [`is_event_stream`](crate::headers::is_event_stream) for
    /// the one that says what a body is. Trailers are passed over. An event that is unfinished when
    /// the body ends is dropped, as the standard has it ([9.2.6]).
    ///
    /// For a client that reconnects, see [`client`](crate::client).
    ///
    /// ```
    /// use bytes::Bytes;
    /// use futures_util::StreamExt;
    /// use http_body_util::Full;
    /// use tower_sse::EventStream;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let body = Full::<Bytes>::from("id: 1\ndata: kick-off\n\nevent: goal\ndata: 1 : 0\n\ndata: unfini");
    /// let mut events = EventStream::new(body);
    /// assert_eq!(events.next().await.unwrap().unwrap().data(), "kick-off");
    /// let goal = events.next().await.unwrap().unwrap();
    /// assert_eq!((goal.event_type(), goal.last_event_id()), ("goal", "1"));
    /// assert!(events.next().await.is_none());
    /// # }
    /// ```
    ///
    /// [9.2.6]: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    #[must_use = "streams do nothing unless polled"]
    pub struct EventStream<B: Body> {
        // `None` once it has ended, so that the connection is freed at once.
        #[pin]
        body: Option<B>,
        data: Option<B::Data>,
        chunk: Bytes,
        decoder: Decoder,
    }
}

impl<B: Body> EventStream<B> {
    /// The events of this body, with a new decoder's limits.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use futures_util::StreamExt;
    /// # use http_body_util::Full;
    /// # use tower_sse::EventStream;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let body = Full::<Bytes>::from("id: 7\nretry: 500\ndata: x\n\n");
    /// let mut events = EventStream::new(body);
    /// assert_eq!(events.next().await.unwrap().unwrap().data(), "x");
    /// # }
    /// ```
    pub fn new(body: B) -> Self {
        Self::with_decoder(body, Decoder::new())
    }

    /// The events of this body, with this decoder's limits and last event ID.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use futures_util::StreamExt;
    /// # use http_body_util::Full;
    /// # use tower_sse::{Decoder, EventStream};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let decoder = Decoder::new().max_event_len(9);
    /// let body = Full::<Bytes>::from("data: much too long\n\ndata: ok\n\n");
    /// let mut events = EventStream::with_decoder(body, decoder);
    /// assert_eq!(
    ///     events.next().await.unwrap().unwrap_err().to_string(),
    ///     "an event is longer than the limit of 9 bytes",
    /// );
    /// // The one that was too long is lost; the stream goes on.
    /// assert_eq!(events.next().await.unwrap().unwrap().data(), "ok");
    /// # }
    /// ```
    pub fn with_decoder(body: B, decoder: Decoder) -> Self {
        Self {
            body: Some(body),
            data: None,
            chunk: Bytes::new(),
            decoder,
        }
    }

    /// The last event ID so far; see [`Decoder::last_event_id`].
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use futures_util::StreamExt;
    /// # use http_body_util::Full;
    /// # use tower_sse::{EventId, EventStream};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let body = Full::<Bytes>::from("id: 7\nretry: 500\ndata: x\n\n");
    /// let mut events = EventStream::new(body);
    /// events.next().await;
    /// assert_eq!(events.last_event_id(), EventId::from(7u64));
    /// # }
    /// ```
    pub fn last_event_id(&self) -> EventId {
        self.decoder.last_event_id()
    }

    /// The reconnection time, if the server has set one; see [`Decoder::reconnection_time`].
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use futures_util::StreamExt;
    /// # use http_body_util::Full;
    /// # use tower_sse::EventStream;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let body = Full::<Bytes>::from("id: 7\nretry: 500\ndata: x\n\n");
    /// let mut events = EventStream::new(body);
    /// events.next().await;
    /// assert_eq!(events.reconnection_time().unwrap().as_millis(), 500);
    /// # }
    /// ```
    pub fn reconnection_time(&self) -> Option<Duration> {
        self.decoder.reconnection_time()
    }
}

impl<B: Body> Stream for EventStream<B> {
    type Item = Result<MessageEvent, EventStreamError<B::Error>>;

    /// The next event, or
    ///
    /// - [`EventStreamError::Limit`], after which there may be more events;
    /// - [`EventStreamError::Body`], after which there is nothing more.
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        for _ in 0..FRAMES_PER_POLL {
            loop {
                if let Some(item) = this.decoder.decode(this.chunk).transpose() {
                    return Poll::Ready(Some(item.map_err(EventStreamError::Limit)));
                }
                match this.data.as_mut().and_then(next_chunk) {
                    Some(chunk) => *this.chunk = chunk,
                    None => break,
                }
            }
            let Some(body) = this.body.as_mut().as_pin_mut() else {
                return Poll::Ready(None);
            };
            match ready!(body.poll_frame(cx)) {
                // Trailers are no data, and say nothing to a reader of events.
                Some(Ok(frame)) => *this.data = frame.into_data().ok(),
                Some(Err(error)) => {
                    this.body.set(None);
                    this.decoder.end();
                    return Poll::Ready(Some(Err(EventStreamError::Body(error))));
                }
                None => {
                    this.body.set(None);
                    this.decoder.end();
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<B: Body> FusedStream for EventStream<B> {
    fn is_terminated(&self) -> bool {
        self.body.is_none()
    }
}

/// The next contiguous piece, so that a chain of `Bytes` is not copied together.
pub(crate) fn next_chunk<D: Buf>(data: &mut D) -> Option<Bytes> {
    let len = data.chunk().len();
    (len > 0).then(|| data.copy_to_bytes(len))
}

impl<B: Body + fmt::Debug> fmt::Debug for EventStream<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("body", &self.body)
            .field("decoder", &self.decoder)
            .finish_non_exhaustive()
    }
}

/// Why an [`EventStream`] has no event to give.
///
/// ```
/// use tower_sse::Decoder;
/// use tower_sse::body::EventStreamError;
///
/// let broken = EventStreamError::Body(std::io::Error::other("reset"));
/// assert_eq!(broken.to_string(), "the event stream's body failed");
///
/// let mut decoder = Decoder::new().max_line_len(7);
/// let limit = decoder.decode_ref(&mut &b":comment"[..]).unwrap_err();
/// let too_long = EventStreamError::<std::io::Error>::Limit(limit);
/// assert_eq!(too_long.to_string(), "a line is longer than the limit of 7 bytes");
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum EventStreamError<E> {
    /// The body failed, as a connection that breaks does; the stream has ended.
    Body(E),
    /// An event was too long; the stream goes on after it.
    Limit(LimitExceeded),
}

impl<E> fmt::Display for EventStreamError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(_) => f.write_str("the event stream's body failed"),
            Self::Limit(limit) => limit.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for EventStreamError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Body(error) => Some(error),
            Self::Limit(_) => None,
        }
    }
}
