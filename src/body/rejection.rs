use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::Body;

use crate::headers::is_event_stream;

/// The maximum number of bytes of the body to keep.
const MAX_BODY: usize = 4 * 1024;
/// How long reading the body may take, where there is a timer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// The maximum number of frames in one poll: a peer can send empty ones forever.
const FRAMES_PER_POLL: usize = 256;

/// A response that is not an event stream: its status is not 200, its `Content-Type` is not
/// `text/event-stream`, or it has a `Content-Encoding` that was not decoded.
///
/// ```
/// use http::Response;
/// use tower_sse::EventStream;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let response = Response::builder().status(404).body("no such feed".to_owned()).unwrap();
/// let rejection = EventStream::from_response(response).await.unwrap_err();
/// assert_eq!(rejection.to_string(), "the response is not an event stream: 404 Not Found");
/// assert_eq!(rejection.body(), "no such feed");
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Rejection {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Rejection {
    /// Returns the response's status; 200 if it was rejected for its headers.
    ///
    /// ```
    /// use http::Response;
    /// use tower_sse::EventStream;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let response = Response::builder().status(404).body(String::new()).unwrap();
    /// let rejection = EventStream::from_response(response).await.unwrap_err();
    /// assert_eq!(rejection.status(), 404);
    /// # }
    /// ```
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the response's headers.
    ///
    /// ```
    /// use http::Response;
    /// use tower_sse::EventStream;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let response = Response::builder().header("content-type", "text/html").body(String::new());
    /// let rejection = EventStream::from_response(response.unwrap()).await.unwrap_err();
    /// assert_eq!(rejection.headers()["content-type"], "text/html");
    /// # }
    /// ```
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the first 4 KiB of the response's body, or less if they take longer than 5 s to
    /// arrive. Empty if the body is encoded.
    ///
    /// ```
    /// use http::Response;
    /// use tower_sse::EventStream;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let response = Response::new("x".repeat(5_000));
    /// let rejection = EventStream::from_response(response).await.unwrap_err();
    /// assert_eq!(rejection.body().len(), 4_096);
    /// # }
    /// ```
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Whether it may be temporary: 429 and 5xx.
    pub(crate) fn is_temporary(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the response is not an event stream: {}", self.status)?;
        if self.status != StatusCode::OK {
            return Ok(());
        }
        if is_event_stream(&self.headers) {
            return match encoding(&self.headers) {
                Some(encoding) => write!(f, " with Content-Encoding {encoding:?}, not decoded"),
                None => Ok(()),
            };
        }
        // If there are several, the last counts.
        match self.headers.get_all(CONTENT_TYPE).iter().next_back() {
            Some(content_type) => write!(f, " with Content-Type {content_type:?}"),
            None => f.write_str(" without Content-Type"),
        }
    }
}

impl Error for Rejection {}

/// Whether the response is an event stream, and not encoded.
pub(crate) fn is_acceptable<B>(response: &Response<B>) -> bool {
    response.status() == StatusCode::OK
        && is_event_stream(response.headers())
        && encoding(response.headers()).is_none()
}

/// The `Content-Encoding`, if there is one. A decoding layer removes the header.
fn encoding(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get_all(CONTENT_ENCODING).iter().find(|value| {
        let codings = value.as_bytes().split(|b| *b == b',');
        let mut codings = codings.map(<[u8]>::trim_ascii);
        codings.any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
    })
}

/// Reads the beginning of a rejected response, until a sleep ends.
pub(crate) struct Rejecting<B, F> {
    head: Response<()>,
    body: Pin<Box<B>>,
    seen: BytesMut,
    sleep: Option<Pin<Box<F>>>,
}

impl<B: Body, F: Future> Rejecting<B, F> {
    pub(crate) fn new(response: Response<B>, sleep: Option<F>) -> Self {
        let (head, body) = response.into_parts();
        Self {
            head: Response::from_parts(head, ()),
            body: Box::pin(body),
            seen: BytesMut::new(),
            sleep: sleep.map(Box::pin),
        }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Rejection> {
        let encoded = encoding(self.head.headers()).is_some();
        let sleep = self.sleep.as_mut().map(|sleep| sleep.as_mut().poll(cx));
        let is_late = matches!(sleep, Some(Poll::Ready(_)));
        let mut frames = 0;
        while !encoded && self.seen.len() < MAX_BODY && !self.body.is_end_stream() {
            if frames == FRAMES_PER_POLL {
                if is_late {
                    break;
                }
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            frames += 1;
            match self.body.as_mut().poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        let room = MAX_BODY - self.seen.len();
                        self.seen.put(data.take(room));
                    }
                }
                // Whatever the error, the part that has arrived is reported.
                Poll::Ready(Some(Err(_)) | None) => break,
                Poll::Pending if is_late => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Rejection {
            status: self.head.status(),
            headers: std::mem::take(self.head.headers_mut()),
            body: self.seen.split().freeze(),
        })
    }
}
