use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use http::StatusCode;

use super::connection::STEPS_PER_POLL;
use super::error::ClientError;
use super::event_source::EventSource;
use super::service::HttpService;
use super::source_event::SourceEvent;
use crate::protocol::MessageEvent;
use crate::timer::Timer;

/// A stream of the messages of an [`EventSource`], returned by
/// [`into_messages`](EventSource::into_messages).
///
/// ```
/// # use futures_util::StreamExt;
/// # use http::{Request, Response};
/// # use tower_sse::EventSource;
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// # let service = tower::service_fn(|_: Request<String>| async {
/// #     Response::builder().header("content-type", "text/event-stream").body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
/// # });
/// # let request = Request::new(String::new());
/// let mut messages = EventSource::new(service, request).into_messages();
/// assert_eq!(messages.next().await.unwrap().unwrap().data(), "x");
/// # }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Messages<S: HttpService<B>, B, T: Timer> {
    source: EventSource<S, B, T>,
}

impl<S: HttpService<B>, B, T: Timer> Messages<S, B, T> {
    pub(super) fn new(source: EventSource<S, B, T>) -> Self {
        Self { source }
    }

    /// Returns a reference to the source, for example to read its last event ID.
    ///
    /// ```
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().header("content-type", "text/event-stream").body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let messages = EventSource::new(service, request).into_messages();
    /// assert_eq!(messages.get_ref().url(), "/");
    /// # }
    /// ```
    pub fn get_ref(&self) -> &EventSource<S, B, T> {
        &self.source
    }

    /// Returns a mutable reference to the source, for example to close it.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().header("content-type", "text/event-stream").body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut messages = EventSource::new(service, request).into_messages();
    /// messages.get_mut().close();
    /// assert!(messages.next().await.is_none());
    /// # }
    /// ```
    pub fn get_mut(&mut self) -> &mut EventSource<S, B, T> {
        &mut self.source
    }

    /// Returns the source with its connection.
    ///
    /// ```
    /// # use futures_util::StreamExt;
    /// # use http::{Request, Response};
    /// # use tower_sse::EventSource;
    /// # use tower_sse::client::SourceEvent;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
    /// # let service = tower::service_fn(|_: Request<String>| async {
    /// #     Response::builder().header("content-type", "text/event-stream").body("id: 7\nretry: 500\ndata: x\n\n".to_owned())
    /// # });
    /// # let request = Request::new(String::new());
    /// let mut source = EventSource::new(service, request).into_messages().into_inner();
    /// assert!(matches!(source.next().await, Some(SourceEvent::Open(_))));
    /// # }
    /// ```
    pub fn into_inner(self) -> EventSource<S, B, T> {
        self.source
    }
}

impl<S: HttpService<B>, B: Clone, T: Timer> Stream for Messages<S, B, T> {
    type Item = Result<MessageEvent, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // A source may yield any number of other events without being pending.
        for _ in 0..STEPS_PER_POLL {
            return Poll::Ready(match ready!(Pin::new(&mut self.source).poll_next(cx)) {
                Some(SourceEvent::Message(message)) => Some(Ok(message)),
                Some(SourceEvent::Failed(error)) if says_stop(&error) => None,
                Some(SourceEvent::Failed(error)) => Some(Err(error)),
                Some(_) => continue,
                None => None,
            });
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<S: HttpService<B>, B: Clone, T: Timer> FusedStream for Messages<S, B, T> {
    fn is_terminated(&self) -> bool {
        self.source.is_terminated()
    }
}

fn says_stop(error: &ClientError) -> bool {
    let rejection = error.rejection();
    rejection.is_some_and(|rejection| rejection.status() == StatusCode::NO_CONTENT)
}

impl<S: HttpService<B>, B, T: Timer> fmt::Debug for Messages<S, B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages")
            .field("source", &self.source)
            .finish()
    }
}
