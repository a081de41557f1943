use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response, StatusCode};
use http_body::Body;

use crate::timer::Timer;

/// How much of the body is kept.
const MAX_BODY: usize = 4 * 1024;
/// How long it is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A response that is no event stream.
///
/// ```
/// # use futures_util::StreamExt;
/// # use http::{Request, Response};
/// # use tower_sse::EventSource;
/// # use tower_sse::client::SourceEvent;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// # let service = tower::service_fn(|_: Request<String>| async {
/// #     Response::builder().status(404).header("x-why", "no").body("because".to_owned())
/// # });
/// # let request = Request::new(String::new());
/// let mut source = EventSource::new(service, request);
/// let Some(SourceEvent::Failed(error)) = source.next().await else {
///     panic!("did not fail");
/// };
/// let rejection = error.rejection().unwrap();
/// assert_eq!((rejection.status().as_u16(), &rejection.body()[..]), (404, &b"because"[..]));
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Rejection {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Rejection {
    /// Its status; 200 if it was the type that was wrong.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # use tower_sse::client::SourceEvent;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().status(404).header("x-why", "no").body("because".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut source = EventSource::new(service, request);
    /// let Some(SourceEvent::Failed(error)) = source.next().await else {
    ///     panic!("did not fail");
    /// };
    /// assert_eq!(error.rejection().unwrap().status(), 404);
    /// # }
    /// ```
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Its headers.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # use tower_sse::client::SourceEvent;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().status(404).header("x-why", "no").body("because".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut source = EventSource::new(service, request);
    /// let Some(SourceEvent::Failed(error)) = source.next().await else {
    ///     panic!("did not fail");
    /// };
    /// assert_eq!(error.rejection().unwrap().headers()["x-why"], "no");
    /// # }
    /// ```
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The first 4 KiB of its body, as far as they came within 5 s.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # use tower_sse::client::SourceEvent;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().status(404).header("x-why", "no").body("because".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut source = EventSource::new(service, request);
    /// let Some(SourceEvent::Failed(error)) = source.next().await else {
    ///     panic!("did not fail");
    /// };
    /// assert_eq!(error.rejection().unwrap().body(), "because");
    /// # }
    /// ```
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Whether a server may mean it to pass: 429 and 5xx.
    pub(super) fn is_temporary(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status.fmt(f)?;
        if self.status != StatusCode::OK {
            return Ok(());
        }
        match self.headers.get(CONTENT_TYPE) {
            Some(content_type) => write!(f, " with Content-Type {content_type:?}"),
            None => f.write_str(" without Content-Type"),
        }
    }
}

/// Reads the first bytes of a response that has been rejected.
pub(super) struct Rejecting<B, T: Timer> {
    head: Response<()>,
    body: Pin<Box<B>>,
    seen: BytesMut,
    sleep: Pin<Box<T::Sleep>>,
}

impl<B: Body, T: Timer> Rejecting<B, T> {
    pub(super) fn new(head: Response<()>, body: B, timer: &T) -> Self {
        Self {
            head,
            body: Box::pin(body),
            seen: BytesMut::new(),
            sleep: Box::pin(timer.sleep(PATIENCE)),
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Rejection> {
        while self.seen.len() < MAX_BODY && !self.body.is_end_stream() {
            match self.body.as_mut().poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        let room = MAX_BODY - self.seen.len();
                        self.seen.put(data.take(room));
                    }
                }
                // Whatever is wrong with it, what has come is told.
                Poll::Ready(Some(Err(_)) | None) => break,
                Poll::Pending => match self.sleep.as_mut().poll(cx) {
                    Poll::Ready(_) => break,
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
        Poll::Ready(Rejection {
            status: self.head.status(),
            headers: std::mem::take(self.head.headers_mut()),
            body: self.seen.split().freeze(),
        })
    }
}
