use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};

use super::source::Source;
use super::sse_body::SseBody;
use crate::exclusive::Exclusive;
use crate::headers::EventStreamHeaders;
use crate::timer::MaybeTimer;

/// Any error.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// A boxed [`SseBody`] of any type, returned by [`SseBody::boxed`].
///
/// It is a single type without parameters, for handlers that return one of several streams. It is
/// `Send`, `Sync` and `Unpin` whatever the stream is. Its errors are those of the stream, boxed as
/// `Box<dyn Error + Send + Sync>`.
///
/// ```
/// use http::{Request, Response};
/// use http_body_util::BodyExt;
/// use tower_sse::body::BoxBody;
/// use tower_sse::{Event, Hub, KeepAlive, SseBody};
///
/// fn feed(request: &Request<()>, hub: &Hub) -> Response<BoxBody> {
///     let body = match request.uri().path() {
///         "/all" => hub.subscribe().unwrap().keep_alive(KeepAlive::default()).boxed(),
///         "/one" => SseBody::new(futures_util::stream::iter([Event::new("goal")])).boxed(),
///         _ => BoxBody::default(), // empty
///     };
///     Response::new(body)
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let request = Request::get("/one").body(()).unwrap();
/// let body = feed(&request, &Hub::new()).into_body();
/// assert_eq!(body.collect().await.unwrap().to_bytes(), "data: goal\n\n");
/// # }
/// ```
#[derive(Default)]
#[must_use = "a body does nothing until a server polls it"]
pub struct BoxBody {
    /// `None` once it has ended.
    body: Option<Exclusive<Pin<Box<dyn Erased>>>>,
}

trait Erased: Send {
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>>;

    fn is_end_stream(&self) -> bool;
}

impl<S, T> Erased for SseBody<S, T>
where
    S: Source<Error: Into<BoxError> + Send> + Send,
    T: MaybeTimer<Sleep: Send> + Send,
{
    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Body::poll_frame(self, cx).map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        Body::is_end_stream(self)
    }
}

impl BoxBody {
    pub(super) fn new<S, T>(body: SseBody<S, T>) -> Self
    where
        S: Source<Error: Into<BoxError> + Send> + Send + 'static,
        T: MaybeTimer<Sleep: Send> + Send + 'static,
    {
        if Body::is_end_stream(&body) {
            return Self::default();
        }
        Self {
            body: Some(Exclusive::new(Box::pin(body))),
        }
    }

    /// Converts it into a response with an event stream's headers; see
    /// [`SseBody::into_http_response`].
    ///
    /// ```
    /// use tower_sse::{Event, SseBody};
    ///
    /// let body = SseBody::new(futures_util::stream::empty::<Event>()).boxed();
    /// let response = body.into_http_response();
    /// assert_eq!(response.headers()["content-type"], "text/event-stream");
    /// ```
    pub fn into_http_response(self) -> Response<Self> {
        let mut response = Response::new(self);
        EventStreamHeaders::new().add(false, response.headers_mut());
        response
    }
}

impl Body for BoxBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let body = body.get_mut();
        let polled = body.as_mut().poll_frame(cx);
        // Dropped here, since `is_end_stream` cannot look inside.
        if polled.is_ready() && body.is_end_stream() {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.body {
            Some(_) => SizeHint::new(),
            None => SizeHint::with_exact(0),
        }
    }
}

impl fmt::Debug for BoxBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxBody")
            .field("ended", &self.body.is_none())
            .finish_non_exhaustive()
    }
}
