use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use futures_core::stream::FusedStream;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::chunks::Chunks;
use super::event_stream_error::EventStreamError;
use super::from_response::FromResponse;
use super::reader::{Read, Reader, Terminator};
use super::rejection::PATIENCE;
use crate::protocol::{Decoder, EventId, MessageEvent};
use crate::timer::Timer;

/// The maximum number of frames without an event in one poll, in case they never end.
const FRAMES_PER_POLL: usize = 256;

pin_project! {
    /// A stream of the events of a body: the reverse of [`SseBody`](crate::SseBody).
    ///
    /// It reads any [`http_body::Body`], whatever its data type; [`Bytes`] are not copied. Trailers
    /// are skipped. An event that is incomplete when the body ends is dropped, as the standard
    /// requires ([9.2.6]); see [`was_cut`](Self::was_cut).
    ///
    /// | made from | with | checks |
    /// |---|---|---|
    /// | a response | [`from_response`](Self::from_response) | status, `Content-Type`, `Content-Encoding` |
    /// | a body | [`new`](Self::new), [`with_decoder`](Self::with_decoder) | nothing |
    /// | a stream of chunks, as from reqwest or gloo | [`from_stream`](Self::from_stream) | nothing |
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
    /// let text = "id: 1\ndata: kick-off\n\nevent: goal\ndata: 1 : 0\n\ndata: unfini";
    /// let body = Full::<Bytes>::from(text);
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
        // `None` once it has ended, so that the connection is released at once.
        #[pin]
        body: Option<B>,
        reader: Reader<B::Data>,
        cut: bool,
    }
}

impl<B: Body> EventStream<B> {
    /// Creates a stream of the events of this body, with the default decoder.
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

    /// Creates a stream of the events of this body, with this decoder's limits and last event ID.
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
    /// // The event that was too long is lost; the stream continues.
    /// assert_eq!(events.next().await.unwrap().unwrap().data(), "ok");
    /// # }
    /// ```
    pub fn with_decoder(body: B, decoder: Decoder) -> Self {
        Self {
            body: Some(body),
            reader: Reader::new(decoder),
            cut: false,
        }
    }

    /// Reads the events of this response, if it is an event stream: its status is 200, its type is
    /// `text/event-stream`, and its content is not encoded.
    ///
    /// # Errors
    ///
    /// The [`Rejection`](super::Rejection), with the first 4 KiB of the body. A server can delay
    /// these for any length of time; [`from_response_with_timer`](Self::from_response_with_timer)
    /// limits that.
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// use http::Response;
    /// use tower_sse::EventStream;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let response = Response::builder().header("content-type", "text/event-stream");
    /// let response = response.body("data: kick-off\n\n".to_owned()).unwrap();
    /// let mut events = EventStream::from_response(response).await.unwrap();
    /// assert_eq!(events.next().await.unwrap().unwrap().data(), "kick-off");
    ///
    /// let response = Response::new("oops".to_owned());
    /// let rejection = EventStream::from_response(response).await.unwrap_err();
    /// assert_eq!(
    ///     rejection.to_string(),
    ///     "the response is not an event stream: 200 OK without Content-Type",
    /// );
    /// assert_eq!(rejection.body(), "oops");
    /// # }
    /// ```
    pub fn from_response(response: Response<B>) -> FromResponse<B> {
        FromResponse::new(response, || None)
    }

    /// Reads the events of this response like [`from_response`](Self::from_response), but reads the
    /// body of a rejected response for at most 5 s.
    ///
    /// # Errors
    ///
    /// The [`Rejection`](super::Rejection), with as much of the first 4 KiB of the body as has
    /// arrived.
    ///
    /// ```
    /// use http::Response;
    /// use tower_sse::{EventStream, body::Chunks, timer::TokioTimer};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// let never = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    /// let response = Response::builder().status(502).body(Chunks::new(never)).unwrap();
    /// let rejection = EventStream::from_response_with_timer(response, TokioTimer).await.unwrap_err();
    /// assert_eq!(rejection.status(), 502);
    /// # }
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "as every other with_timer")]
    pub fn from_response_with_timer<T: Timer>(
        response: Response<B>,
        timer: T,
    ) -> FromResponse<B, T::Sleep> {
        FromResponse::new(response, || Some(timer.sleep(PATIENCE)))
    }

    /// Ends the stream at the event with this data, such as `[DONE]`, which is not yielded. A body
    /// that ends without it is an [error](EventStreamError::Unterminated).
    ///
    /// The connection is dropped at the terminator. If this or [`until_type`](Self::until_type) is
    /// called several times, the last call counts.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use futures_util::StreamExt;
    /// use http_body_util::Full;
    /// use tower_sse::EventStream;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let body = Full::<Bytes>::from("data: Hel\n\ndata: lo\n\ndata: [DONE]\n\n");
    /// let mut tokens = EventStream::new(body).until("[DONE]");
    /// assert_eq!(tokens.next().await.unwrap().unwrap().data(), "Hel");
    /// assert_eq!(tokens.next().await.unwrap().unwrap().data(), "lo");
    /// assert!(tokens.next().await.is_none());
    ///
    /// let mut tokens = EventStream::new(Full::<Bytes>::from("data: Hel\n\n")).until("[DONE]");
    /// assert_eq!(tokens.next().await.unwrap().unwrap().data(), "Hel");
    /// assert_eq!(
    ///     tokens.next().await.unwrap().unwrap_err().to_string(),
    ///     "the event stream ended without its terminator",
    /// );
    /// # }
    /// ```
    pub fn until(mut self, data: impl Into<Cow<'static, str>>) -> Self {
        self.reader = self.reader.until(Terminator::Data(data.into()));
        self
    }

    /// Ends the stream at the event of this type, such as `message_stop`, which is not yielded. A
    /// body that ends without it is an [error](EventStreamError::Unterminated).
    ///
    /// ```
    /// use bytes::Bytes;
    /// use futures_util::StreamExt;
    /// use http_body_util::Full;
    /// use tower_sse::EventStream;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let body = Full::<Bytes>::from("data: Hello\n\nevent: message_stop\ndata: {}\n\n");
    /// let mut tokens = EventStream::new(body).until_type("message_stop");
    /// assert_eq!(tokens.next().await.unwrap().unwrap().data(), "Hello");
    /// assert!(tokens.next().await.is_none());
    /// # }
    /// ```
    pub fn until_type(mut self, event_type: impl Into<Cow<'static, str>>) -> Self {
        self.reader = self.reader.until(Terminator::Type(event_type.into()));
        self
    }

    /// Returns `true` if the stream has ended in the middle of an event, which is lost; `false`
    /// while it has not ended.
    ///
    /// Only data, a type or an ID make an event: cut comments and reconnection times do not count.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use futures_util::StreamExt;
    /// use http_body_util::Full;
    /// use tower_sse::EventStream;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mut events = EventStream::new(Full::<Bytes>::from("data: whole\n\ndata: ha"));
    /// assert!(events.next().await.unwrap().is_ok());
    /// assert!(events.next().await.is_none());
    /// assert!(events.was_cut());
    /// # }
    /// ```
    #[must_use]
    pub fn was_cut(&self) -> bool {
        self.cut
    }

    /// Returns the last event ID so far; see [`Decoder::last_event_id`].
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
        self.reader.decoder().last_event_id()
    }

    /// Returns the reconnection time, if the server has set one; see
    /// [`Decoder::reconnection_time`].
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
        self.reader.decoder().reconnection_time()
    }
}

impl<S, D, E> EventStream<Chunks<S>>
where
    S: Stream<Item = Result<D, E>>,
    D: Into<Bytes>,
{
    /// Creates a stream of the events in a stream of chunks, from an HTTP library without
    /// [`http_body::Body`] or from any other source of bytes.
    ///
    /// A chunk is anything that converts into [`Bytes`]. Chunks may be split anywhere.
    ///
    /// ```
    /// use futures_util::{StreamExt, stream};
    /// use tower_sse::EventStream;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let chunks = stream::iter(["da", "ta: x\n\n"].map(Ok::<_, std::io::Error>));
    /// let mut events = EventStream::from_stream(chunks);
    /// assert_eq!(events.next().await.unwrap().unwrap().data(), "x");
    /// # }
    /// ```
    pub fn from_stream(chunks: S) -> Self {
        Self::new(Chunks::new(chunks))
    }
}

impl<B: Body> Stream for EventStream<B> {
    type Item = Result<MessageEvent, EventStreamError<B::Error>>;

    /// The next event, or
    ///
    /// - [`EventStreamError::Limit`], after which there may be more events;
    /// - any other error, after which there is nothing more.
    // Inlined, so that the event is built in the caller's place. Otherwise it is moved, which takes
    // 1.3 to 1.5 times as long for `typical` and `token`, 16 KiB, in benches/decode.
    #[inline(always)]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let mut frames = FRAMES_PER_POLL;
        while frames > 0 {
            if let Some(event) = this.reader.next_whole() {
                return Poll::Ready(Some(Ok(event)));
            }
            let Some(body) = this.body.as_mut().as_pin_mut() else {
                return Poll::Ready(None);
            };
            let last = match ready!(this.reader.poll_rest(body, cx, &mut frames)) {
                Read::Event => return Poll::Ready(Some(Ok(this.reader.take_event()))),
                Read::Limit(limit) => {
                    return Poll::Ready(Some(Err(EventStreamError::Limit(limit))));
                }
                Read::Comment(_) | Read::Data | Read::Nothing => continue,
                Read::Ended if this.reader.has_terminator() => Some(EventStreamError::Unterminated),
                Read::Terminator | Read::Ended => None,
                Read::Failed(error) => Some(EventStreamError::Body(error)),
            };
            this.body.set(None);
            *this.cut = this.reader.end();
            return Poll::Ready(last.map(Err));
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

impl<B: Body> fmt::Debug for EventStream<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("ended", &self.body.is_none())
            .field("cut", &self.cut)
            .field("reader", &self.reader)
            .finish_non_exhaustive()
    }
}
